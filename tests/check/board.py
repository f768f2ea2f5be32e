# SPDX-License-Identifier: MIT
"""Tests that boot the board: those of the harness, and those in tests/board/tests.

A file there says in its first lines what it wants to run on,

    # board: flavour=release|debug rootfs=mini|full kernel=ours|upstream [timeout=SECONDS]

and all that want the same share one boot. NAME.sh is run by tests/board/guest/run-tests in the
guest, NAME.host.sh on the host, with $RUN for tests/board/run. Both print lines "ok NAME",
"not ok NAME - WHY" and "skip NAME - WHY".
"""

import dataclasses
import os
import re

from . import command, repo
from .step import Step

RUN = repo.path("tests/board/run")
TESTS = repo.path("tests/board/tests")
SELFTEST = repo.path("tests/board/selftest/selftest")
HEADER = re.compile(r"^# board:((?: \w+=\w+)+)$", re.M)
KNOWN = {"flavour": ("release", "debug"), "rootfs": ("mini", "full"),
         "kernel": ("ours", "upstream")}
DEFAULT_TIMEOUT_S = 300
# To build what a boot needs, kernel included, on a slow machine.
BUILD_LIMIT_S = 3600
SELFTEST_LIMIT_S = {"parts": 120, "boot": 1200, "debug": 5400, "full": 1800}
UNITTEST = re.compile(r"^(test_\w+) \([\w.]*?(\w+)(?:\.\1)?\)(?: \.\.\. (.*))?$")
VERDICT = re.compile(r"(?:^|\s)(ok|FAIL|ERROR|skipped .*)$")
STATUS = {97: "the kernel reported a problem", 98: "no boot, a hang or a timeout",
          99: "the harness failed"}


@dataclasses.dataclass(frozen=True)
class Machine:
    flavour: str
    rootfs: str
    kernel: str

    def name(self):
        parts = ["board", self.flavour]
        if self.rootfs != "mini":
            parts.append(self.rootfs)
        if self.kernel != "ours":
            parts.append(self.kernel)
        return ".".join(parts)


@dataclasses.dataclass(frozen=True)
class File:
    name: str
    machine: Machine
    timeout_s: int


def _read(name):
    """One test file's header; a message if it is not as it must be."""
    name_of_all = os.path.join("tests/board/tests", name)
    match = HEADER.search(repo.text(name_of_all))
    if not match:
        return None, f"{name_of_all}: no line '# board: flavour=... rootfs=... kernel=...'"
    fields = dict(pair.split("=") for pair in match[1].split())
    timeout = fields.pop("timeout", str(DEFAULT_TIMEOUT_S))
    for key, values in KNOWN.items():
        value = fields.pop(key, values[0] if key != "kernel" else "ours")
        if value not in values:
            return None, f"{name_of_all}: {key}={value}, expected one of {values}"
        fields[key + "!"] = value
    unknown = [k for k in fields if not k.endswith("!")]
    if unknown or not timeout.isdigit():
        return None, f"{name_of_all}: {unknown or 'timeout=' + timeout} not understood"
    return File(name, Machine(*(fields[k + "!"] for k in KNOWN)), int(timeout)), None


def _why(status):
    return STATUS.get(status, f"status {status}")


def _boot(files):
    machine = files[0].machine

    def run(context):
        chosen = [f for f in files if f.name in context.items]
        limit_s = sum(f.timeout_s for f in chosen)
        failed, seen = context.results.failed, context.results.total()
        status = command.run(
            [RUN, "--flavour", machine.flavour, "--rootfs", machine.rootfs, "--kernel",
             machine.kernel, "--timeout", str(limit_s), "--share", TESTS, "--",
             "sh", "/usr/lib/board/run-tests", *[f"/share/{f.name}" for f in chosen]],
            context.log, limit_s + BUILD_LIMIT_S, context.tap)
        # 97 is one more failure: what the kernel said may belong to a test that passed.
        if status == 97 or status and context.results.failed == failed:
            context.not_ok("boot", _why(status))
        elif context.results.total() == seen:
            context.not_ok("boot", "no test reported anything")
    return run


def _on_host(files):
    def run(context):
        for file in files:
            if file.name not in context.items:
                continue
            failed, seen = context.results.failed, context.results.total()
            status = command.run(["sh", os.path.join(TESTS, file.name)], context.log,
                                 file.timeout_s + BUILD_LIMIT_S, context.tap, {"RUN": RUN})
            name = file.name.removesuffix(".host.sh")
            if status and context.results.failed == failed:
                context.not_ok(name, _why(status))
            elif context.results.total() == seen:
                context.ok(name)
    return run


class _Unittest:
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


def _selftest(which):
    def run(context):
        failed, seen = context.results.failed, context.results.total()
        status = command.run([SELFTEST, which], context.log, SELFTEST_LIMIT_S[which],
                             _Unittest(context).line)
        if status and context.results.failed == failed or context.results.total() == seen:
            context.not_ok("run", f"selftest {which} exited with {status}")
    return run


def _broken(problems):
    def run(context):
        context.judge("headers", problems)
    return run


def steps():
    there = os.listdir(TESTS) if os.path.isdir(TESTS) else []
    files, problems = [], []
    for name in sorted(n for n in there if n.endswith(".sh")):
        file, problem = _read(name)
        if file:
            files.append(file)
        else:
            problems.append(problem)
    guest = [f for f in files if not f.name.endswith(".host.sh")]
    host = [f for f in files if f.name.endswith(".host.sh")]

    def boots(flavour):
        found = {}
        for file in guest:
            if file.machine.flavour == flavour:
                found.setdefault(file.machine, []).append(file)
        for machine in sorted(found, key=lambda m: (m.rootfs != "mini", m.kernel)):
            some = found[machine]
            yield Step(machine.name(), f"tests in the guest: {flavour}, {machine.rootfs} root, "
                       f"{machine.kernel}", _boot(some), tuple(f.name for f in some))
        some = [f for f in host if f.machine.flavour == flavour]
        if some:
            yield Step(f"board.{flavour}.host", f"tests around the guest: {flavour}",
                       _on_host(some), tuple(f.name for f in some))

    def selftest(which, text):
        return Step(f"harness.{which}", f"tests/board itself: {text}", _selftest(which))

    listed = [Step("board.headers", "the board's tests say what they want", _broken(problems))]
    listed += [selftest("parts", "its parts"), *boots("release"), selftest("boot", "booting"),
               selftest("full", "the full root"), *boots("debug"),
               selftest("debug", "its checkers see mistakes")]
    return listed
