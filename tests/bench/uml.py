# SPDX-License-Identifier: MIT
"""The benchmark in kunit/, run by a UML kernel: the real page table code, and no emulation.

kunit/ takes the place of the cache's own KUnit tests in the tree, which it is bound over.
"""

import os
import re
import subprocess

from harness import builder, cache, host, report, source_tree

from errors import BenchError

HERE = os.path.dirname(os.path.realpath(__file__))
KUNIT = os.path.join(HERE, "kunit")
TRACES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "daemon", "tests", "traces")
PLACE = "drivers/gpu/drm/msm/tests"
# What kunit/ takes from the tests in whose place it is.
DISPLAY_FOLDER = os.path.join(cache.REPO, "kernel", "msm", "tests")
DISPLAY = "instant_display.h"
LIMIT_S = 300
FIGURE = re.compile(r"# \w+: bench ([\w-]+) (.*)$")
VERDICT = re.compile(r"^ +(not ok|ok) \d+ (\w+)$")
SUITES = ("msm_scanout_bench_core", "msm_scanout_bench_drop", "msm_scanout_bench_policy")


def _binds(tree, objects):
    return ((tree, "/linux", "ro"), (KUNIT, f"/linux/{PLACE}", "ro"), (objects, "/obj", "rw"))


def _configure(tree, objects):
    wanted = ""
    for path in (os.path.join(tree, "tools/testing/kunit/configs/arch_uml.config"),
                 os.path.join(KUNIT, ".kunitconfig")):
        with open(path, encoding="utf-8") as f:
            wanted += f.read()
    if cache.stamp_is(objects, cache.key(wanted)):
        return
    cache.write(os.path.join(objects, ".config"), wanted)
    builder.run("configuring the benchmark's UML kernel",
                ["make", "-C", "/linux", "ARCH=um", "O=/obj", "olddefconfig"],
                cache.log_path("bench-uml-config"), binds=_binds(tree, objects))
    with open(os.path.join(objects, ".config"), encoding="utf-8") as f:
        given = set(f.read().splitlines())
    for option in re.findall(r"^CONFIG_.*$", wanted, re.M):
        if option not in given:
            raise BenchError(f"{KUNIT}/.kunitconfig: {option}: this tree does not allow it")
    cache.set_stamp(objects, cache.key(wanted))


def _write_if_new(path, text):
    """Make goes by times."""
    if os.path.exists(path):
        with open(path, encoding="ascii") as f:
            if f.read() == text:
                return
    cache.write(path, text)


def _steps(lines):
    """[action, buffer] of each line; what was in use when the recording began is used first."""
    steps, early, seen = [], [], set()
    for line in lines:
        action, buffer = line.split()[1:3]
        if action == "idle" and buffer not in seen:
            early.append(["use", buffer])
        seen.add(buffer)
        steps.append([action, buffer])
    return early + steps


def recorded(folder=TRACES):
    """The traces recorded on the board, as C."""
    text, table = "", ""
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".trace"):
            continue
        with open(os.path.join(folder, name), encoding="ascii") as f:
            steps = _steps(f.read().splitlines()[1:])
        title = name.removesuffix(".trace")
        symbol = re.sub(r"\W", "_", title)
        lines = "".join(f"\t{{ {action.upper()}, {int(buffer)} }},\n" for action, buffer in steps)
        text += f"static const struct step {symbol}[] = {{\n{lines}}};\n\n"
        table += f'\t{{ "{title}", {symbol}, ARRAY_SIZE({symbol}) }},\n'
    if not table:
        raise BenchError(f"{folder}: no recorded traces")
    return f"{text}static const struct recording recordings[] = {{\n{table}\t{{ }}\n}};\n"


def build(tree=None):
    """Build the UML kernel, from our own tree by default; returns the folder with `linux`."""
    tree = tree or source_tree.laid()
    objects = cache.path("bench", "uml")
    os.makedirs(objects, exist_ok=True)
    with cache.lock("bench-uml"):
        _configure(tree, objects)
        with open(os.path.join(DISPLAY_FOLDER, DISPLAY), encoding="ascii") as f:
            display = f.read()
        # Where make looks for headers that were made.
        _write_if_new(os.path.join(objects, PLACE, DISPLAY), display)
        _write_if_new(os.path.join(objects, PLACE, "policy_recorded.h"), recorded())
        builder.run("building the benchmark's UML kernel",
                    ["make", "-C", "/linux", "ARCH=um", "O=/obj", f"-j{host.jobs()}", "linux"],
                    cache.log_path("bench-uml"), binds=_binds(tree, objects))
    return objects


def boot(objects, suites="msm_scanout_bench*"):
    """The console of a UML kernel that runs the suites."""
    argv = builder.command(
        ["timeout", "-s", "KILL", str(LIMIT_S), "/obj/linux", "mem=1G", "console=tty",
         "kunit_shutdown=halt", "kunit.enable=1", f"kunit.filter_glob={suites}"],
        binds=((objects, "/obj", "ro"),), environment={"TMPDIR": "/tmp"})
    report.say("running the benchmark in a UML kernel")
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace").replace("\r", "")


def parse(console):
    """([{name: value}], {test: passed}) of a console."""
    figures, verdicts = [], {}
    for line in console.splitlines():
        match = FIGURE.search(line)
        if match:
            fields = dict(pair.split("=", 1) for pair in match[2].split())
            figures.append({"what": match[1], **{k: int(v) if v.isdigit() else v
                                                 for k, v in fields.items()}})
        match = VERDICT.match(line)
        if match and match[2] not in SUITES:
            verdicts[match[2]] = match[1] == "ok"
    return figures, verdicts


def measure(suites="msm_scanout_bench*"):
    """Build, run and parse; the console is kept in the cache's logs."""
    console = boot(build(), suites)
    cache.write(cache.log_path("bench-uml-console"), console)
    figures, verdicts = parse(console)
    if not verdicts or "reboot: System halted" not in console:
        raise BenchError("the UML kernel ran no test to its end; its console is in "
                         + cache.log_path("bench-uml-console"))
    return figures, verdicts
