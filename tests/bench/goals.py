# SPDX-License-Identifier: MIT
"""The rows of the table: each figure for every alternative, what is aimed at, and is it met?

A figure that an alternative does not have, or that was not measured, is None.
"""

import dataclasses
import re

from board_counts import ALTERNATIVES, WORKLOADS

NAMES = tuple(a.name for a in ALTERNATIVES)
STEADY = ("foreign", "reimport", "kmssink", "weston")
TITLES = {"foreign": "foreign", "reimport": "reimport", "kmssink": "kmssink", "weston": "Weston",
          "dumb": "own buffers", "many": "each buffer once"}
# How the native benchmark calls what an alternative does to drop a mapping.
WAYS = {"upstream": "upstream", "fb-ref": "upstream", "aligned+flush": "aligned+flush",
        "ours-plain": "ours-plain", "ours": "ours"}
# Of 16 buffers: without a cache each is dropped by itself.
MANY = 16
PICTURES = {"1080p": ("1080p XR24", 8), "4k": ("4K XR24", 32)}
# In buffers; that many of 1080p are half of the default limit.
LARGER = 8
# Workloads that do not do the same again, where nothing is aimed at but lru's hits.
UNPREDICTABLE = ", unpredictable"
UNPREDICTABLE_NAMES = re.compile("lifo|random|bursts|reverse")
OPERATIONS = ("ring_get", "ring_put", "random_get", "random_put", "miss", "evict", "reap")


@dataclasses.dataclass
class Row:
    """One figure. goal is an upper limit; none is without a goal."""
    figure: str
    values: dict
    goal: float | None = None
    note: str = ""
    part: str = ""      # of the benchmark, that measured it

    def met(self):
        """Whether ours is within the goal; None if there is no goal or no figure."""
        value = self.values.get("ours")
        if self.goal is None or value is None:
            return None
        return value <= self.goal


def operations(figure):
    """TLB operations of a figure of the native benchmark, which are in thousandths."""
    return sum(figure[k] for k in ("add_page", "walk", "flush_all", "sync")) / 1000


def flushes(figure):
    return sum(figure[k] for k in ("walk", "flush_all", "sync")) / 1000


def commit_row(found):
    """{alternative: icount.commits()}."""
    notes = [f"{name}: p99.9 {parts['idle'][0]:.0f} and {parts['busy'][0]:.0f}, median "
             f"{parts['idle'][1]:.0f} and {parts['busy'][1]:.0f} instructions, {evictions} "
             "evictions"
             for name, (parts, evictions) in found.items()]
    return Row("p99.9 of a commit with an evictor flat out, of that without",
               {name: parts["busy"][0] / parts["idle"][0] for name, (parts, _) in found.items()},
               1.05, note="; ".join(notes))


def _native(figures, what, way, picture, backing):
    for figure in figures:
        if (figure["what"], figure.get("way"), figure.get("picture"), figure.get("backing")) == (
                what, way, picture, backing):
            return figure
    return None


def _of_ways(figures, what, picture, backing, value):
    found = {}
    for name in NAMES:
        figure = _native(figures, what, WAYS[name], picture, backing)
        found[name] = value(figure) if figure else None
    return found


def native_rows(figures):
    """From the UML kernel's figures."""
    rows = []
    for picture, (title, goal) in PICTURES.items():
        for backing, text in (("scattered", "scattered pages"), ("blocks", "2 MiB pieces")):
            rows.append(Row(f"TLB operations to drop one {title}, {text}",
                            _of_ways(figures, "drop", picture, backing, operations), goal))
    values = {}
    for name in NAMES:
        many = _native(figures, "many-drop", WAYS[name], "1080p", "scattered")
        one = _native(figures, "drop", WAYS[name], "1080p", "scattered")
        values[name] = flushes(many) if many else MANY * flushes(one) if one else None
    rows.append(Row(f"flushes and waits to evict {MANY} of 1080p", values, 2))
    for picture, (title, _) in PICTURES.items():
        for what, text in (("drop", "drop"), ("map", "map")):
            for backing, of in (("scattered", "scattered pages"), ("blocks", "2 MiB pieces")):
                rows.append(Row(f"table entries changed to {text} one {title}, {of}",
                                _of_ways(figures, what, picture, backing,
                                         lambda f: f["entries"] / 1000)))
    return rows


def core_rows(costs, unit):
    """{entries: {operation: cost}}: each by the number of entries, against the fewest."""
    rows = []
    if not costs:
        return rows
    fewest = min(costs)
    for operation in OPERATIONS:
        most = max(costs)
        text = ", ".join(f"{entries}: {costs[entries][operation]:.0f}" for entries in sorted(costs))
        rows.append(Row(f"core, {operation.replace('_', ' ')}: {most} entries against {fewest}",
                        {"ours": costs[most][operation] / costs[fewest][operation]}, 1.3,
                        note=f"{unit}, {text}"))
    return rows


