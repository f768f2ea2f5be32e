# SPDX-License-Identifier: MIT
"""A board whose clock counts instructions, and the cost of a flip to a buffer that is mapped.

With -icount shift=N each instruction of the guest takes 2^N nanoseconds of its time, whatever
the host does meanwhile; one where nothing else is said. The timer ticks every 16 instructions
then, so a figure needs a few thousand calls. There is one CPU, or the instructions of the other
would be counted too.
"""

import bisect
import collections
import contextlib
import os
import re
import shutil
import tempfile
import threading
import time

from demo import trace
from harness import board, cache, kernels, modules, qemu

import stepper
import uml
from errors import BenchError

HERE = os.path.dirname(os.path.realpath(__file__))
GUEST = os.path.join(HERE, "guest")
# Of the cache's files, those that are about the driver.
NOT_CORE = ("msm_scanout_sysfs", "msm_scanout_debugfs", "msm_scanout_trace", "msm_scanout_slot")
CORE_ENTRIES = (16, 1024, 65536)
POOL = 20
COMMITS = 1500
# The kernel's trace tells microseconds. Where that is all there is, an instruction takes eight
# nanoseconds, so that a microsecond is 125.
SLOW_SHIFT = 3
LIMIT_S = 600
RESULT = re.compile(r"^(?:hitpath|core) (\w+) (\w+) (\d+)$", re.M)


@contextlib.contextmanager
def counting(shift, extra=()):
    """Boards that are run meanwhile have one CPU, count instructions, get extra arguments."""
    ordinary, devices = board.machine_arguments, qemu.devices

    def machine_arguments(memory_mib):
        argv = list(ordinary(memory_mib))
        argv[argv.index("-smp") + 1] = "1"
        return argv

    def more_devices(*arguments):
        return [*devices(*arguments), "-icount", f"shift={shift}", *extra]

    board.machine_arguments, qemu.devices = machine_arguments, more_devices
    try:
        yield
    finally:
        board.machine_arguments, qemu.devices = ordinary, devices


def _module(name, *folders):
    """Build a module from what is in folders and return its path."""
    with tempfile.TemporaryDirectory(prefix="bench.") as source:
        for folder, place, wanted in folders:
            os.makedirs(os.path.join(source, place), exist_ok=True)
            for file in os.listdir(folder):
                if wanted(file):
                    shutil.copy(os.path.join(folder, file), os.path.join(source, place))
        # Built like the model; the harness has no name for modules of others.
        return modules._simple(kernels.find("release"), source, name)


def hitpath_module():
    return _module("bench_hitpath", (os.path.join(HERE, "hitpath"), "", lambda name: True))


def evictor_module():
    return _module("bench_evictor", (os.path.join(HERE, "evictor"), "", lambda name: True),
                   (os.path.join(HERE, "hitpath"), "", lambda name: name == "bench_driver.h"))


def core_module():
    """With the cache's own files, but for those that are about msm."""
    def of_core(name):
        return (name.startswith("msm_scanout_") and name.endswith((".c", ".h"))
                and not name.startswith(NOT_CORE))
    return _module("bench_core",
                   (os.path.join(HERE, "core"), "", lambda name: name == "Kbuild"),
                   (os.path.join(HERE, "core"), "bench", lambda name: name.endswith(".c")),
                   (os.path.join(HERE, "kunit"), "bench", lambda name: name.startswith("core_ops")),
                   (uml.DISPLAY_FOLDER, "bench", lambda name: name == uml.DISPLAY),
                   (os.path.join(cache.REPO, "kernel", "msm"), "", of_core))


def boot(kernel, variant, out, command, module=None, extra=(), shift=0):
    """Run the command on a board that counts instructions, /share has the module and guest/."""
    share = tempfile.mkdtemp(prefix="bench.")
    os.makedirs(out, exist_ok=True)
    argv = ["--kernel", kernel, "--timeout", str(LIMIT_S), "--share", share, "--out", out]
    if variant:
        argv += ["--msm-variant", variant]
    try:
        if module:
            shutil.copy(module, share)
        for name in os.listdir(GUEST):
            shutil.copy(os.path.join(GUEST, name), share)
        with counting(shift, extra):
            return board.run(board.parse([*argv, "--", command]))
    finally:
        shutil.rmtree(share)


def hitpath(kernel, variant, out, modes=("dumb", "foreign")):
    """{mode: {figure: instructions}} of one msm.ko: 'pair', 'pair_min', 'prepare', 'cleanup'."""
    status = boot(kernel, variant, out,
                  f"sh /share/hitpath.sh {' '.join(modes)} >/out/hitpath 2>&1",
                  hitpath_module())
    path = os.path.join(out, "hitpath")
    if not os.path.exists(path):
        raise BenchError(f"{path} is missing: the board's status was {status}")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if status:
        raise BenchError(f"the board's status was {status}: {text.strip()[-400:]}")
    return {mode: _instructions(dict((name, int(value)) for m, name, value in
                                     RESULT.findall(text) if m == mode), path, mode)
            for mode in modes}


def _instructions(found, path, mode):
    for name in ("timer_hz", "pair_ticks", "pair_ticks_min", "prepare_ticks", "empty_ticks"):
        if name not in found:
            raise BenchError(f"{path}: no line 'hitpath {mode} {name} NUMBER'")

    def instructions(milliticks):
        return milliticks * 1e9 / found["timer_hz"] / 1000

    loop = instructions(found["empty_ticks"])
    pair = instructions(found["pair_ticks"]) - loop
    prepare = instructions(found["prepare_ticks"]) - loop / 2
    return {"pair": pair, "pair_min": instructions(found["pair_ticks_min"]) - loop,
            "prepare": prepare, "cleanup": pair - prepare}


