# SPDX-License-Identifier: MIT
"""Tests of kernel/ that need no board: it applies, checkpatch likes it, KUnit in a UML kernel."""

import re

from . import command, repo
from .results import say
from .step import Step

BUILD_LIMIT_S = 1800
KUNIT_LIMIT_S = 2400
CHECKPATCH_LIMIT_S = 300
SERIES_LIMIT_S = 300
FOLDERS = ("kernel/msm/", "tests/board/model/", "tests/board/keepawake/",
           "tests/board/selftest/faults/", "tests/bench/hitpath/", "tests/bench/core/",
           "tests/bench/kunit/", "tests/bench/evictor/")
ARCHES = ("arm", "arm64", "x86-64", "without")
COUNTED = re.compile(r"board: (\S+: \d+ objects, \d+ warnings)$")
FINDING = re.compile(r"^/repo/([^:]+):(\d+): ((?:ERROR|WARNING|CHECK): .*)")
# The tree's MAINTAINERS cannot know of files that are not in it.
NOT_MEANT = "MAINTAINERS need updating"
# Each trace header defines a path without quotes, which checkpatch takes for a division.
TRACE_PATH = "#define TRACE_INCLUDE_PATH "


def _build(context, part, test):
    """The path of something that tests/board/build makes; a failed test if it cannot."""
    paths = []

    def each(line):
        counted = COUNTED.search(line)
        if counted:
            say(counted[1])
        if line.startswith("/"):
            paths.append(line)

    status = command.run([repo.path("tests/board/build"), part], context.log, BUILD_LIMIT_S, each)
    if status or not paths:
        context.not_ok(test, f"tests/board/build {part} exited with {status}")
        return None
    return paths[-1]


def finding(line):
    """What checkpatch finds in a line of its output, or None."""
    match = FINDING.match(line)
    if not match or NOT_MEANT in match[3]:
        return None
    name, number, problem = match.groups()
    lines = repo.text(name).splitlines()
    if lines[int(number) - 1:int(number)] and lines[int(number) - 1].startswith(TRACE_PATH):
        return None
    return f"{name}:{number}: {problem}"


def _checkpatch(context, tree):
    sources = [n for n in repo.files() if n.startswith(FOLDERS) and n.endswith((".c", ".h"))]
    patches = [n for n in repo.files() if n.startswith("kernel/patches/") and n.endswith(".patch")]
    for what, options, names in (
            ("checkpatch", ["-f"], sources),
            # Who hands the series in signs it off, and knows what commits it fixes.
            ("checkpatch_patches", ["--ignore", "MISSING_SIGN_OFF,MISSING_FIXES_TAG"], patches)):
        output = []
        status = command.run(
            [repo.path("tests/board/builder-exec"), "--bind", f"{tree}:/linux:ro", "--bind",
             f"{repo.ROOT}:/repo:ro", "--", "perl", "/linux/scripts/checkpatch.pl", "--root=/linux",
             "--strict", "--terse", "--no-summary", *options, *[f"/repo/{n}" for n in names]],
            context.log, CHECKPATCH_LIMIT_S, output.append)
        # Its status tells of findings too; without any of them, it did not run.
        problems = list(filter(None, map(finding, output)))
        if status and not any(FINDING.match(line) for line in output):
            problems = [f"checkpatch.pl exited with {status}, see the log"]
        context.judge(what, problems)


def _series(context):
    source = _build(context, "source", "series")
    if source:
        status = command.run([repo.path("tests/check/export"), source], context.log,
                             SERIES_LIMIT_S)
        context.judge("series", [f"tests/check/export exited with {status}"] if status else [])


def _lint(context):
    tree = _build(context, "uml-tree", "applies")
    if tree:
        context.ok("applies")
        _checkpatch(context, tree)
    _series(context)


def _arch(context):
    for name in context.items:
        if _build(context, f"arch-{name}", name):
            context.ok(name)


def _kunit(*options):
    def run(context):
        seen = context.results.total()
        failed = context.results.failed
        status = command.run([repo.path("tests/kunit/run"), *options], context.log, KUNIT_LIMIT_S,
                             context.tap)
        if context.results.total() == seen or (status and context.results.failed == failed):
            context.not_ok("run", f"tests/kunit/run exited with {status}")
    return run


def steps():
    return [Step("kernel", "it applies, is a series for review, and checkpatch likes it", _lint),
            Step("kunit", "the cache's core in a UML kernel", _kunit()),
            Step("kunit32", "the same in one of 32 bits", _kunit("--bits", "32")),
            Step("arch", "the driver compiles everywhere without a warning", _arch, ARCHES)]
