# SPDX-License-Identifier: MIT
"""Tests written with Python's unittest, a line for each."""

import re
import sys

from . import command, repo
from .step import Step

UNITTEST = re.compile(r"^(test_\w+) \([\w.]*?(\w+)(?:\.\1)?\)(?: \.\.\. (.*))?$")
VERDICT = re.compile(r"(?:^|\s)(ok|FAIL|ERROR|skipped .*)$")
PARTS_LIMIT_S = 120


class Reader:
    """unittest's own words, 'test_x (module.Class.test_x) ... ok', a line of output at a time."""

    def __init__(self, context):
        self.context, self.name = context, None

    def line(self, line):
        started = UNITTEST.match(line)
        if started:
            self.name = started[1].removeprefix("test_")
            line = started[3] or ""
        verdict = self.name and VERDICT.search(line)
        if verdict:
            word = verdict[1]
            if word == "ok":
                self.context.ok(self.name)
            elif word.startswith("skipped"):
                self.context.skip(self.name, word.removeprefix("skipped "))
            else:
                self.context.not_ok(self.name, f"{word}, see the log")
            self.name = None


def run(context, argv, limit_s):
    """Run a program that runs unittest with verbosity 2."""
    failed, seen = context.results.failed, context.results.total()
    status = command.run(argv, context.log, limit_s, Reader(context).line,
                         {"PYTHONPATH": repo.path("tests")})
    if status and context.results.failed == failed or context.results.total() == seen:
        context.not_ok("run", f"{argv[0]} exited with {status}")


def _parts(package):
    def run_parts(context):
        run(context, [sys.executable, "-m", "unittest", "-v", f"{package}.test_{package}"],
            PARTS_LIMIT_S)
    return run_parts


def steps():
    return [Step("check.parts", "this program's pure parts", _parts("check")),
            Step("demo.parts", "the demo's pure parts", _parts("demo"))]