def core(out):
    """{entries: {operation: instructions}} of the cache's own operations."""
    status = boot("ours", None, out, f"sh /share/core.sh {' '.join(map(str, CORE_ENTRIES))} "
                  ">/out/core 2>&1", core_module())
    with open(os.path.join(out, "core"), encoding="utf-8") as f:
        text = f.read()
    found = {entries: {} for entries in CORE_ENTRIES}
    for entries, name, value in RESULT.findall(text):
        found[int(entries)][name] = int(value)
    for entries, costs in found.items():
        if status or "reap" not in costs:
            raise BenchError(f"{out}/core has no figures for {entries} entries, the board's status "
                             f"was {status}: {text.strip()[-400:]}")
        hz = costs.pop("timer_hz")
        found[entries] = {name: value * 1e9 / hz / 1000 for name, value in costs.items()}
    return found


def first_frames(kernel, variant, out):
    """Mean instructions of a prepare of a buffer that was never shown, probes included."""
    status = boot(kernel, variant, out, "sh /share/pool.sh >/out/stdout 2>&1",
                  shift=SLOW_SHIFT)
    path = os.path.join(out, "trace")
    if status or not os.path.exists(path):
        raise BenchError(f"{path}: the board's status was {status}, expected 0")
    with open(path, encoding="utf-8") as f:
        events = trace.parse(f.read(), path)
    shown = collections.Counter(e.pid for e in events if e.name == "prepare")
    pid = shown.most_common(1)[0][0] if shown else None
    # In order of time. When the client leaves, it also puts the console back on screen.
    calls = trace.durations([e for e in events if e.pid == pid], "prepare", "prepared")[:POOL]
    if len(calls) != POOL:
        raise BenchError(f"{path}: {len(calls)} framebuffers were prepared, expected {POOL}")
    return sum(duration for _, duration in calls) / POOL / (1 << SLOW_SHIFT)


def commits(kernel, variant, out, flips=COMMITS):
    """Instructions of commits: {"idle" or "busy": (p99.9, median)}, and how many evictions.

    Busy is while other buffers are mapped and unmapped flat out.
    """
    status = boot(kernel, variant, out, f"sh /share/evictor.sh {flips} >/out/stdout 2>&1",
                  evictor_module(), shift=SLOW_SHIFT)
    path = os.path.join(out, "trace")
    if status or not os.path.exists(path):
        raise BenchError(f"{path}: the board's status was {status}, expected 0; see {out}/stdout")
    with open(path, encoding="utf-8") as f:
        events = trace.parse(f.read(), path)
    with open(os.path.join(out, "evictions"), encoding="ascii") as f:
        evictions = int(f.read())
    parts = {"idle": [], "busy": []}
    marks = [(e.at_ns, e.text.removeprefix("bench ")) for e in events
             if e.name == "tracing_mark_write"]
    starts = [at for at, _ in marks]
    for at, duration in trace.durations(events, "commit", "committed"):
        part = marks[bisect.bisect_right(starts, at) - 1][1] if starts and at >= starts[0] else ""
        if part in parts:
            parts[part].append(duration / (1 << SLOW_SHIFT))
    for part, durations in parts.items():
        if len(durations) < flips - 2:
            raise BenchError(f"{path}: {len(durations)} commits while {part}, expected {flips}")
    if not evictions:
        raise BenchError(f"{out}/evictions: none, so nobody was in the way")
    return {part: (_permille(d, 999), _permille(d, 500)) for part, d in parts.items()}, evictions


def _permille(values, permille):
    """The nearest rank."""
    return sorted(values)[max(0, -(-len(values) * permille // 1000) - 1)]


FUNCTIONS = {"new": ("msm_framebuffer_prepare",)}
HIT_FUNCTIONS = ("msm_framebuffer_prepare", "msm_framebuffer_cleanup")
WARM_CALLS = 8


def profile(kernel, variant, out, mode):
    """[stepper.Node] of one call of each function, stepped through on a running board."""
    functions = FUNCTIONS.get(mode, HIT_FUNCTIONS)
    for name in ("kallsyms", "stepping"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(out, name))
    found, problems = [], []
    folder = tempfile.mkdtemp(prefix="bench.")
    path = os.path.join(folder, "gdb")

    def step():
        try:
            found.extend(_step(path, out, functions))
        except (stepper.StepError, OSError) as e:
            problems.append(str(e))

    thread = threading.Thread(target=step, daemon=True)
    thread.start()
    try:
        status = boot(kernel, variant, out, f"sh /share/step.sh {mode} 2>&1",
                      hitpath_module(), ("-gdb", f"unix:{path},server=on,wait=off"))
    finally:
        thread.join(10)
        shutil.rmtree(folder)
    if status or problems or len(found) != len(functions):
        raise BenchError(f"stepping gave {len(found)} of {len(functions)} calls, the board's "
                         f"status was {status}: {'; '.join(problems)}")
    return found


def _step(path, out, functions):
    kallsyms = os.path.join(out, "kallsyms")
    until = time.monotonic() + LIMIT_S
    while not os.path.exists(kallsyms):
        if time.monotonic() > until:
            raise stepper.StepError(f"{kallsyms} is missing: the guest did not get there")
        time.sleep(0.1)
    with open(kallsyms, encoding="utf-8") as f:
        symbols = stepper.Symbols(f.read())
    stub = stepper.Stub(path, LIMIT_S)
    try:
        stub.stop()
        with open(os.path.join(out, "stepping"), "w", encoding="utf-8"):
            pass
        return [stepper.trace(stub, symbols, name, WARM_CALLS) for name in functions]
    finally:
        # Whoever leaves lets the machine run on.
        stub.ask("D")
        stub.close()
