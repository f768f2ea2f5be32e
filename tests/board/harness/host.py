# SPDX-License-Identifier: MIT
"""What the harness needs from the machine it runs on: a few programs, and root for a few steps."""

import os
import platform
import shutil
import subprocess

from . import cache, report

# A program that must be there, and the Debian package that has it.
PROGRAMS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "mmdebstrap": "mmdebstrap",
    "dtc": "device-tree-compiler",
    "xz": "xz-utils",
    "dpkg-deb": "dpkg",
    "unshare": "util-linux",
    "mount": "mount",
}
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg",
            "/usr/share/keyrings/debian-archive-keyring.pgp")


# Runs "$@" for as long as our end of its stdin is open: nobody but root may signal what sudo runs,
# and unshare does not listen to signals, but both can be killed from their own side. A signal for
# the whole process group must not end the watcher before it has done that.
LIFELINE = r"""
trap '' HUP INT TERM
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat <&3 >/dev/null; kill -KILL $child 2>/dev/null; } &
exec 3<&-
wait $child
"""


def as_root(argv, lifeline=False):
    """argv, run as root: unchanged for root, through sudo for anybody else.

    With a lifeline, argv ends when the pipe that must be its stdin is closed.
    """
    if lifeline:
        argv = ["sh", "-c", LIFELINE, "lifeline", *argv]
    if os.geteuid() == 0:
        return list(argv)
    if not shutil.which("sudo"):
        raise report.BoardError(f"'{argv[0]}' needs root, and there is no sudo: "
                                "run as root, or install sudo")
    return ["sudo", "--", *argv]


def keyring():
    for name in KEYRINGS:
        if os.path.exists(name):
            return name
    raise report.BoardError(f"{KEYRINGS[0]} is missing: install debian-archive-keyring")


def prepare():
    """Find the programs we need, and install those that are missing."""
    path = os.environ.get("PATH", "/usr/bin:/bin")
    os.environ["PATH"] = f"{path}:/usr/local/sbin:/usr/sbin:/sbin"
    if platform.machine() != "x86_64":
        raise report.BoardError(f"this machine is {platform.machine()}; "
                                "the board's build root needs x86_64")
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if not any(os.path.exists(name) for name in KEYRINGS):
        missing.append("debian-archive-keyring")
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise report.BoardError(f"missing: {' '.join(missing)}; and there is no apt-get here: "
                                "the board needs a Debian 12 or 13 host")
    install = as_root(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y",
                       "--no-install-recommends", *sorted(set(missing))])
    log = cache.log_path("host-packages")
    what = "installing " + " ".join(sorted(set(missing)))
    with cache.lock("host"):
        try:
            report.run_logged(what, install, log)
        except report.BoardError:
            # A machine that never ran apt-get update cannot install anything yet.
            report.run_logged("refreshing this machine's package lists",
                              as_root(["apt-get", "update", "-q"]), log)
            report.run_logged(what, install, log)


def jobs():
    return max(1, len(os.sched_getaffinity(0)))


def program_version(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else ""
