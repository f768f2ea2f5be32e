# SPDX-License-Identifier: MIT
"""Progress lines, errors, and long commands whose output goes to a log file."""

import os
import subprocess
import sys
import time

START = time.monotonic()
HEARTBEAT_S = 15
TAIL_LINES = 40


class BoardError(Exception):
    """A harness or build failure; the message is one that a user can act on."""


def say(text):
    """One progress line on stderr, stamped with the seconds since this program started."""
    print(f"[{time.monotonic() - START:4.0f}s] board: {text}", file=sys.stderr, flush=True)


def tail(path, lines=TAIL_LINES):
    """The last lines of a log file, however broken its encoding is."""
    try:
        with open(path, "rb") as f:
            f.seek(0, os.SEEK_END)
            f.seek(max(0, f.tell() - 64 * 1024))
            text = f.read().decode("utf-8", "replace")
    except OSError as e:
        return f"(no log: {e})"
    return "\n".join(text.splitlines()[-lines:])


def run_logged(what, argv, log, env=None, cwd=None, lifeline=False):
    """Run a long command: its output goes to the file log, a heartbeat goes to stderr.

    With a lifeline (see host.as_root()) its stdin is a pipe that is closed when we end.
    """
    os.makedirs(os.path.dirname(log), exist_ok=True)
    say(f"{what} ...")
    with open(log, "wb") as f:
        try:
            stdin = subprocess.PIPE if lifeline else subprocess.DEVNULL
            child = subprocess.Popen(argv, stdin=stdin, stdout=f, stderr=f, env=env, cwd=cwd)
        except OSError as e:
            raise BoardError(f"{what}: cannot start {argv[0]}: {e.strerror}") from e
        try:
            while True:
                try:
                    status = child.wait(HEARTBEAT_S)
                    break
                except subprocess.TimeoutExpired:
                    last = tail(log, 1).strip()
                    say(f"{what}: {last[:100]}")
        except BaseException:
            if not lifeline:
                child.terminate()
            else:
                child.stdin.close()
            child.wait()
            raise
        if lifeline:
            child.stdin.close()
    if status:
        raise BoardError(f"{what} failed with status {status}; the end of {log}:\n{tail(log)}")
