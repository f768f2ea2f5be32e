# SPDX-License-Identifier: MIT
"""A whole kernel source tree with kernel/ laid over it, for KUnit, checkpatch and full builds.

It is kept from one run to the next and changed by content, so that a build in it, or beside it,
compiles only what changed.
"""

import glob
import os
import re
import shutil
import subprocess

from . import cache, debian, modules, report


def touched():
    """Every file that one of our patches changes or makes."""
    names = set()
    for patch in glob.glob(os.path.join(cache.REPO, "kernel/patches/*/*.patch")):
        with open(patch, encoding="utf-8") as f:
            names |= set(re.findall(r"^(?:---|\+\+\+) [ab]/(\S+)", f.read(), re.M))
    return names


def _part(pristine, where):
    """Copy to where all that laying our files over a tree may look at or change."""
    drm = os.path.join(pristine, "drivers/gpu/drm")
    names = {"Makefile"} | touched()
    names |= {f"drivers/gpu/drm/{n}" for n in os.listdir(drm)
              if os.path.isfile(os.path.join(drm, n))}
    for folder, _, files in os.walk(os.path.join(drm, "msm")):
        names |= {os.path.relpath(os.path.join(folder, n), pristine) for n in files}
    for name in names:
        source = os.path.join(pristine, name)
        if os.path.exists(source):
            os.makedirs(os.path.dirname(os.path.join(where, name)), exist_ok=True)
            shutil.copy2(source, os.path.join(where, name))
    os.makedirs(os.path.join(where, "Documentation/ABI/testing"), exist_ok=True)


def laid():
    """The path of the tree."""
    if not modules.has_ours():
        report.say("kernel/lay is not there: the tree is Debian's, unpatched")
    pristine = debian.whole_source()
    place = cache.path("tree", debian.identity())
    tree = os.path.join(place, "linux")
    with cache.lock("tree"):
        if not cache.stamp_is(place, "copied"):
            report.say("copying the kernel's source (1.6 GB)")
            shutil.rmtree(place, ignore_errors=True)
            os.makedirs(place)
            subprocess.run(["cp", "-a", "--reflink=auto", pristine, tree], check=True)
            cache.clear_stamp(tree)
            cache.set_stamp(place, "copied")
        fresh = cache.scratch("tree")
        try:
            _part(pristine, fresh)
            modules.lay(fresh, "ours")
            changed = cache.sync(fresh, tree, os.path.join(place, "manifest.json"), pristine)
        finally:
            shutil.rmtree(fresh)
        report.say(f"the tree with kernel/ laid over it: {changed} files changed")
    return tree
