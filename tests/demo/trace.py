# SPDX-License-Identifier: MIT
"""Read the text of a kernel trace that guest/measure.sh made."""

import dataclasses
import re

LINE = re.compile(r"^\s*(?P<task>.+)-(?P<pid>\d+)\s+\[\d+\]\s+\S+\s+(?P<s>\d+)\.(?P<us>\d{6}): "
                  r"(?P<event>\w+): (?P<rest>.*)$")
FIELD = re.compile(r"(\w+)=(0x[0-9a-f]+|\d+)")
ENTRIES = re.compile(r"entries-in-buffer/entries-written: (\d+)/(\d+)")


class TraceError(Exception):
    """The trace is not one that figures can be taken from."""


@dataclasses.dataclass(frozen=True)
class Event:
    at_ns: int
    name: str
    pid: int
    fields: dict
    text: str


def parse(text, name):
    """All events, in the order of time."""
    counted = ENTRIES.search(text)
    if not counted:
        raise TraceError(f"{name}: not a kernel trace")
    if counted[1] != counted[2]:
        raise TraceError(f"{name}: {counted[1]} of {counted[2]} entries are left, the buffer was "
                         "too small")
    events = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            fields = {k: int(v, 0) for k, v in FIELD.findall(match["rest"])}
            events.append(Event(int(match["s"]) * 10**9 + int(match["us"]) * 1000, match["event"],
                                int(match["pid"]), fields, match["rest"]))
    if len(events) != int(counted[1]):
        raise TraceError(f"{name}: {counted[1]} entries, but {len(events)} were understood")
    events.sort(key=lambda e: e.at_ns)
    return events


def mark(events, text):
    """When the last mark with this text was written, or None."""
    times = [e.at_ns for e in events if e.name == "tracing_mark_write" and e.text == text]
    return times[-1] if times else None


@dataclasses.dataclass
class Mapping:
    mapped_ns: int
    bytes: int
    unmapped_ns: int | None = None


def mappings(events):
    """The mappings made in this trace, and the unmaps of those that were there before it."""
    live, made, older = {}, [], []
    for event in events:
        if event.name == "map":
            iova = event.fields["iova"]
            if iova in live:
                raise TraceError(f"{iova:#x} is mapped twice at {event.at_ns} ns")
            live[iova] = Mapping(event.at_ns, event.fields["bytes"])
            made.append(live[iova])
        elif event.name == "unmap":
            mapping = live.pop(event.fields["iova"], None)
            if mapping:
                mapping.unmapped_ns = event.at_ns
            else:
                older.append(event)
    return made, older


def durations(events, entry, leave):
    """(start, duration) of every call that is between an entry and a return event of one task."""
    open_calls, result = {}, []
    for event in events:
        if event.name == entry:
            open_calls[event.pid] = event.at_ns
        elif event.name == leave and event.pid in open_calls:
            start = open_calls.pop(event.pid)
            result.append((start, event.at_ns - start))
    return result


def percentile(values, percent):
    """The nearest-rank percentile, or None of nothing."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]
