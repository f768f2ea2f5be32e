# SPDX-License-Identifier: MIT
"""The demo's pure parts: traces, figures, claims, pictures. No boot."""

import dataclasses
import json
import os
import struct
import tempfile
import unittest
import zlib

from . import evening, measure, plot, png, report, table, timeline, trace, verdict, workloads

HEADER = "# tracer: nop\n#\n# entries-in-buffer/entries-written: {}/{}   #P:2\n#\n"


def line(at_s, event, task="scanout-flip-123"):
    return f"    {task}     [001] d..1.    {at_s:.6f}: {event}"


def trace_text(lines, written=None):
    count = len(lines)
    return HEADER.format(count, count if written is None else written) + "\n".join(lines) + "\n"


def mapped(at_s, iova, size=4096):
    return line(at_s, f"map: (msm_iommu_map+0x0/0x80 [msm]) iova={iova:#x} bytes={size}")


def unmapped(at_s, iova, size=4096):
    return line(at_s, f"unmap: (msm_iommu_unmap+0x0/0x40 [msm]) iova={iova:#x} bytes={size}")


def marked(at_s, text):
    return line(at_s, f"tracing_mark_write: {text}", "sh-9")


def flip(at_s, took_us=100):
    return [line(at_s, "prepare: (msm_framebuffer_prepare+0x0/0x1 [msm]) fb=0xffff000011f85f00"),
            line(at_s + took_us / 1e6, "prepared: (x+0x34/0x58 [msm] <- msm_framebuffer_prepare)")]


class Traces(unittest.TestCase):
    def test_events_have_times_tasks_and_fields(self):
        one, two = trace.parse(trace_text([mapped(1.5, 0x1000), marked(2, "demo end")]), "t")
        self.assertEqual((one.at_ns, one.name, one.pid), (1_500_000_000, "map", 123))
        self.assertEqual(one.fields, {"iova": 0x1000, "bytes": 4096})
        self.assertEqual((two.name, two.text), ("tracing_mark_write", "demo end"))

    def test_a_task_name_may_have_blanks_and_dashes(self):
        text = trace_text([line(1, "map: (a) iova=0x1 bytes=1", "gst launch-1.0-77")])
        self.assertEqual(trace.parse(text, "t")[0].pid, 77)

    def test_a_trace_with_overwritten_entries_is_refused(self):
        with self.assertRaisesRegex(trace.TraceError, "1 of 9 entries"):
            trace.parse(trace_text([mapped(1, 1)], written=9), "t")

    def test_a_line_that_is_not_understood_is_refused(self):
        with self.assertRaisesRegex(trace.TraceError, "2 entries, but 1"):
            trace.parse(trace_text([mapped(1, 1), "garbage"]), "t")

    def test_a_mapping_ends_with_the_unmap_of_its_address(self):
        events = trace.parse(trace_text([mapped(1, 1), mapped(2, 2), unmapped(3, 1), mapped(4, 1),
                                         unmapped(5, 9)]), "t")
        made, older = trace.mappings(events)
        self.assertEqual([m.unmapped_ns for m in made], [3 * 10**9, None, None])
        self.assertEqual([e.fields["iova"] for e in older], [9])

    def test_mapping_an_address_twice_is_refused(self):
        with self.assertRaisesRegex(trace.TraceError, "0x1 is mapped twice"):
            trace.mappings(trace.parse(trace_text([mapped(1, 1), mapped(2, 1)]), "t"))

    def test_durations_belong_to_one_task(self):
        other = line(1.5, "prepared: (x)", "other-9")
        events = trace.parse(trace_text([flip(1, 800_000)[0], other, flip(1, 800_000)[1]]), "t")
        self.assertEqual(trace.durations(events, "prepare", "prepared"), [(10**9, 800_000_000)])

    def test_percentiles_are_values_that_occurred(self):
        values = list(range(1, 101))
        self.assertEqual([trace.percentile(values, p) for p in (50, 99, 100)], [50, 99, 100])
        self.assertEqual(trace.percentile([7], 99), 7)
        self.assertIsNone(trace.percentile([], 50))


