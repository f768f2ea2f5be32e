# SPDX-License-Identifier: MIT
"""The claims that the demo makes, each decided from the measured figures alone."""

import dataclasses

from . import workloads

# The mode set and the marks' edges may cost a map or two in 60 flips.
ABOUT_TWO = 1.9
ABOUT_ZERO = 0.05
# The bound is not shown to hold unless something pressed against it.
PRESSED = 0.9
ENOUGH_SAMPLES = 500


@dataclasses.dataclass
class Claim:
    text: str
    upstream: str
    ours: str
    wanted: str
    holds: bool


def _figure(value):
    return "no figure" if value is None else f"{value:.2f}"


def mib(value):
    return "none" if value is None else f"{value / (1 << 20):.1f} MiB"


def _per_flip(runs, name, wanted_text, upstream_ok):
    upstream, ours = runs[name, "upstream"].per_flip(), runs[name, "ours"].per_flip()
    holds = upstream is not None and ours is not None and upstream_ok(upstream) and ours == 0
    return Claim(f"maps + unmaps per flip, {name}, after one lap of the pool", _figure(upstream),
                 _figure(ours), f"{wanted_text}; ours 0", holds)


def _bound(runs, name):
    ours, upstream = runs[name, "ours"], runs[name, "upstream"]
    limit = ours.max_bytes or 0
    holds = (ours.idle_bytes_max is not None and 0 < limit
             and PRESSED * limit <= ours.idle_bytes_max <= limit
             and ours.idle_samples >= ENOUGH_SAMPLES)
    return Claim(f"idle bytes in {name}, at most max_bytes at any time",
                 f"no bound, {mib(upstream.mapped_bytes_max)} mapped",
                 f"at most {mib(ours.idle_bytes_max)} of {mib(limit)} in {ours.idle_samples} looks",
                 f"from {PRESSED:.0%} to 100% of max_bytes, in {ENOUGH_SAMPLES} looks or more",
                 holds)


def _judges(runs, side):
    mine = [r for r in runs.values() if r.side == side]
    return (sum(r.scanout_faults for r in mine), sum(r.crc_mismatches for r in mine),
            sum(r.scanned_pages for r in mine), sum(r.crc_checked for r in mine),
            sum(max(0, r.left_mapped - 1) for r in mine))


def _clean(runs):
    figures = {side: _judges(runs, side) for side in workloads.SIDES}

    def text(side):
        faults, mismatches, pages, checked, _ = figures[side]
        return f"{faults} in {pages:,} pages; {mismatches} in {checked} frames"

    holds = all(faults == 0 and mismatches == 0 and pages > 0 and checked > 0
                for faults, mismatches, pages, checked, _ in figures.values())
    return Claim("scanout faults and CRC mismatches, over everything", text("upstream"),
                 text("ours"), "0 and 0, with something looked at", holds)


def _tidy(runs):
    figures = {side: _judges(runs, side)[4] for side in workloads.SIDES}
    return Claim("buffers still mapped after the program has gone", str(figures["upstream"]),
                 str(figures["ours"]), "0", not any(figures.values()))


def _same_when_off(runs):
    pairs = [(w.name.removesuffix("-off"), w.name) for w in workloads.WORKLOADS
             if w.name.endswith("-off")]
    theirs, mine, same = [], [], True
    for on, off in pairs:
        a, b = runs[on, "upstream"], runs[off, "ours"]
        theirs.append(f"{on} {a.maps}+{a.unmaps}")
        mine.append(f"{on} {b.maps}+{b.unmaps}")
        same = same and ((a.maps, a.unmaps, a.steady_maps, a.steady_unmaps, a.flips) ==
                         (b.maps, b.unmaps, b.steady_maps, b.steady_unmaps, b.flips)
                         and b.max_bytes == 0 and b.idle_bytes_max == 0)
    return Claim("maps + unmaps with max_bytes = 0", ", ".join(theirs), ", ".join(mine),
                 "the same", same)


def claims(runs):
    """All claims; runs is a dictionary of measure.Run by (workload, side)."""
    return [
        _per_flip(runs, "foreign", "upstream 2", lambda v: v >= ABOUT_TWO),
        _per_flip(runs, "reimport", "upstream 2 or more", lambda v: v >= ABOUT_TWO),
        _per_flip(runs, "gstreamer", "upstream 2", lambda v: v >= ABOUT_TWO),
        _per_flip(runs, "dumb", "upstream about 0", lambda v: v <= ABOUT_ZERO),
        _per_flip(runs, "weston", "upstream about 0", lambda v: v <= ABOUT_ZERO),
        _bound(runs, "many"),
        _bound(runs, "keep"),
        _clean(runs),
        _same_when_off(runs),
        _tidy(runs),
    ]
