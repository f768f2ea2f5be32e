# SPDX-License-Identifier: MIT
"""Bars as SVG: one group for each workload or size, one bar for each alternative."""

WIDTH, LEFT, RIGHT, TOP, BOTTOM, PLOT = 720, 60, 10, 46, 30, 220
COLOURS = {"upstream": "#b4483c", "fb-ref": "#d99a3a", "aligned+flush": "#8a7bb8",
           "ours-plain": "#7fb0a0", "ours": "#2f7d5b"}


def _nice(value):
    step = 1.0
    while step < value:
        step *= 10
    for factor in (0.1, 0.2, 0.5):
        if step * factor >= value:
            return step * factor
    return step


def svg(title, groups, names):
    """groups: [(label, {name: value or None})]."""
    top = _nice(max([1, *(v for _, values in groups for v in values.values() if v)]))
    height = TOP + PLOT + BOTTOM
    width = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    bar = width * 0.8 / len(names)

    def y(value):
        return TOP + PLOT * (1 - value / top)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
             f'aria-label="{title}" font-family="system-ui, sans-serif" font-size="11">'
             f'<title>{title}</title><rect width="100%" height="100%" fill="#fff"/>'
             f'<text x="{LEFT}" y="16" font-size="13">{title}</text>']
    for i, name in enumerate(names):
        x = LEFT + i * 120
        parts.append(f'<rect x="{x}" y="24" width="10" height="10" fill="{COLOURS[name]}"/>'
                     f'<text x="{x + 14}" y="33">{name}</text>')
    for step in range(6):
        value = top * step / 5
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" '
                     f'y2="{y(value):.1f}" stroke="#ddd"/><text x="{LEFT - 6}" '
                     f'y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for g, (label, values) in enumerate(groups):
        begin = LEFT + width * (g + 0.1)
        parts.append(f'<text x="{begin + width * 0.4:.1f}" y="{height - 10}" '
                     f'text-anchor="middle">{label}</text>')
        for i, name in enumerate(names):
            value = values.get(name)
            x = begin + i * bar
            text = "-" if value is None else f"{value:.3g}"
            at = y(value or 0)
            parts.append(f'<rect x="{x:.1f}" y="{at:.1f}" width="{bar * 0.9:.1f}" '
                         f'height="{TOP + PLOT - at:.1f}" fill="{COLOURS[name]}"/>'
                         f'<text x="{x + bar * 0.45:.1f}" y="{at - 3:.1f}" font-size="8" '
                         f'text-anchor="middle">{text}</text>')
    parts.append("</svg>")
    return "".join(parts) + "\n"
