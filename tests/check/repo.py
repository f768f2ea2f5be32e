# SPDX-License-Identifier: MIT
"""The repository's files, and where things of this program go."""

import hashlib
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LOGS = os.path.join(ROOT, "check-logs")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                     "msm-scanout-cache", "check")
NOT_OURS = {".git", "__pycache__", "demo-report", "check-logs"}


def path(*parts):
    return os.path.join(ROOT, *parts)


def build_folder(name):
    """Where to build something of this checkout: a build knows where its sources are."""
    own = os.path.join(CACHE, "builds-" + hashlib.sha256(ROOT.encode()).hexdigest()[:8])
    os.makedirs(own, exist_ok=True)
    with open(os.path.join(own, "checkout"), "w", encoding="utf-8") as f:
        f.write(ROOT)
    for folder in os.scandir(CACHE):
        try:
            with open(os.path.join(folder.path, "checkout"), encoding="utf-8") as f:
                gone = not os.path.exists(f.read())
        except OSError:
            continue
        if gone:
            shutil.rmtree(folder.path, ignore_errors=True)
    return os.path.join(own, name)


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
