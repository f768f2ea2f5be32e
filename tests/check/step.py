# SPDX-License-Identifier: MIT
"""What every step has in common: its log, its results, and what becomes of its lines."""

import dataclasses
import re
from collections.abc import Callable

LINE = re.compile(r"^(ok|not ok|skip) (\S+)(?:\s+[-#]\s+(.*))?$")


class Skipped(Exception):
    """The step cannot be done here; the message says why."""


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    text: str                   # for --list
    run: Callable               # run(context)
    items: tuple = ()           # parts that --only can choose, if any
    after: tuple = ()           # names of steps that have to be through first, where they run


class Context:
    """One run of one step."""

    def __init__(self, step, results, log, items):
        self.step, self.results, self.log, self.items = step, results, log, items

    def name(self, test):
        return f"{self.step.name}/{test}"

    def ok(self, test):
        self.results.ok(self.name(test))

    def not_ok(self, test, why):
        self.results.not_ok(self.name(test), why)

    def skip(self, test, why):
        self.results.skip(self.name(test), why)

    def judge(self, test, problems):
        """One test that finds problems: passed if it found none. All of them go to the log."""
        for problem in problems:
            self.log.write(problem + "\n")
        if not problems:
            self.ok(test)
        else:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self.not_ok(test, problems[0] + more)

    def tap(self, line):
        """Take a line 'ok NAME', 'not ok NAME - WHY' or 'skip NAME - WHY' of another program."""
        match = LINE.match(line)
        if match:
            verdict, name, why = match.groups()
            if verdict == "ok" and why and why.upper().startswith("SKIP"):
                verdict = "skip"
            self.results.add(verdict, self.name(name), why)
        return bool(match)
