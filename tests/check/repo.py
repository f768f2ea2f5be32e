# SPDX-License-Identifier: MIT
"""The repository's files, and where things of this program go."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LOGS = os.path.join(ROOT, "check-logs")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                     "msm-scanout-cache", "check")
NOT_OURS = {".git", "__pycache__", "demo-report", "check-logs"}


def path(*parts):
    return os.path.join(ROOT, *parts)


def files():
    """Names of all files, relative to the top: git's when there is git, else what is there."""
    try:
        done = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
                               "--exclude-standard"], capture_output=True, check=False)
        if done.returncode == 0:
            names = done.stdout.decode().split("\0")
            return sorted(n for n in set(names) if n and os.path.isfile(path(n)))
    except OSError:
        pass
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [d for d in folders if d not in NOT_OURS]
        found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names]
    return sorted(found)


def text(name):
    with open(path(name), encoding="utf-8", errors="replace") as f:
        return f.read()


def first_line(name):
    with open(path(name), "rb") as f:
        return f.readline(200).decode("utf-8", "replace").strip()
