# SPDX-License-Identifier: MIT
"""Debian's own kernel: which packages it is, and where their files are."""

import os
import re

from . import apt, cache, host, report

SERIES = "7.3"
SOURCE = f"linux-source-{SERIES}"


def _resolve(fetcher):
    """The image, modules, headers and source of one version, so that they fit each other."""
    names = fetcher.query("apt-cache", "pkgnames", f"linux-binary-unsigned-{SERIES}").split()
    sources = apt.stanzas(fetcher.query("apt-cache", "show", SOURCE))
    if not sources:
        raise report.BoardError(f"Debian's {apt.SUITES[-1]} has no {SOURCE}: the board needs "
                                f"Linux {SERIES}; give a tree with --kernel-source")
    for source in sources:
        version = source["version"]
        for name in names:
            match = re.fullmatch(r"linux-binary-unsigned-([0-9.]+\+deb13)-arm64", name)
            if not match:
                continue
            shown = apt.stanzas(fetcher.query("apt-cache", "show", f"{name}:arm64"))
            if version not in [s["version"] for s in shown]:
                continue
            abi = match[1]
            wanted = [f"linux-binary-unsigned-{abi}-arm64:arm64",
                      f"linux-modules-{abi}-arm64:arm64",
                      f"linux-base-{abi}-arm64:arm64", f"linux-headers-{abi}-arm64:arm64",
                      f"linux-headers-{abi}-common", f"linux-kbuild-{abi}:amd64", SOURCE]
            return fetcher.download("kernel", "amd64", [f"{w}={version}" for w in wanted], False)
    raise report.BoardError(f"Debian's {apt.SUITES[-1]} has {SOURCE} "
                            f"{', '.join(s['version'] for s in sources)}, but no arm64 image "
                            f"of that version (candidates: {' '.join(names) or 'none'})")


def packages():
    return apt.package_set("kernel", _resolve, SERIES)


def _record(prefix):
    for record in packages():
        if record["package"].startswith(prefix):
            return record
    raise report.BoardError(f"the kernel package set has no {prefix}*")


def release():
    """The release that `uname -r` prints, as 7.3.4+deb13-arm64."""
    return _record("linux-modules-")["package"][len("linux-modules-"):]


def version():
    return _record("linux-source-")["version"]


def identity():
    """A key for the whole of Debian's kernel packages."""
    return cache.key([r["sha256"] for r in packages()])


def headers():
    """The build directory inside the builder."""
    return f"/usr/src/linux-headers-{release()}"


def unpack_build_files(root):
    """Put Debian's kernel headers and host tools into a builder root."""
    for prefix in ("linux-kbuild-", "linux-headers-"):
        for record in packages():
            if record["package"].startswith(prefix):
                report.run_logged(f"unpacking {record['package']}",
                                  host.as_root(["dpkg-deb", "-x", apt.deb(record), root]),
                                  cache.log_path("builder-headers"))


def image():
    """A folder with vmlinuz and lib/modules of Debian's kernel, as shipped."""
    where = cache.path("debian-kernel", identity())
    with cache.lock("debian-kernel"):
        if not cache.stamp_is(where, identity()):
            os.makedirs(where, exist_ok=True)
            for prefix in ("linux-binary-unsigned-", "linux-modules-", "linux-base-"):
                record = _record(prefix)
                report.run_logged(f"unpacking {record['package']}",
                                  ["dpkg-deb", "-x", apt.deb(record), where],
                                  cache.log_path("debian-kernel"))
            cache.set_stamp(where, identity())
    return where


def vmlinuz():
    return os.path.join(image(), "usr/lib/modules", release(), "vmlinuz.unsigned")


def modules():
    return os.path.join(image(), "usr/lib/modules", release())


def source(patterns, name):
    """A folder with the files of linux-source that match tar patterns (below its top folder)."""
    record = _record("linux-source-")
    key = cache.key(record["sha256"], list(patterns))
    where = cache.path("source", f"{name}-{key}")
    with cache.lock("source"):
        if cache.stamp_is(where, key):
            return where
        os.makedirs(where, exist_ok=True)
        member = f"./usr/src/{SOURCE}.tar.xz"
        script = ('dpkg-deb --fsys-tarfile "$1" | tar -xO "$2" | '
                  'tar -xJ --strip-components=1 -C "$3" --wildcards --no-wildcards-match-slash')
        arguments = [f"{SOURCE}/{p}".rstrip("/") for p in patterns]
        report.run_logged(f"unpacking {SOURCE} {record['version']} ({name})",
                          ["bash", "-o", "pipefail", "-c", script + ' "${@:4}"', "unpack",
                           apt.deb(record), member, where, *arguments],
                          cache.log_path("source"))
        cache.set_stamp(where, key)
    return where


def whole_source():
    """The whole of linux-source, unpacked (1.6 GB)."""
    return source(("",), "whole")


def default_config():
    """The text of Debian's own configuration of this kernel."""
    name = os.path.join(modules(), "config")
    with open(name, encoding="utf-8") as f:
        return f.read()
