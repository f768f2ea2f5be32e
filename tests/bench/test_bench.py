#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unit tests of what the benchmark makes of what was measured. They boot nothing."""

import os
import sys
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "board")]

import bars  # noqa: E402
import board_counts  # noqa: E402
import goals  # noqa: E402
import icount  # noqa: E402
import stepper  # noqa: E402
import uml  # noqa: E402
from errors import BenchError  # noqa: E402

TRACE = """# tracer: nop
     a-1 [000] ..... 1.000001: map: (x)
     a-1 [000] ..... 1.000002: tracing_mark_write: bench from
     a-1 [000] ..... 1.000003: map: (x)
     k worker/0:1-7 [001] d..1. 1.000004: unmap_slot: (x)
     a-1 [000] ..... 1.000005: tracing_mark_write: other
     a-1 [000] ..... 1.000006: map: (x)
     a-1 [000] ..... 1.000007: tracing_mark_write: bench to
     a-1 [000] ..... 1.000008: map: (x)
"""
CONSOLE = """KTAP version 1
    # Subtest: msm_scanout_bench_drop
    # a: bench drop way=upstream picture=1080p backing=scattered add_page=507968 walk=2968 \
flush_all=0 sync=1000 entries=507968
    # a: bench drop way=ours picture=1080p backing=scattered add_page=0 walk=0 flush_all=1000 \
sync=0 entries=2025000
    # a: bench many-drop way=ours picture=1080p backing=scattered add_page=0 walk=0 \
flush_all=3000 sync=0 entries=1
    ok 1 a
    not ok 2 b
ok 1 msm_scanout_bench_drop
"""
KALLSYMS = """ffff000000001000 T first\t[msm]
ffff000000001000 t $x\t[msm]
ffff000000001010 t second\t[msm]
ffff000000001020 D data\t[msm]
"""


def counts(**changed):
    return board_counts.Counts(**{"flips": 100, "maps": 0, "unmaps": 0, "commands": {}, **changed})


class Board(unittest.TestCase):
    def test_only_events_between_the_marks_count(self):
        found = board_counts.events_between(TRACE, "bench from", "bench to")
        self.assertEqual(dict(found), {"map": 2, "unmap_slot": 1})

    def test_only_commands_between_the_sizes_count(self):
        line = b"smmuv3_cmdq_opcode <--- SMMU_CMD_SYNC\n"
        log = line * 2 + line.replace(b"SYNC", b"TLBI_NH_VA") + line
        self.assertEqual(board_counts.commands_between(log, len(line), len(log)),
                         {"SYNC": 2, "TLBI_NH_VA": 1})

    def test_a_torn_command_is_an_error(self):
        with self.assertRaises(BenchError):
            board_counts.commands_between(b"smmuv3_cmdq_opcode <--- SMMU_CMD_SYNC\n", 3, 40)

    def test_every_variant_has_its_folder(self):
        for alternative in board_counts.ALTERNATIVES:
            if alternative.variant:
                names = os.listdir(board_counts.variant(alternative))
                self.assertTrue(any(n.endswith(".patch") for n in names), alternative.name)


class Native(unittest.TestCase):
    def test_figures_and_verdicts_are_read(self):
        figures, verdicts = uml.parse(CONSOLE)
        self.assertEqual(verdicts, {"a": True, "b": False})
        self.assertEqual(len(figures), 3)
        self.assertAlmostEqual(goals.operations(figures[0]), 511.936)

    def test_rows_say_whether_the_goal_is_met(self):
        rows = {r.figure: r for r in goals.native_rows(uml.parse(CONSOLE)[0])}
        drop = rows["TLB operations to drop one 1080p XR24, scattered pages"]
        self.assertEqual(drop.values["ours"], 1)
        self.assertAlmostEqual(drop.values["fb-ref"], drop.values["upstream"])
        self.assertIs(drop.met(), True)
        many = rows["flushes and waits to evict 16 of 1080p"]
        self.assertEqual(many.values["ours"], 3)
        self.assertIs(many.met(), False)
        self.assertAlmostEqual(many.values["upstream"], 16 * 3.968)

    def test_what_was_not_measured_is_neither_met_nor_missed(self):
        self.assertIsNone(goals.Row("x", {"ours": None}, 1).met())
        self.assertIsNone(goals.Row("x", {"ours": 1}).met())


