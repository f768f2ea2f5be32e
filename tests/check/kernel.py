# SPDX-License-Identifier: MIT
"""Tests of kernel/ that need no board: the patches apply, checkpatch, KUnit in a UML kernel."""

import os
import re

from . import command, repo
from .step import Step

BUILD_LIMIT_S = 1800
KUNIT_LIMIT_S = 2400
CHECKPATCH_LIMIT_S = 300
FOLDERS = ("kernel/msm/", "tests/board/model/", "tests/board/keepawake/",
           "tests/board/selftest/faults/")
FINDING = re.compile(r"^\S+:\d+: (ERROR|WARNING|CHECK): |^(ERROR|WARNING|CHECK):")
# The tree's MAINTAINERS cannot know of files that are not in it.
NOT_MEANT = re.compile(r"MAINTAINERS need updating|FILE_PATH_CHANGES")


def _tree(context):
    """A whole kernel tree with kernel/ laid over it; that it can be made is a test too."""
    paths = []
    status = command.run([repo.path("tests/board/build"), "uml-tree"], context.log, BUILD_LIMIT_S,
                         lambda line: line.startswith("/") and paths.append(line))
    if status or not paths:
        context.not_ok("applies", f"tests/board/build uml-tree exited with {status}")
        return None
    context.ok("applies")
    return paths[-1]


def _checkpatch(context, tree):
    sources = [n for n in repo.files() if n.startswith(FOLDERS) and n.endswith((".c", ".h"))]
    patches = [n for n in repo.files() if n.startswith("kernel/patches/") and n.endswith(".patch")]
    for what, options, names in (
            ("checkpatch", ["-f"], sources),
            # Who hands the series in signs it off.
            ("checkpatch_patches", ["--ignore", "MISSING_SIGN_OFF"], patches)):
        problems = []
        status = command.run(
            [repo.path("tests/board/builder-exec"), "--bind", f"{tree}:/linux:ro", "--bind",
             f"{repo.ROOT}:/repo:ro", "--", "perl", "/linux/scripts/checkpatch.pl", "--root=/linux",
             "--strict", "--terse", "--no-summary", "--codespell", *options,
             *[f"/repo/{n}" for n in names]], context.log, CHECKPATCH_LIMIT_S,
            lambda line, p=problems: FINDING.search(line) and not NOT_MEANT.search(line)
            and p.append(line.replace("/repo/", "")))
        if status and not problems:
            problems = [f"checkpatch.pl exited with {status}, see the log"]
        context.judge(what, problems)


def _lint(context):
    tree = _tree(context)
    if tree:
        _checkpatch(context, tree)


def _kunit(context):
    seen = context.results.total()
    failed = context.results.failed
    status = command.run([repo.path("tests/kunit/run")], context.log, KUNIT_LIMIT_S, context.tap)
    if context.results.total() == seen or (status and context.results.failed == failed):
        context.not_ok("run", f"tests/kunit/run exited with {status}")


def steps():
    listed = [Step("kernel", "the patches apply, and checkpatch finds nothing", _lint)]
    if os.path.exists(repo.path("tests/kunit/run")):
        listed.append(Step("kunit", "the cache's core in a UML kernel", _kunit))
    return listed
