# SPDX-License-Identifier: MIT
"""What the benchmark counts, where there is a limit: TLB operations, flushes, SMMU commands."""

import os
import sys

from . import command, repo, unittests
from .step import Step

ASSERTS = repo.path("tests/bench/asserts")
PARTS = repo.path("tests/bench/test_bench.py")
# A UML kernel is built, or a kernel module and a root.
LIMIT_S = 3600
PARTS_LIMIT_S = 120


def _asserts(part):
    def run(context):
        failed, seen = context.results.failed, context.results.total()
        status = command.run([ASSERTS, part], context.log, LIMIT_S, context.tap)
        if status and context.results.failed == failed or context.results.total() == seen:
            context.not_ok("run", f"tests/bench/asserts {part} exited with {status}")
    return run


def _parts(context):
    unittests.run(context, [sys.executable, PARTS, "-v"], PARTS_LIMIT_S)


def steps():
    if not os.path.exists(ASSERTS):
        return []
    return [Step("bench.parts", "the benchmark's pure parts", _parts),
            Step("bench.native", "TLB operations to drop a buffer, in a UML kernel",
                 _asserts("native")),
            Step("bench.flips", "SMMU commands of flips on the board", _asserts("flips"))]
