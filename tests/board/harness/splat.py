# SPDX-License-Identifier: MIT
"""Find what a kernel says when something is wrong with it, in the console's text."""

import re

STARTS = re.compile(
    r"\[ cut here \]|BUG: |WARNING: |Internal error: |Unable to handle kernel |"
    r"Kernel panic - not syncing|"
    r"Oops|KASAN: |UBSAN: |KFENCE: |possible recursive locking|possible circular locking|"
    r"inconsistent lock state|suspicious RCU usage|INFO: task .* blocked for more than|"
    r"rcu: INFO: .* detected (expedited )?stalls?|Watchdog detected hard LOCKUP|"
    r"ODEBUG: |list_(add|del) corruption|refcount_t: |kmemleak: \d+ new suspected|"
    r"kmemleak-report: unreferenced object|DEBUG_LOCKS_WARN_ON|=+ \[ BUG|"
    r"\(possible memory leak\)|Bad page state|general protection")
# Lines that look like a start and are none.
HARMLESS = re.compile(r"lockdep: |Kernel command line|WARNING: .* (?:deprecated|is insecure)",
                      re.I)
END = re.compile(r"---\[ end trace|---\[ end Kernel panic|={30,}$")
STAMP = re.compile(r"^\[ *\d+\.\d+\](?:\[ *[CT]\d+\])? ")
MAXIMUM_LINES = 80


def find(text):
    """Every report in the console's text, as a list of blocks of lines."""
    blocks = []
    current = None
    for line in text.splitlines():
        line = line.rstrip("\r")
        starts = STARTS.search(line) and not HARMLESS.search(line)
        if current is None:
            if starts:
                current = [line]
        elif len(current) >= MAXIMUM_LINES or END.search(line) and len(current) > 4:
            current.append(line)
            blocks.append(current)
            current = None
        elif STAMP.match(line) or line.startswith("kmemleak-report:"):
            current.append(line)
    if current:
        blocks.append(current)
    return blocks
