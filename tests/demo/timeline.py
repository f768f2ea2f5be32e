# SPDX-License-Identifier: MIT
"""The evening as a plot: flips and misses, limit and idle bytes, and the service's reasons."""

import html

from . import plot

WIDTH, LEFT, RIGHT = 940, 52, 20
TOP, RATES, GAP, SIZES, AXIS = 34, 120, 34, 190, 42
LINE = 17
MIB = 1 << 20
SHOWN = (("desktop", "Weston, desktop"), ("player starts", ""),
         ("video", "video, 12 foreign buffers"),
         ("desktop again", "Weston again"), ("output off", "output off"))
STYLE = """
.frame { fill: none; stroke: #dfe4e8; }
.phase { fill: #5b6770; fill-opacity: .055; }
.name { fill: #1d2429; font-size: 12px; font-weight: 600; }
.title { fill: #5b6770; font-size: 11.5px; }
.flips { fill: none; stroke: #1b7f79; stroke-width: 1.8; stroke-linejoin: round; }
.misses { fill: #c8553d; }
.limit { fill: none; stroke: #1d2429; stroke-width: 1.8; }
.idle { fill: #1b7f79; fill-opacity: .28; stroke: #1b7f79; stroke-width: 1; }
.event { stroke: #5b6770; stroke-dasharray: 2 3; }
.ball { fill: #1d2429; }
.number { fill: #fff; font-size: 10px; font-weight: 600; }
.why { fill: #1d2429; font-size: 12px; }
.time { fill: #5b6770; font-size: 12px; }
"""


class _Panel:
    """Maps seconds and values to places in a rectangle."""

    def __init__(self, top, height, seconds, limit):
        self.top, self.bottom = top, top + height
        self.seconds, self.limit = seconds, limit

    def x(self, at_s):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(at_s, 0), self.seconds) / self.seconds

    def y(self, value):
        return self.bottom - (self.bottom - self.top) * value / self.limit

    def axis(self, title):
        parts = [f'<rect class="frame" x="{LEFT}" y="{self.top}" width="{WIDTH - LEFT - RIGHT}" '
                 f'height="{self.bottom - self.top}"/>',
                 f'<text class="title" x="{LEFT}" y="{self.top - 6}">{title}</text>']
        for tick in plot.ticks(self.limit, 4):
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                         f'y2="{y:.1f}"/><text class="tick" x="{LEFT - 7}" y="{y + 4:.1f}" '
                         f'text-anchor="end">{tick:g}</text>')
        return "".join(parts)


def _phases(panel, evening, bottom):
    begins = [(evening.phases[name], text) for name, text in SHOWN]
    parts = []
    for index, ((begin_s, text), (end_s, _)) in enumerate(
            zip(begins, [*begins[1:], (evening.phases["end"], "")])):
        left, right = panel.x(begin_s), panel.x(end_s)
        if index % 2 == 0:
            parts.append(f'<rect class="phase" x="{left:.1f}" y="{TOP - 26}" '
                         f'width="{right - left:.1f}" height="{bottom - TOP + 26}"/>')
        parts.append(f'<text class="name" x="{left + 5:.1f}" y="{TOP - 12}">{text}</text>')
    return "".join(parts)


def _rates(panel, evening):
    points = " ".join(f"{panel.x(s + .5):.1f},{panel.y(n):.1f}"
                      for s, n in evening.per_second("flips"))
    width = max(panel.x(1) - panel.x(0) - 1, 1)
    bars = "".join(f'<rect class="misses" x="{panel.x(s):.1f}" y="{panel.y(n):.1f}" '
                   f'width="{width:.1f}" height="{panel.bottom - panel.y(n):.1f}"/>'
                   for s, n in evening.per_second("misses") if n)
    return f'{bars}<polyline class="flips" points="{points}"/>'


def _staircase(panel, evening, figure):
    values = evening.figures[figure]
    parts = [f"M{panel.x(evening.at_s[0]):.1f} {panel.y(values[0] / MIB):.1f}"]
    last = values[0]
    for at_s, value in zip(evening.at_s, values):
        if value != last:
            parts.append(f"H{panel.x(at_s):.1f}V{panel.y(value / MIB):.1f}")
            last = value
    parts.append(f"H{panel.x(evening.at_s[-1]):.1f}")
    return "".join(parts)


def _sizes(panel, evening):
    idle = _staircase(panel, evening, "idle_bytes")
    return (f'<path class="idle" d="{idle}V{panel.bottom}H{panel.x(evening.at_s[0]):.1f}Z"/>'
            f'<path class="limit" d="{_staircase(panel, evening, "max_bytes")}"/>')


def _events(panel, evening, top, list_top):
    parts, last_x, row = [], -99, 0
    for number, event in enumerate(evening.events, 1):
        x = panel.x(event.at_s)
        # Those that follow each other closely step down, so that each can be read.
        row = row + 1 if x - last_x < 15 else 0
        last_x = x
        y = panel.top + 11 + 15 * row
        line_y = list_top + LINE * number
        parts.append(f'<line class="event" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" '
                     f'y2="{panel.bottom}"/>'
                     f'<circle class="ball" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
                     f'<text class="number" x="{x:.1f}" y="{y + 3.5:.1f}" '
                     f'text-anchor="middle">{number}</text>'
                     f'<circle class="ball" cx="{LEFT + 7}" cy="{line_y - 4}" r="7"/>'
                     f'<text class="number" x="{LEFT + 7}" y="{line_y - .5}" '
                     f'text-anchor="middle">{number}</text>'
                     f'<text class="time" x="{LEFT + 66}" y="{line_y}" text-anchor="end">'
                     f'{event.at_s:.1f} s</text><text class="why" x="{LEFT + 76}" '
                     f'y="{line_y}">{html.escape(event.text)}</text>')
    return "".join(parts)


def svg(evening):
    """The plot, to be put into a page."""
    seconds = evening.phases["end"]
    rates_top = TOP + 16
    sizes_top = rates_top + RATES + GAP
    bottom = sizes_top + SIZES
    list_top = bottom + AXIS
    height = list_top + LINE * len(evening.events) + 12
    rates = _Panel(rates_top, RATES, seconds,
                   max(10, *(n for _, n in evening.per_second("flips"))) * 1.05)
    sizes = _Panel(sizes_top, SIZES, seconds, max(evening.figures["max_bytes"]) / MIB * 1.05)
    seconds_axis = "".join(
        f'<text class="tick" x="{sizes.x(t):.1f}" y="{bottom + 15}" text-anchor="middle">{t:g}'
        "</text>" for t in plot.ticks(seconds, 12))
    title = "An evening with scanoutd: flips, misses, limit and idle bytes over time"
    return (f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">'
            f"<title>{title}</title>{_phases(rates, evening, bottom)}"
            + rates.axis('flips a second (line), <tspan fill="#c8553d">misses a second (bars)'
                         "</tspan>")
            + _rates(rates, evening)
            + sizes.axis('MiB: limit max_bytes (line), <tspan fill="#1b7f79">mapped but idle '
                         "(area)</tspan>")
            + _sizes(sizes, evening) + seconds_axis
            + f'<text class="tick" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom + 31}" '
              'text-anchor="middle">seconds of the board\'s clock</text>'
            + _events(sizes, evening, rates_top, list_top) + "</svg>")
