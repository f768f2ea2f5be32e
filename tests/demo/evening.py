# SPDX-License-Identifier: MIT
"""An evening with scanoutd, from the files of guest/service.sh: what happened, what is claimed."""

import bisect
import dataclasses
import json
import os
import re

from . import measure
from .verdict import Claim, mib

# As guest/service.sh has them read.
FIGURES = ("flips", "hits", "misses", "max_bytes", "idle_bytes", "idle_entries", "active_bytes")
PHASES = ("desktop", "player starts", "video", "video ends", "desktop again", "output off", "end")
BUFFERS = 12
SETTLED_S = 2
ENOUGH_FLIPS = 100
# Seconds between two looks that no event may hide in, and how often to look at least.
LONGEST_GAP_S = 2.0
LOOKS_PER_S = 5
DECISION = "81a43dd7c5754870a32fd5322985deae"
CLAIM = "45e98207a6564d15b2aed06406b3ee01"


@dataclasses.dataclass(frozen=True)
class Event:
    at_s: float
    text: str


@dataclasses.dataclass
class Evening:
    """Times are seconds since the first phase began."""
    at_s: list
    figures: dict           # name: one value for each of at_s
    phases: dict            # name: when it began
    events: list            # what scanoutd did, and why
    reported: tuple | None  # what Weston's module told: output, flips

    def at(self, figure, second):
        """A figure as it was seen last at that time."""
        index = bisect.bisect_right(self.at_s, second) - 1
        return self.figures[figure][max(index, 0)]

    def between(self, figure, begin_s, end_s):
        """All values seen in a time."""
        return [v for at, v in zip(self.at_s, self.figures[figure]) if begin_s <= at < end_s]

    def per_second(self, figure):
        """(second, growth of a counter in it) for every whole second."""
        return [(s, self.at(figure, s + 1) - self.at(figure, s))
                for s in range(int(self.at_s[-1]))]

    def looks_per_s(self):
        return (len(self.at_s) - 1) / (self.at_s[-1] - self.at_s[0])

    def longest_gap_s(self):
        return max(b - a for a, b in zip(self.at_s, self.at_s[1:]))


def _why(message):
    """Without the numbers, which the plot shows itself."""
    match = re.search(r"entries: (.*?);", message)
    return match[1] if match else message.split(": ", 1)[-1]


def _events(lines, begin_s):
    events = []
    for line in lines:
        entry = json.loads(line)
        at_s = int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6 - begin_s
        message, kind = entry["MESSAGE"], entry.get("MESSAGE_ID")
        if at_s < 0:
            continue
        if kind == CLAIM and "announced" in message:
            events.append(Event(at_s, "Weston announces: " + message.split(" announced ")[1]
                                .split(":")[0]))
        elif kind == DECISION and "MAX_BYTES_NEW" in entry:
            old, new = int(entry["MAX_BYTES_OLD"]), int(entry["MAX_BYTES_NEW"])
            if old != new:
                events.append(Event(at_s, f"{mib(old)} → {mib(new)}: {_why(message)}"))
    return events


def _reported(text):
    """The first output's name and flips of the D-Bus property Outputs, as busctl prints it."""
    match = re.match(r'a\(suttuut\) \d+ "([^"]+)" \d+ (\d+) ', text)
    return (match[1], int(match[2])) if match else None


def load(folder):
    """Read what the guest left."""
    phases = {}
    for line in measure.need(folder, "phases").splitlines():
        at_s, name = line.split(" ", 1)
        phases[name] = float(at_s)
    missing = [p for p in PHASES if p not in phases]
    if missing:
        raise measure.MeasureError(f"{os.path.join(folder, 'phases')}: no '{missing[0]}': the "
                                   "guest did not get there")
    begin_s = phases[PHASES[0]]
    at_s, figures = [], {name: [] for name in FIGURES}
    for number, line in enumerate(measure.need(folder, "samples").splitlines(), 1):
        values = line.split()
        if len(values) != 1 + len(FIGURES):
            raise measure.MeasureError(f"{os.path.join(folder, 'samples')}:{number}: '{line}', "
                                       f"expected {1 + len(FIGURES)} numbers")
        at_s.append(float(values[0]) - begin_s)
        for name, value in zip(FIGURES, values[1:]):
            figures[name].append(int(value))
    if len(at_s) < 2:
        raise measure.MeasureError(f"{os.path.join(folder, 'samples')}: {len(at_s)} samples")
    return Evening(at_s, figures, {n: t - begin_s for n, t in phases.items()},
                   _events(measure.need(folder, "journal").splitlines(), begin_s),
                   _reported(measure.need(folder, "outputs")))


def _growth(evening, figure, begin_s, end_s):
    """From the first look at or after begin_s to the last one before end_s."""
    values = evening.between(figure, begin_s, end_s)
    return values[-1] - values[0] if values else 0


def claims(evening):
    """What is claimed of the service. There is none to compare with upstream."""
    nothing = "no such service"
    video_s, ends_s = evening.phases["video"], evening.phases["video ends"]
    settled_s, again_s = video_s + SETTLED_S, evening.phases["desktop again"]
    misses = _growth(evening, "misses", settled_s, ends_s)
    flips = _growth(evening, "flips", settled_s, ends_s)
    first_s = next((at for at, seen in zip(evening.at_s, evening.figures["misses"])
                    if seen == evening.at("misses", ends_s) and at >= video_s), ends_s)
    before = evening.at("max_bytes", evening.phases["player starts"])
    during = max(evening.between("max_bytes", video_s, ends_s) or [0])
    after = min(evening.between("max_bytes", again_s, evening.phases["output off"]) or [during])
    dark = evening.at("idle_bytes", evening.phases["end"])
    looks, gap_s = evening.looks_per_s(), evening.longest_gap_s()
    reported = evening.reported
    return [
        Claim("Weston's module tells the service of its output", nothing,
              f"{reported[0]}, {reported[1]} flips in its last report" if reported else "nothing",
              "an output that flips", bool(reported and reported[1])),
        Claim(f"misses, from {SETTLED_S} s after a video with {BUFFERS} foreign buffers began "
              "to its end", nothing,
              f"{misses} in {flips} flips; the last one {first_s - video_s:.1f} s after it began",
              f"0, in {ENOUGH_FLIPS} flips or more", misses == 0 and flips >= ENOUGH_FLIPS),
        Claim("the limit grows when the video begins, and shrinks after it", nothing,
              f"{mib(before)} → {mib(during)} → {mib(after)}", "more during it than before and "
              "after", during > before and after < during),
        Claim("idle bytes once the output is off", nothing, str(dark), "0", dark == 0),
        Claim("looks at these figures", nothing,
              f"{looks:.1f} a second, the longest gap {gap_s:.1f} s",
              f"{LOOKS_PER_S} a second or more, no gap over {LONGEST_GAP_S:.0f} s",
              looks >= LOOKS_PER_S and gap_s <= LONGEST_GAP_S),
    ]
