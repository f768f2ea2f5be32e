#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where 'meson install' puts what others look for: where they look, whatever the prefix is.

usage: test_install.py MESON SOURCE
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

MESON, SOURCE = sys.argv[1:3]
# The package and its variable, what is put below that, and what holds if it is not known.
FOLDERS = {
    "scanoutd.service": ("systemd", "systemdsystemunitdir", "", "/usr/lib/systemd/system"),
    "70-scanoutd.rules": ("udev", "udevdir", "/rules.d", "/usr/lib/udev/rules.d"),
    "org.msmscanout.Cache1.conf": ("dbus-1", "datadir", "/dbus-1/system.d",
                                   "/usr/share/dbus-1/system.d"),
    "org.msmscanout.cache1.policy": ("polkit-gobject-1", "actiondir", "",
                                     "/usr/share/polkit-1/actions"),
}


class Install(unittest.TestCase):
    def folders(self, prefix, variables):
        """Where each file would go, if pkg-config knows these variables or does not."""
        with tempfile.TemporaryDirectory() as temporary:
            for package, variable, _, _ in FOLDERS.values():
                with open(f"{temporary}/{package}.pc", "w", encoding="ascii") as file:
                    if variables:
                        print(f"{variable}=/odd/{package}", file=file)
                    print(f"Name: {package}\nDescription: {package}\nVersion: 300", file=file)
            build = f"{temporary}/build"
            setup = subprocess.run(
                [MESON, "setup", "-Dweston=disabled", f"--prefix={prefix}", build, SOURCE],
                env={**os.environ, "PKG_CONFIG_PATH": temporary}, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual(setup.returncode, 0, setup.stdout)
            plan = json.loads(subprocess.run([MESON, "introspect", "--installed", build],
                                             capture_output=True, check=True).stdout)
        return {os.path.basename(path): os.path.dirname(path) for path in plan.values()}

    def test_folders_are_those_that_pkg_config_knows(self):
        for prefix in ("/usr", "/usr/local"):
            folders = self.folders(prefix, variables=True)
            for name, (package, _, below, _) in FOLDERS.items():
                self.assertEqual(folders[name], f"/odd/{package}{below}", prefix)
            self.assertEqual(folders["scanoutd"], f"{prefix}/libexec")

    def test_without_pkg_config_they_are_the_usual_ones(self):
        for prefix in ("/usr", "/usr/local"):
            folders = self.folders(prefix, variables=False)
            for name, (_, _, _, otherwise) in FOLDERS.items():
                self.assertEqual(folders[name], otherwise, prefix)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
