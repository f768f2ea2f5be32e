# SPDX-License-Identifier: MIT
"""Tests that only read: shell, Python, licences, layout, mutants. They need no build."""

import re
import subprocess

from . import command, host, python_lint, repo
from .step import Step

LIMIT_S = 120
SHELLS = re.compile(r"^#! ?(/usr/bin/env |/usr/bin/busybox |/bin/)(sh|dash)\b")
PROGRAM_SOURCES = re.compile(r"(tests/clients|daemon)/.*\.[ch]$")
LONGEST_C_LINE = 100
# Any bytes: what a fuzz target is given.
FUZZ_INPUTS = "tests/fuzz/corpus/"
GPL, MIT = "GPL-2.0-only", "MIT"
SOURCES = re.compile(r"\.(c|h|S|py|sh|dts|dtsi|build|css|html|service|target)$|"
                     r"(^|/)(Kbuild|Makefile)$")
NO_LICENCE_LINE = re.compile(r"\.(md|png|json|patch|ini)$|(^|/)\.|^docs/licenses/|"
                             r"(^|/)\.kunitconfig$")


def shell_files(names):
    return [n for n in names if n.endswith(".sh") or SHELLS.match(repo.first_line(n))]


def python_files(names):
    return [n for n in names if n.endswith(".py") or "python3" in repo.first_line(n)
            and repo.first_line(n).startswith("#!")]


def _shellcheck(context, names):
    try:
        host.programs(context.log, shellcheck="shellcheck")
    except host.Missing as e:
        context.skip("shellcheck", str(e))
        return
    problems = []
    # The format that other tools read: one line for each finding.
    status = command.run(["shellcheck", "-x", "-s", "sh", "-f", "gcc", *shell_files(names)],
                         context.log, LIMIT_S, problems.append)
    context.judge("shellcheck", problems or ([f"status {status}"] if status else []))


def _python(context, names):
    problems = []
    for name in python_files(names):
        problems += python_lint.check(name, repo.text(name))
    context.judge("python", problems)


def _wanted_licence(name):
    kernel = name.startswith(("kernel/", "tests/board/model/", "tests/board/keepawake/",
                              "tests/board/selftest/faults/", "tests/bench/hitpath/",
                              "tests/bench/core/", "tests/bench/kunit/",
                              "tests/bench/evictor/"))
    script = name in ("kernel/lay", "kernel/export")
    return GPL if kernel and not script else MIT


def _licences(context, names):
    problems = []
    for name in names:
        text = repo.text(name)
        if NO_LICENCE_LINE.search(name) or name.startswith("kernel/ABI/"):
            continue
        found = re.search(r"SPDX-License-Identifier: ([\w.-]+)", text[:400])
        if found and found[1] != _wanted_licence(name):
            problems.append(f"{name}: licence {found[1]}, expected {_wanted_licence(name)}")
        elif not found and (SOURCES.search(name) or text.startswith("#!")):
            problems.append(f"{name}: no SPDX-License-Identifier in its first lines, expected "
                            f"{_wanted_licence(name)}")
    context.judge("licences", problems)


def _executables(context, names):
    """What starts with #! is executable, and nothing else is."""
    done = subprocess.run(["git", "-C", repo.ROOT, "ls-files", "-s", "-z"], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        context.skip("modes", "this is no git checkout")
        return
    problems = []
    listed = set(names)
    for entry in filter(None, done.stdout.split("\0")):
        mode, name = entry.split()[0], entry.split("\t", 1)[1]
        if name not in listed:
            continue
        script = repo.first_line(name).startswith("#!")
        if script != (mode == "100755"):
            problems.append(f"{name}: mode {mode}, but it does {'' if script else 'not '}start "
                            "with #!")
    context.judge("modes", problems)


def _layout(context, names):
    """What no language is needed for. The kernel's code is checkpatch's."""
    problems = []
    for name in names:
        if name.endswith((".png", ".patch")) or FUZZ_INPUTS in name:
            continue
        text = repo.text(name)
        if text and not text.endswith("\n"):
            problems.append(f"{name}: no newline at its end")
        for number, line in enumerate(text.splitlines(), 1):
            if line.endswith((" ", "\t", "\r")):
                problems.append(f"{name}:{number}: a blank at its end")
            if line.startswith(("<<<<<<< ", ">>>>>>> ")):
                problems.append(f"{name}:{number}: a conflict mark")
            columns = len(line.expandtabs(8))
            if PROGRAM_SOURCES.match(name) and columns > LONGEST_C_LINE:
                problems.append(f"{name}:{number}: {columns} columns, expected at most "
                                f"{LONGEST_C_LINE}")
    context.judge("layout", problems)


def _mutants(context, _names):
    """Those of the core and of the service: is the code still there that they would replace?"""
    problems = []
    for program in ("tests/kunit/mutants", "daemon/tests/mutants"):
        said = []
        if command.run([repo.path(*program.split("/")), "--check"], context.log, LIMIT_S,
                       said.append):
            problems += said
    context.judge("mutants", problems)


TESTS = {"licences": _licences, "modes": _executables, "layout": _layout, "python": _python,
         "shellcheck": _shellcheck, "mutants": _mutants}


def _run(context):
    names = repo.files()
    for item in context.items:
        TESTS[item](context, names)


def steps():
    return [Step("lint", "scripts, licences, layout and mutants", _run, tuple(TESTS))]