class Goals(unittest.TestCase):
    def test_one_command_in_a_steady_flip_misses_the_goal(self):
        rows = goals.board_rows({("ours", "foreign"): counts(commands={"SYNC": 1})})
        row = next(r for r in rows if r.figure == "SMMU commands per 1000 flips, foreign")
        self.assertEqual(row.values["ours"], 10)
        self.assertIs(row.met(), False)

    def test_policies_are_compared_case_by_case(self):
        figures = [{"what": "policy", "workload": w, "capacity": c, "policy": i, "hits": h,
                    "optimum": 100} for w, c, i, h in (
                        ("w", 2, "lru", 50), ("w", 2, "adaptive", 90),
                        ("w", 4, "lru", 100), ("w", 4, "adaptive", 97),
                        ("random8", 4, "lru", 50), ("random8", 4, "adaptive", 49))]
        rows = {r.figure: r.values["ours"] for r in goals.policy_rows(figures)}
        lost = "share of the optimum's hits lost, mean"
        self.assertAlmostEqual(rows[f"policy adaptive: {lost}"], 0.065)
        self.assertAlmostEqual(rows[f"policy adaptive, unpredictable: {lost}"], 0.51)
        self.assertAlmostEqual(rows["policy adaptive: the same, worst"], 0.1)
        self.assertAlmostEqual(rows["policy adaptive: share of lru's hits lost, worst"], 0.03)

    def test_costs_are_compared_with_the_fewest_entries(self):
        costs = {16: dict.fromkeys(goals.OPERATIONS, 100.0),
                 65536: dict.fromkeys(goals.OPERATIONS, 150.0)}
        self.assertEqual({r.values["ours"] for r in goals.core_rows(costs, "x")}, {1.5})

    def test_tables_have_a_line_for_each_row(self):
        rows = [goals.Row("x", {"ours": 1.0, "upstream": None}, 2, part="mini"),
                goals.Row("y", {}, part="mini")]
        self.assertEqual(len(goals.text(rows).splitlines()), 4)
        lines = goals.markdown(rows).splitlines()
        self.assertEqual(lines[0], "### Flips on the board")
        self.assertEqual(lines[2], "| figure | ours | goal | met |")
        self.assertEqual(len(lines), 6)
        self.assertIn("NOT MET", goals.text([goals.Row("x", {"ours": 3}, 2)]))


class Instructions(unittest.TestCase):
    def test_ticks_become_instructions_without_the_loop(self):
        found = icount._instructions(
            {"timer_hz": 62500000, "pair_ticks": 158150, "pair_ticks_min": 158150,
             "prepare_ticks": 83000, "empty_ticks": 1100}, "x", "dumb")
        self.assertAlmostEqual(found["pair"], 2512.8)
        self.assertAlmostEqual(found["prepare"] + found["cleanup"], found["pair"])

    def test_addresses_get_the_name_of_their_function(self):
        symbols = stepper.Symbols(KALLSYMS)
        self.assertEqual(symbols.at(0xffff000000001004)[0], "first")
        self.assertEqual(symbols.at(0xffff000000001024)[0], "second")
        self.assertEqual(symbols.address("second"), 0xffff000000001010)
        with self.assertRaises(stepper.StepError):
            symbols.address("third")

    def test_callees_count_for_their_callers(self):
        root = stepper.Node("a", 1, 10)
        root.child("b").own += 5
        root.child("b").child("c").own += 2
        self.assertEqual(root.total(), 17)
        self.assertEqual(len(list(root.lines())), 3)


class Plots(unittest.TestCase):
    def test_a_plot_is_wellformed_and_has_every_bar(self):
        text = bars.svg("t", [("w", {"upstream": 700.0, "ours": 0}), ("v", {"ours": None})],
                        goals.NAMES)
        tree = xml.etree.ElementTree.fromstring(text)
        rects = [e for e in tree.iter() if e.tag.endswith("rect")]
        self.assertEqual(len(rects), 1 + len(goals.NAMES) * 3)


if __name__ == "__main__":
    unittest.main()
