# SPDX-License-Identifier: MIT
"""Maps, unmaps and SMMU commands per flip of every alternative, on one board, in one run."""

import collections
import dataclasses
import os
import re
import shutil
import subprocess
import tempfile

from harness import cache

from errors import BenchError

HERE = os.path.dirname(os.path.realpath(__file__))
RUN = os.path.join(cache.HERE, "run")
GUEST = os.path.join(HERE, "guest")
# What the demo's scripts in the guest do as well.
SHARED = os.path.join(cache.REPO, "tests", "demo", "guest")
SHARED_FILES = ("board.sh", "camera.sh", "weston.ini", "weston.sh")
LIMIT_S = 900


@dataclasses.dataclass(frozen=True)
class Alternative:
    name: str
    side: str
    variant: bool       # with variants/NAME on top
    text: str


ALTERNATIVES = (
    Alternative("upstream", "upstream", False, "Debian's own msm.ko"),
    Alternative("fb-ref", "upstream", True,
                "upstream, a framebuffer keeps its buffers mapped while it exists"),
    Alternative("aligned+flush", "upstream", True,
                "upstream, large buffers at 2 MiB, one flush for each unmap"),
    Alternative("ours-plain", "ours", True, "ours without batched unmaps"),
    Alternative("ours", "ours", False, "ours"),
)
SCRIPTS = {"mini": ("flips.sh", ("dumb", "foreign", "reimport", "many")),
           "full": ("programs.sh", ("kmssink", "weston"))}
WORKLOADS = ("foreign", "reimport", "kmssink", "weston", "dumb", "many")
EVENT = re.compile(r"^\s*.+-\d+\s+\[\d+\]\s+\S+\s+[\d.]+: (\w+): (.*)$")
COMMAND = re.compile(r"^smmuv3_cmdq_opcode <--- (\w+)$")


def named(name):
    return next(a for a in ALTERNATIVES if a.name == name)


def variant(alternative):
    """The folder for --msm-variant, or None."""
    return os.path.join(HERE, "variants", alternative.name) if alternative.variant else None


def boot(alternative, rootfs, out):
    """Run one root's workloads on one alternative."""
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    script, _ = SCRIPTS[rootfs]
    with tempfile.TemporaryDirectory(prefix="bench.") as share:
        for name in os.listdir(GUEST):
            shutil.copy(os.path.join(GUEST, name), share)
        for name in SHARED_FILES:
            shutil.copy(os.path.join(SHARED, name), share)
        argv = [RUN, "--kernel", alternative.side, "--rootfs", rootfs, "--timeout", str(LIMIT_S),
                "--share", share, "--out", out, "--smmu-trace", os.path.join(out, "smmu")]
        if alternative.variant:
            argv += ["--msm-variant", variant(alternative)]
        status = subprocess.run([*argv, "--", f"sh /share/{script}"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, check=False).returncode
    if status:
        raise BenchError(f"tests/board/run of {script} on {alternative.name} exited with {status}, "
                         f"expected 0; the console is in {out}/console.log")


@dataclasses.dataclass
class Counts:
    """Between two marks of one workload."""
    flips: int
    maps: int
    unmaps: int
    commands: dict          # of the SMMU, by opcode

    def per_1000(self, count):
        return 1000 * count / self.flips

    def smmu(self):
        return sum(self.commands.values())


def _read(folder, name):
    path = os.path.join(folder, name)
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError as e:
        raise BenchError(f"{path} is missing: the guest did not get there") from e


def _check_complete(folder):
    """Counts from a trace with holes would be too low, so there must be none."""
    status = _read(folder, "status").strip()
    if status != "0":
        raise BenchError(f"{folder}: the command's status is {status}: "
                         f"{_read(folder, 'stderr').strip()[-400:]}")
    for line in _read(folder, "lost").splitlines():
        what, _, count = line.rpartition(":") if ":" in line else line.rpartition(" ")
        if int(count):
            raise BenchError(f"{folder}: {int(count)} x '{what.strip()}': the trace has holes")


def _marks(folder):
    marks = {}
    for line in _read(folder, "marks").splitlines():
        name, flips, size = line.split()
        marks[name] = (int(flips), int(size))
    for name in ("from", "to"):
        if name not in marks:
            raise BenchError(f"{folder}/marks has no mark '{name}'")
    return marks["from"], marks["to"]


def events_between(text, begin, end):
    """How often each probe was hit between two marks of a kernel trace."""
    counts = collections.Counter()
    on = False
    for line in text.splitlines():
        match = EVENT.match(line)
        if not match:
            continue
        event, rest = match.groups()
        if event == "tracing_mark_write":
            on = rest == begin or on and rest != end
        elif on:
            counts[event] += 1
    return counts


def commands_between(log, begin, end):
    """How often each SMMU command is in bytes begin to end of QEMU's log."""
    counts = collections.Counter()
    for line in log[begin:end].decode("ascii", "replace").splitlines():
        match = COMMAND.match(line)
        if not match:
            raise BenchError(f"the log of SMMU commands has a line '{line}', expected "
                             "'smmuv3_cmdq_opcode <--- NAME'")
        counts[match[1].removeprefix("SMMU_CMD_")] += 1
    return dict(counts)


def load(out, workload):
    """The Counts of one workload of a boot."""
    folder = os.path.join(out, workload)
    _check_complete(folder)
    (flips_from, size_from), (flips_to, size_to) = _marks(folder)
    if flips_to <= flips_from:
        raise BenchError(f"{folder}/marks: {flips_to - flips_from} flips between the marks")
    hits = events_between(_read(folder, "trace"), "bench from", "bench to")
    with open(os.path.join(out, "smmu"), "rb") as f:
        commands = commands_between(f.read(), size_from, size_to)
    return Counts(flips_to - flips_from, hits["map"], hits["unmap"] + hits["unmap_slot"], commands)


def measure(names, roots, where):
    """{(alternative, workload): Counts}; raw files stay below the folder where."""
    found = {}
    for rootfs in roots:
        for name in names:
            out = os.path.join(where, f"{name}-{rootfs}")
            boot(named(name), rootfs, out)
            for workload in SCRIPTS[rootfs][1]:
                found[name, workload] = load(out, workload)
    return found
