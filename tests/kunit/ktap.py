# SPDX-License-Identifier: MIT
"""Turns the console of a kernel that runs KUnit into one line per test, as they come.

usage: ktap.py EXPECTED <CONSOLE

EXPECTED lists the tests, one SUITE.TEST a line. Prints "ok SUITE.TEST" or "not ok SUITE.TEST", or
one line per parameter of a test that has them, and what the kernel said about a failure below it.
A test that did not run has failed. So has the run if the kernel complained of anything. Exits with
1 if anything failed.

A test may say what it did, as in "figure: 1200 steps, all equal". That is printed below its result,
and the sum for each kind of number at the end.
"""

import re
import sys

RESULT = re.compile(r"^( *)(not ok|ok) \d+ (.*?)(?: # (SKIP.*))?$")
SUBTEST = re.compile(r"^( *)# Subtest: (.*)$")
# What a kernel starts with when something is wrong.
COMPLAINT = re.compile(r"WARNING: |BUG: |KASAN: |UBSAN: |Kernel panic|INFO: (task|rcu|possible)|"
                       r"possible (recursive|circular)|inconsistent lock|suspicious RCU|"
                       r"(list_add|list_del) corruption|Kernel mode fault|Modules linked in:")
COMPLAINT_LINES = 60
FIGURE = re.compile(r"figure: ((\d+) (\w+).*)$")
# Kernel output that is about the run, not about a test.
CHATTER = re.compile(r"^ *(KTAP version|\d+\.\.\d+$|# (module|Totals|speed): |#.*\.speed: "
                     r"|# \S+: pass:\d+ |# Totals: )")


class Report:
    def __init__(self, expected):
        self.expected = expected
        self.done = set()
        self.failed = 0
        self.names = []
        self.notes = []
        self.complaint = 0
        self.complaints = []
        self.parameters = False
        self.figures = []
        self.sums = {}

    def figure(self, text, number, kind):
        self.figures.append(text)
        self.sums[kind] = self.sums.get(kind, 0) + int(number)

    def result(self, depth, verdict, name, skipped):
        """A test's result is at depth 1, that of a test with one parameter at depth 2."""
        if depth == 0:
            return
        full = ".".join(self.names[:depth] + [name.strip().replace(" ", "_")])
        if depth == 1:
            self.done.add(full)
            if self.parameters:
                self.parameters = False
                self.notes = []
                return
        else:
            self.parameters = True
        bad = verdict != "ok"
        self.failed += bad
        print(f"{verdict} {full}" + (f" # {skipped}" if skipped else ""))
        if bad:
            for note in self.notes:
                print(f"    {note}")
        for figure in self.figures:
            print(f"#   {figure}")
        self.notes = []
        self.figures = []
        sys.stdout.flush()

    def complain(self, line):
        if COMPLAINT.search(line) and not self.complaint:
            self.complaint = COMPLAINT_LINES
        if self.complaint:
            self.complaint -= 1
            self.notes.append(line.rstrip())
            self.complaints.append(line.rstrip())
            if "end trace" in line:
                self.complaint = 0

    def line(self, line):
        subtest = SUBTEST.match(line)
        if subtest:
            depth = len(subtest[1]) // 4
            self.names[max(depth - 1, 0):] = [subtest[2].strip()]
            return
        result = RESULT.match(line)
        figure = FIGURE.search(line)
        if figure:
            self.figure(*figure.groups())
        elif result:
            self.complaint = 0
            self.result(len(result[1]) // 4, *result.group(2, 3, 4))
        elif not CHATTER.match(line) and self.names:
            before = self.complaint
            self.complain(line)
            if not before and not self.complaint and line.strip():
                self.notes.append(line.strip())
        else:
            self.complain(line)

    def finish(self):
        missing = [name for name in self.expected if name not in self.done]
        for name in missing:
            print(f"not ok {name} # did not run to its end")
            for note in self.notes[-COMPLAINT_LINES:]:
                print(f"    {note}")
            self.notes = []
        self.failed += len(missing)
        for kind, number in self.sums.items():
            print(f"# {number} {kind} in total")
        verdict = "not ok" if self.complaints else "ok"
        self.failed += bool(self.complaints)
        print(f"{verdict} the_kernel_did_not_complain")
        for line in self.complaints[:2 * COMPLAINT_LINES]:
            print(f"    {line}")
        return self.failed


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        report = Report(f.read().split())
    for line in sys.stdin:
        report.line(line.rstrip("\r\n"))
    return 1 if report.finish() else 0


if __name__ == "__main__":
    sys.stdin.reconfigure(errors="replace")
    sys.exit(main())
