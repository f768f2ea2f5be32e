# SPDX-License-Identifier: MIT
"""Each checker of the debug flavour sees a mistake made on purpose, and run tells of it."""

import os
import subprocess
import unittest

from harness import cache

RUN = os.path.join(cache.HERE, "run")


def run(*argv):
    return subprocess.run([RUN, "--flavour", "debug", *argv], capture_output=True, text=True,
                          check=False)


class Debug(unittest.TestCase):
    def caught(self, kind, *words):
        done = run("--", f"modprobe board_faults kind={kind}; sleep 1")
        self.assertEqual(done.returncode, 97, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_kasan_sees_a_use_after_free(self):
        self.caught("use-after-free", "KASAN: slab-use-after-free", "fault_use_after_free")

    def test_kmemleak_sees_a_leak(self):
        self.caught("leak", "kmemleak-report: unreferenced object", "fault_leak")

    def test_lockdep_sees_a_wrong_order(self):
        self.caught("lock-order", "possible circular locking dependency")

    def test_sleeping_in_atomic_context_is_seen(self):
        self.caught("sleep-in-atomic", "sleeping function called from invalid context")

    def test_list_corruption_is_seen(self):
        self.caught("list", "list_add")

    def test_a_page_freed_while_the_iommu_maps_it_is_seen(self):
        self.caught("freed-while-mapped", "iommu")

    def test_a_display_that_only_starts_has_nothing_to_report(self):
        for side in ("upstream", "ours"):
            with self.subTest(side):
                done = run("--kernel", side, "--", "cat /sys/kernel/debug/mdp4_model/stats")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("scanout_faults 0", done.stdout)

    def test_fault_injection_is_there(self):
        done = run("--no-leak-check", "--",
                   "ls -d /sys/kernel/debug/failslab /sys/kernel/debug/fail_function")
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
