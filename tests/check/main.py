# SPDX-License-Identifier: MIT
"""./check: every test, the cheap ones first."""

import argparse
import fnmatch
import signal
import sys

from . import ahead, bench, board, command, fuzz, host, kernel, lint, units, unittests
from .results import Log, Results, say
from .step import Context, Skipped

# In order of cost; the board's own order is in board.py.
CHEAP_BOARD_STEPS = ("board.headers", "harness.parts")


def all_steps():
    of_board = board.steps()
    cheap = [s for s in of_board if s.name in CHEAP_BOARD_STEPS]
    dear = [s for s in of_board if s.name not in CHEAP_BOARD_STEPS]
    of_bench = bench.steps()
    return [*lint.steps(), *unittests.steps(), *of_bench[:1], *cheap, *units.steps(),
            *fuzz.steps(), *kernel.steps(), *of_bench[1:], *dear]


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="./check", allow_abbrev=False,
        description="Run every test, the cheap ones first: one line for each, 'ok NAME', 'not ok "
        "NAME - WHY' or 'skip NAME - WHY', and a summary at the end. A step's full output is in "
        "check-logs/. Exits with 1 if a test failed.")
    parser.add_argument("--list", action="store_true", help="name the steps and run none")
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


def run_step(step, items, results):
    log = Log(step.name)
    failed = results.failed
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
    if results.failed > failed:
        log.tail()


def main(argv):
    options = parse(argv)
    # A build server ends a job by SIGTERM: end what we started, as for an interrupt.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    steps = chosen(all_steps(), options.only)
    if options.list:
        for step, items in steps:
            print(f"{step.name:22} {step.text}")
            for item in items:
                print(f"  {step.name}/{item}")
        return 0
    if not steps:
        print(f"check: no step matches {' '.join(options.only)}; --list names them",
              file=sys.stderr)
        return 2
    results = Results()
    build = ahead.Ahead([step.name for step, _ in steps])
    try:
        for step, items in steps:
            run_step(step, items, results)
            build.after(step.name)
    except KeyboardInterrupt:
        say("interrupted")
        results.summary()
        return 130
    finally:
        build.end()
    results.summary()
    return 1 if results.failed else 0
