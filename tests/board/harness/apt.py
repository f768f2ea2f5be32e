# SPDX-License-Identifier: MIT
"""Debian packages, fetched with a private apt configuration made from the machine's own.

The mirror, proxies and credentials are whatever the machine's apt uses; nothing is written down
here. Signatures are checked against debian-archive-keyring, whatever the machine itself trusts.
A set of packages is resolved once and remembered, so that a warm cache needs no network.
"""

import contextlib
import hashlib
import os
import re
import subprocess
import urllib.parse

from . import cache, host, report

SUITES = ("trixie", "trixie-backports")
# Settings of the machine's apt that make its mirror reachable.
INHERITED = re.compile(r"^Acquire::(http|https|ftp|tor|socks5h|mirror|Retries|Queue-Mode|ForceIPv|"
                       r"Proxy|AllowTLS|Check-Date|Check-Valid-Until|Max-ValidTime|Min-ValidTime)",
                       re.I)
POOL = cache.path("pool")


def _run(argv, env=None):
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise report.BoardError(f"'{' '.join(argv[:4])} ...' failed:\n"
                                f"{(done.stderr or done.stdout).strip()}")
    return done.stdout


def stanzas(text):
    """Parse deb822 text into a list of dictionaries with lower-case names."""
    result = []
    for block in re.split(r"\n\s*\n", text.strip()):
        fields, name = {}, None
        for line in block.splitlines():
            if line[:1] in " \t" and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            result.append(fields)
    return result


def mirrors():
    """Base addresses of Debian mirrors in the machine's apt configuration, the likeliest first."""
    chosen = os.environ.get("BOARD_DEBIAN_MIRROR")
    if chosen:
        return [chosen]
    ranked = {}
    for target in stanzas(_run(["apt-get", "indextargets"])):
        address = target.get("repo-uri", "")
        suite = target.get("codename") or target.get("release") or target.get("suite") or ""
        if (target.get("created-by") != "Packages" or target.get("component") != "main"
                or target.get("origin", "Debian") != "Debian"
                or target.get("label", "Debian") not in ("Debian", "Debian Backports")
                or "security" in suite):
            continue
        if address.startswith(("file:", "cdrom:", "copy:")):
            continue
        # A release's own archive is more likely to be complete than a mirror of its updates.
        rank = 0 if suite in ("trixie", "bookworm", "stable", "oldstable") else 1
        ranked[address] = min(rank, ranked.get(address, rank))
    if not ranked:
        raise report.BoardError("`apt-get indextargets` names no Debian archive with component "
                                "main: set BOARD_DEBIAN_MIRROR to a mirror's base address")
    return sorted(ranked, key=ranked.get)


