# SPDX-License-Identifier: MIT
"""Programs and libraries that tests need on this machine: found, or installed from Debian."""

import contextlib
import fcntl
import os
import shutil

from . import command, repo

INSTALL_LIMIT_S = 600


class Missing(Exception):
    """Something is not there and cannot be installed here."""


def _as_root():
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo", "--"]
    raise Missing("this needs root or sudo to install packages")


@contextlib.contextmanager
def _installing():
    """One at a time, also with the board's builds: they lock the same file."""
    folder = os.path.join(os.path.dirname(repo.CACHE), "locks")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "host"), "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def need(log, packages, there):
    """Install the packages unless there() says that what they bring is there already."""
    if not there():
        with _installing():
            _install(log, packages, there)


def _install(log, packages, there):
    # Somebody else may have while we waited.
    if there():
        return
    if not shutil.which("apt-get"):
        raise Missing(f"needs Debian's {' '.join(packages)}, and there is no apt-get here")
    install = [*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q",
               "-y", "--no-install-recommends", *packages]
    status = command.run(install, log, INSTALL_LIMIT_S)
    if status:
        command.run([*_as_root(), "apt-get", "update", "-q"], log, INSTALL_LIMIT_S)
        status = command.run(install, log, INSTALL_LIMIT_S)
    if status or not there():
        raise Missing(f"Debian's {' '.join(packages)} could not be installed, see {log.path}")


def programs(log, **packages):
    """need() for programs: PROGRAM=PACKAGE."""
    wanted = {name.replace("_", "-"): package for name, package in packages.items()}
    need(log, sorted(set(wanted.values())), lambda: all(shutil.which(p) for p in wanted))
