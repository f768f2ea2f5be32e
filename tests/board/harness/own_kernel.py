# SPDX-License-Identifier: MIT
"""A kernel of our own: the debug flavour, or any flavour of a tree that the user has."""

import os
import re
import subprocess

from . import builder, cache, debian, host, kernels, report

CONFIG = os.path.join(cache.HERE, "config")
CROSS = ("ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-", "CC=aarch64-linux-gnu-gcc-14")
LOCALVERSION = {"debug": "-board-debug", "kcsan": "-board-kcsan", "release": "-board"}
# Only msm, which is built by itself, is looked at for data races: the kernel has its own, and
# all of it looked at under emulation leaves no time for anything to happen.
OPTIONS = {"debug": (), "kcsan": ("KCSAN_SANITIZE=n",), "release": ()}
# What is laid over base.config.
FRAGMENTS = {"debug": ["debug.config"], "kcsan": ["kcsan.config"], "release": []}


def fragments(flavour):
    """The configuration's text, and what each of its lines wants: {option: value}."""
    text = ""
    wanted = {}
    for name in ("base.config", *FRAGMENTS[flavour]):
        with open(os.path.join(CONFIG, name), encoding="utf-8") as f:
            text += f.read()
    for line in text.splitlines():
        if line.startswith("CONFIG_"):
            option, value = line.split("=", 1)
            wanted[option] = value
    return text, wanted


def check_config(path, wanted):
    """Fail, naming every wanted option that the final configuration dropped or changed."""
    with open(path, encoding="utf-8") as f:
        got = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", f.read(), re.M))
    lost = [f"{option}={value} (is {got.get(option, 'n')})"
            for option, value in wanted.items() if got.get(option, "n") != value]
    if lost:
        raise report.BoardError("the kernel's configuration did not take:\n  " +
                                "\n  ".join(lost) + f"\nsee {path} and the options' Kconfig")


def _source_identity(kernel_source):
    if not kernel_source:
        return debian.identity()
    for name in ("Makefile", "Kconfig", "drivers/gpu/drm/msm/Makefile"):
        if not os.path.exists(os.path.join(kernel_source, name)):
            raise report.BoardError(f"--kernel-source {kernel_source}: no {name}: "
                                    "not a Linux source tree")
    return kernel_source


def _make(what, source, place, log, *targets):
    builder.run(what, ["make", "-C", "/linux", "O=/build", f"-j{host.jobs()}", *CROSS, *targets],
                log, binds=_binds(source, place))


def _binds(source, place):
    return ((source, "/linux", "ro"), (os.path.join(place, "build"), "/build", "rw"),
            (os.path.join(place, "install"), "/install", "rw"))


def build(flavour, kernel_source=None):
    """The Kernel, built when it is not there yet.

    Debian's source is known by its packages. A user's tree may change at any time, so make looks
    at it in every run.
    """
    source_identity = _source_identity(kernel_source)
    text, wanted = fragments(flavour)
    identity = cache.key("kernel-1", source_identity, text, builder.toolchain(),
                         *OPTIONS[flavour])
    name = ("base" if flavour == "release" else flavour) + ("-user" if kernel_source else "")
    # One object folder for each source, so that a changed option rebuilds only what asks for it.
    place = cache.path("kernel", f"{name}-{cache.key(source_identity, builder.toolchain())}")
    source = kernel_source or debian.whole_source()
    with cache.lock("kernel"):
        if kernel_source or not cache.stamp_is(place, identity):
            cache.clear_stamp(place)
            _build(source, place, name, text, wanted, LOCALVERSION[flavour], OPTIONS[flavour])
            cache.set_stamp(place, identity)
    with open(os.path.join(place, "build/include/config/kernel.release"), encoding="ascii") as f:
        release = f.read().strip()
    if kernel_source:
        # The built image stands for the tree's content from here on.
        identity = cache.key(identity, ("tree", os.path.join(place, "build/Module.symvers")),
                             ("tree", os.path.join(place, "build/vmlinux.symvers")),
                             _fingerprint(os.path.join(place, "build/arch/arm64/boot/Image")))
    return kernels.Kernel(
        name=name, identity=identity, release=release,
        image=os.path.join(place, "build/arch/arm64/boot/Image"),
        modules=os.path.join(place, "install/lib/modules", release), build="/build",
        binds=_binds(source, place), msm_source=_msm_source(source, kernel_source),
        debug=flavour == "debug", ships_msm=True)


def _fingerprint(path):
    state = os.stat(path)
    return f"{state.st_size} {state.st_mtime_ns}"


def _msm_source(source, kernel_source):
    """msm's files alone: from Debian's package, or copied from the user's tree."""
    if not kernel_source:
        return debian.source(kernels.MSM_SOURCE, "msm")
    where = cache.path("source", "user-" + cache.key(source))
    folder = os.path.join(where, "drivers/gpu/drm")
    os.makedirs(folder, exist_ok=True)
    script = 'rm -rf "$2/msm" && cd "$1/drivers/gpu/drm" && cp -a ./*.h msm "$2"'
    subprocess.run(["sh", "-c", script, "copy", source, folder], check=True)
    return where


def _build(source, place, name, text, wanted, localversion, options):
    for folder in ("build", "install"):
        os.makedirs(os.path.join(place, folder), exist_ok=True)
    log = "kernel-" + name
    config = os.path.join(place, "build", ".config")
    seed = text + f'CONFIG_LOCALVERSION="{localversion}"\n'
    allconfig = os.path.join(place, "build", "board.config")
    if not os.path.exists(config) or not cache.stamp_is(os.path.join(place, "build"),
                                                        cache.key(seed)):
        cache.write(allconfig, seed)
        _make(f"configuring the kernel ({name})", source, place, log,
              "KCONFIG_ALLCONFIG=/build/board.config", "allnoconfig")
        check_config(config, wanted)
        cache.set_stamp(os.path.join(place, "build"), cache.key(seed))
    _make(f"building the kernel ({name}), 10 to 20 minutes when cold", source, place, log,
          "LOCALVERSION=", *options, "Image", "modules")
    _make(f"installing the kernel's modules ({name})", source, place, log, "LOCALVERSION=",
          *options, "INSTALL_MOD_PATH=/install", "INSTALL_MOD_STRIP=1", "DEPMOD=true",
          "modules_install")
