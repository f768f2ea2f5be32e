# SPDX-License-Identifier: MIT
"""Progress on stderr, stamped with the time since the demo was started."""

import sys
import threading
import time

START = time.monotonic()
_lock = threading.Lock()


def elapsed_s():
    return time.monotonic() - START


def say(text):
    with _lock:
        print(f"[{elapsed_s():4.0f}s] {text}", file=sys.stderr, flush=True)


def verbatim(text):
    with _lock:
        print(text, file=sys.stderr, flush=True)
