# SPDX-License-Identifier: MIT
"""The pure parts of ./check: what its lint sees, and what it makes of other programs' lines."""

import contextlib
import io
import os
import tempfile
import threading
import unittest
from unittest import mock

from . import board, kernel, lanes, main, python_lint, repo, results, step, times, unittests


class Lint(unittest.TestCase):
    def problems(self, body):
        return python_lint.check("x.py", '"""What it is for."""\n' + body)

    def test_clean_code_has_no_problem(self):
        self.assertEqual(self.problems("import os\n\n\ndef f(a=()):\n    return os, a\n"), [])

    def test_each_kind_of_problem_is_seen(self):
        for word, body in (("imports os", "import os\n"),
                           ("imports everything", "from os import *\n"),
                           ("catches everything", "try:\n    pass\nexcept:\n    pass\n"),
                           ("compares with None", "x = 1\nx == None\n"),
                           ("default that calls share", "def f(a=[]):\n    return a\n"),
                           ("assigns b", "def f():\n    b = 1\n"),
                           ("f-string without", 'x = f"a"\n'),
                           ("asserts", "assert 1\n"),
                           ("columns long", "x = '" + "y" * 100 + "'\n"),
                           ("begins with a tab", "if 1:\n\tx = 1\n"),
                           ("invalid syntax", "def\n")):
            with self.subTest(word):
                found = self.problems(body)
                self.assertTrue(any(word in p for p in found), found)

    def test_a_file_says_what_it_is_for(self):
        self.assertIn("no docstring", python_lint.check("x.py", "x = 1\n")[0])

    def test_quoted_text_may_have_tabs(self):
        self.assertEqual(self.problems('x = """\n\ta shell script\n"""\n'), [])

    def test_a_format_specification_is_no_f_string(self):
        self.assertEqual(self.problems("x = 1\ny = f'{x:4.1f}'\n"), [])


class Lines(unittest.TestCase):
    def setUp(self):
        self.results = results.Results()
        self.context = step.Context(step.Step("s", "", None), self.results, io.StringIO(), ())

    @staticmethod
    def feed(take, *lines):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            for line in lines:
                take(line)
        return out.getvalue().splitlines()

    def test_verdicts_of_other_programs_are_taken_over(self):
        out = self.feed(self.context.tap, "ok a", "not ok b - why", "skip c - because",
                        "ok d # SKIP no", "# detail", "okay", "    not a verdict")
        self.assertEqual(out, ["ok s/a", "not ok s/b - why", "skip s/c - because",
                               "skip s/d - SKIP no"])
        self.assertEqual((self.results.passed, self.results.failed, self.results.skipped),
                         (1, 1, 2))

    def test_unittest_lines_are_read_even_with_other_output_between(self):
        reader = unittests.Reader(self.context)
        out = self.feed(reader.line, "test_a (m.C.test_a) ... ok", "test_b (m.C.test_b) ... noise",
                        "more noise", "ok", "test_c (m.C.test_c) ... FAIL",
                        "test_d (m.C) ... skipped 'no root'")
        self.assertEqual(out, ["ok s/a", "ok s/b", "not ok s/c - FAIL, see the log",
                               "skip s/d - 'no root'"])

    def test_a_finding_fails_and_none_passes(self):
        out = self.feed(lambda found: self.context.judge("t", found), [], ["one", "two"])
        self.assertEqual(out, ["ok s/t", "not ok s/t - one (and 1 more)"])


class Choosing(unittest.TestCase):
    STEPS = (step.Step("lint", "", None, ("a", "b")), step.Step("board.debug", "", None, ("x.sh",)))

    def names(self, *patterns):
        return [(s.name, items) for s, items in main.chosen(self.STEPS, patterns)]

    def test_no_pattern_means_all(self):
        self.assertEqual(self.names(), [("lint", ("a", "b")), ("board.debug", ("x.sh",))])

    def test_a_step_or_a_part_of_one(self):
        self.assertEqual(self.names("lint"), [("lint", ("a", "b"))])
        self.assertEqual(self.names("lint/b"), [("lint", ("b",))])
        self.assertEqual(self.names("board*/x.sh"), [("board.debug", ("x.sh",))])

    def test_every_step_has_a_name_of_its_own(self):
        names = [s.name for s in main.all_steps()]
        self.assertEqual(len(names), len(set(names)))


