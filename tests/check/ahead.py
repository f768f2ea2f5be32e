# SPDX-License-Identifier: MIT
"""Build the debug kernel while other steps boot the board, which keeps one CPU busy at most.

It is by far the longest build, and the last steps need it. It yields to everything else, also
where the kernel shares the CPUs out among sessions (autogroup); and a step that comes too early
waits for it, because the board's builds lock what they make.
"""

import os
import signal
import subprocess

from . import repo
from .results import say

YIELD = 'echo 19 2>/dev/null >/proc/self/autogroup; exec nice -n 19 "$@"'
BUILD = ("sh", "-c", YIELD, "ahead", repo.path("tests/board/build"), "debug-kernel")
NEEDED_BY = ("board.debug", "harness.debug")
# By then everything that has to be installed on the host is.
FIRST_AFTER = "kernel"
LOG = "build-ahead"


class Ahead:
    """The build, once it is started; end() is always called."""

    def __init__(self, names):
        self._wanted = any(name.startswith(NEEDED_BY) for name in names) and FIRST_AFTER in names
        self._child = None

    def after(self, name):
        """A step is through."""
        if not self._wanted or name != FIRST_AFTER:
            return
        say("building the debug kernel meanwhile")
        with open(os.path.join(repo.LOGS, f"{LOG}.log"), "wb") as log:
            self._child = subprocess.Popen(BUILD, cwd=repo.ROOT, stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, start_new_session=True)

    def end(self):
        """Who needs it has waited for it; nobody else should."""
        if self._child and self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGTERM)
            self._child.wait()
