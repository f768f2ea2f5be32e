# SPDX-License-Identifier: MIT
"""The programs that run on the board: busybox from Debian, our clients from tests/clients."""

import glob
import os
import shutil

from . import apt, builder, cache, elf, report

CLIENTS = os.path.join(os.path.dirname(cache.HERE), "clients")
CROSS_FILE = os.path.join(cache.HERE, "config", "arm64.cross")
LIBRARIES = "usr/lib/aarch64-linux-gnu"


def _busybox_resolve(fetcher):
    return fetcher.download("busybox", "arm64", ["busybox-static:arm64"], False)


def busybox():
    """The path of a static arm64 busybox."""
    record = apt.package_set("busybox", _busybox_resolve)[0]
    where = cache.path("busybox", record["sha256"][:16])
    with cache.lock("busybox"):
        if not cache.stamp_is(where, record["sha256"]):
            os.makedirs(where, exist_ok=True)
            report.run_logged("unpacking busybox (arm64)",
                              ["dpkg-deb", "-x", apt.deb(record), where],
                              cache.log_path("busybox"))
            cache.set_stamp(where, record["sha256"])
    for name in ("usr/bin/busybox", "bin/busybox"):
        if os.path.exists(os.path.join(where, name)):
            return os.path.join(where, name)
    raise report.BoardError(f"{apt.deb(record)} has no bin/busybox")


def clients():
    """A folder with usr/bin of our clients, or None when there are none."""
    if not os.path.exists(os.path.join(CLIENTS, "meson.build")):
        report.say(f"{CLIENTS}/meson.build is not there: the guest gets no clients")
        return None
    identity = cache.key("clients-1", os.path.basename(builder.root()), ("tree", CLIENTS),
                         ("tree", CROSS_FILE))
    where = cache.path("clients")
    product = os.path.join(where, "root")
    with cache.lock("clients"):
        if cache.stamp_is(where, identity):
            return product
        cache.clear_stamp(where)
        shutil.rmtree(where, ignore_errors=True)
        os.makedirs(os.path.join(where, "build"))
        os.makedirs(product)
        script = ("meson setup --cross-file /config/arm64.cross --prefix=/usr --buildtype=release "
                  "--wrap-mode=nodownload /build /clients && meson compile -C /build -j 2 && "
                  "DESTDIR=/product meson install -C /build --no-rebuild")
        builder.run("building the clients (arm64)", ["sh", "-c", script], "clients",
                    binds=((CLIENTS, "/clients", "ro"),
                           (os.path.dirname(CROSS_FILE), "/config", "ro"),
                           (os.path.join(where, "build"), "/build", "rw"),
                           (product, "/product", "rw")))
        cache.set_stamp(where, identity)
        return product


def libraries(folder):
    """The shared libraries that the programs below folder need, and the loader: (guest path, host
    path). They are the builder's, the very ones that the programs were linked against."""
    where = os.path.join(builder.root(), LIBRARIES)
    found = {}
    todo = [p for p in glob.glob(os.path.join(folder, "usr/bin/*")) if os.path.isfile(p)]
    while todo:
        try:
            names = elf.needed(elf.read(todo.pop()))
        except elf.BadElf:
            continue        # a script
        for name in names:
            path = os.path.join(where, name)
            if not os.path.exists(path):
                raise report.BoardError(f"a client needs {name}, which {where} does not have")
            if name not in found:
                found[name] = path
                todo.append(path)
    result = [(f"{LIBRARIES}/{name}", path) for name, path in found.items()]
    if found:
        loader = "ld-linux-aarch64.so.1"
        result.append((f"usr/lib/{loader}", os.path.join(where, loader)))
    return result
