# SPDX-License-Identifier: MIT
"""Unit tests of the programs, built for this machine with the address and UB sanitizers."""

import contextlib
import dataclasses
import functools
import json
import os
import shutil
import subprocess

from . import command, host, repo
from .step import Skipped, Step

LIMIT_S = 600


@dataclasses.dataclass(frozen=True)
class Project:
    name: str
    text: str
    source: str
    packages: dict      # Debian's package of each library, by pkg-config's name

    def build(self):
        return os.path.join(repo.CACHE, self.name)


PROJECTS = (
    Project("clients", "unit tests of the flip clients, with sanitizers",
            repo.path("tests", "clients"), {"libdrm": "libdrm-dev", "cmocka": "libcmocka-dev"}),
    Project("daemon", "unit tests of the service, with sanitizers", repo.ROOT,
            {"libsystemd": "libsystemd-dev", "inih": "libinih-dev", "cmocka": "libcmocka-dev"}),
)


def _set_up(context, project):
    options = ["-Db_sanitize=address,undefined", "-Dwerror=true"]
    build = project.build()
    if not os.path.exists(os.path.join(build, "build.ninja")):
        shutil.rmtree(build, ignore_errors=True)
        if command.run(["meson", "setup", *options, build, project.source], context.log, LIMIT_S):
            return False
    return not command.run(["meson", "compile", "-C", build], context.log, LIMIT_S)


def _install(context, project):
    def libraries():
        return shutil.which("pkg-config") and not subprocess.run(
            ["pkg-config", "--exists", *project.packages], check=False).returncode

    try:
        host.programs(context.log, meson="meson", ninja="ninja-build", cc="gcc",
                      pkg_config="pkgconf")
        host.need(context.log, list(project.packages.values()), libraries)
    except host.Missing as e:
        raise Skipped(str(e)) from e


def _run(context, project):
    _install(context, project)
    if not _set_up(context, project):
        context.not_ok("builds", "meson failed, see the log")
        return
    context.ok("builds")
    results = os.path.join(project.build(), "meson-logs", "testlog.json")
    # What an earlier run left must not be taken for this one's.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(results)
    status = command.run(["meson", "test", "-C", project.build(), "--no-rebuild",
                          "--print-errorlogs"], context.log, LIMIT_S)
    if not os.path.exists(results):
        context.not_ok("run", f"meson test exited with {status} and left no results")
        return
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
    return [Step(p.name, p.text, functools.partial(_run, project=p)) for p in PROJECTS]
