# SPDX-License-Identifier: MIT
"""The report: one HTML file that needs nothing else, for a reader who knows nothing of this."""

import base64
import html
import os

from . import plot, table, workloads

HERE = os.path.dirname(os.path.realpath(__file__))
PLOTTED = ("foreign", "reimport", "gstreamer", "weston", "dumb", "multi", "many", "churn")

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Page flips that map nothing: msm-scanout-cache, measured</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>Page flips that map nothing</h1>
<p class="lead">A display controller can only read a picture that is mapped in its IOMMU, and mapping one is slow
work: page tables are written, and translation caches are flushed. Linux's msm driver, which drives the displays of
Qualcomm phones and laptops, maps buffers that came from elsewhere (from a camera, a decoder, or a client of most
Wayland compositors) again at <em>every page flip</em>. <strong>msm-scanout-cache</strong> keeps them mapped in a
small, bounded, observable cache; this report compares <b class="upstream">upstream</b>'s driver with
<b class="ours">ours</b>, both run unmodified programs on the same emulated display.</p>

<div class="verdict{bad}"><strong>{verdict}</strong>{verdict_text}</div>
{hero}
<h2>What was claimed, and what came out</h2>
<div class="scroll"><table>
<tr><th></th><th class="text">Claim</th><th class="text">Upstream</th><th class="text">Ours</th><th class="text">Wanted</th></tr>
{claims}
</table></div>

<h2>Maps and unmaps over time</h2>
<p>Each step is one buffer mapped into, or unmapped from, the display's IOMMU. A cache that works stops climbing once
every buffer has been shown once (thin vertical line); what it kept is unmapped when the program leaves.
<span class="key"></span>maps<span class="key dashed"></span>unmaps</p>
<div class="plots">
{plots}
</div>

<h2>What the panel showed</h2>
<p>Read back from the emulated display controller, which fetches every pixel through the IOMMU as hardware would.
All from our driver.</p>
<div class="pictures">
{pictures}
</div>

<h2>All figures</h2>
<p><em>Per flip</em> counts maps and unmaps in the steady part only, see below; maps and unmaps are totals, from the
program's start to after its end. <em>Mapped max</em> is the most that was mapped at a time. Times are those of the
driver's <code>prepare</code> and <code>cleanup</code> of one framebuffer, under emulation.</p>
<div class="scroll"><table>
<tr>{header}</tr>
{rows}
</table></div>

<h2>The workloads</h2>
<dl>
{workloads}
</dl>

<h2>How it was measured</h2>
<ul>
<li><strong>The machine</strong> is QEMU's <code>virt</code> board with an SMMUv3, without KVM. The display
controller is an MDP4 that a kernel module plays: registers, vsync interrupt, and a scanner that looks up every page
of every live buffer through the IOMMU at every vsync, and counts what is not mapped as a <em>scanout fault</em>.</li>
<li><strong>Both sides</strong> run the same kernel image, Debian's own, the same display model and the same programs.
Upstream's side loads the <code>msm.ko</code> that Debian ships; our side loads one built from the same source with
the cache added.</li>
<li><strong>Counting</strong> is done by kprobes on <code>msm_iommu_map()</code> and <code>msm_iommu_unmap()</code>,
which both sides call once for a buffer; times are taken by probes on <code>msm_framebuffer_prepare()</code> and
<code>msm_framebuffer_cleanup()</code>, so they include the cost of the probes inside. A trace that lost one entry is
refused.</li>
<li><strong>The text console's</strong> framebuffer, which is there before and after, is not counted.</li>
<li><strong>The steady part.</strong> Flip clients mark in the trace when every buffer of the pool was shown once, and
when the last flip is done. GStreamer knows nothing of us: its steady part is from its {counted_from}th framebuffer on
to the {counted_to}th from the end, with pools of at most 8 buffers. Weston's is {weston} after its last client was
started. Where nothing comes back (<code>many</code>, <code>keep</code>), there is none, and times are over
everything.</li>
<li><strong>Checksums.</strong> The flip clients compare the CRC-32 of what the panel shows with that of what they
drew, after every flip. For Weston and GStreamer nobody knows what to expect, so they are not checked.</li>
<li><strong>Idle bytes</strong> are read from sysfs while the program runs; in <code>many</code> and <code>keep</code>
without a pause in between.</li>
<li><strong>Standing still.</strong> An emulated machine on a busy host halts at times. A flip client whose steady
part has a pause of more than half a second is measured again, on both sides alike{attempts}.</li>
</ul>

