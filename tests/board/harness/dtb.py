# SPDX-License-Identifier: MIT
"""The board's device tree: what QEMU dumps for the machine, and the display that it lacks."""

import os
import re
import shutil
import subprocess

from . import cache, host, report

OVERLAY = os.path.join(cache.HERE, "dts", "board.dtsi")
RAM_BASE = 0x40000000
MDP_BYTES = 2 << 20     # kept free at the end of memory for the register file
MDP_SPI = 100           # an interrupt that no device of the machine uses


def _tool(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise report.BoardError(f"'{' '.join(argv)}' failed:\n{done.stderr.strip()}")


def _smmu_path(source):
    """The path of the SMMU's node in a decompiled tree; it is a child of the root."""
    match = re.search(r'^\t(\S+) \{\n(?:(?!^\t\};)[^\n]*\n)*?\t\tcompatible = "arm,smmu-v3";',
                      source, re.M)
    if not match:
        raise report.BoardError("the machine's device tree has no arm,smmu-v3: is QEMU started "
                                "with iommu=smmuv3?")
    return "/" + match[1]


def build(machine, memory_bytes):
    """The device tree blob for QEMU's arguments `machine` (a list)."""
    with open(OVERLAY, encoding="utf-8") as f:
        overlay = f.read()
    identity = cache.key("dtb-1", host.program_version(["qemu-system-aarch64", "--version"]),
                         machine, memory_bytes, overlay)
    target = cache.path("dtb", identity + ".dtb")
    with cache.lock("dtb"):
        if os.path.exists(target):
            return target
        folder = cache.scratch("dtb")
        dump, source, result = (os.path.join(folder, n) for n in ("qemu.dtb", "board.dts", "dtb"))
        arguments = list(machine)
        arguments[arguments.index("-machine") + 1] += f",dumpdtb={dump}"
        _tool(["qemu-system-aarch64", *arguments, "-display", "none"])
        _tool(["dtc", "-q", "-I", "dtb", "-O", "dts", "-o", source, dump])
        base = RAM_BASE + memory_bytes - MDP_BYTES
        with open(source, encoding="utf-8") as f:
            text = f.read()
        for name, value in (("MDP_BASE", f"{base:x}"),
                            ("MDP_REG", f"{base >> 32:#x} {base & 0xffffffff:#x}"),
                            ("MDP_SPI", str(MDP_SPI)), ("SMMU", _smmu_path(text))):
            overlay = overlay.replace(f"@{name}@", value)
        cache.write(source, text + overlay)
        _tool(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", result, source])
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(result, target)
        shutil.rmtree(folder)
        return target
