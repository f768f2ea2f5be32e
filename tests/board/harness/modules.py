# SPDX-License-Identifier: MIT
"""Kernel modules: msm.ko of either side, the display model, and the tree of what a guest loads."""

import glob
import os
import shutil

from . import builder, cache, elf, host, report

CROSS = ("ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-", "CC=aarch64-linux-gnu-gcc-14")
# Options of kernel/msm's Kconfig that no built kernel's configuration knows.
OURS_OPTIONS = {"CONFIG_DRM_MSM_SCANOUT_CACHE": "y"}
MSM = "drivers/gpu/drm/msm"
# What the debug flavour's msm.ko says of itself, for its checkers.
DEBUG_MSM = os.path.join(cache.HERE, "config", "debug-msm")
MODEL = os.path.join(cache.HERE, "model")
MODEL_MODULE = "mdp4_model"
KEEPAWAKE = os.path.join(cache.HERE, "keepawake")
KEEPAWAKE_MODULE = "board_keepawake"
FAULTS = os.path.join(cache.HERE, "selftest", "faults")
FAULTS_MODULE = "board_faults"

# Loaded (or there to be loaded) in a guest; a name that is built into a kernel is fine too.
GUEST_MODULES = ("virtio_mmio", "virtio_console", "virtio_rng", "virtio_blk", "ext4", "9p",
                 "9pnet_virtio", "fixed", "panel_lvds", "vivid", "zram")
OPTIONAL = ("vivid", "virtio_rng", "zram")


def canonical(name):
    return os.path.basename(name).split(".ko")[0].replace("-", "_")


# ---------------------------------------------------------------------------------------------
# Building

def _make(what, kernel, tree, folder, log, options, targets=("modules",)):
    """Build one out-of-tree module in folder of the host's tree, which the builder sees as /src."""
    flags = ["-I/src/include/trace"]
    settings = []
    for name, value in options.items():
        settings.append(f"{name}={'' if value == 'n' else value}")
        if value in ("y", "m"):
            flags.append(f"-D{name}{'_MODULE' if value == 'm' else ''}=1")
    argv = ["make", f"-j{host.jobs()}", "-C", kernel.build,
            f"M=/src/{folder}".rstrip("/"), *CROSS, *settings, "KCFLAGS=" + " ".join(flags),
            *targets]
    builder.run(what, argv, log, binds=(*kernel.binds, (tree, "/src", "rw")))


def _strip(kernel, tree, name, target):
    """Copy a built module without its debug information, which only slows the boot down."""
    builder.output(["aarch64-linux-gnu-strip", "--strip-debug", "-o", "/src/.stripped.ko",
                    f"/src/{name}"], binds=((tree, "/src", "rw"),))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.rename(os.path.join(tree, ".stripped.ko"), target)
    found = elf.modinfo(elf.read(target)).get("vermagic", ["?"])[0].split()[0]
    if found != kernel.release:
        raise report.BoardError(f"{target} was built for {found}, but the kernel is "
                                f"{kernel.release}")


