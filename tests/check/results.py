# SPDX-License-Identifier: MIT
"""What came out of tests: one line each on stdout, progress on stderr, a summary at the end."""

import os
import sys
import threading
import time

from . import repo

START = time.monotonic()
TAIL_LINES = 40
# Steps run side by side: what belongs together is printed in one piece.
PRINTING = threading.RLock()


def say(text):
    with PRINTING:
        print(f"[{time.monotonic() - START:4.0f}s] check: {text}", file=sys.stderr,
              flush=True)


class Results:
    """What came out of one step."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, name):
        self.passed += 1
        self._print(f"ok {name}")

    def not_ok(self, name, why):
        self.failed += 1
        self._print(f"not ok {name} - {why}")

    def skip(self, name, why):
        self.skipped += 1
        self._print(f"skip {name} - {why}")

    def add(self, verdict, name, why):
        if verdict == "ok":
            self.ok(name)
        elif verdict == "skip":
            self.skip(name, why or "no reason given")
        else:
            self.not_ok(name, why or "no reason given")

    def total(self):
        return self.passed + self.failed + self.skipped

    @staticmethod
    def _print(line):
        with PRINTING:
            print(line, flush=True)


def summary(parts):
    """Print the closing line for the results of all steps; returns how many tests failed."""
    passed, failed, skipped = (sum(getattr(part, kind) for part in parts)
                               for kind in ("passed", "failed", "skipped"))
    with PRINTING:
        print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return failed


class Log:
    """A step's full output, in a file of its own."""

    def __init__(self, step):
        self.step = step
        os.makedirs(repo.LOGS, exist_ok=True)
        self.path = os.path.join(repo.LOGS, step.replace("/", ".") + ".log")
        self.file = open(self.path, "w", encoding="utf-8", errors="replace")

    def write(self, text):
        self.file.write(text)
        self.file.flush()

    def close(self):
        self.file.close()

    def tail(self):
        """Show the end of it, for whoever reads a failure in a terminal or on a build server."""
        with open(self.path, encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines()
        where = os.path.relpath(self.path)
        with PRINTING:
            print(f"---- the last {min(TAIL_LINES, len(lines))} of {len(lines)} lines of {where}",
                  file=sys.stderr)
            print("\n".join(lines[-TAIL_LINES:]), file=sys.stderr)
            print("----", file=sys.stderr, flush=True)
