# SPDX-License-Identifier: MIT
"""Tests that boot the board: those of the harness, and those in tests/board/tests.

A file there says in its first lines what it wants to run on,

    # board: flavour=release|debug rootfs=mini|full kernel=ours|upstream [variant=NAME]
    #        [timeout=SECONDS]

in one line, where a variant is a folder of selftest/variants. All that want the same share one
boot. NAME.sh is run by tests/board/guest/run-tests in the guest, NAME.host.sh on the host, with
$RUN for tests/board/run. Both print lines "ok NAME", "not ok NAME - WHY" and "skip NAME - WHY".
"""

import dataclasses
import os
import re

from . import command, repo, unittests
from .step import Step

RUN = repo.path("tests/board/run")
TESTS = repo.path("tests/board/tests")
SELFTEST = repo.path("tests/board/selftest/selftest")
VARIANTS = repo.path("tests/board/selftest/variants")
HEADER = re.compile(r"^# board:((?: \w+=[\w-]+)+)$", re.M)
KNOWN = {"flavour": ("release", "debug"), "rootfs": ("mini", "full"),
         "kernel": ("ours", "upstream"), "variant": ("none", *sorted(os.listdir(VARIANTS)))}
DEFAULTS = {"flavour": "release", "rootfs": "mini", "kernel": "ours", "variant": "none",
            "timeout": "300"}
# To build what a boot needs, kernel included, on a slow machine.
BUILD_LIMIT_S = 3600
SELFTEST_LIMIT_S = {"parts": 120, "boot": 1200, "debug": 5400, "full": 1800}
# The longest build by far, begun early and only given what CPU time nothing else wants, also where
# the kernel shares the CPUs out among sessions (autogroup).
YIELD = 'echo 19 2>/dev/null >/proc/self/autogroup; exec nice -n 19 "$@"'
DEBUG_KERNEL = "debug-kernel"
STATUS = {97: "the kernel reported a problem", 98: "no boot, a hang or a timeout",
          99: "the harness failed"}


@dataclasses.dataclass(frozen=True)
class Machine:
    flavour: str
    rootfs: str
    kernel: str
    variant: str

    def name(self):
        parts = ["board", self.flavour]
        if self.rootfs != "mini":
            parts.append(self.rootfs)
        if self.kernel != "ours":
            parts.append(self.kernel)
        if self.variant != "none":
            parts.append(self.variant)
        return ".".join(parts)


@dataclasses.dataclass(frozen=True)
class File:
    name: str
    machine: Machine
    timeout_s: int


class BadHeader(Exception):
    """A test file does not say what it wants to run on, or not so that it can be understood."""


def machine_of(text, name):
    """(Machine, time limit) that a test file's header asks for."""
    match = HEADER.search(text)
    if not match:
        raise BadHeader(f"{name}: no line '# board: flavour=... rootfs=... kernel=...'")
    wanted = {**DEFAULTS, **dict(pair.split("=") for pair in match[1].split())}
    for key, value in wanted.items():
        values = KNOWN.get(key)
        if values and value not in values or not values and key != "timeout":
            raise BadHeader(f"{name}: {key}={value}, expected {values or list(DEFAULTS)}")
    if not wanted["timeout"].isdigit():
        raise BadHeader(f"{name}: timeout={wanted['timeout']}, expected seconds")
    return Machine(*(wanted[key] for key in KNOWN)), int(wanted["timeout"])


def _read(name):
    full = os.path.join("tests/board/tests", name)
    return File(name, *machine_of(repo.text(full), full))


def _why(status):
    return STATUS.get(status, f"status {status}")


def _boot(files):
    machine = files[0].machine

    def run(context):
        chosen = [f for f in files if f.name in context.items]
        limit_s = sum(f.timeout_s for f in chosen)
        failed, seen = context.results.failed, context.results.total()
        variant = []
        if machine.variant != "none":
            variant = ["--msm-variant", os.path.join(VARIANTS, machine.variant)]
        status = command.run(
            [RUN, "--flavour", machine.flavour, "--rootfs", machine.rootfs, "--kernel",
             machine.kernel, *variant, "--timeout", str(limit_s), "--share", TESTS, "--",
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


def _selftest(which):
    def run(context):
        unittests.run(context, [SELFTEST, which], SELFTEST_LIMIT_S[which])
    return run


def _debug_kernel(context):
    status = command.run(["sh", "-c", YIELD, "yield", repo.path("tests/board/build"),
                          "debug-kernel"], context.log, BUILD_LIMIT_S)
    context.judge("builds", [f"tests/board/build exited with {status}"] if status else [])


def builds():
    # Not before what others need too is there: who yields must not keep them waiting for it.
    return [Step(DEBUG_KERNEL, "the debug flavour's kernel", _debug_kernel, after=("kernel",))]


def _broken(problems):
    def run(context):
        context.judge("headers", problems)
    return run


def steps():
    there = os.listdir(TESTS) if os.path.isdir(TESTS) else []
    files, problems = [], []
    for name in sorted(n for n in there if n.endswith(".sh")):
        try:
            files.append(_read(name))
        except BadHeader as e:
            problems.append(str(e))
    after = {"release": (), "debug": (DEBUG_KERNEL,)}
    guest = [f for f in files if not f.name.endswith(".host.sh")]
    host = [f for f in files if f.name.endswith(".host.sh")]

    def boots(flavour):
        found = {}
        for file in guest:
            if file.machine.flavour == flavour:
                found.setdefault(file.machine, []).append(file)
        for machine in sorted(found, key=lambda m: (m.rootfs != "mini", m.kernel, m.variant)):
            some = found[machine]
            what = machine.kernel
            if machine.variant != "none":
                what += f" with {machine.variant}"
            yield Step(machine.name(), f"tests in the guest: {flavour}, {machine.rootfs} root, "
                       f"{what}", _boot(some),
                       tuple(f.name for f in some), after[flavour])
        some = [f for f in host if f.machine.flavour == flavour]
        if some:
            yield Step(f"board.{flavour}.host", f"tests around the guest: {flavour}",
                       _on_host(some), tuple(f.name for f in some), after[flavour])

    def selftest(which, text):
        return Step(f"harness.{which}", f"tests/board itself: {text}", _selftest(which),
                    after=after.get(which, ()))

    listed = [Step("board.headers", "the board's tests say what they want", _broken(problems))]
    listed += [selftest("parts", "its parts"), *boots("release"), selftest("boot", "booting"),
               selftest("full", "the full root"), *boots("debug"),
               selftest("debug", "its checkers see mistakes")]
    return listed
