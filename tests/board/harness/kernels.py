# SPDX-License-Identifier: MIT
"""A kernel that the board can boot: its image, its modules, and what modules are built against."""

import dataclasses

from . import cache, debian

# What the release build of msm needs of the kernel's source beside the headers packages.
MSM_SOURCE = ("drivers/gpu/drm/msm", "drivers/gpu/drm/*.h", "drivers/gpu/drm/Makefile")


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    identity: str
    release: str
    image: str              # on the host, for QEMU
    modules: str            # on the host: the folder that has kernel/, modules.builtin
    build: str              # in the builder: the kernel's build folder
    binds: tuple            # what must be bound into the builder to build modules
    msm_source: str         # on the host: a folder with MSM_SOURCE's files
    debug: bool
    ships_msm: bool         # the modules folder has the msm.ko of whoever made the kernel


def debian_kernel():
    """Debian's own arm64 kernel, as shipped."""
    return Kernel(name="debian", identity=debian.identity(), release=debian.release(),
                  image=debian.vmlinuz(), modules=debian.modules(), build=debian.headers(),
                  binds=(), msm_source=debian.source(MSM_SOURCE, "msm"), debug=False,
                  ships_msm=True)


def find(flavour, kernel_source=None):
    if flavour == "release" and not kernel_source:
        return debian_kernel()
    from . import own_kernel
    return own_kernel.build(flavour, kernel_source)


def describe(kernel):
    return f"{kernel.release} ({kernel.name}, {cache.key(kernel.identity)[:8]})"