class Loading(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.files = {
            "status": "0\n", "lost": "overrun: 0\n  map   7   0\n",
            "before": "flips 1\nscanned_pages 10\nscanout_faults 0\n",
            "after": "flips 9\nscanned_pages 90\nscanout_faults 0\n",
            "stdout": '{"flips": 4, "lap_flips": 2, "crc_checked": 5, "crc_mismatches": 0}',
            "max_bytes": "64\n", "idle": "20 60\n",
        }
        # The console's buffer 0xc goes and comes back, two buffers are the client's.
        self.lines = [marked(1, "demo begin"), *flip(2), mapped(2.001, 1), unmapped(2.5, 0xc),
                      *flip(3), mapped(3.001, 2), marked(4, "scanout-flip lap"), *flip(5, 50),
                      *flip(6, 70), marked(7, "scanout-flip end"), unmapped(8, 1), unmapped(8.1, 2),
                      mapped(8.2, 0xd), marked(9, "demo end")]

    def load(self, name="foreign"):
        self.files.setdefault("trace", trace_text(self.lines))
        for file, text in self.files.items():
            with open(os.path.join(self.folder.name, file), "w", encoding="utf-8") as f:
                f.write(text)
        return measure.load(workloads.named(name), "ours", self.folder.name)

    def test_the_consoles_buffer_is_not_counted(self):
        run, _ = self.load()
        self.assertEqual((run.maps, run.unmaps, run.left_mapped), (2, 2, 1))

    def test_the_steady_part_lies_between_the_marks(self):
        run, series = self.load()
        self.assertEqual((run.steady_flips, run.steady_maps, run.steady_unmaps), (2, 0, 0))
        self.assertEqual(run.per_flip(), 0)
        self.assertEqual((run.prepare_ns_p50, run.prepare_ns_p99), (50_000, 70_000))
        self.assertEqual(series.steady_s, (3, 6))

    def test_a_map_between_the_marks_counts(self):
        self.lines[-6:-6] = [unmapped(6.4, 1), mapped(6.5, 1)]
        run, _ = self.load()
        self.assertEqual(run.per_flip(), 1)

    def test_counters_are_differences(self):
        run, _ = self.load()
        self.assertEqual((run.flips, run.scanned_pages), (4, 80))

    def test_the_most_mapped_at_a_time(self):
        run, _ = self.load()
        self.assertEqual(run.mapped_bytes_max, 8192)

    def test_idle_bytes_and_their_bound(self):
        run, _ = self.load()
        self.assertEqual((run.idle_bytes_max, run.idle_samples, run.max_bytes), (60, 20, 64))

    def test_without_a_cache_there_is_no_idle_figure(self):
        del self.files["max_bytes"]
        run, _ = self.load()
        self.assertEqual((run.idle_bytes_max, run.max_bytes), (None, None))

    def test_a_missing_mark_is_told(self):
        self.lines = [one for one in self.lines if "lap" not in one]
        with self.assertRaisesRegex(measure.MeasureError, "no mark 'scanout-flip lap'"):
            self.load()

    def test_a_failed_command_is_told(self):
        self.files.update(status="1\n", stderr="scanout-flip: no such device\n")
        with self.assertRaisesRegex(measure.MeasureError, "status is 1: .*no such device"):
            self.load()

    def test_a_missed_probe_is_told(self):
        self.files["lost"] = "overrun: 0\n  map   7   3\n"
        with self.assertRaisesRegex(measure.MeasureError, "3 x 'map'"):
            self.load()

    def test_a_missing_file_is_told(self):
        del self.files["after"]
        with self.assertRaisesRegex(measure.MeasureError, "after is missing"):
            self.load()


def run(name, side, **values):
    steady = {} if name in ("many", "keep") else {"steady_flips": 50}
    if side == "upstream" and name in ("foreign", "reimport", "gstreamer"):
        steady.update(steady_maps=50, steady_unmaps=50)
    if name in ("many", "keep") and side == "ours":
        steady.update(max_bytes=64 << 20, idle_bytes_max=63 << 20, idle_samples=9999)
    if name.endswith("-off"):
        steady.update(max_bytes=0, idle_bytes_max=0)
        if name != "dumb-off":
            steady.update(steady_maps=50, steady_unmaps=50)
    fields = {f.name: 0 for f in dataclasses.fields(measure.Run)}
    fields.update(workload=name, side=side, flips=60, maps=3, unmaps=3, scanned_pages=1000,
                  crc_checked=61, max_bytes=None, idle_bytes_max=None, attempts=1, left_mapped=1)
    return measure.Run(**{**fields, **steady, **values})


def all_runs():
    return {(w.name, side): run(w.name, side) for w in workloads.WORKLOADS
            for side in workloads.SIDES if w.only in (None, side)}


class Claims(unittest.TestCase):
    def failing(self, name=None, side=None, **values):
        runs = all_runs()
        if name:
            runs[name, side] = dataclasses.replace(runs[name, side], **values)
        return [c.text for c in verdict.claims(runs) if not c.holds]

    def fails_one(self, word, *where, **values):
        failed = self.failing(*where, **values)
        self.assertEqual(len(failed), 1, failed)
        self.assertIn(word, failed[0])

    def test_good_figures_hold(self):
        self.assertEqual(self.failing(), [])

    def test_a_single_map_in_the_steady_part_fails(self):
        for name in ("reimport", "gstreamer", "weston"):
            with self.subTest(name):
                self.fails_one(f"per flip, {name},", name, "ours", steady_maps=1)

    def test_an_upstream_without_the_disease_fails(self):
        self.fails_one("per flip, gstreamer,", "gstreamer", "upstream", steady_maps=0)

    def test_no_steady_flips_prove_nothing(self):
        self.fails_one("per flip, gstreamer,", "gstreamer", "ours", steady_flips=0)

    def test_one_byte_above_the_bound_fails(self):
        self.fails_one("idle bytes in many", "many", "ours", idle_bytes_max=(64 << 20) + 1)

    def test_a_bound_that_nothing_pressed_against_proves_nothing(self):
        self.fails_one("idle bytes in keep", "keep", "ours", idle_bytes_max=32 << 20)

    def test_few_looks_prove_nothing(self):
        self.fails_one("idle bytes in many", "many", "ours", idle_samples=3)

    def test_one_fault_or_mismatch_on_either_side_fails(self):
        for side in workloads.SIDES:
            for what in ("scanout_faults", "crc_mismatches"):
                with self.subTest(f"{side} {what}"):
                    self.fails_one("faults and CRC", "churn", side, **{what: 1})

    def test_other_counts_when_off_fail(self):
        self.fails_one("max_bytes = 0", "foreign-off", "ours", maps=4)

    def test_a_buffer_left_mapped_fails(self):
        self.fails_one("still mapped", "churn", "ours", left_mapped=2)

    def test_tables_have_a_row_for_each_run(self):
        runs = all_runs()
        self.assertEqual(len(table.text(runs).splitlines()), 2 + len(runs))
        self.assertIn("FAILED", table.claims_text([verdict.Claim("a", "b", "c", "d", False)]))


class Pictures(unittest.TestCase):
    def test_png_has_the_ppms_pixels(self):
        pixels = bytes(range(24))
        with tempfile.NamedTemporaryFile(suffix=".ppm") as f:
            f.write(b"P6\n4 2\n255\n" + pixels)
            f.flush()
            width, height, rows = png.read_ppm(f.name)
        self.assertEqual((width, height, b"".join(rows)), (4, 2, pixels))
        data = png.encode(width, height, rows)
        self.assertEqual(struct.unpack(">II", data[16:24]), (4, 2))
        start = data.index(b"IDAT") + 4
        size, = struct.unpack(">I", data[start - 8:start - 4])
        raw = zlib.decompress(data[start:start + size])
        first, second = raw[:13], raw[13:]
        self.assertEqual((first[0], first[1:]), (2, pixels[:12]))
        self.assertEqual(bytes((a + b) & 255 for a, b in zip(first[1:], second[1:])), pixels[12:])

    def test_half_the_size_is_the_mean_of_four(self):
        rows = [bytes((0, 10, 20, 4, 10, 20)), bytes((8, 10, 20, 12, 10, 20))]
        self.assertEqual(png.halve(2, 2, rows), (1, 1, [bytes((6, 10, 20))]))

    def test_a_truncated_picture_is_told(self):
        with tempfile.NamedTemporaryFile(suffix=".ppm") as f:
            f.write(b"P6\n40 20\n255\n" + bytes(24))
            f.flush()
            with self.assertRaisesRegex(png.PictureError, "too few"):
                png.read_ppm(f.name)

    def test_a_plot_draws_every_step(self):
        series = measure.Series([0.5, 1], [2], (1, 2), 3)
        drawn = plot.svg("t", {"ours": series})
        self.assertEqual(drawn.count("<path"), 2)
        self.assertIn("ours 2", drawn)

    def test_a_failed_claim_is_what_the_report_says_first(self):
        runs = all_runs()
        series = {key: measure.Series([1], [2], (1, 2), 3) for key in runs}
        claims = [verdict.Claim("pigs <fly>", "b", "c", "d", False)]
        page = report.page(runs, series, an_evening(), claims, {}, [], "1 s")
        self.assertIn("1 of 1 claims failed.", page)
        self.assertIn("pigs &lt;fly&gt;", page)


EVENING_PHASES = ((0, "desktop"), (10, "player starts"), (11, "video"), (20, "video ends"),
                  (21, "desktop again"), (30, "output off"), (35, "end"))


def evening_files(folder, misses_at=lambda s: 0, limit_at=lambda s: 50 << 20 if 12 <= s < 25 else
                  8 << 20, idle_at=lambda s: 0 if s > 30 else 4 << 20, step_s=0.1,
                  outputs='a(suttuut) 1 "LVDS-1" 60024 480 2 1 3 4096000\n'):
    """What the guest would leave of an evening that begins 100 s after boot."""
    with open(os.path.join(folder, "phases"), "w", encoding="utf-8") as f:
        f.write("".join(f"{100 + at} {name}\n" for at, name in EVENING_PHASES))
    with open(os.path.join(folder, "samples"), "w", encoding="utf-8") as f:
        for number in range(int(35.5 / step_s)):
            at = number * step_s
            f.write(f"{100 + at:.3f} {int(at * 40)} 0 {misses_at(at)} {limit_at(at)} "
                    f"{idle_at(at)} 1 4096000\n")
    entry = {"MESSAGE_ID": evening.DECISION, "__MONOTONIC_TIMESTAMP": "112000000",
             "MAX_BYTES_OLD": str(8 << 20), "MAX_BYTES_NEW": str(50 << 20),
             "MESSAGE": "card0: grow 8.0 MiB -> 50.0 MiB, 32 entries: <more> fits; reuse"}
    with open(os.path.join(folder, "journal"), "w", encoding="utf-8") as f:
        f.write(json.dumps(entry) + "\n")
    with open(os.path.join(folder, "outputs"), "w", encoding="utf-8") as f:
        f.write(outputs)


def an_evening(**options):
    with tempfile.TemporaryDirectory() as folder:
        evening_files(folder, **options)
        return evening.load(folder)


class Evenings(unittest.TestCase):
    def broken(self, **options):
        return [c.text.split(",")[0] for c in evening.claims(an_evening(**options)) if not c.holds]

    def test_a_good_one_keeps_all_claims(self):
        self.assertEqual(self.broken(), [])

    def test_misses_in_the_first_two_seconds_are_allowed(self):
        self.assertEqual(self.broken(misses_at=lambda s: min(max(0, int((s - 11) * 20)), 36)), [])

    def test_one_late_miss_is_not(self):
        self.assertEqual(len(self.broken(misses_at=lambda s: int(s >= 14))), 1)
        self.assertEqual(len(self.broken(misses_at=lambda s: int(s >= 19.8))), 1)

    def test_a_limit_that_stays_is_told(self):
        self.assertEqual(len(self.broken(limit_at=lambda s: 50 << 20)), 1)
        self.assertEqual(len(self.broken(limit_at=lambda s: 50 << 20 if s > 12 else 8 << 20)), 1)

    def test_what_is_left_idle_in_the_dark_is_told(self):
        self.assertEqual(len(self.broken(idle_at=lambda s: 1)), 1)

    def test_a_module_that_tells_nothing_is_told(self):
        self.assertEqual(self.broken(outputs="a(suttuut) 0\n"), ["Weston's module tells the "
                                                                 "service of its output"])

    def test_looking_too_rarely_is_told(self):
        self.assertEqual(len(self.broken(step_s=0.25)), 1)

    def test_a_guest_that_did_not_get_there_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            evening_files(folder)
            with open(os.path.join(folder, "phases"), "w", encoding="utf-8") as f:
                f.write("100 desktop\n110 player starts\n")
            with self.assertRaisesRegex(measure.MeasureError, "no 'video'"):
                evening.load(folder)

    def test_the_plot_tells_the_reasons(self):
        drawn = timeline.svg(an_evening())
        self.assertIn("8.0 MiB → 50.0 MiB: &lt;more&gt; fits", drawn)
        self.assertIn("12.0 s", drawn)


if __name__ == "__main__":
    unittest.main()