<h2>What this does not show</h2>
<ul>
<li>Times on real hardware. None of this has run on a Qualcomm chip; emulated times tell which side does more work,
not how long it takes.</li>
<li>Other display controllers. MDP5 and DPU share the code that the cache hooks into, but only MDP4 is emulated.</li>
<li>Gains where nothing is shown twice: see <code>churn</code> and <code>many</code>.</li>
</ul>

<h2>Exactly what ran</h2>
<dl>
{versions}
</dl>
<p class="small">Made by <code>./demo</code> in {duration}. The traces and counters that all this was computed from
are beside this file, in <code>raw/</code>.</p>
</main>
</body>
</html>
"""


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
                     f'<b class="ours">{ours}</b></span><br><span class="small">maps and unmaps per '
                     f'flip: {_e(text)}</span></div>')
    return '<div class="hero">' + "".join(boxes) + "</div>"


def _plots(series):
    figures = []
    for name in PLOTTED:
        sides = {side: series[name, side] for side in workloads.SIDES if (name, side) in series}
        if sides:
            w = workloads.named(name)
            figures.append(f"<figure><h3>{_e(w.title)}</h3><figcaption>{_e(w.text)}</figcaption>"
                           f"{plot.svg(_e(w.title), sides)}</figure>")
    return "\n".join(figures)


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
        rows.append(f'<tr{" class=pair" if pair else ""}>{body}</tr>')
    return "\n".join(rows)


def _definitions(pairs):
    return "\n".join(f"<dt>{_e(name)}</dt><dd>{_e(text)}</dd>" for name, text in pairs)


def _verdict(claims):
    failed = [c for c in claims if not c.holds]
    if not failed:
        return (f"All {len(claims)} claims hold.",
                "<br>After one lap through its buffers our driver maps and unmaps nothing at all, "
                "and what it keeps mapped stays within its bound.")
    return (f"{len(failed)} of {len(claims)} claims failed.",
            "<br>" + "<br>".join(_e(c.text) for c in failed))


def _attempts(runs):
    again = [f"{r.workload} on {r.side} {r.attempts - 1} time(s)" for r in runs.values()
             if r.attempts > 1]
    return ": this time " + ", ".join(again) if again else "; this time that was not needed"


def _weston(series):
    seconds = [s.steady_s[1] - s.steady_s[0] for (name, _), s in series.items() if name == "weston"]
    return f"the {min(seconds):.0f} seconds" if seconds else "the time"


def page(runs, series, claims, pictures, versions, duration):
    """The report as text. pictures: (width, height, PNG) by workload; versions: (name, text)."""
    verdict, verdict_text = _verdict(claims)
    with open(os.path.join(HERE, "report.css"), encoding="utf-8") as f:
        style = f.read()
    header = "".join(f'<th{" class=text" if i < 2 else ""}>{_e(c)}</th>'
                     for i, c in enumerate(table.COLUMNS))
    return PAGE.format(
        style=style, bad="" if all(c.holds for c in claims) else " bad", verdict=_e(verdict),
        verdict_text=verdict_text, hero=_hero(runs), claims=_claims(claims), plots=_plots(series),
        pictures=_pictures(pictures), header=header, rows=_rows(runs),
        workloads=_definitions((w.name, f"{w.title}. {w.text}") for w in workloads.WORKLOADS),
        counted_from=workloads.COUNTED_FROM + 1, counted_to=workloads.COUNTED_TO_LAST + 1,
        weston=_weston(series), attempts=_attempts(runs), versions=_definitions(versions),
        duration=duration)
