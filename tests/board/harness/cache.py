# SPDX-License-Identifier: MIT
"""The cache folder: content keys, one lock for every kind of thing, and atomic publication."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil

from . import report

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))     # tests/board
REPO = os.path.dirname(os.path.dirname(HERE))
ROOT = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                    "msm-scanout-cache")


def path(*parts):
    return os.path.join(ROOT, *parts)


def log_path(name):
    return path("logs", name + ".log")


@contextlib.contextmanager
def lock(name):
    """Only one run at a time does one kind of step; the others wait and then find it done."""
    os.makedirs(path("locks"), exist_ok=True)
    with open(path("locks", name), "w", encoding="ascii") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.say(f"waiting for another run to finish with '{name}'")
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


def _feed(digest, item):
    """Hash a string, a list, or the files below a path given as ('tree', path)."""
    if isinstance(item, tuple) and item[0] == "tree":
        for name, data in walk(item[1]):
            _feed(digest, name)
            digest.update(hashlib.sha256(data).digest())
    elif isinstance(item, (list, tuple)):
        for one in item:
            _feed(digest, one)
    else:
        data = item if isinstance(item, bytes) else str(item).encode()
        digest.update(len(data).to_bytes(8, "little") + data)


def walk(top):
    """Yield (relative name with its mode, contents) of every file below top, in a fixed order."""
    if os.path.isfile(top):
        with open(top, "rb") as f:
            yield os.path.basename(top), f.read()
        return
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(d for d in folders if d not in (".git", "__pycache__"))
        for name in sorted(files):
            full = os.path.join(folder, name)
            relative = os.path.relpath(full, top)
            if os.path.islink(full):
                yield relative + "@", os.readlink(full).encode()
            else:
                executable = "*" if os.access(full, os.X_OK) else ""
                with open(full, "rb") as f:
                    yield relative + executable, f.read()


def key(*items):
    """A short name for the content of items: the same content always has the same name."""
    digest = hashlib.sha256()
    _feed(digest, items)
    return digest.hexdigest()[:16]


def scratch(name):
    """A new folder in the cache's own file system, so that it can be renamed into place."""
    # apt turns an underscore in an address into something else, so mkdtemp's names will not do.
    folder = path("tmp", f"{name}.{os.urandom(6).hex()}")
    os.makedirs(folder, mode=0o755)
    return folder


def write(name, data):
    """Write a file so that a reader sees all of it or none of it."""
    os.makedirs(os.path.dirname(name), exist_ok=True)
    part = f"{name}.part{os.getpid()}"
    with open(part, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.rename(part, name)


def write_json(name, value):
    write(name, json.dumps(value, indent=1) + "\n")


def read_json(name):
    """The parsed file, or None when there is none or it is damaged."""
    try:
        with open(name, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def stamp_is(folder, value):
    """Whether folder was finished for this key."""
    try:
        with open(os.path.join(folder, ".board-key"), encoding="ascii") as f:
            return f.read().strip() == value
    except OSError:
        return False


def set_stamp(folder, value):
    write(os.path.join(folder, ".board-key"), value + "\n")


def clear_stamp(folder):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, ".board-key"))


def forget_old(folder, keep):
    """Results pile up while one edits; keep the newest."""
    entries = sorted((os.path.join(folder, n) for n in os.listdir(folder)),
                     key=os.path.getmtime, reverse=True)
    for old in entries[keep:]:
        shutil.rmtree(old, ignore_errors=True)


def sync(source, target, manifest, pristine=None):
    """Make target's copies of source's files equal to them, leaving equal files' times alone.

    Build products live in target too, so only files that an earlier sync put there (they are
    listed in the manifest file) are ever removed, or put back as they are in the folder
    pristine. Returns the number of files changed.
    """
    before = set(read_json(manifest) or [])
    now = set()
    changed = 0
    for folder, folders, files in os.walk(source):
        folders.sort()
        relative = os.path.relpath(folder, source)
        os.makedirs(os.path.join(target, relative), exist_ok=True)
        for name in files:
            one = os.path.normpath(os.path.join(relative, name))
            now.add(one)
            if _copy_if_different(os.path.join(source, one), os.path.join(target, one)):
                changed += 1
    for one in before - now:
        if pristine and os.path.lexists(os.path.join(pristine, one)):
            changed += _copy_if_different(os.path.join(pristine, one), os.path.join(target, one))
            continue
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(target, one))
            changed += 1
    write_json(manifest, sorted(now))
    return changed


def _copy_if_different(source, target):
    if os.path.islink(source):
        link = os.readlink(source)
        if os.path.islink(target) and os.readlink(target) == link:
            return False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(target)
        os.symlink(link, target)
        return True
    if os.path.isfile(target) and not os.path.islink(target):
        with open(source, "rb") as a, open(target, "rb") as b:
            same = os.fstat(a.fileno()).st_size == os.fstat(b.fileno()).st_size
            if same and a.read() == b.read():
                return False
        os.unlink(target)
    shutil.copyfile(source, target)
    shutil.copymode(source, target)
    return True
