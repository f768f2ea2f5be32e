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


_stop = threading.Event()


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


def end_all():
    """End what is running in any thread, and wait for it; nothing can be started any more."""
    _stop.set()
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(2 * KILL_AFTER_S)


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
            if _stop.is_set():
                raise Failed(f"{argv[0]} was interrupted")
            if now - spoke >= HEARTBEAT_S:
                spoke = now
                say(f"  {log.step}: {last[:100]}")
            if now - begin > limit_s:
                raise Failed(f"{argv[0]} did not end within {limit_s:.0f} s")
    finally:
        if child.poll() is None:
            _end(child)
