# SPDX-License-Identifier: MIT
"""Write a newc cpio archive, as the kernel wants its initramfs, without needing root."""

import os
import stat


class Archive:
    """Collects files in memory; parents are made as needed, and everything belongs to root."""

    def __init__(self):
        self._entries = {}

    def _parents(self, name):
        parent = os.path.dirname(name)
        if parent and parent not in self._entries:
            self._parents(parent)
            self._entries[parent] = (stat.S_IFDIR | 0o755, b"", (0, 0))

    def _add(self, name, mode, data=b"", device=(0, 0)):
        name = name.strip("/")
        self._parents(name)
        self._entries[name] = (mode, data, device)

    def directory(self, name, mode=0o755):
        self._add(name, stat.S_IFDIR | mode)

    def file(self, name, data, mode=0o644):
        self._add(name, stat.S_IFREG | mode, data if isinstance(data, bytes) else data.encode())

    def link(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, major, minor, mode=0o600):
        self._add(name, stat.S_IFCHR | mode, device=(major, minor))

    def tree(self, top, name=""):
        """Add everything below the host folder top under name."""
        for folder, folders, files in os.walk(top):
            folders.sort()
            inside = os.path.normpath(os.path.join(name, os.path.relpath(folder, top)))
            for one in sorted(files) + [d for d in folders
                                        if os.path.islink(os.path.join(folder, d))]:
                full = os.path.join(folder, one)
                if os.path.islink(full):
                    self.link(os.path.join(inside, one), os.readlink(full))
                else:
                    with open(full, "rb") as f:
                        self.file(os.path.join(inside, one), f.read(),
                                  0o755 if os.access(full, os.X_OK) else 0o644)

    def write(self, path):
        with open(path, "wb") as f:
            for inode, (name, (mode, data, device)) in enumerate(self._entries.items(), 1):
                self._entry(f, inode, name, mode, data, device)
            self._entry(f, 0, "TRAILER!!!", 0, b"", (0, 0))

    @staticmethod
    def _entry(f, inode, name, mode, data, device):
        name = name.encode()
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        header = b"070701" + b"".join(b"%08x" % v for v in fields) + name + b"\0"
        f.write(header + b"\0" * (-len(header) % 4) + data + b"\0" * (-len(data) % 4))