class Apt:
    """One private apt: its own lists, status and archives, for amd64 and arm64."""

    def __init__(self):
        self.home = cache.path("apt")
        self.conf = os.path.join(self.home, "apt.conf")
        self.fresh = False

    def _configure(self, mirror):
        for folder in ("lists/partial", "state", "none", "absent/partial", "dpkg"):
            os.makedirs(os.path.join(self.home, folder), exist_ok=True)
        os.makedirs(os.path.join(POOL, "partial"), exist_ok=True)
        cache.write(os.path.join(self.home, "dpkg/status"), "")
        inherited = [line for line in _run(["apt-config", "dump"]).splitlines()
                     if INHERITED.match(line) and not line.endswith('"";')]
        own = {
            # apt reads this file first, so it can keep the machine's own files out of the rest.
            "Dir::Etc::Main": f"{self.home}/none/none",
            "Dir::Etc::Parts": f"{self.home}/none",
            "Dir::Etc::SourceList": f"{self.home}/debian.sources",
            "Dir::Etc::SourceParts": f"{self.home}/none",
            "Dir::Etc::Preferences": f"{self.home}/none/none",
            "Dir::Etc::PreferencesParts": f"{self.home}/none",
            "Dir::State": f"{self.home}/state",
            "Dir::State::Lists": f"{self.home}/lists",
            "Dir::State::Status": f"{self.home}/dpkg/status",
            "Dir::Cache": f"{self.home}/state",
            "Dir::Cache::Archives": POOL,
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Log": f"{self.home}/state",
            "APT::Architecture": "amd64",
            "APT::Install-Recommends": "false",
            "APT::Install-Suggests": "false",
            "APT::Sandbox::User": "",
            "APT::Keep-Downloaded-Packages": "true",
            "Acquire::Languages": "none",
        }
        lines = inherited + [f'{name} "{value}";' for name, value in own.items()]
        lines.append('APT::Architectures { "amd64"; "arm64"; };')
        cache.write(self.conf, "\n".join(lines) + "\n")
        cache.write(f"{self.home}/debian.sources",
                    f"Types: deb\nURIs: {mirror}\nSuites: {' '.join(SUITES)}\nComponents: main\n"
                    f"Architectures: amd64 arm64\nSigned-By: {host.keyring()}\n")

    def _env(self):
        return {**os.environ, "APT_CONFIG": self.conf, "LC_ALL": "C.UTF-8",
                "DEBIAN_FRONTEND": "noninteractive"}

    def refresh(self):
        """Bring the private package lists up to date, once in a program's life."""
        if self.fresh:
            return
        problems = []
        for mirror in mirrors():
            self._configure(mirror)
            try:
                report.run_logged("reading Debian's package lists (trixie, trixie-backports)",
                                  ["apt-get", "update", "-q", "-o",
                                   "APT::Update::Error-Mode=any"],
                                  cache.log_path("apt-update"), env=self._env())
                self.fresh = True
                return
            except report.BoardError as e:
                problems.append(str(e))
        raise report.BoardError("no usable Debian mirror:\n" + "\n".join(problems))

    def query(self, *argv):
        return _run(list(argv), env=self._env())

    def _show(self, package):
        return stanzas(self.query("apt-cache", "show", "--no-all-versions", package))

    @contextlib.contextmanager
    def pretending(self, architecture, packages):
        """Take packages for installed, so that neither they nor their needs are downloaded."""
        status = os.path.join(self.home, "dpkg/status")
        text = ""
        for package in packages:
            found = self._show(f"{package}:{architecture}") or self._show(package)
            if not found:
                raise report.BoardError(f"Debian {SUITES[0]} has no package {package}")
            text += (f"Package: {package}\nStatus: install ok installed\n"
                     f"Architecture: {found[0]['architecture']}\nVersion: {found[0]['version']}\n"
                     f"Maintainer: board\nDescription: taken for installed\n")
            for field in ("Multi-Arch", "Provides"):
                if field.lower() in found[0]:
                    text += f"{field}: {found[0][field.lower()]}\n"
            text += "\n"
        cache.write(status, text)
        try:
            yield
        finally:
            cache.write(status, "")

    def download(self, what, architecture, arguments, with_dependencies):
        """Download packages into the pool; returns a record of each."""
        native = ["-o", f"APT::Architecture={architecture}"]
        verb = (["install", "-y", "--no-install-recommends"] if with_dependencies
                else ["download"])
        # apt does not list what lies in its archives already, so show it an empty folder.
        plan = self.query("apt-get", "-q", "-q", *native,
                          "-o", f"Dir::Cache::Archives={self.home}/absent", *verb, "--print-uris",
                          *arguments)
        wanted = []
        for line in plan.splitlines():
            match = re.match(r"'([^']*)' (\S+) (\d+) ?(\S*)", line)
            if match:
                wanted.append((match[2], int(match[3])))
        missing = [w for w in wanted if not _present(*w)]
        if missing:
            size = sum(w[1] for w in missing) / 1e6
            if with_dependencies:
                verb += ["--download-only"]
            report.run_logged(f"downloading {what}: {len(missing)} packages, {size:.0f} MB",
                              ["apt-get", "-q", *native, *verb, *arguments],
                              cache.log_path("download-" + what), env=self._env(), cwd=POOL)
        records = []
        for name, size in wanted:
            if not _present(name, size):
                raise report.BoardError(f"apt-get reported success, but {POOL}/{name} is missing "
                                        f"or not {size} bytes long")
            with open(os.path.join(POOL, name), "rb") as f:
                digest = hashlib.file_digest(f, "sha256").hexdigest()
            package, version, arch = name[:-len(".deb")].split("_")
            records.append({"file": name, "size_bytes": size, "sha256": digest,
                            "package": package, "version": urllib.parse.unquote(version),
                            "architecture": arch})
        return records


def _present(name, size):
    try:
        return os.stat(os.path.join(POOL, name)).st_size == size
    except FileNotFoundError:
        return False


APT = Apt()


def package_set(name, resolve, *key_items):
    """The records of a named set of packages, resolved and downloaded when not there yet.

    resolve(apt) is called with fresh package lists and returns the records.
    """
    identity = cache.key(name, SUITES, *key_items)
    remembered = cache.path("sets", f"{name}-{identity}.json")
    with cache.lock("apt"):
        records = cache.read_json(remembered)
        if records and all(_present(r["file"], r["size_bytes"]) for r in records):
            return records
        APT.refresh()
        records = resolve(APT)
        cache.write_json(remembered, records)
        return records


def package_list(name):
    """The packages of tests/board/config/NAME.packages; # starts a comment."""
    with open(os.path.join(cache.HERE, "config", name + ".packages"), encoding="utf-8") as f:
        return [word for line in f for word in line.split("#")[0].split()]


def deb(record):
    return os.path.join(POOL, record["file"])
