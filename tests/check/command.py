# SPDX-License-Identifier: MIT
"""Run a step's program: its output goes to the log, to a reader of lines, and shows as progress."""

import os
import queue
import signal
import subprocess
import threading
import time

from . import repo
from .results import say

HEARTBEAT_S = 20
KILL_AFTER_S = 10


class Failed(Exception):
    """A program could not be started or did not end in time."""


def _pump(stream, lines):
    for line in stream:
        lines.put(line)
    lines.put(None)


def _end(child):
    try:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(KILL_AFTER_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    except ProcessLookupError:
        child.wait()


def run(argv, log, limit_s, each=None, env=None):
    """Run argv in the repository, and call each(line) for every line; returns the status."""
    log.write("$ " + " ".join(argv) + "\n")
    try:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, errors="replace",
                                 cwd=repo.ROOT, env={**os.environ, **(env or {})},
                                 start_new_session=True)
    except OSError as e:
        raise Failed(f"cannot start {argv[0]}: {e.strerror}") from e
    lines = queue.Queue()
    threading.Thread(target=_pump, args=(child.stdout, lines), daemon=True).start()
    begin = spoke = time.monotonic()
    last = ""
    try:
        while True:
            try:
                line = lines.get(timeout=1)
            except queue.Empty:
                line = ""
            now = time.monotonic()
            if line is None:
                return child.wait()
            if line:
                log.write(line)
                last = line.strip() or last
                if each:
                    each(line.rstrip("\n"))
            if now - spoke >= HEARTBEAT_S:
                spoke = now
                say(f"  {last[:110]}")
            if now - begin > limit_s:
                raise Failed(f"{argv[0]} did not end within {limit_s:.0f} s")
    finally:
        if child.poll() is None:
            _end(child)
