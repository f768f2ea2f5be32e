# SPDX-License-Identifier: MIT
"""What tests/board/run promises, each shown with a boot of the release flavour."""

import os
import subprocess
import tempfile
import time
import unittest

from harness import cache

RUN = os.path.join(cache.HERE, "run")


def run(*argv):
    return subprocess.run([RUN, *argv], capture_output=True, text=True, check=False)


class Boot(unittest.TestCase):
    def test_the_commands_status_and_output_come_through(self):
        done = run("--", "echo to stdout; echo to stderr >&2; echo again >/dev/stderr; exit 42")
        self.assertEqual(done.returncode, 42, done.stderr)
        self.assertEqual(done.stdout, "to stdout\nto stderr\nagain\n")

    def test_the_display_is_there_before_the_command(self):
        done = run("--", "test -c /dev/dri/card0 && cat /sys/kernel/debug/mdp4_model/stats")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("vsyncs ", done.stdout)

    def test_no_model_load_leaves_the_display_out(self):
        done = run("--no-model-load", "--", "! test -e /dev/dri/card0 && ! grep msm /proc/modules")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_share_is_read_only_and_out_comes_back(self):
        with tempfile.TemporaryDirectory() as share, tempfile.TemporaryDirectory() as out:
            with open(os.path.join(share, "in"), "w", encoding="ascii") as f:
                f.write("from the host\n")
            done = run("--share", share, "--out", out, "--",
                       "cp /share/in /out/back && ! touch /share/x")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(out, "back"), encoding="ascii") as f:
                self.assertEqual(f.read(), "from the host\n")
            self.assertFalse(os.path.exists(os.path.join(share, "x")))
            self.assertGreater(os.path.getsize(os.path.join(out, "console.log")), 1000)

    def test_a_megabyte_of_output_arrives_whole(self):
        done = run("--", "yes 0123456789abcde | head -n 65536")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "0123456789abcde\n" * 65536)

    def test_a_process_left_behind_does_not_keep_the_board_up(self):
        begin = time.monotonic()
        done = run("--", "sleep 1000 & echo gone")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "gone\n")
        self.assertLess(time.monotonic() - begin, 120)

    def test_a_panic_is_97_with_the_console(self):
        done = run("--", "echo before; echo c >/proc/sysrq-trigger; sleep 60")
        self.assertEqual(done.returncode, 97, done.stderr)
        self.assertIn("sysrq triggered crash", done.stderr)
        self.assertEqual(done.stdout, "before\n")

    def test_a_hang_is_98_at_the_limit_with_the_tail(self):
        begin = time.monotonic()
        done = run("--timeout", "25", "--", "sleep 1000")
        self.assertEqual(done.returncode, 98, done.stderr)
        self.assertIn("timeout", done.stderr)
        self.assertIn("Show backtrace of all active CPUs", done.stderr)
        self.assertIn("Show Blocked State", done.stderr)
        self.assertLess(time.monotonic() - begin, 90)

    def test_a_guest_that_does_not_boot_is_98(self):
        done = run("--timeout", "60", "--append", "rdinit=/nonexistent root=/dev/nothing", "--",
                   "true")
        self.assertIn(done.returncode, (97, 98), done.stderr)
        self.assertIn("Kernel panic", done.stderr)

    def test_a_warning_is_97_unless_allowed(self):
        command = "modprobe board_faults kind=warn"
        done = run("--", command)
        self.assertEqual(done.returncode, 97, done.stderr)
        self.assertIn("on purpose", done.stderr)
        done = run("--allow-splat", "--", command)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_smmu_trace_sees_the_display_mapped_and_unmapped(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "smmu")
            done = run("--smmu-trace", trace, "--", "true")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(trace, encoding="ascii") as f:
                self.assertIn("SMMU_CMD_SYNC", f.read())

    def test_the_hosts_folders_live_through_a_suspend(self):
        with tempfile.TemporaryDirectory() as out:
            done = run("--out", out, "--", "/usr/lib/board/suspend 1 && echo awake | tee /out/woke")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout, "awake\n")
            self.assertTrue(os.path.exists(os.path.join(out, "woke")))


if __name__ == "__main__":
    unittest.main()
