# SPDX-License-Identifier: MIT
"""The harness's pure parts: splats, package lists, archives, keys. No boot, no network."""

import os
import stat
import subprocess
import tempfile
import unittest
from unittest import mock

from harness import apt, board, cache, cpio, own_kernel, report, soak, splat


class Splats(unittest.TestCase):
    def blocks(self, *lines):
        return splat.find("\n".join(f"[    1.{i:06}] {line}" for i, line in enumerate(lines)))

    def test_a_clean_boot_has_no_splat(self):
        self.assertEqual(self.blocks(
            "Booting Linux on physical CPU 0x0", "lockdep: MAX_LOCK_DEPTH: 48",
            "kasan: KernelAddressSanitizer initialized (generic)",
            "kmemleak: Kernel memory leak detector initialized (mem pool available: 1)",
            "msm: loading out-of-tree module taints kernel."), [])

    def test_each_kind_is_one_block(self):
        for line in ("WARNING: CPU: 0 PID: 1 at drivers/gpu/drm/msm/msm_gem.c:1 f+0x1/0x2 [msm]",
                     "WARNING: possible circular locking dependency detected",
                     "BUG: KASAN: slab-use-after-free in msm_gem_put+0x1/0x2 [msm]",
                     "BUG: sleeping function called from invalid context at mm/slab.h:1",
                     "Unable to handle kernel NULL pointer dereference at virtual address 0",
                     "Kernel panic - not syncing: sysrq triggered crash",
                     "refcount_t: underflow; use-after-free.",
                     "list_del corruption. prev->next should be 1, but was 2",
                     "ODEBUG: free active (active state 0) object: 1 object type: work_struct",
                     "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
                     "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
                     "INFO: task kworker/0:1:9 blocked for more than 120 seconds.",
                     "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]"):
            with self.subTest(line):
                blocks = self.blocks("before", line, "Call trace:", "after")
                self.assertEqual(len(blocks), 1)
                self.assertIn(line, blocks[0][0])

    def test_a_block_ends_at_the_end_trace(self):
        blocks = self.blocks("WARNING: CPU: 0 PID: 1 at a.c:1", "a", "b", "c", "d",
                             "---[ end trace 0000000000000000 ]---", "unrelated")
        self.assertEqual(len(blocks), 1)
        self.assertNotIn("unrelated", "".join(blocks[0]))

    def test_a_block_is_bounded(self):
        blocks = self.blocks("BUG: endless", *["x"] * 1000)
        self.assertLessEqual(len(blocks[0]), splat.MAXIMUM_LINES + 1)

    def test_user_output_inside_is_not_part_of_it(self):
        text = "[    1.0] WARNING: CPU: 0\nwritten by a program\n[    1.1] more\n"
        self.assertEqual(splat.find(text), [["[    1.0] WARNING: CPU: 0", "[    1.1] more"]])


