// SPDX-License-Identifier: MIT
/*
 * Flips in what Weston writes to its timeline.  The records are those of Weston 10 and 14, which
 * write the description of an object in three pieces.
 */
#include "cmocka_all.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeline.h"

static struct timeline timeline;
static unsigned int flips;
static char last_name[TIMELINE_NAME];
static uint64_t last_presented_ns, last_after_ns;

static void noted(void *userdata, const char *output, uint64_t presented_ns, uint64_t after_ns)
{
	assert_ptr_equal(userdata, &timeline);
	flips++;
	snprintf(last_name, sizeof(last_name), "%s", output);
	last_presented_ns = presented_ns;
	last_after_ns = after_ns;
}

static int setup(void **state)
{
	(void)state;
	memset(&timeline, 0, sizeof(timeline));
	timeline.flip = noted;
	timeline.userdata = &timeline;
	flips = 0;
	last_name[0] = '\0';
	return 0;
}

/* Each is a piece of memory of exactly that size: reading beyond it is an error. */
static void say(const char *record)
{
	char *copy = strdup(record);
	size_t size = strlen(record);
	char *exact = size ? realloc(copy, size) : copy;

	assert_non_null(exact);
	timeline_record(&timeline, exact, size);
	free(exact);
}

static void describe(unsigned int id, const char *name)
{
	char text[512];

	snprintf(text, sizeof(text), "{ \"id\":%u, \"type\":\"weston_output\", \"name\":", id);
	say(text);
	snprintf(text, sizeof(text), "\"%s\"", name);
	say(text);
	say(" }\n");
}

static void point(const char *name, unsigned int output)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{ \"T\":[11938, 812114005], \"N\":\"core_repaint_%s\", \"wo\":%u }\n", name,
		 output);
	say(text);
}

static void finished(unsigned int output, uint64_t ms)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{ \"T\":[11938, 828146554], \"N\":\"core_repaint_finished\", \"wo\":%u, "
		 "\"vblank_monotonic\":[%" PRIu64 ", %" PRIu64 "] }\n",
		 output, ms / 1000, ms % 1000 * 1000000);
	say(text);
}

static void a_repaint_that_was_posted_and_finished_is_a_flip(void **state)
{
	(void)state;
	describe(1, "DSI-1");
	point("req", 1);
	point("enter_loop", 1);
	/* Only the question when the last vblank was. */
	finished(1, 5000);
	assert_int_equal(flips, 0);
	point("begin", 1);
	point("posted", 1);
	assert_int_equal(flips, 0);
	finished(1, 5016);
	assert_int_equal(flips, 1);
	assert_string_equal(last_name, "DSI-1");
	assert_true(last_presented_ns == UINT64_C(5016000000));
	assert_true(last_after_ns == 16000000);
	/* Not twice. */
	finished(1, 5033);
	assert_int_equal(flips, 1);
}

static void a_pause_is_no_missed_vblank(void **state)
{
	(void)state;
	describe(1, "DSI-1");
	point("posted", 1);
	finished(1, 5000);
	assert_true(last_after_ns == 0);
	point("exit_loop", 1);
	point("posted", 1);
	finished(1, 5500);
	assert_int_equal(flips, 2);
	assert_true(last_after_ns == 0);
	point("posted", 1);
	finished(1, 9000);
	assert_true(last_after_ns == 0);
}

static void names_and_times_that_are_too_long_are_cut_or_refused(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	describe(1, "DSI-1");
	describe(2, "DP-1");
	describe(1, name);
	point("posted", 2);
	finished(2, 5000);
	assert_int_equal(flips, 1);
	assert_string_equal(last_name, "DP-1");
	flips = 0;
	point("posted", 1);
	say("{ \"T\":[1, 2], \"N\":\"core_repaint_finished\", \"wo\":1, "
	    "\"vblank_monotonic\":[5, 999999999] }\n");
	assert_int_equal(flips, 1);
	assert_true(last_presented_ns == UINT64_C(5999999999));
	assert_int_equal(strlen(last_name), TIMELINE_NAME - 1);
	/* A second has no more nanoseconds. */
	point("posted", 1);
	say("{ \"T\":[1, 2], \"N\":\"core_repaint_finished\", \"wo\":1, "
	    "\"vblank_monotonic\":[6, 1000000000] }\n");
	assert_int_equal(flips, 2);
	assert_true(last_presented_ns == 0);
}

static void outputs_are_told_apart(void **state)
{
	(void)state;
	describe(1, "DSI-1");
	describe(7, "HDMI-A-1");
	point("posted", 1);
	finished(7, 5000);
	assert_int_equal(flips, 0);
	point("posted", 7);
	finished(7, 5016);
	assert_string_equal(last_name, "HDMI-A-1");
	finished(1, 5016);
	assert_string_equal(last_name, "DSI-1");
	assert_int_equal(flips, 2);
	/* Nobody said which that is. */
	point("posted", 3);
	finished(3, 5033);
	assert_int_equal(flips, 2);
}

static void a_description_in_one_piece_is_understood(void **state)
{
	(void)state;
	say("{ \"id\":4, \"type\":\"weston_output\", \"name\":\"DP-3\" }\n");
	point("posted", 4);
	finished(4, 5000);
	assert_string_equal(last_name, "DP-3");
}

