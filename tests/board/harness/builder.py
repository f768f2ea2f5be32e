# SPDX-License-Identifier: MIT
"""The builder: a Debian 13 amd64 root that cross-compiles everything that runs on the board."""

import functools
import os
import shutil
import subprocess

from . import apt, cache, debian, host, report

# Maintainer scripts and documentation that no build needs.
DPKG_OPTIONS = ("force-unsafe-io", "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/doc/*",
                "path-exclude=/usr/share/locale/*", "path-exclude=/usr/share/info/*")
ESSENTIAL = "?and(?architecture(amd64),?essential)"
TOOLCHAIN = ("gcc-14", "cpp-14", "binutils", "pahole")
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",
    "LC_ALL": "C.UTF-8",
    # Nothing of the host or the day may get into what we build.
    "KBUILD_BUILD_USER": "board",
    "KBUILD_BUILD_HOST": "board",
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
    "SOURCE_DATE_EPOCH": "0",
}
# $1: root, then groups of mode, source, target; then "--", the user id and the command.
ENTER = r"""
root=$1; shift
mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc" &&
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp" || exit 125
while [ "$1" != -- ]; do
	# A bind can lie inside another one, so the mount point is made only when it is missing.
	[ -e "$root$3" ] || mkdir -p "$root$3" || exit 125
	mount --bind "$2" "$root$3" || exit 125
	[ "$1" = rw ] || mount -o "remount,bind,$1" "$root$3" || exit 125
	shift 3
done
shift
user=$1; directory=$2; shift 2
# This shell stays as the first process of the namespace, and as root: when unshare dies it is
# killed, and all others with it. The kernel forgets that wish when a process changes its user.
chroot --userspec="$user" "$root" sh -c 'cd "$0" && exec "$@"' "$directory" "$@"
status=$?
exit $status
"""


def _resolve(packages):
    plain = [p for p in packages if p[0] != "+"]
    alone = [p[1:] for p in packages if p[0] == "+"]

    def resolve(fetcher):
        records = fetcher.download("builder", "amd64", [ESSENTIAL, "apt", *plain], True)
        rest = fetcher.download("builder extras", "amd64", alone, False)
        return records + [{**r, "alone": True} for r in rest]
    return resolve


def _repository(records, folder):
    """A flat local repository of the downloaded packages, for mmdebstrap."""
    index = []
    for record in records:
        os.symlink(apt.deb(record), os.path.join(folder, record["file"]))
        control = subprocess.run(["dpkg-deb", "-f", apt.deb(record)], capture_output=True,
                                 text=True, check=True).stdout
        index.append(f"{control.rstrip()}\nFilename: ./{record['file']}\n"
                     f"Size: {record['size_bytes']}\nSHA256: {record['sha256']}\n")
    cache.write(os.path.join(folder, "Packages"), "\n".join(index))
    cache.write(os.path.join(folder, "Release"),
                "Suite: stable\nCodename: trixie\nArchitectures: amd64 arm64\n")


def _records():
    packages = apt.package_list("builder")
    return packages, apt.package_set("builder", _resolve(packages), packages)


@functools.cache
def toolchain():
    """A key for what makes the board's kernels and modules.

    Other tools in the builder may come and go, and so may compilers for other machines.
    """
    _, records = _records()
    return cache.key([r["sha256"] for r in records
                      if r["package"].startswith(TOOLCHAIN) and not r.get("alone")])


@functools.cache
def root():
    """The builder root's path, built when there is none for the present package list."""
    packages, records = _records()
    kernel = debian.packages()
    identity = cache.key("builder-1", [r["sha256"] for r in records],
                         [r["sha256"] for r in kernel], DPKG_OPTIONS)
    target = cache.path("builder", identity)
    with cache.lock("builder"):
        if cache.stamp_is(target, identity):
            return target
        remove(target)
        folder = cache.scratch("repository")
        try:
            _repository(records, folder)
            os.makedirs(cache.path("builder"), exist_ok=True)
            argv = ["mmdebstrap", "--mode=root", "--variant=apt", "--architectures=amd64,arm64",
                    "--include=" + ",".join(p for p in packages if p[0] != "+"),
                    "--skip=cleanup/apt/lists",
                    *(f"--dpkgopt={o}" for o in DPKG_OPTIONS),
                    "trixie", target, f"deb [trusted=yes] copy:{folder} ./"]
            report.run_logged("building the builder root (Debian 13 amd64)",
                              host.as_root(argv, lifeline=True), cache.log_path("builder"),
                              lifeline=True)
        finally:
            shutil.rmtree(folder)
        _unpack_alone(records, target)
        debian.unpack_build_files(target)
        subprocess.run(host.as_root(["sh", "-c", f"mkdir -p '{target}/src' && "
                                     f"echo {identity} > '{target}/.board-key'"]), check=True)
        return target


def _unpack_alone(records, target):
    """Put packages into the root whose dependencies nobody wants there."""
    for record in (r for r in records if r.get("alone")):
        subprocess.run(host.as_root(["dpkg-deb", "-x", apt.deb(record), target]), check=True)


def remove(folder):
    """Remove a folder that root may own."""
    if os.path.lexists(folder):
        subprocess.run(host.as_root(["rm", "-rf", "--one-file-system", folder]), check=True)


def command(argv, binds=(), directory="/", root_user=False, environment=(), lifeline=False):
    """The host command that runs argv in the builder, with no network.

    binds are (source on the host, target in the builder, "rw" or "ro").
    """
    base = root()
    user = "0:0" if root_user else f"{os.getuid()}:{os.getgid()}"
    groups = []
    for source, target, mode in binds:
        if not os.path.exists(source):
            raise report.BoardError(f"{source}: to be bound at {target} in the builder, "
                                    "but it does not exist")
        groups += [mode, os.path.realpath(source), target]
    env = [f"{name}={value}" for name, value in {**ENVIRONMENT, **dict(environment)}.items()]
    return host.as_root(["env", "-i", *env, "unshare", "--mount", "--net", "--pid", "--fork",
                         "--kill-child", "sh", "-c", ENTER, "enter", base, *groups, "--", user,
                         directory, *argv], lifeline)


def run(what, argv, log, **options):
    """Run a long build command in the builder."""
    report.run_logged(what, command(argv, lifeline=True, **options), cache.log_path(log),
                      lifeline=True)


def output(argv, **options):
    """Run a short command in the builder and return what it printed."""
    done = subprocess.run(command(argv, **options), capture_output=True, text=True, check=False)
    if done.returncode:
        raise report.BoardError(f"'{' '.join(argv)}' in the builder failed with status "
                                f"{done.returncode}:\n{done.stderr.strip()}")
    return done.stdout
