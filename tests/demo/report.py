# SPDX-License-Identifier: MIT
"""The report: one HTML file that needs nothing else, for a reader who knows nothing of this."""

import base64
import html
import os

from . import evening, plot, table, timeline, workloads

HERE = os.path.dirname(os.path.realpath(__file__))
PLOTTED = ("foreign", "reimport", "gstreamer", "weston", "dumb", "multi", "many", "churn")



def _part(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return f.read()


def _e(text):
    return html.escape(str(text))


def _claims(claims):
    return "\n".join(
        f'<tr><td class="{"ok" if c.holds else "failed"}">{"✓" if c.holds else "✗"}</td>'
        f'<td class="text">{_e(c.text)}</td><td class="text">{_e(c.upstream)}</td>'
        f'<td class="text">{_e(c.ours)}</td><td class="text soft">{_e(c.wanted)}</td></tr>'
        for c in claims)


def _hero(runs):
    boxes = []
    for name, text in (("foreign", "foreign buffers, as wlroots, KWin and kmssink show them"),
                       ("reimport", "buffers imported again for every frame, as mpv does"),
                       ("gstreamer", "GStreamer from Debian, v4l2src ! kmssink")):
        figures = [runs[name, side].per_flip() for side in workloads.SIDES]
        upstream, ours = ("?" if v is None else f"{v:.1f}" if v else "0" for v in figures)
        boxes.append(f'<div><span class="figure"><b class="upstream">{upstream}</b><i>→</i>'
                     f'<b class="ours">{ours}</b></span><br><span class="small">maps and unmaps '
                     f'per flip: {_e(text)}</span></div>')
    return '<div class="hero">' + "".join(boxes) + "</div>"


def _sides(series, name):
    return {side: series[name, side] for side in workloads.SIDES}


def _plots(series):
    figures = []
    for w in map(workloads.named, PLOTTED):
        figures.append(f"<figure><h3>{_e(w.title)}</h3><figcaption>{_e(w.text)}</figcaption>"
                       f"{plot.svg(_e(w.title), _sides(series, w.name))}</figure>")
    return "\n".join(figures)


def plots(series, service):
    """(file name, text) of every plot as an SVG file of its own."""
    return [(f"{name}.svg", plot.alone(plot.svg(_e(workloads.named(name).title),
                                                _sides(series, name)), _part("plot.css")))
            for name in PLOTTED] + [("service.svg", plot.alone(
                timeline.svg(service), _part("plot.css") + timeline.STYLE))]


def _pictures(pictures):
    return "\n".join(
        f'<figure><img src="data:image/png;base64,{base64.b64encode(data).decode()}" '
        f'width="{width}" height="{height}" alt="the panel, {_e(name)}">'
        f"<figcaption>{_e(workloads.named(name).title)}</figcaption></figure>"
        for name, (width, height, data) in pictures.items())


def _rows(runs):
    rows = []
    listed = table.ordered(runs)
    for run, following in zip(listed, [*listed[1:], None]):
        pair = following is not None and following.workload == run.workload
        cells = list(table.cells(run))
        cells[0] = _e(cells[0]) if run.side == "upstream" or run.workload.endswith("-off") else ""
        cells[1] = f'<b class="{run.side}">{run.side}</b>'
        body = "".join(f'<td class="text">{c}</td>' if i < 2 else f"<td>{_e(c)}</td>"
                       for i, c in enumerate(cells))
        rows.append(f'<tr class="{"pair" if pair else "last"}">{body}</tr>')
    return "\n".join(rows)


def _definitions(pairs):
    return "\n".join(f"<dt>{_e(name)}</dt><dd>{_e(text)}</dd>" for name, text in pairs)


def _verdict(claims):
    failed = [c for c in claims if not c.holds]
    if not failed:
        return (f"All {len(claims)} claims hold.",
                "<br>Once a pool of buffers has been shown, our driver maps and unmaps nothing "
                "more, and what it keeps mapped stays within its bound.")
    return (f"{len(failed)} of {len(claims)} claims failed.",
            "<br>" + "<br>".join(_e(c.text) for c in failed))


def _attempts(runs):
    again = [f"{r.workload} on {r.side} {r.attempts - 1} time(s)" for r in runs.values()
             if r.attempts > 1]
    return ": this time " + ", ".join(again) if again else "; this time that was not needed"


def _weston(series):
    seconds = [s.steady_s[1] - s.steady_s[0] for (name, _), s in series.items() if name == "weston"]
    return f"the {min(seconds):.0f} seconds" if seconds else "the time"


def page(runs, series, service, claims, pictures, versions, duration):
    """The report as text. pictures: (width, height, PNG) by workload; versions: (name, text)."""
    verdict, verdict_text = _verdict(claims)
    header = "".join(f'<th class="{"text" if i < 2 else "number"}">{_e(c)}</th>'
                     for i, c in enumerate(table.COLUMNS))
    return _part("report.html").format(
        style=_part("report.css") + _part("plot.css") + timeline.STYLE,
        bad="" if all(c.holds for c in claims) else " bad", verdict=_e(verdict),
        verdict_text=verdict_text, hero=_hero(runs), claims=_claims(claims), plots=_plots(series),
        service=timeline.svg(service), service_buffers=evening.BUFFERS,
        pictures=_pictures(pictures), header=header, rows=_rows(runs),
        workloads=_definitions((w.name, f"{w.title}. {w.text}") for w in workloads.WORKLOADS),
        counted_from=workloads.COUNTED_FROM + 1, counted_to=workloads.COUNTED_TO_LAST + 1,
        weston=_weston(series), attempts=_attempts(runs), versions=_definitions(versions),
        duration=duration)
