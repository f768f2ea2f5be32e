# SPDX-License-Identifier: MIT
"""Unit tests of the programs, built for this machine with the address and UB sanitizers.

Sanitizers allocate and wake up on their own, so what the service costs is counted without.
"""

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
class Optional:
    """Something that a part of the tests needs, and that every release of Debian has another of."""
    name: str
    versions: dict      # Debian's packages of each version, by pkg-config's name
    programs: tuple = ()


@dataclasses.dataclass(frozen=True)
class Project:
    name: str
    text: str
    source: str
    packages: dict      # Debian's package of each library, by pkg-config's name
    sanitized: bool = True
    tests: tuple = ()   # all if empty
    optional: tuple = ()
    programs: tuple = ()    # (name, Debian's package)

    def build(self, extras=()):
        """A folder for each set of what was found: meson looks only when it sets one up."""
        return repo.build_folder("-".join([self.name, *extras]))


DAEMON = {"libsystemd": "libsystemd-dev", "libdrm": "libdrm-dev", "cmocka": "libcmocka-dev"}
COMPOSITORS = (
    Optional("weston", {"libweston-14": ("libweston-14-dev", "weston"),
                        "libweston-10": ("libweston-10-dev", "weston")},
             ("weston", "weston-simple-shm")),
    Optional("wlroots", {"wlroots-0.18": ("libwlroots-0.18-dev",), "wlroots": ("libwlroots-dev",)}),
)
PROJECTS = (
    Project("clients", "unit tests of the flip clients, with sanitizers",
            repo.path("tests", "clients"), {"libdrm": "libdrm-dev", "cmocka": "libcmocka-dev"}),
    Project("daemon", "unit tests of the service, with sanitizers", repo.ROOT, DAEMON,
            optional=COMPOSITORS, programs=(("dbus-daemon", "dbus-daemon"),)),
    Project("daemon.costs", "what the service allocates, and when it wakes up", repo.ROOT, DAEMON,
            sanitized=False, tests=("steady", "load")),
)


def _set_up(context, project, build):
    options = ["-Dwerror=true"]
    if project.sanitized:
        options.append("-Db_sanitize=address,undefined")
    if not os.path.exists(os.path.join(build, "build.ninja")):
        shutil.rmtree(build, ignore_errors=True)
        if command.run(["meson", "setup", *options, build, project.source], context.log, LIMIT_S):
            return False
    return not command.run(["meson", "compile", "-C", build], context.log, LIMIT_S)


def _quiet(*argv):
    return subprocess.run(argv, check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


def _libraries(names):
    return bool(shutil.which("pkg-config")) and _quiet("pkg-config", "--exists", *names)


def _install(context, project):
    try:
        host.programs(context.log, meson="meson", ninja="ninja-build", cc="gcc",
                      pkg_config="pkgconf", **dict(project.programs))
        host.need(context.log, list(project.packages.values()),
                  lambda: _libraries(project.packages))
    except host.Missing as e:
        raise Skipped(str(e)) from e


def _install_optional(context, optional):
    """Returns whether it is there; if not, that is a test skipped, since others need it."""
    def there(library):
        return _libraries([library]) and all(shutil.which(p) for p in optional.programs)

    why = "Debian's package lists on this machine have none of " + ", ".join(
        packages[0] for packages in optional.versions.values())
    for library, packages in optional.versions.items():
        if not there(library) and not (shutil.which("apt-cache")
                                       and _quiet("apt-cache", "show", packages[0])):
            continue
        try:
            host.need(context.log, list(packages), functools.partial(there, library))
            return True
        except host.Missing as e:
            why = str(e)
    context.skip(optional.name, why)
    return False


def _run(context, project):
    _install(context, project)
    extras = [o.name for o in project.optional if _install_optional(context, o)]
    build = project.build(extras)
    if not _set_up(context, project, build):
        context.not_ok("builds", "meson failed, see the log")
        return
    context.ok("builds")
    results = os.path.join(build, "meson-logs", "testlog.json")
    # What an earlier run left must not be taken for this one's.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(results)
    status = command.run(["meson", "test", "-C", build, "--no-rebuild",
                          "--print-errorlogs", *project.tests], context.log, LIMIT_S)
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
