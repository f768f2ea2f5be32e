# SPDX-License-Identifier: MIT
"""The flip clients' unit tests, built for this machine with the address and UB sanitizers."""

import json
import os
import shutil
import subprocess

from . import command, host, repo
from .step import Skipped, Step

LIMIT_S = 600
SOURCE = repo.path("tests", "clients")
BUILD = os.path.join(repo.CACHE, "clients")


def _libraries():
    return shutil.which("pkg-config") and not subprocess.run(
        ["pkg-config", "--exists", "libdrm", "cmocka"], check=False).returncode


def _set_up(context):
    options = ["-Db_sanitize=address,undefined", "-Dwerror=true"]
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        shutil.rmtree(BUILD, ignore_errors=True)
        if command.run(["meson", "setup", *options, BUILD, SOURCE], context.log, LIMIT_S):
            return False
    return not command.run(["meson", "compile", "-C", BUILD], context.log, LIMIT_S)


def _run(context):
    try:
        host.programs(context.log, meson="meson", ninja="ninja-build", cc="gcc",
                      pkg_config="pkgconf")
        host.need(context.log, ["libdrm-dev", "libcmocka-dev"], _libraries)
    except host.Missing as e:
        raise Skipped(str(e)) from e
    if not _set_up(context):
        context.not_ok("builds", "meson failed, see the log")
        return
    context.ok("builds")
    status = command.run(["meson", "test", "-C", BUILD, "--no-rebuild", "--print-errorlogs"],
                         context.log, LIMIT_S)
    results = os.path.join(BUILD, "meson-logs", "testlog.json")
    with open(results, encoding="utf-8") as f:
        tests = [json.loads(line) for line in f if line.strip()]
    for test in tests:
        name = test["name"].split()[-1]
        if test["result"] == "OK":
            context.ok(name)
        elif test["result"] == "SKIP":
            context.skip(name, "skipped itself")
        else:
            context.not_ok(name, test["result"])
    if not tests or (status and all(t["result"] in ("OK", "SKIP") for t in tests)):
        context.not_ok("run", f"meson test exited with {status} after {len(tests)} tests")


def steps():
    return [Step("clients", "unit tests of the flip clients, with sanitizers", _run)]
