# SPDX-License-Identifier: MIT
"""From the files of one measured workload to its figures."""

import dataclasses
import json
import os
import re

from . import trace, workloads


class MeasureError(Exception):
    """A workload failed, or left no usable figures."""


@dataclasses.dataclass
class Run:
    """One row: one workload on one side. None: there is no such figure on this side."""
    workload: str
    side: str
    flips: int
    maps: int
    unmaps: int
    scanned_pages: int
    scanout_faults: int
    crc_mismatches: int
    idle_bytes_max: int | None
    max_bytes: int | None
    prepare_ns_p50: int | None
    prepare_ns_p99: int | None
    cleanup_ns_p50: int | None
    cleanup_ns_p99: int | None
    steady_flips: int
    steady_maps: int
    steady_unmaps: int
    crc_checked: int
    mapped_bytes_max: int
    left_mapped: int
    idle_samples: int
    attempts: int
    duration_s: float

    def per_flip(self):
        """Maps and unmaps per flip in the steady part, or None where there is none."""
        if not self.steady_flips:
            return None
        return (self.steady_maps + self.steady_unmaps) / self.steady_flips


@dataclasses.dataclass
class Series:
    """What is drawn: seconds since the program was started."""
    maps_s: list
    unmaps_s: list
    steady_s: tuple | None
    end_s: float


def read(folder, *names):
    path = os.path.join(folder, *names)
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return None


def need(folder, name):
    text = read(folder, name)
    if text is None:
        raise MeasureError(f"{os.path.join(folder, name)} is missing: the guest did not get there")
    return text


def _counters(text):
    return {k: int(v) for k, v in re.findall(r"^(\w+(?:-\w+)*) (\d+)$", text, re.M)}


def _check_complete(folder):
    """Figures from a trace with holes would be too low, so there must be none."""
    for line in need(folder, "lost").splitlines():
        if ":" in line:
            what, count = line.rsplit(":", 1)
        else:
            what, _, count = line.split()
        if int(count):
            raise MeasureError(f"{folder}: {int(count)} x '{what.strip()}': the trace has holes")


def _steady(workload, events, begin_ns, folder):
    """(from, to) of the steady part, and its flips if the marks tell nothing of them."""
    def marked(text):
        at = trace.mark(events, text)
        if at is None:
            raise MeasureError(f"{folder}: the trace has no mark '{text}'")
        return at

    prepares = [e.at_ns for e in events if e.name == "prepare" and e.at_ns >= begin_ns]
    if workload.steady == workloads.MARKED:
        return marked("scanout-flip lap"), marked("scanout-flip end")
    if workload.steady == workloads.SETTLED:
        return marked("demo settled"), marked("demo leaving")
    if workload.steady == workloads.COUNTED:
        first, last = workloads.COUNTED_FROM, -1 - workloads.COUNTED_TO_LAST
        if len(prepares) < first + 2 * workloads.COUNTED_TO_LAST:
            raise MeasureError(f"{folder}: only {len(prepares)} framebuffers were prepared")
        return prepares[first], prepares[last]
    return None


def _idle(folder, client):
    """Highest idle_bytes seen, how often it was looked at, and the bound; None without a cache."""
    limit = read(folder, "max_bytes")
    if limit is None:
        return None, 0, None
    samples, highest = (int(v) for v in need(folder, "idle").split())
    return highest, samples, int(limit)


def _peak_bytes(made):
    """The most that was mapped at a time."""
    changes = sorted([(m.mapped_ns, m.bytes) for m in made] +
                     [(m.unmapped_ns, -m.bytes) for m in made])
    now = peak = 0
    for _, change in changes:
        now += change
        peak = max(peak, now)
    return peak


def load(workload, side, folder):
    """The row and the curves of one workload."""
    status = int(need(folder, "status"))
    client = None
    if workload.rootfs == "mini":
        try:
            client = json.loads(need(folder, "stdout"))
        except ValueError as e:
            raise MeasureError(f"{folder}: status {status}, and no report: "
                               f"{(read(folder, 'stderr') or '').strip()[-400:]}") from e
    if status and not (client and client["crc_mismatches"]):
        raise MeasureError(f"{folder}: the command's status is {status}: "
                           f"{(read(folder, 'stderr') or '').strip()[-400:]}")
    _check_complete(folder)
    events = trace.parse(need(folder, "trace"), os.path.join(folder, "trace"))
    begin_ns = trace.mark(events, "demo begin")
    # What was mapped before it (and goes), or is still mapped after the program has gone and the
    # cache was emptied, is the text console's framebuffer, not the workload's.
    everything, _ = trace.mappings(events)
    made = [m for m in everything if m.unmapped_ns is not None]
    steady = _steady(workload, events, begin_ns, folder)
    before, after = _counters(need(folder, "before")), _counters(need(folder, "after"))
    shown = after["flips"] - before["flips"]
    prepare = trace.durations(events, "prepare", "prepared")
    cleanup = trace.durations(events, "cleanup", "cleaned")
    steady_flips = 0
    if steady:
        inside = range(*steady)
        if workload.steady == workloads.MARKED:
            steady_flips = client["flips"] - client["lap_flips"]
        else:
            steady_flips = sum(1 for at, _ in prepare if at in inside)
        prepare = [p for p in prepare if p[0] in inside]
        cleanup = [c for c in cleanup if c[0] in inside]

    def in_steady(times):
        return sum(1 for at in times if steady and steady[0] <= at < steady[1])

    highest, samples, limit = _idle(folder, client)
    prepare_ns, cleanup_ns = [d for _, d in prepare], [d for _, d in cleanup]
    maps_ns, unmaps_ns = sorted(m.mapped_ns for m in made), sorted(m.unmapped_ns for m in made)
    run = Run(
        workload=workload.name, side=side, flips=client["flips"] if client else shown,
        maps=len(maps_ns), unmaps=len(unmaps_ns),
        scanned_pages=after["scanned_pages"] - before["scanned_pages"],
        scanout_faults=after["scanout_faults"] - before["scanout_faults"],
        crc_mismatches=client["crc_mismatches"] if client else 0,
        idle_bytes_max=highest, max_bytes=limit,
        prepare_ns_p50=trace.percentile(prepare_ns, 50),
        prepare_ns_p99=trace.percentile(prepare_ns, 99),
        cleanup_ns_p50=trace.percentile(cleanup_ns, 50),
        cleanup_ns_p99=trace.percentile(cleanup_ns, 99),
        steady_flips=steady_flips, steady_maps=in_steady(maps_ns),
        steady_unmaps=in_steady(unmaps_ns), crc_checked=client["crc_checked"] if client else 0,
        mapped_bytes_max=_peak_bytes(made), left_mapped=len(everything) - len(made),
        idle_samples=samples, attempts=int(read(folder, "attempts") or 1),
        duration_s=round((events[-1].at_ns - begin_ns) / 1e9, 3))

    def seconds(at_ns):
        return (at_ns - begin_ns) / 1e9

    series = Series([seconds(t) for t in maps_ns], [seconds(t) for t in unmaps_ns],
                    tuple(map(seconds, steady)) if steady else None, seconds(events[-1].at_ns))
    return run, series
