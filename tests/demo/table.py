# SPDX-License-Identifier: MIT
"""The figures as rows of text, for the terminal and for the report alike."""

from . import workloads

NONE = "–"
COLUMNS = ("workload", "side", "flips", "maps", "unmaps", "per flip", "faults", "CRC bad/checked",
           "idle max/bound MiB", "mapped max MiB", "prepare p50/p99 µs", "cleanup p50/p99 µs")


def ordered(runs):
    """Every run, a workload's two sides together."""
    return [runs[w.name, side] for w in workloads.WORKLOADS for side in workloads.SIDES
            if (w.name, side) in runs]


def us(p50_ns, p99_ns):
    if p50_ns is None:
        return NONE
    return f"{p50_ns / 1000:.0f}/{p99_ns / 1000:.0f}"


def mib(value):
    return NONE if value is None else f"{value / (1 << 20):.1f}"


def cells(run):
    per_flip = run.per_flip()
    checked = f"{run.crc_mismatches}/{run.crc_checked}" if run.crc_checked else NONE
    idle = NONE if run.max_bytes is None else f"{mib(run.idle_bytes_max)}/{mib(run.max_bytes)}"
    return (run.workload, run.side, f"{run.flips}", f"{run.maps}", f"{run.unmaps}",
            NONE if per_flip is None else f"{per_flip:.2f}", f"{run.scanout_faults}", checked, idle,
            mib(run.mapped_bytes_max), us(run.prepare_ns_p50, run.prepare_ns_p99),
            us(run.cleanup_ns_p50, run.cleanup_ns_p99))


def _lines(header, rows, left):
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(row):
        return "  ".join(text.ljust(width) if i < left else text.rjust(width)
                         for i, (text, width) in enumerate(zip(row, widths))).rstrip()

    return [line(header), "  ".join("-" * width for width in widths), *map(line, rows)]


def text(runs):
    return "\n".join(_lines(COLUMNS, [cells(r) for r in ordered(runs)], 2))


def claims_text(claims):
    rows = [("ok" if c.holds else "FAILED", c.text, c.upstream, c.ours) for c in claims]
    return "\n".join(_lines(("", "claim", "upstream", "ours"), rows, 4))
