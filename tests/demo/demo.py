# SPDX-License-Identifier: MIT
"""./demo: measure upstream's driver and ours side by side, and tell what came out."""

import argparse
import json
import os
import re
import subprocess
import sys

from . import (board, evening, measure, png, progress, report, table, trace, verdict,
               workloads)

REPORT = os.path.join(board.REPO, "demo-report")
SCRIPTS = {"mini": "clients.sh", "full": "desktop.sh"}
PICTURED = ("foreign", "weston", "gstreamer")


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="./demo", allow_abbrev=False,
        description="Boot upstream's msm driver and ours on an emulated display, run the same "
        "programs on both, and compare how often each maps and unmaps buffers. Prints a table and "
        "writes demo-report/index.html. Exits with 1 if a claim does not hold, with 2 if there "
        "was nothing to judge.")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--kernel-source", metavar="DIR",
                        help="build kernel and msm from this Linux tree, not from Debian's")
    parser.add_argument("--report-only", action="store_true",
                        help="boot nothing: make the report from the traces of the last run")
    return parser.parse_args(argv)


def raw(*parts):
    return os.path.join(REPORT, "raw", *parts)


def measure_all(options):
    source = ["--kernel-source", options.kernel_source] if options.kernel_source else []
    progress.say("building what is missing; the first time this takes a few minutes")
    board.build_all(source)
    for rootfs, script in SCRIPTS.items():
        for side in workloads.SIDES:
            progress.say(f"{side}: booting the {rootfs} root")
            board.boot(source, side, rootfs, script, raw(f"{side}-{rootfs}"))
    progress.say("ours: booting the full root, for scanoutd")
    board.boot(source, "ours", "full", "service.sh", raw("ours-service"))
    with open(raw("duration_s"), "w", encoding="ascii") as f:
        f.write(f"{progress.elapsed_s():.0f}\n")


def load_all():
    runs, series = {}, {}
    for rootfs in SCRIPTS:
        for side in workloads.SIDES:
            for workload in workloads.of(rootfs, side):
                place = raw(f"{side}-{rootfs}", workload.name)
                runs[workload.name, side], series[workload.name, side] = measure.load(
                    workload, side, place)
    return runs, series


def pictures():
    """Half-size PNGs for the report; those in full size go beside it."""
    result = {}
    for name in PICTURED:
        path = raw(f"ours-{workloads.named(name).rootfs}", name, "frame.ppm")
        full = png.read_ppm(path)
        with open(os.path.join(REPORT, f"{name}.png"), "wb") as f:
            f.write(png.encode(*full))
        small = png.halve(*full)
        result[name] = (small[0], small[1], png.encode(*small))
    return result


def _first_line(argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=board.REPO)
    except OSError:
        return ""
    return done.stdout.splitlines()[0] if done.stdout else ""


def versions():
    """(name, text) of everything that took part."""
    lines = measure.need(raw("ours-full"), "version").splitlines()
    kernel = lines[0].split()[2]
    package = re.search(r"Debian (\S+) \(", lines[0])
    compiler = re.search(r"\(([^()]*gcc[^()]*\([^()]*\)[^,]*),", lines[0])
    commit = _first_line(["git", "describe", "--always", "--dirty", "--abbrev=12"])
    return [("Kernel, both sides", f"Linux {kernel}" +
             (f", Debian's package {package[1]}" if package else "")),
            ("Its compiler", compiler[1] if compiler else lines[0]),
            ("msm, upstream's side", "as in that package"),
            ("msm, our side", f"the same source and kernel/ of this repository, {commit}"),
            ("Machine", _first_line(["qemu-system-aarch64", "--version"])),
            ("Programs", "; ".join(lines[1:])),
            ("Host", f"{os.cpu_count()} CPUs, {_first_line(['uname', '-srm'])}")]


def kernel_name(listed):
    return dict(listed)["Kernel, both sides"]


def write_json(path, kernel, runs, claims):
    rows = []
    for run in table.ordered(runs):
        row = dict(vars(run))
        row["steady_maps_and_unmaps_per_flip"] = run.per_flip()
        rows.append(row)
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"kernel": kernel, "runs": rows, "claims": [vars(c) for c in claims]}, f,
                  indent=1)
        f.write("\n")


def duration_text(seconds):
    """As people say it."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def tell(options):
    """Everything after the measuring; returns whether all claims hold."""
    runs, series = load_all()
    listed = versions()
    service = evening.load(raw("ours-service"))
    claims = verdict.claims(runs) + evening.claims(service)
    page = os.path.join(REPORT, "index.html")
    with open(page, "w", encoding="utf-8") as f:
        f.write(report.page(runs, series, service, claims, pictures(), listed,
                            duration_text(int(measure.need(raw(), "duration_s")))))
    for name, text in report.plots(series, service):
        with open(os.path.join(REPORT, name), "w", encoding="utf-8") as f:
            f.write(text)
    if options.json:
        write_json(options.json, kernel_name(listed), runs, claims)
    print(table.text(runs))
    print()
    print(table.claims_text(claims))
    failed = [c for c in claims if not c.holds]
    print()
    for claim in failed:
        print(f"FAILED: {claim.text}: upstream {claim.upstream}, ours {claim.ours}, "
              f"wanted {claim.wanted}")
    if not failed:
        print(f"All {len(claims)} claims hold.")
    print(f"Report: {os.path.relpath(page)}   ({duration_text(progress.elapsed_s())})")
    return not failed


def main(argv):
    options = parse(argv)
    try:
        if not options.report_only:
            measure_all(options)
        return 0 if tell(options) else 1
    except (board.BoardError, measure.MeasureError, trace.TraceError, png.PictureError,
            OSError) as e:
        print(f"demo: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