def board_rows(counts):
    """From the boots: {(alternative, workload): Counts}."""
    rows = []
    for workload in [w for w in WORKLOADS if any((n, w) in counts for n in NAMES)]:
        def of(value, workload=workload):
            return {n: value(counts[n, workload]) if (n, workload) in counts else None
                    for n in NAMES}
        goal = 0 if workload in STEADY else None
        title = TITLES[workload]
        rows.append(Row(f"SMMU commands per 1000 flips, {title}",
                        of(lambda c: c.per_1000(c.smmu())), goal))
        rows.append(Row(f"maps + unmaps per 1000 flips, {title}",
                        of(lambda c: c.per_1000(c.maps + c.unmaps)), goal))
    return rows


def hit_rows(found):
    """{side: {buffers: {figure: instructions}}} of icount.hitpath()."""
    base = found["upstream"]["dumb"]["pair"]
    rows = [Row("prepare + cleanup of a mapped buffer, of upstream's instructions",
                {name: modes["dumb"]["pair"] / base for name, modes in found.items()}, 0.5,
                note=f"upstream: {base:.0f} instructions")]
    if "foreign" in found.get("ours", {}):
        rows.append(Row("the same, of a buffer from elsewhere",
                        {name: modes["foreign"]["pair"] / base for name, modes in found.items()
                         if "foreign" in modes}, 0.5))
    return rows


def pool_row(found):
    """{alternative: instructions} of icount.first_frames()."""
    base = found["upstream"]
    return Row("first showing of each buffer of a pool of 20, of upstream's instructions",
               {name: value / base for name, value in found.items()}, 1.0,
               note=f"upstream: {base:.0f} instructions for a prepare")


def _mean(values):
    return sum(values) / len(values) if values else 1


def policy_rows(figures):
    """Hits of each policy against those of who knows the future."""
    hits, shares = {}, {}
    for f in figures:
        if f["what"] == "policy" and f["optimum"]:
            key = (f["workload"], f["capacity"])
            hits.setdefault(f["policy"], {})[key] = f["hits"]
            kind = UNPREDICTABLE if UNPREDICTABLE_NAMES.search(key[0]) else ""
            shares.setdefault((f["policy"], kind), {})[key] = f["hits"] / f["optimum"]
    rows = []
    for (policy, kind), by_case in sorted(shares.items()):
        mean = _mean(by_case.values())
        worst = min(by_case, key=by_case.get)
        aimed = policy == "adaptive" and not kind
        larger = [share for (_, capacity), share in by_case.items() if capacity >= LARGER]
        rows.append(Row(f"policy {policy}{kind}: share of the optimum's hits lost, mean",
                        {"ours": 1 - mean}, 0.02 if aimed else None,
                        note=f"{len(by_case)} workloads and sizes; {1 - _mean(larger):.3f} mean "
                        f"and {1 - min(larger, default=1):.3f} worst where {LARGER} and more "
                        "buffers fit"))
        rows.append(Row(f"policy {policy}{kind}: the same, worst", {"ours": 1 - by_case[worst]},
                        0.10 if aimed else None, note=f"{worst[0]}, {worst[1]} buffers"))
    if "adaptive" in hits and "lru" in hits:
        behind = {k: 1 - hits["adaptive"][k] / lru for k, lru in hits["lru"].items() if lru}
        worst = max(behind, key=behind.get)
        rows.append(Row("policy adaptive: share of lru's hits lost, worst",
                        {"ours": behind[worst]}, 0.01,
                        note=f"{worst[0]}, {worst[1]} buffers"))
    return rows


def _cell(value):
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def cells(row):
    met = {True: "met", False: "NOT MET", None: ""}[row.met()]
    goal = "" if row.goal is None else f"<= {row.goal:g}"
    return (row.figure, *(_cell(row.values.get(n)) for n in NAMES), goal, met, row.note)


HEADER = ("figure", *NAMES, "goal", "", "")


def text(rows):
    """For a terminal."""
    lines = [HEADER, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]

    def line(row):
        return "  ".join(c.rjust(w) if 1 <= i <= len(NAMES) else c.ljust(w)
                         for i, (c, w) in enumerate(zip(row, widths))).rstrip()

    return "\n".join([line(HEADER), "  ".join("-" * w for w in widths), *map(line, lines[1:])])


# (title, the part, whether of the core's own operations)
SECTIONS = (
    ("Dropping a mapping, with the real page table code", "native", False),
    ("Flips on the board", "mini", False),
    ("Unmodified programs on the board", "full", False),
    ("Instructions of a flip to a buffer that is mapped", "hit", False),
    ("Instructions of the first flip to a buffer", "pool", False),
    ("Instructions of a commit", "evictor", False),
    ("Instructions of the cache's own operations, by the number of entries", "core", True),
    ("Times of the same, on a host that does other things too", "native", True),
)


def _section(rows):
    """A table with the columns that have anything in them."""
    lines = [("figure", *NAMES, "goal", "met", "note"), *map(cells, rows)]
    used = [i for i in range(len(lines[0]))
            if i == 0 or any(line[i] not in ("", "-") for line in lines[1:])]
    texts = ["| " + " | ".join(line[i] for i in used) + " |" for line in lines]
    return [texts[0], "|---" * len(used) + "|", *texts[1:]]


def markdown(rows):
    """For docs/performance.md."""
    lines = []
    for title, part, core in SECTIONS:
        chosen = [r for r in rows if r.part == part and r.figure.startswith("core, ") == core]
        if chosen:
            lines += ["", f"### {title}", "", *_section(chosen)]
    return "\n".join(lines[1:])