class Lanes(unittest.TestCase):
    @staticmethod
    def steps(**after):
        return [(step.Step(name, "", None, after=tuple(names)), ())
                for name, names in after.items()]

    def test_two_steps_run_side_by_side(self):
        both = threading.Barrier(2, timeout=30)
        lanes.Lanes(self.steps(a=(), b=()), lambda *_: both.wait(), 2).run()

    def test_a_step_waits_for_those_it_needs_and_lets_others_go_first(self):
        c_ran, order = threading.Event(), []

        def one(chosen, _):
            if chosen.name == "a":
                self.assertTrue(c_ran.wait(30))
            order.append(chosen.name)
            if chosen.name == "c":
                c_ran.set()

        lanes.Lanes(self.steps(a=(), b=("a", "not chosen"), c=()), one, 2).run()
        self.assertEqual(order, ["c", "a", "b"])

    def test_a_mistake_ends_the_run(self):
        def one(chosen, _):
            raise ZeroDivisionError(chosen.name)

        with self.assertRaises(ZeroDivisionError):
            lanes.Lanes(self.steps(a=(), b=("a",)), one, 2).run()

    def test_steps_that_wait_for_each_other_are_refused(self):
        with self.assertRaises(ValueError):
            lanes.Lanes(self.steps(a=("b",), b=("a",)), lambda *_: None, 2).run()

    def test_each_step_is_after_steps_that_exist(self):
        steps = main.all_steps()
        names = {s.name for s in steps}
        self.assertLessEqual({name for s in steps for name in s.after}, names)

    def test_quick_chooses_something_of_each_kind(self):
        for pattern in main.QUICK:
            with self.subTest(pattern):
                self.assertTrue(main.chosen(main.all_steps(), [pattern]))


class Files(unittest.TestCase):
    def test_each_checkout_builds_for_itself(self):
        with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as other, \
                mock.patch.object(repo, "CACHE", cache):
            own = repo.build_folder("x")
            with mock.patch.object(repo, "ROOT", other):
                others = repo.build_folder("x")
            self.assertNotEqual(own, others)
            with mock.patch.object(repo, "ROOT", other + "-gone"):
                gone = repo.build_folder("x")
            repo.build_folder("x")
            self.assertTrue(os.path.isdir(os.path.dirname(others)))
            self.assertFalse(os.path.isdir(os.path.dirname(gone)))

    def test_times_are_kept_and_rubbish_is_none(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/check/times.json"
            self.assertIsNone(times.Times(path).of("a"))
            times.Times(path).note("a", 1.25)
            self.assertEqual(times.Times(path).of("a"), 1.2)
            with open(path, "w", encoding="utf-8") as f:
                f.write("[1]")
            self.assertIsNone(times.Times(path).of("a"))

    def test_a_board_test_says_what_it_wants(self):
        self.assertEqual(board.machine_of("# board: flavour=debug rootfs=full kernel=upstream "
                                          "variant=no-flush timeout=9\n", "t"),
                         (board.Machine("debug", "full", "upstream", "no-flush"), 9))

    def test_bad_headers_are_refused(self):
        for text in ("", "# board: flavour=quick rootfs=mini kernel=ours\n",
                     "# board: flavour=debug speed=9\n", "# board: flavour=debug timeout=soon\n",
                     "# board: flavour=debug variant=no-such\n"):
            with self.subTest(text), self.assertRaises(board.BadHeader):
                board.machine_of(text, "t")

    def test_logs_show_their_end(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(
                repo, "LOGS", folder):
            log = results.Log("a/b")
            log.write("".join(f"{i}\n" for i in range(100)))
            log.close()
            shown = io.StringIO()
            with contextlib.redirect_stderr(shown):
                log.tail()
        self.assertIn("\n99\n", shown.getvalue())
        self.assertNotIn("\n9\n", shown.getvalue())

    def test_checkpatch_findings_are_read(self):
        name = "tests/check/kernel.py"
        self.assertEqual(kernel.finding(f"/repo/{name}:1: WARNING: tab"),
                         f"{name}:1: WARNING: tab")
        self.assertIsNone(kernel.finding(f"/repo/{name}:1: WARNING: added, does "
                                         "MAINTAINERS need updating?"))
        self.assertIsNone(kernel.finding("No codespell typos will be found"))


if __name__ == "__main__":
    unittest.main()
