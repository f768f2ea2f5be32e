# SPDX-License-Identifier: MIT
"""Hostile clients for minutes or hours: run them on the board, add up what the judges saw."""

import json
import os
import re
import subprocess
import tempfile

from . import board, cache, report, splat

ROUND_S = 60
# Booting, building what has changed, and draining after each round.
OVERHEAD_S = 900
# A guest under the checkers, on a busy host, takes longer for what is not the clients' time.
SLOWER = 4
LINE = re.compile(r"^soak: (.*)$")
PAIR = re.compile(r"(\w+)=(\d+)")
PEAKS = ("idle_bytes_peak", "lingering_entries_peak", "quarantined_bytes_peak")
SKIPPED = ("seed", "seconds")

# What the table shows: name, figure; and whether it has to be zero.
ROWS = (
    ("flips", "flips", False),
    ("processes killed", "kills", False),
    ("frames checked", "frames_checked", False),
    ("  not there at the first look", "frames_late", False),
    ("frames with a wrong checksum", "crc_mismatches", True),
    ("pages looked up by the display", "display_scanned_pages", False),
    ("scanout faults", "display_scanout_faults", True),
    ("maps and unmaps", "judge_operations", False),
    ("  of them sampled through the SMMU", "judge_sampled", False),
    ("samples through the SMMU", "judge_samples", False),
    ("  after an unmap", "judge_dead_faulted", False),
    ("stale translations", "judge_stale", True),
    ("wrong bytes in mapped buffers", "judge_wrong_bytes", True),
    ("mapped buffers that faulted", "judge_live_faulted", True),
    ("looks at the bounds", "bound_samples", False),
    ("bounds exceeded", "bound_violations", True),
    ("most idle bytes", "idle_bytes_peak", False),
    ("most quarantined bytes", "quarantined_bytes_peak", False),
    ("most lingering buffers", "lingering_entries_peak", False),
)


def parse(argv):
    parser = board.Parser(
        prog="tests/board/soak", allow_abbrev=False,
        description="Let many processes mistreat the emulated display, round by round, each with a "
        "seed of its own, while all judges look. Prints a table. Exits with 0 if nothing was "
        "wrong, 1 if something was, 97 to 99 as tests/board/run.")
    parser.add_argument("minutes", type=float, metavar="MINUTES", help="for how long")
    parser.add_argument("--flavour", choices=tuple(board.LIMIT_S), default="debug",
                        help="the kernel, as of tests/board/run (default: %(default)s)")
    parser.add_argument("--msm-variant", metavar="DIR", help="as of tests/board/run")
    parser.add_argument("--seed", type=int, default=1, metavar="N",
                        help="the first round's (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="the figures for programs")
    parser.add_argument("--out", metavar="DIR", help="keep the kernel's console there")
    options = parser.parse_args(argv)
    if options.minutes <= 0:
        parser.error(f"MINUTES {options.minutes:g}: wanted more than 0")
    return options


def add_up(lines):
    """The figures of all rounds, from the guest's output, and how many rounds there were."""
    total, rounds = {}, 0
    for line in lines:
        match = LINE.match(line)
        if not match:
            continue
        rounds += 1
        for name, value in PAIR.findall(match[1]):
            if name in PEAKS:
                total[name] = max(total.get(name, 0), int(value))
            elif name not in SKIPPED:
                total[name] = total.get(name, 0) + int(value)
    return total, rounds


def table(figures):
    """The figures as lines for people."""
    rows = [("rounds", figures["rounds"]), ("minutes", figures["minutes"])]
    rows += [(text, figures.get(name, "-")) for text, name, _ in ROWS]
    rows += [("complaints of the kernel", figures["splats"]),
             ("rounds that failed", figures["failed_rounds"])]
    return [f"{text:36} {value:>14}" for text, value in rows]


def is_clean(figures, status):
    """Nothing was wrong, and there was something to see."""
    return (status == 0 and figures["rounds"] > 0 and figures["splats"] == 0 and
            figures["failed_rounds"] == 0 and
            all(figures.get(name) == 0 for _, name, zero in ROWS if zero))


def _run(options, out):
    seconds = round(options.minutes * 60)
    argv = [os.path.join(cache.HERE, "run"), "--flavour", options.flavour, "--out", out,
            "--timeout", str(seconds * SLOWER + OVERHEAD_S)]
    if options.msm_variant:
        argv += ["--msm-variant", options.msm_variant]
    argv += ["--", f"sh /usr/lib/board/soak {seconds} {options.seed} {min(ROUND_S, seconds)}"]
    lines = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if not LINE.match(line):
                print(line, end="", flush=True)
    return process.returncode, lines


def main(argv):
    options = parse(argv)
    if options.out:
        os.makedirs(options.out, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak.") as scratch:
        out = options.out or scratch
        status, lines = _run(options, out)
        console = os.path.join(out, "console.log")
        splats = []
        if os.path.exists(console):
            with open(console, encoding="utf-8", errors="replace") as f:
                splats = splat.find(f.read())
    figures, rounds = add_up(lines)
    figures.update(rounds=rounds, minutes=options.minutes, flavour=options.flavour,
                   first_seed=options.seed, splats=len(splats), status=status,
                   failed_rounds=sum(line.startswith("not ok ") for line in lines))
    print("\n".join(table(figures)))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(figures, f, indent=1)
            f.write("\n")
    if is_clean(figures, status):
        return 0
    if not rounds:
        report.say("not one round came to its end")
    return status if status > 1 else 1