class Packages(unittest.TestCase):
    def test_stanzas_fold_continuation_lines(self):
        self.assertEqual(apt.stanzas("A: 1\nDescription: x\n y\n\nA: 2\n"),
                         [{"a": "1", "description": "x\ny"}, {"a": "2"}])

    def targets(self, *stanzas):
        text = "\n\n".join(stanzas)
        with mock.patch.object(apt, "_run", return_value=text), \
                mock.patch.dict(os.environ, clear=False):
            os.environ.pop("BOARD_DEBIAN_MIRROR", None)
            return apt.mirrors()

    @staticmethod
    def target(uri, codename, **fields):
        all_fields = {"Repo-Uri": uri, "Codename": codename, "Component": "main",
                      "Created-By": "Packages", "Origin": "Debian", "Label": "Debian", **fields}
        return "\n".join(f"{k}: {v}" for k, v in all_fields.items() if v is not None)

    def test_the_release_comes_before_its_updates_and_security_never(self):
        self.assertEqual(self.targets(
            self.target("http://s/", "trixie-security", Label="Debian-Security"),
            self.target("http://u/", "trixie-updates"),
            self.target("http://m/", "trixie")), ["http://m/", "http://u/"])

    def test_other_vendors_and_media_are_left_out(self):
        self.assertEqual(self.targets(
            self.target("https://v/", "trixie", Origin="vendor", Label="vendor"),
            self.target("cdrom:[x]/", "trixie"), self.target("file:/m/", "trixie"),
            self.target("mirror+file:/etc/apt/mirrors/debian.list", "trixie")),
            ["mirror+file:/etc/apt/mirrors/debian.list"])

    def test_a_machine_that_never_updated_still_has_a_mirror(self):
        self.assertEqual(self.targets(self.target("http://m/", None, Origin=None, Label=None,
                                                  Release="bookworm")), ["http://m/"])

    def test_no_mirror_names_the_variable_to_set(self):
        with self.assertRaisesRegex(report.BoardError, "BOARD_DEBIAN_MIRROR"):
            self.targets(self.target("https://v/", "x", Origin="vendor"))

    def test_proxies_are_inherited_and_hooks_and_pins_are_not(self):
        dump = ('Acquire::http::Proxy "http://p:3142/";\nAcquire::https::Proxy "DIRECT";\n'
                'Acquire::Retries "3";\nAPT::Default-Release "bookworm";\n'
                'APT::Update::Post-Invoke-Success:: "touch /x";\nDir::Cache::archives "a";\n')
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(apt, "_run", return_value=dump), \
                mock.patch.object(apt, "POOL", os.path.join(folder, "pool")):
            private = apt.Apt()
            private.home = folder
            private.conf = os.path.join(folder, "apt.conf")
            private._configure("http://m/")
            with open(private.conf, encoding="utf-8") as f:
                text = f.read()
            with open(os.path.join(folder, "debian.sources"), encoding="utf-8") as f:
                sources = f.read()
        for line in dump.splitlines()[:3]:
            self.assertIn(line, text)
        self.assertNotIn("Default-Release", text)
        self.assertNotIn("Post-Invoke", text)
        self.assertIn(f'Dir::Etc::Parts "{folder}/none";', text)
        self.assertIn("URIs: http://m/\n", sources)
        self.assertIn("Signed-By: /usr/share/keyrings/debian-archive-keyring", sources)


