# SPDX-License-Identifier: MIT
"""The initramfs of one boot: busybox, modules, clients, guest scripts, settings and the command."""

import os

from . import cache, clients, cpio, service

GUEST = os.path.join(cache.HERE, "guest")
BOARD = "usr/lib/board"


def _programs(archive, prefix=""):
    """Our clients, and when the root has no C library of its own (no prefix), their libraries."""
    built = clients.clients()
    if not built:
        return
    archive.tree(built, prefix)
    if prefix:
        return
    for guest, source in clients.libraries(built):
        with open(source, "rb") as f:
            archive.file(guest, f.read(), 0o755)


def write(path, module_tree, settings, command, full):
    """Write the archive; settings become shell variables for the scripts in ../guest."""
    archive = cpio.Archive()
    for folder in ("bin", "sbin", "lib"):
        archive.link(folder, "usr/" + folder)
    for folder in ("dev", "proc", "sys", "run", "root", "usr/bin", "usr/sbin", "usr/lib", "etc"):
        archive.directory(folder)
    archive.directory("tmp", 0o1777)
    # Until devtmpfs is mounted the kernel itself wants to open a console for init.
    archive.node("dev/console", 5, 1)
    archive.node("dev/null", 1, 3, 0o666)
    with open(clients.busybox(), "rb") as f:
        archive.file("usr/bin/busybox", f.read(), 0o755)
    archive.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    archive.file("etc/group", "root:x:0:\n")
    archive.tree(os.path.join(module_tree, "usr"), "usr")
    _programs(archive, "overlay" if full else "")
    if full:
        archive.tree(service.root(), "overlay")
    archive.tree(GUEST, BOARD)
    archive.link("init", f"{BOARD}/init")
    archive.file(f"{BOARD}/settings",
                 "".join(f"{name}={value}\n" for name, value in settings.items()))
    archive.file(f"{BOARD}/command", command + "\n")
    archive.write(path)
