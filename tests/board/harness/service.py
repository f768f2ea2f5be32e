# SPDX-License-Identifier: MIT
"""scanoutd and all that belongs to it, for the full root: built for arm64, installed as meson does.

Nothing is added or left out here, so that what runs on the board is what a distribution would ship.
"""

import os
import shutil

from . import builder, cache

SOURCES = ("meson.build", "meson_options.txt", "configs", "daemon", "docs/man", "systemd")
BUILD = r"""
set -e
meson setup --cross-file /repo/tests/board/config/arm64.cross --prefix=/usr \
	--libdir=lib/aarch64-linux-gnu --buildtype=release --wrap-mode=nodownload /build /repo
meson compile -C /build -j 2
DESTDIR=/product meson install -C /build --no-rebuild --strip
"""


def root():
    """The folder with what 'meson install' makes of the service."""
    sources = [("tree", os.path.join(cache.REPO, name)) for name in SOURCES]
    identity = cache.key("service-1", BUILD, os.path.basename(builder.root()), sources,
                         ("tree", os.path.join(cache.HERE, "config", "arm64.cross")))
    result = cache.path("service", identity)
    product = os.path.join(result, "root")
    with cache.lock("service"):
        if cache.stamp_is(result, identity):
            os.utime(result)
            return product
        shutil.rmtree(result, ignore_errors=True)
        build = os.path.join(result, "build")
        os.makedirs(product)
        os.makedirs(build)
        builder.run("building scanoutd (arm64)", ["sh", "-c", BUILD], "service",
                    binds=((cache.REPO, "/repo", "ro"),
                           (build, "/build", "rw"),
                           (product, "/product", "rw")))
        shutil.rmtree(build)
        cache.set_stamp(result, identity)
        # A run that began earlier may still be reading the one that it was given.
        cache.forget_old(cache.path("service"), keep=10)
        return product
