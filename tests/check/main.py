# SPDX-License-Identifier: MIT
"""./check: every test, the cheap ones first."""

import argparse
import fnmatch
import signal
import sys
import time

from . import bench, board, command, fuzz, host, kernel, lint, units, unittests
from .lanes import Lanes
from .results import Log, Results, say, summary
from .step import Context, Skipped
from .times import Times

# In order of cost; the board's own order is in board.py.
CHEAP_BOARD_STEPS = ("board.headers", "harness.parts")
# What is worth waiting for while one edits: every pure part, the core, and one boot.
QUICK = ("lint", "*.parts", "board.headers", "clients", "daemon", "kunit",
         "board.release/steady.sh")
# A step keeps about one CPU busy: builds are short, and a board draws its frames on one.
LANES = 2


def all_steps():
    of_board = board.steps()
    cheap = [s for s in of_board if s.name in CHEAP_BOARD_STEPS]
    dear = [s for s in of_board if s.name not in CHEAP_BOARD_STEPS]
    of_bench = bench.steps()
    of_kernel = kernel.steps()
    return [*lint.steps(), *unittests.steps(), *of_bench[:1], *cheap, *of_kernel[:1],
            *board.builds(), *units.steps(), *fuzz.steps(), *of_kernel[1:], *of_bench[1:], *dear]


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="./check", allow_abbrev=False,
        description="Run every test, the cheap ones first: one line for each, 'ok NAME', 'not ok "
        "NAME - WHY' or 'skip NAME - WHY', and a summary at the end. A step's full output is in "
        "check-logs/. Exits with 1 if a test failed.")
    parser.add_argument("--list", action="store_true",
                        help="name the steps and how long each took last time, and run none")
    parser.add_argument("--quick", action="store_true",
                        help="only what takes minutes: scripts, units, the core, one boot")
    parser.add_argument("--only", action="append", metavar="PATTERN", default=[],
                        help="only steps, or STEP/FILE, that match PATTERN, as in 'lint*' or "
                        "'board.*/steady.sh'; may be repeated")
    return parser.parse_args(argv)


def chosen(steps, patterns):
    """(step, items) of what the patterns ask for; all without a pattern."""
    if not patterns:
        return [(s, s.items) for s in steps]
    result = []
    for step in steps:
        whole = any(fnmatch.fnmatch(step.name, p) for p in patterns)
        items = step.items if whole else tuple(
            i for i in step.items if any(fnmatch.fnmatch(f"{step.name}/{i}", p) for p in patterns))
        if whole or items:
            result.append((step, items))
    return result


def run_step(step, items):
    """Run one step, and return its results."""
    results = Results()
    log = Log(step.name)
    context = Context(step, results, log, items)
    say(f"{step.name}: {step.text}")
    try:
        step.run(context)
    except (Skipped, host.Missing) as e:
        context.skip("all", str(e))
    except (command.Failed, OSError) as e:
        context.not_ok("run", str(e))
    finally:
        log.close()
    if results.failed:
        log.tail()
    return results


def show(steps, times):
    for step, items in steps:
        took = times.of(step.name)
        print(f"{step.name:22} {'' if took is None else f'{took:5.0f} s':>8}  {step.text}")
        for item in items:
            print(f"  {step.name}/{item}")


def main(argv):
    options = parse(argv)
    # A build server ends a job by SIGTERM: end what we started, as for an interrupt.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    patterns = [*options.only, *(QUICK if options.quick else ())]
    steps = chosen(all_steps(), patterns)
    times = Times()
    if options.list:
        show(steps, times)
        return 0
    if not steps:
        print(f"check: no step matches {' '.join(options.only)}; --list names them",
              file=sys.stderr)
        return 2
    done = []

    def one(step, items):
        begin = time.monotonic()
        done.append(run_step(step, items))
        # Of a part of a step, or of one that failed, the time says nothing about the next run.
        if items == step.items and not done[-1].failed:
            times.note(step.name, time.monotonic() - begin)

    try:
        Lanes(steps, one, LANES).run()
    except KeyboardInterrupt:
        say("interrupted")
        command.end_all()
        summary(done)
        return 130
    return 1 if summary(done) else 0
