# SPDX-License-Identifier: MIT
"""The driver compiled for each architecture it can be built for, with every warning an error."""

import dataclasses
import os
import re

from . import builder, cache, debian, host, modules, own_kernel, report, source_tree

OFF = {option: "n" for option in modules.OURS_OPTIONS}
WITHOUT = {"CONFIG_DRM_MSM": "m", "CONFIG_WERROR": "y", "CONFIG_DEBUG_INFO_NONE": "y"}
WITH = {**WITHOUT, **modules.OURS_OPTIONS, "CONFIG_KUNIT": "m",
        "CONFIG_DRM_MSM_SCANOUT_CACHE_KUNIT_TEST": "m"}
# What the driver depends on where there is no Qualcomm chip.
ELSEWHERE = {"CONFIG_COMPILE_TEST": "y", "CONFIG_OF": "y", "CONFIG_COMMON_CLK": "y"}
# Which the others have. Tracing of block devices would select it.
NO_DEBUGFS = {"CONFIG_BLK_DEV_IO_TRACE": "n", "CONFIG_DEBUG_FS": "n"}
WARNING = re.compile(r"\bwarning:|^Warning: ", re.I)
# What a compiler calls to divide 64 bits by 64 on 32, and no kernel has. Only linking would tell.
DIVISION = re.compile(r" U (__(?:aeabi_u?ldivmod|u?divdi3|u?moddi3|u?divmoddi4))$", re.M)


@dataclasses.dataclass(frozen=True)
class Arch:
    name: str
    cross: str
    defconfig: str
    options: dict

    def variables(self):
        return [f"ARCH={self.name}", f"CROSS_COMPILE={self.cross}-", f"CC={self.cross}-gcc-14"]


ARCHES = {
    "arm": Arch("arm", "arm-linux-gnueabihf", "multi_v7_defconfig", WITH),
    "arm64": Arch("arm64", "aarch64-linux-gnu", "defconfig", WITH),
    "x86-64": Arch("x86", "x86_64-linux-gnu", "x86_64_defconfig",
                   {**WITH, **ELSEWHERE, **NO_DEBUGFS}),
    "without": Arch("arm64", "aarch64-linux-gnu", "defconfig", WITHOUT),
}


def _targets(arch):
    """All of the driver, and of its tests; without the cache, what it would have changed."""
    if arch.options is not WITHOUT:
        return [modules.MSM + "/", modules.MSM + "/tests/"]
    return sorted(name.removesuffix(".c") + ".o" for name in source_tree.touched()
                  if name.startswith(modules.MSM + "/") and name.endswith(".c"))


def _configure(arch, place, make):
    """The defconfig with our options, unless that is what there is."""
    text = "".join(f"{option}={value}\n" for option, value in arch.options.items())
    wanted = cache.key(arch.defconfig, text)
    if cache.stamp_is(place, wanted):
        return
    make("configuring", arch.defconfig)
    config = os.path.join(place, ".config")
    with open(config, "a", encoding="utf-8") as f:
        f.write(text)
    make("configuring", "olddefconfig")
    own_kernel.check_config(config, {**OFF, **arch.options})
    cache.set_stamp(place, wanted)


def _problems(name, log, objects):
    with open(cache.log_path(log), encoding="utf-8", errors="replace") as f:
        problems = [line.strip() for line in f if WARNING.search(line)]
    if name == "arm":
        symbols = builder.output([f"{ARCHES[name].cross}-nm", "-A", *objects], directory="/obj",
                                 binds=((cache.path("arch", name, "obj"), "/obj", "ro"),))
        problems += [line for line in symbols.splitlines() if DIVISION.search(line)]
    return problems


def compiled(name):
    """The path of a folder with the objects; an error for a warning. name is one of ARCHES."""
    arch = ARCHES[name]
    place = cache.path("arch", name)
    objects = os.path.join(place, "obj")
    identity = cache.key("arch-1", os.path.basename(builder.root()), debian.identity(),
                         arch.defconfig, sorted(arch.options.items()), modules.lay_inputs("ours"))
    log = f"arch-{name}"
    with cache.lock(log):
        if not cache.stamp_is(place, identity):
            tree = source_tree.laid()
            os.makedirs(objects, exist_ok=True)
            cache.clear_stamp(place)

            def make(what, *targets):
                builder.run(f"{what} the driver ({name})",
                            ["make", "-C", "/linux", "O=/obj", f"-j{host.jobs()}",
                             *arch.variables(), *targets], log,
                            binds=((tree, "/linux", "ro"), (objects, "/obj", "rw")))

            _configure(arch, objects, make)
            make("compiling", "W=1", "KDOCFLAGS=-Werror", *_targets(arch))
            made = _objects(objects)
            problems = _problems(name, log, made)
            if problems:
                raise report.BoardError(f"{name}: {len(problems)} problems, of which the first is "
                                        f"{problems[0]}\nsee {cache.log_path(log)}")
            cache.set_stamp(place, identity)
    report.say(f"{name}: {len(_objects(objects))} objects, 0 warnings")
    return objects


def _objects(top):
    """Names below top of the driver's compiled objects."""
    found = []
    for folder, _, files in os.walk(os.path.join(top, modules.MSM)):
        found += [os.path.relpath(os.path.join(folder, n), top) for n in files if n.endswith(".o")]
    return sorted(found)
