# SPDX-License-Identifier: MIT
"""Programs and libraries that tests need on this machine: found, or installed from Debian."""

import os
import shutil

from . import command

INSTALL_LIMIT_S = 600


class Missing(Exception):
    """Something is not there and cannot be installed here."""


def _as_root():
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo", "--"]
    raise Missing("this needs root or sudo to install packages")


def need(log, packages, there):
    """Install the packages unless there() says that what they bring is there already."""
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