def _variant(variant):
    """The patches and options of a --msm-variant folder."""
    if not variant:
        return [], {}
    if not os.path.isdir(variant):
        raise report.BoardError(f"--msm-variant {variant}: not a folder "
                                "(wanted: a folder with *.patch and perhaps a file 'config')")
    patches = sorted(glob.glob(os.path.join(variant, "*.patch")))
    options = {}
    config = os.path.join(variant, "config")
    if os.path.exists(config):
        with open(config, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                line = line.split("#")[0].strip()
                if line:
                    name, _, value = line.partition("=")
                    if not name.startswith("CONFIG_") or value not in ("y", "m", "n"):
                        raise report.BoardError(f"{config}:{number}: '{line}' is not "
                                                "CONFIG_NAME=y, =m or =n")
                    options[name] = value
    return patches, options


def has_ours():
    return os.path.exists(os.path.join(cache.REPO, "kernel", "lay"))


def lay_inputs(side):
    """What there is to be laid over a tree, for a key."""
    if side != "ours" or not has_ours():
        return []
    kernel = os.path.join(cache.REPO, "kernel")
    return [("tree", os.path.join(kernel, n)) for n in ("lay", "msm", "patches")
            if os.path.exists(os.path.join(kernel, n))]


def msm(kernel, side, variant=None):
    """The path of msm.ko for a side: 'upstream' or 'ours'."""
    if side == "upstream" and not variant and kernel.ships_msm:
        return find(kernel, "msm")
    if side == "ours" and not has_ours():
        report.say("kernel/lay is not there: 'ours' is the unpatched msm, built here")
    patches, changed = _variant(variant)
    if kernel.debug and side == "ours" and has_ours():
        patches = sorted(glob.glob(os.path.join(DEBUG_MSM, "*.patch"))) + patches
    options = {**(OURS_OPTIONS if side == "ours" else {}), **changed}
    source = cache.key(kernel.identity, kernel.msm_source, builder.toolchain())
    # One object folder for all that is built with the same options: an edit, or another variant,
    # compiles only the files in which it differs from what was built there last.
    place = cache.path("msm", cache.key("msm-2", source, side, sorted(options.items())))
    identity = cache.key(lay_inputs(side), [("tree", p) for p in patches])
    product = os.path.join(place, "products", identity, "msm.ko")
    with cache.lock("msm-" + os.path.basename(place)):
        if os.path.exists(product):
            os.utime(os.path.dirname(product))
            return product
        fresh = cache.scratch("msm")
        try:
            shutil.copytree(kernel.msm_source, fresh, dirs_exist_ok=True, symlinks=True)
            cache.clear_stamp(fresh)
            lay(fresh, side, patches)
            tree = os.path.join(place, "tree")
            os.makedirs(os.path.join(tree, "include/trace"), exist_ok=True)
            changed = cache.sync(fresh, tree, os.path.join(place, "manifest.json"))
        finally:
            shutil.rmtree(fresh)
        name = side
        if variant:
            name += ", variant " + os.path.basename(os.path.realpath(variant))
        _make(f"building msm.ko ({name}) for {kernel.release}, {changed} files changed", kernel,
              tree, MSM, f"msm-{side}-{kernel.name}", options)
        _strip(kernel, tree, MSM + "/msm.ko", product)
        cache.forget_old(os.path.join(place, "products"), keep=40)
        return product


def lay(tree, side, patches=()):
    """Put our side, and more patches, over a source tree."""
    if side == "ours" and has_ours():
        builder.output(["/repo/kernel/lay", "/tree"], directory="/repo/kernel",
                       binds=((cache.REPO, "/repo", "ro"), (tree, "/tree", "rw")))
    for patch in patches:
        folder, name = os.path.split(patch)
        builder.output(["patch", "-p1", "--fuzz=0", "-s", "-i", f"/patches/{name}"],
                       directory="/tree", binds=((folder, "/patches", "ro"),
                                                 (tree, "/tree", "rw")))


def _simple(kernel, folder, name):
    """The path of a module whose source is one folder with a Kbuild file."""
    if not os.path.exists(os.path.join(folder, "Kbuild")):
        raise report.BoardError(f"{folder} has no Kbuild")
    identity = cache.key("module-1", kernel.identity, builder.toolchain(), ("tree", folder))
    place = cache.path("module", f"{name}-{cache.key(kernel.identity)}")
    product = os.path.join(place, name + ".ko")
    with cache.lock("module-" + os.path.basename(place)):
        if cache.stamp_is(place, identity):
            return product
        cache.clear_stamp(place)
        tree = os.path.join(place, "tree")
        os.makedirs(tree, exist_ok=True)
        cache.sync(folder, tree, os.path.join(place, "manifest.json"))
        _make(f"building {name}.ko for {kernel.release}", kernel, tree, "",
              f"{name}-{kernel.name}", {})
        _strip(kernel, tree, name + ".ko", product)
        cache.set_stamp(place, identity)
        return product


def model(kernel):
    """The path of the display model's module."""
    return _simple(kernel, MODEL, MODEL_MODULE)


# ---------------------------------------------------------------------------------------------
# What a guest gets

_index = {}


def _find_all(kernel):
    if kernel.identity not in _index:
        index = {}
        for folder, _, files in os.walk(kernel.modules):
            for name in files:
                if name.endswith((".ko", ".ko.xz")):
                    index[canonical(name)] = os.path.join(folder, name)
        _index[kernel.identity] = index
    return _index[kernel.identity]


def find(kernel, name):
    path = _find_all(kernel).get(canonical(name))
    if not path:
        raise report.BoardError(f"{kernel.modules} has no module {name}")
    return path


def _builtin(kernel):
    try:
        with open(os.path.join(kernel.modules, "modules.builtin"), encoding="utf-8") as f:
            return {canonical(line.strip()) for line in f}
    except OSError as e:
        raise report.BoardError(f"{kernel.modules}/modules.builtin: {e.strerror}") from e


def tree(kernel, msm_path):
    """A folder with usr/lib/modules/RELEASE: the modules a guest may load, and depmod's indexes."""
    paths = {"msm": msm_path, MODEL_MODULE: model(kernel),
             KEEPAWAKE_MODULE: _simple(kernel, KEEPAWAKE, KEEPAWAKE_MODULE),
             FAULTS_MODULE: _simple(kernel, FAULTS, FAULTS_MODULE)}
    # Read once: another run may build one of them anew at any time.
    own = {name: elf.read(path) for name, path in paths.items()}
    identity = cache.key("modules-2", kernel.identity, GUEST_MODULES, sorted(own.items()))
    place = cache.path("modules", identity)
    with cache.lock("modules"):
        if cache.stamp_is(place, identity):
            os.utime(place)
            return place
        shutil.rmtree(place, ignore_errors=True)
        report.say(f"collecting the guest's modules for {kernel.release}")
        folder = os.path.join(place, "usr/lib/modules", kernel.release)
        _collect(kernel, own, os.path.join(folder, "kernel"))
        for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
            source = os.path.join(kernel.modules, name)
            if os.path.exists(source):
                shutil.copy(source, folder)
        # depmod wants /lib/modules below its base.
        os.symlink("usr/lib", os.path.join(place, "lib"))
        builder.output(["depmod", "-b", "/place", kernel.release],
                       binds=((place, "/place", "rw"),))
        cache.set_stamp(place, identity)
        cache.forget_old(cache.path("modules"), keep=24)
    return place


def _collect(kernel, own, where):
    """Write the guest's modules, and all that they depend on, to a folder; own overrides."""
    os.makedirs(where, exist_ok=True)
    builtin = _builtin(kernel)
    available = _find_all(kernel)
    todo = [*GUEST_MODULES, *own]
    done = set()
    while todo:
        name = canonical(todo.pop())
        if name in done or name in builtin and name not in own:
            continue
        done.add(name)
        if name not in own and name not in available:
            if name in OPTIONAL:
                continue
            raise report.BoardError(f"kernel {kernel.release} has no {name}, neither built in nor "
                                    "as a module")
        data = own.get(name) or elf.read(available[name])
        todo += [d for d in elf.modinfo(data).get("depends", [""])[0].split(",") if d]
        with open(os.path.join(where, name + ".ko"), "wb") as f:
            f.write(data)
