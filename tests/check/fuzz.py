# SPDX-License-Identifier: MIT
"""The service's fuzz targets, a fixed number of runs of each, from the inputs kept with them."""

import os
import subprocess

from . import command, host, repo
from .step import Step

LIMIT_S = 900
RUNS = 20000
PACKAGES = {"libsystemd": "libsystemd-dev", "libdrm": "libdrm-dev", "cmocka": "libcmocka-dev"}
# Links only where clang has its run-time library.
PROBE = "int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return !d || !n; }"


def _clang_can_fuzz():
    try:
        return not subprocess.run(
            ["clang", "-fsanitize=fuzzer,address,undefined", "-x", "c", "-", "-o", os.devnull],
            input=PROBE, text=True, capture_output=True, check=False).returncode
    except OSError:
        return False


def _libraries():
    try:
        return not subprocess.run(["pkg-config", "--exists", *PACKAGES],
                                  check=False).returncode
    except OSError:
        return False


def _run(context):
    host.programs(context.log, meson="meson", ninja="ninja-build", pkg_config="pkgconf")
    host.need(context.log, list(PACKAGES.values()), _libraries)
    # Debian's clang only recommends the library that makes a program a fuzz target.
    host.need(context.log, ["clang", "libclang-rt-dev"], _clang_can_fuzz)
    seen = []

    def each(line):
        if context.tap(line):
            seen.append(line)

    status = command.run([repo.path("daemon", "tests", "fuzz", "run"), "--runs", str(RUNS),
                          "--build", repo.build_folder("fuzz")], context.log, LIMIT_S, each)
    if not seen or (status and not any(line.startswith("not ok") for line in seen)):
        context.not_ok("run", f"daemon/tests/fuzz/run exited with {status}, see the log")


def steps():
    return [Step("fuzz", "the service's parsers and messages against random bytes", _run)]