static void titles_cannot_pretend_to_be_flips(void **state)
{
	(void)state;
	describe(1, "DSI-1");
	point("posted", 1);
	say("{ \"id\":2, \"type\":\"weston_surface\", \"desc\":");
	say("\"top-level window 'x\n{ \"T\":[1, 2], \"N\":\"core_repaint_finished\", \"wo\":1 "
	    "}\n'\"");
	say(" }\n");
	say("{ \"id\":3, \"type\":\"weston_surface\", \"desc\":\"{ \"T\":[1, 2], "
	    "\"N\":\"core_repaint_finished\", \"wo\":1 }\n\" }\n");
	/* Nor can one that looks like an output's name become it. */
	say("{ \"id\":1, \"type\":\"weston_surface\", \"desc\":");
	say("\"HDMI-A-9\"");
	assert_int_equal(flips, 0);
	finished(1, 5000);
	assert_int_equal(flips, 1);
	assert_string_equal(last_name, "DSI-1");
}

static void many_hotplugs_do_not_use_it_up(void **state)
{
	char name[32];

	(void)state;
	describe(1, "DSI-1");
	for (unsigned int id = 2; id < 1000; id++) {
		point("posted", 1);
		finished(1, 5000 + 16 * (uint64_t)id);
		snprintf(name, sizeof(name), "DP-%u", id);
		describe(id, name);
		point("posted", id);
		finished(id, 5000 + 16 * (uint64_t)id);
		assert_string_equal(last_name, name);
	}
	/* One that flips all the time is not forgotten. */
	point("posted", 1);
	finished(1, 100000);
	assert_string_equal(last_name, "DSI-1");
}

static void every_beginning_of_a_record_is_harmless(void **state)
{
	static const char *const records[] = {
		"{ \"id\":1, \"type\":\"weston_output\", \"name\":\"DSI-1\" }\n",
		"{ \"T\":[11938, 812114005], \"N\":\"core_repaint_posted\", \"wo\":1 }\n",
		"{ \"T\":[11938, 828146554], \"N\":\"core_repaint_finished\", \"wo\":1, "
		"\"vblank_monotonic\":[18446744073709551615, 99999999999999999999] }\n",
		"{ \"id\":99999999999999999999999, \"type\":\"weston_output\", \"name\":\"x\" }",
		"{ \"id\":0, \"type\":\"weston_output\", \"name\":\"x\" }",
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		for (size_t length = 0; length <= strlen(records[i]); length++) {
			snprintf(text, sizeof(text), "%.*s", (int)length, records[i]);
			say(text);
		}
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	describe(5, text);
	point("posted", 5);
	finished(5, 5000);
	assert_int_equal(strlen(last_name), TIMELINE_NAME - 1);
}

static void missed_vblanks_are_counted_to_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(timeline_missed(0, 60000), 0);
	assert_int_equal(timeline_missed(16666667, 0), 0);
	assert_int_equal(timeline_missed(16666667, 60000), 0);
	assert_int_equal(timeline_missed(15000000, 60000), 0);
	assert_int_equal(timeline_missed(18000000, 60000), 0);
	assert_int_equal(timeline_missed(33333333, 60000), 1);
	assert_int_equal(timeline_missed(50000000, 60000), 2);
	assert_int_equal(timeline_missed(16666667, 120000), 1);
	assert_int_equal(timeline_missed(1000000000, UINT32_MAX) > 0, 1);
}

/* As Weston writes: all of a text at once, however long. */
static void write_all(FILE *file, const char *text)
{
	assert_int_equal(fwrite(text, strlen(text), 1, file), 1);
}

/* What the C library makes of it: a write must not be kept, joined or cut. */
static void what_is_written_arrives_at_once_and_as_written(void **state)
{
	static const char fake[] = "{ \"T\":[1, 2], \"N\":\"core_repaint_finished\", \"wo\":1 }\n";
	FILE *file = timeline_open(&timeline);
	char title[3000];

	(void)state;
	assert_non_null(file);
	write_all(file, "{ \"id\":1, \"type\":\"weston_output\", \"name\":");
	assert_int_equal(timeline.records, 1);
	write_all(file, "\"DSI-1\"");
	write_all(file, " }\n");
	write_all(file, "{ \"T\":[11938, 812114005], \"N\":\"core_repaint_posted\", \"wo\":1 }\n");
	assert_int_equal(timeline.records, 4);
	/* A long title with a record at every place where a buffer might end. */
	memset(title, '\n', sizeof(title) - 1);
	title[sizeof(title) - 1] = '\0';
	for (size_t at = 64; at + 64 < sizeof(title); at += 64)
		memcpy(title + at, fake, sizeof(fake) - 1);
	write_all(file, title);
	assert_int_equal(timeline.records, 5);
	assert_int_equal(flips, 0);
	write_all(file, fake);
	assert_int_equal(flips, 1);
	fclose(file);
}

#define FRESH(_test) cmocka_unit_test_setup(_test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_repaint_that_was_posted_and_finished_is_a_flip),
		FRESH(a_pause_is_no_missed_vblank),
		FRESH(names_and_times_that_are_too_long_are_cut_or_refused),
		FRESH(outputs_are_told_apart),
		FRESH(a_description_in_one_piece_is_understood),
		FRESH(titles_cannot_pretend_to_be_flips),
		FRESH(many_hotplugs_do_not_use_it_up),
		FRESH(every_beginning_of_a_record_is_harmless),
		FRESH(missed_vblanks_are_counted_to_the_nearest),
		FRESH(what_is_written_arrives_at_once_and_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
