# SPDX-License-Identifier: MIT
"""Plots as inline SVG: maps and unmaps so far, against time, for both sides."""

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 40, 104, 14, 34
LEAST_TOP = 5


def _nice(value):
    """The first of 1, 2, 5, 10, ... that is not below value."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor >= value:
                return step * factor
        step *= 10


def ticks(limit, wanted):
    """Round values from 0 to limit, about as many as wanted."""
    step = _nice(limit / wanted)
    return [i * step for i in range(int(limit / step + 1e-9) + 1)]


class _Frame:
    def __init__(self, seconds, count):
        self.seconds, self.count = seconds, count

    def x(self, seconds):
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.seconds

    def y(self, count):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / self.count


def _staircase(frame, times, end_s):
    points = [f"M{frame.x(0):.1f} {frame.y(0):.1f}"]
    for number, at in enumerate(times, 1):
        points.append(f"H{frame.x(at):.1f}V{frame.y(number):.1f}")
    points.append(f"H{frame.x(end_s):.1f}")
    return "".join(points)


def _axes(frame):
    parts = []
    for tick in ticks(frame.count, 5):
        y = frame.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                     f'y2="{y:.1f}"/><text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" '
                     f'text-anchor="end">{tick:g}</text>')
    for tick in ticks(frame.seconds, 6):
        parts.append(f'<text class="tick" x="{frame.x(tick):.1f}" y="{HEIGHT - BOTTOM + 16}" '
                     f'text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text class="tick" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 5}" '
                 'text-anchor="middle">seconds since the program was started</text>')
    return "".join(parts)


def _label_places(wanted, gap):
    """Move labels apart so that none covers another; wanted is a list of y."""
    places = {}
    last = None
    for index in sorted(range(len(wanted)), key=lambda i: wanted[i]):
        y = wanted[index] if last is None else max(wanted[index], last + gap)
        places[index] = last = y
    over = (last or 0) - (HEIGHT - BOTTOM + 4)
    return [places[i] - max(0, over) for i in range(len(wanted))]


def alone(inline, style):
    """A plot as a file of its own."""
    return inline.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '
                          'font-family="system-ui, sans-serif" ', 1).replace(
                              "</title>", f"</title><style>{style}</style>"
                              '<rect width="100%" height="100%" fill="#fff"/>', 1) + "\n"


def svg(title, sides):
    """sides: a dictionary of measure.Series by side."""
    frame = _Frame(max(s.end_s for s in sides.values()) or 1,
                   max([LEAST_TOP, *(len(s.maps_s) for s in sides.values())]) * 1.04)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}: maps and unmaps '
             f'over time"><title>{title}</title>', _axes(frame)]
    labels = []
    for side, series in sides.items():
        if series.steady_s:
            x = frame.x(series.steady_s[0])
            parts.append(f'<line class="lap {side}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" '
                         f'y2="{HEIGHT - BOTTOM}"/>')
        for what, times in (("maps", series.maps_s), ("unmaps", series.unmaps_s)):
            parts.append(f'<path class="curve {side} {what}" '
                         f'd="{_staircase(frame, times, series.end_s)}"/>')
        count = len(series.maps_s)
        x = frame.x(series.end_s)
        parts.append(f'<circle class="dot {side}" cx="{x:.1f}" cy="{frame.y(count):.1f}" r="2.5"/>')
        labels.append((side, count, frame.y(count) + 4))
    for (side, count, _), y in zip(labels, _label_places([y for *_, y in labels], 15)):
        parts.append(f'<text class="label {side}" x="{WIDTH - RIGHT + 8}" y="{y:.1f}">{side} '
                     f'{count}</text>')
    parts.append("</svg>")
    return "".join(parts)