class Configuration(unittest.TestCase):
    def check(self, text, wanted):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, ".config")
            cache.write(path, text)
            own_kernel.check_config(path, wanted)

    def test_options_that_took_effect_are_fine(self):
        self.check("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=4\n",
                   {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_C": "4", "CONFIG_GONE": "n"})

    def test_each_lost_option_is_named(self):
        with self.assertRaises(report.BoardError) as raised:
            self.check("CONFIG_A=m\n", {"CONFIG_A": "y", "CONFIG_KASAN": "y"})
        self.assertIn("CONFIG_A=y (is m)", str(raised.exception))
        self.assertIn("CONFIG_KASAN=y (is n)", str(raised.exception))

    def test_debug_wants_all_that_base_wants(self):
        _, base = own_kernel.fragments("release")
        _, debug = own_kernel.fragments("debug")
        self.assertLessEqual(set(base), set(debug))
        self.assertEqual(debug["CONFIG_IOMMU_DEBUG_PAGEALLOC"], "y")


class Soak(unittest.TestCase):
    CLEAN = {"rounds": 2, "splats": 0, "failed_rounds": 0, "minutes": 1,
             **{name: 0 if zero else 1 for _, name, zero in soak.ROWS}}

    def test_rounds_are_added_up_and_peaks_are_not(self):
        self.assertEqual(
            soak.add_up(["# a remark", "soak: seed=1 flips=3 idle_bytes_peak=7 judge_stale=0",
                         "ok soak_seed_1", "soak: seed=2 flips=4 idle_bytes_peak=5 judge_stale=1"]),
            ({"flips": 7, "idle_bytes_peak": 7, "judge_stale": 1}, 2))

    def test_whatever_must_be_zero_makes_it_fail(self):
        self.assertTrue(soak.is_clean(self.CLEAN, 0))
        for _, name, zero in soak.ROWS:
            if zero:
                with self.subTest(name):
                    self.assertFalse(soak.is_clean({**self.CLEAN, name: 1}, 0))
        for name, value in (("splats", 1), ("failed_rounds", 1), ("rounds", 0)):
            with self.subTest(name):
                self.assertFalse(soak.is_clean({**self.CLEAN, name: value}, 0))
        self.assertFalse(soak.is_clean(self.CLEAN, 97))

    def test_a_figure_that_nobody_gave_is_not_zero(self):
        figures = {k: v for k, v in self.CLEAN.items() if k != "judge_stale"}
        self.assertFalse(soak.is_clean(figures, 0))


class Cache(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.source, self.target, self.manifest = (
            os.path.join(self.folder.name, n) for n in ("source", "target", "manifest"))
        os.makedirs(self.source)
        os.makedirs(self.target)

    def put(self, folder, name, text):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.utime(path, (1, 1))
        return path

    def sync(self):
        return cache.sync(self.source, self.target, self.manifest)

    def test_sync_leaves_equal_files_alone(self):
        self.put(self.source, "a/b.c", "1")
        self.assertEqual(self.sync(), 1)
        copy = os.path.join(self.target, "a/b.c")
        os.utime(copy, (5, 5))
        self.assertEqual(self.sync(), 0)
        self.assertEqual(os.stat(copy).st_mtime, 5)
        self.put(self.source, "a/b.c", "2")
        self.assertEqual(self.sync(), 1)
        self.assertNotEqual(os.stat(copy).st_mtime, 5)

    def test_sync_removes_what_it_put_there_and_nothing_else(self):
        old = self.put(self.source, "old.c", "1")
        self.sync()
        product = self.put(self.target, "old.o", "built")
        os.unlink(old)
        self.sync()
        self.assertFalse(os.path.exists(os.path.join(self.target, "old.c")))
        self.assertTrue(os.path.exists(product))

    def test_a_key_depends_on_names_contents_and_modes(self):
        path = self.put(self.source, "a", "1")
        keys = {cache.key(("tree", self.source))}
        os.chmod(path, 0o755)
        keys.add(cache.key(("tree", self.source)))
        self.put(self.source, "a", "2")
        keys.add(cache.key(("tree", self.source)))
        os.rename(path, path + "b")
        keys.add(cache.key(("tree", self.source)))
        self.assertEqual(len(keys), 4)
        self.assertNotEqual(cache.key("ab", "c"), cache.key("a", "bc"))


class Archive(unittest.TestCase):
    def test_cpio_reads_back_what_was_written(self):
        archive = cpio.Archive()
        archive.file("usr/bin/x", "text", 0o755)
        archive.link("bin", "usr/bin")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.cpio")
            archive.write(path)
            with open(path, "rb") as f:
                data = f.read()
        names = []
        at = 0
        while True:
            self.assertEqual(data[at:at + 6], b"070701")
            fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
            size, length = fields[6], fields[11]
            name = data[at + 110:at + 110 + length - 1].decode()
            at += -(-(110 + length) // 4) * 4
            if name == "TRAILER!!!":
                break
            names.append((name, stat.S_IFMT(fields[1]), data[at:at + size]))
            at += -(-size // 4) * 4
        self.assertEqual(names, [("usr", stat.S_IFDIR, b""), ("usr/bin", stat.S_IFDIR, b""),
                                 ("usr/bin/x", stat.S_IFREG, b"text"),
                                 ("bin", stat.S_IFLNK, b"usr/bin")])


class CommandLine(unittest.TestCase):
    def test_one_word_is_shell_text_and_more_are_words(self):
        self.assertEqual(board.parse(["--", "a; b"]).command, "a; b")
        self.assertEqual(board.parse(["--", "sh", "-c", "a; b"]).command, "sh -c 'a; b'")

    def test_bad_requests_are_refused_with_99(self):
        tool = os.path.join(cache.HERE, "run")
        for argv in ([], ["--kernel", "theirs", "--", "true"], ["--timeout", "0", "--", "true"],
                     ["--share", "/nonexistent", "--", "true"], ["--bogus", "--", "true"]):
            with self.subTest(argv):
                done = subprocess.run([tool, *argv], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 99)
                self.assertIn("error", done.stderr)


if __name__ == "__main__":
    unittest.main()
