// SPDX-License-Identifier: MIT
/* Properties of the tuner. */
#include "cmocka_all.h"

#include <stdbool.h>
#include <string.h>

#include "tuner.h"

#define BUFFER (8 * MIB)

static const struct tuner_params params = TUNER_DEFAULT_PARAMS;

/* A screen of one plane that flips through buffers, with a limit of @limit. */
static struct tuner_sample screen(uint64_t limit)
{
	return (struct tuner_sample){
		.elapsed_ms = 1000,
		.limit_bytes = limit,
		.limit_entries = 256,
		.active_bytes = BUFFER,
		.active_entries = 1,
		.idle_bytes = 2 * BUFFER,
		.idle_entries = 2,
	};
}

static void reuse(struct tuner_sample *sample, uint64_t bytes, uint64_t depth, unsigned int times)
{
	sample->reuse.bytes[histogram_bytes_bucket(bytes)] += times;
	sample->reuse.depth[histogram_depth_bucket(depth)] += times;
}

/* Apply decisions for @ticks and return the last. */
static struct tuner_decision run(struct tuner *tuner, const struct tuner_params *p,
				 struct tuner_sample *sample, unsigned int ticks)
{
	struct tuner_decision decision = { 0 };

	while (ticks--) {
		decision = tuner_tick(tuner, p, sample);
		sample->limit_bytes = decision.max_bytes;
		sample->limit_entries = decision.max_entries;
		sample->pressure = false;
	}
	return decision;
}

static void without_evidence_nothing_changes(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(64 * MIB);
	struct tuner_decision decision;

	(void)state;
	for (int i = 0; i < 100; i++) {
		decision = run(&tuner, &params, &sample, 1);
		assert_int_equal(decision.action, TUNER_KEEP);
		assert_int_equal(decision.reason, TUNER_NO_EVIDENCE);
		assert_int_equal(decision.max_bytes, 64 * MIB);
		assert_int_equal(decision.max_entries, 256);
	}
}

static void lookups_that_no_size_can_serve_are_not_evidence(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(64 * MIB);

	(void)state;
	sample.reuse.bytes[BYTES_BUCKETS - 1] = 60;
	sample.reuse.depth[DEPTH_BUCKETS - 1] = 60;
	assert_int_equal(run(&tuner, &params, &sample, 50).max_bytes, 64 * MIB);
}

static void grows_at_once_to_the_plateau_and_one_buffer(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);
	struct tuner_decision decision;

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 40);
	reuse(&sample, 80 * MIB, 20, 20);
	decision = tuner_tick(&tuner, &params, &sample);
	assert_int_equal(decision.action, TUNER_GROW);
	assert_int_equal(decision.reason, TUNER_REUSE);
	assert_int_equal(decision.max_bytes, 80 * MIB + BUFFER);
	assert_true(decision.share_now < 0.7);
	assert_true(decision.share_then > 0.99);
}

static void what_is_not_reused_any_more_fades(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);
	unsigned int ticks = 0;

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 60);
	reuse(&sample, 57 * MIB, 19, 30);
	assert_int_equal(run(&tuner, &params, &sample, 10).max_bytes, 64 * MIB + BUFFER);
	/* The film is paused: a moment may pass, but not a minute. */
	memset(&sample.reuse, 0, sizeof(sample.reuse));
	reuse(&sample, 2 * BUFFER, 2, 60);
	while (run(&tuner, &params, &sample, 1).action == TUNER_KEEP)
		ticks++;
	assert_in_range(ticks, 5, 30);
	assert_int_equal(sample.limit_bytes, 3 * BUFFER);
}

static void a_pause_says_nothing(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	reuse(&sample, 80 * MIB, 20, 600);
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 88 * MIB);
	/* All outputs go off. */
	memset(&sample.reuse, 0, sizeof(sample.reuse));
	sample.active_bytes = sample.active_entries = 0;
	sample.idle_bytes = sample.idle_entries = 0;
	assert_int_equal(run(&tuner, &params, &sample, 600).max_bytes, 88 * MIB);
	sample.elapsed_ms = 3600 * 1000;
	assert_int_equal(run(&tuner, &params, &sample, 1).action, TUNER_KEEP);
}

static void what_does_not_fit_in_gets_the_whole_budget(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 58);
	reuse(&sample, 320 * MIB, 40, 2);
	assert_int_equal(run(&tuner, &params, &sample, 20).max_bytes, 24 * MIB);
	reuse(&sample, 320 * MIB, 40, 18);
	assert_int_equal(run(&tuner, &params, &sample, 20).max_bytes, 128 * MIB);
}

static void bytes_must_earn_their_keep(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	/* 96 MiB more for 4 % of the hits */
	reuse(&sample, 2 * BUFFER, 2, 960);
	reuse(&sample, 112 * MIB, 14, 40);
	assert_int_equal(run(&tuner, &params, &sample, 20).max_bytes, 24 * MIB);
}

static void of_sizes_that_do_the_least_is_wanted(void **state)
{
	struct tuner_params free_of_charge = params;
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(64 * MIB);

	(void)state;
	free_of_charge.cost_ppm_per_mib = 0;
	reuse(&sample, 2 * BUFFER, 2, 960);
	assert_int_equal(run(&tuner, &free_of_charge, &sample, 20).max_bytes, 3 * BUFFER);
}

static void never_outside_the_range(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(1 * GIB);
	uint64_t seed = 12345;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct tuner_decision decision;

		memset(&sample.reuse, 0, sizeof(sample.reuse));
		for (int j = 0; j < 5; j++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			sample.reuse.bytes[(seed >> 33) % BYTES_BUCKETS] += (seed >> 50) % 64;
			sample.reuse.depth[(seed >> 40) % DEPTH_BUCKETS] += (seed >> 50) % 64;
		}
		sample.pressure = !(seed >> 32 & 63);
		sample.wanted_bytes = seed >> 31 & 1 ? (seed >> 20) % GIB : 0;
		sample.coming_bytes = seed >> 30 & 1 ? (seed >> 19) % GIB : 0;
		sample.elapsed_ms = (seed >> 45) % 3000;
		decision = run(&tuner, &params, &sample, 1);
		assert_in_range(decision.max_bytes, params.min_bytes, params.max_bytes);
		assert_int_equal(decision.max_entries, params.max_entries);
		assert_true(decision.share_now >= 0 && decision.share_now <= 1 + 1e-9);
	}
}

static void a_limit_outside_the_range_is_brought_in_at_once(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(512 * MIB);
	struct tuner_decision decision = tuner_tick(&tuner, &params, &sample);

	(void)state;
	assert_int_equal(decision.reason, TUNER_RANGE);
	assert_int_equal(decision.max_bytes, params.max_bytes);
	sample = screen(0);
	memset(&tuner, 0, sizeof(tuner));
	decision = tuner_tick(&tuner, &params, &sample);
	assert_int_equal(decision.action, TUNER_GROW);
	assert_int_equal(decision.max_bytes, params.min_bytes);
}

static void a_holder_gets_what_it_asks_for_within_the_budget(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(16 * MIB);

	(void)state;
	sample.wanted_bytes = 100 * MIB;
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 100 * MIB);
	sample.wanted_bytes = 700 * MIB;
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 128 * MIB);
}

static void bytes_alone_limit(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(64 * MIB);
	struct tuner_decision decision;

	(void)state;
	sample.limit_entries = 32;
	decision = run(&tuner, &params, &sample, 1);
	assert_int_equal(decision.action, TUNER_GROW);
	assert_int_equal(decision.reason, TUNER_RANGE);
	assert_int_equal(decision.max_entries, params.max_entries);
	assert_int_equal(decision.max_bytes, 64 * MIB);
	sample.limit_entries = 1000;
	assert_int_equal(run(&tuner, &params, &sample, 1).action, TUNER_SHRINK);
	assert_int_equal(sample.limit_entries, params.max_entries);
	assert_int_equal(run(&tuner, &params, &sample, 1).action, TUNER_KEEP);
}

static void room_is_made_before_what_was_announced_comes(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);
	struct tuner_decision decision;

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 60);
	run(&tuner, &params, &sample, 3);
	sample.coming_bytes = 60 * MIB;
	decision = run(&tuner, &params, &sample, 1);
	assert_int_equal(decision.action, TUNER_GROW);
	assert_int_equal(decision.reason, TUNER_ANNOUNCED);
	assert_int_equal(decision.max_bytes, 84 * MIB);
	/* Asked for once, not again with every sample. */
	assert_int_equal(run(&tuner, &params, &sample, 4).max_bytes, 84 * MIB);

	/* It comes, and is judged by its flips from then on. */
	reuse(&sample, 80 * MIB, 22, 60);
	sample.coming_bytes = 0;
	assert_int_equal(run(&tuner, &params, &sample, 10).max_bytes, 88 * MIB);
}

static void what_was_announced_and_does_not_come_is_taken_back(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);
	struct tuner_decision decision;

	(void)state;
	/* Nothing flips. */
	sample.coming_bytes = 60 * MIB;
	assert_int_equal(run(&tuner, &params, &sample, 5).max_bytes, 84 * MIB);
	sample.coming_bytes = 0;
	decision = run(&tuner, &params, &sample, 1);
	assert_int_equal(decision.reason, TUNER_UNUSED);
	assert_int_equal(decision.max_bytes, 24 * MIB);

	/* Flips end before it times out: what they said still counts. */
	reuse(&sample, 2 * BUFFER, 2, 60);
	sample.coming_bytes = 60 * MIB;
	run(&tuner, &params, &sample, 1);
	memset(&sample.reuse, 0, sizeof(sample.reuse));
	sample.coming_bytes = 0;
	assert_int_equal(run(&tuner, &params, &sample, 10).max_bytes, 24 * MIB);
}

static void announcements_stay_within_the_budget(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	sample.coming_bytes = GIB;
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, params.max_bytes);
	sample.pressure = true;
	assert_true(run(&tuner, &params, &sample, 1).max_bytes < params.max_bytes);
}

static void pressure_leaves_what_flips_need(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);
	struct tuner_decision decision;

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 40);
	reuse(&sample, 80 * MIB, 20, 20);
	run(&tuner, &params, &sample, 3);
	assert_int_equal(sample.limit_bytes, 88 * MIB);
	for (int i = 0; i < 60; i++) {
		sample.pressure = true;
		decision = run(&tuner, &params, &sample, 1);
		assert_int_equal(decision.max_bytes, 88 * MIB);
		assert_int_equal(decision.reason, TUNER_PRESSURE);
	}
	/* What is not flipped to any more goes within seconds, and is had back as soon. */
	memset(&sample.reuse, 0, sizeof(sample.reuse));
	reuse(&sample, 2 * BUFFER, 2, 40);
	assert_int_equal(run(&tuner, &params, &sample, 6).max_bytes, 3 * BUFFER);
	reuse(&sample, 80 * MIB, 20, 20);
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 88 * MIB);
}

static void pressure_comes_before_what_others_ask_for(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 60);
	sample.wanted_bytes = 120 * MIB;
	assert_int_equal(run(&tuner, &params, &sample, 2).max_bytes, 120 * MIB);
	sample.coming_bytes = 8 * MIB;
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 128 * MIB);
	sample.pressure = true;
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 24 * MIB);
	assert_int_equal(run(&tuner, &params, &sample, 29).max_bytes, 24 * MIB);
	/* Afterwards they have it again. */
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 128 * MIB);
}

static void a_steady_load_comes_to_rest(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(128 * MIB);
	unsigned int changes = 0;

	(void)state;
	for (int i = 0; i < 600; i++) {
		memset(&sample.reuse, 0, sizeof(sample.reuse));
		reuse(&sample, (i % 3 ? 16 : 20) * MIB, i % 3 ? 2 : 3, 60);
		reuse(&sample, 60 * MIB, 12, i % 4 ? 1 : 5);
		changes += run(&tuner, &params, &sample, 1).action != TUNER_KEEP;
	}
	assert_true(changes <= 4);
}

static void explanations_name_action_sizes_and_reason(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);
	struct tuner_decision decision;
	char text[TUNER_EXPLANATION];

	(void)state;
	reuse(&sample, 80 * MIB, 20, 20);
	decision = tuner_tick(&tuner, &params, &sample);
	tuner_explain(&decision, sample.limit_bytes, text);
	assert_non_null(strstr(text, "grow 24.0 MiB -> 88.0 MiB"));
	assert_non_null(strstr(text, "0.0% -> 100.0% of 20 lookups"));
	assert_true(strlen(text) < TUNER_EXPLANATION - 1);
}

static void bounds_are_those_of_the_kernel(void **state)
{
	static const uint64_t depths[] = { 1, 2, 3, 4, 6, 8, 12, 16, 24 };

	(void)state;
	for (unsigned int i = 0; i < 9; i++)
		assert_int_equal(histogram_depth_bound(i), depths[i]);
	assert_int_equal(histogram_depth_bound(DEPTH_BOUNDS - 1), 65536);
	assert_int_equal(histogram_bytes_bound(0), MIB);
	assert_int_equal(histogram_bytes_bound(1), MIB + 256 * KIB);
	assert_int_equal(histogram_bytes_bound(4), 2 * MIB);
	assert_int_equal(histogram_bytes_bound(5), 2 * MIB + 512 * KIB);
	assert_int_equal(histogram_bytes_bound(BYTES_BOUNDS - 1), GIB);
	assert_int_equal(histogram_bytes_bucket(GIB + 1), BYTES_BOUNDS);
	assert_int_equal(histogram_bytes_bucket(MIB), 0);
	assert_int_equal(histogram_bytes_bucket(MIB + 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_evidence_nothing_changes),
		cmocka_unit_test(lookups_that_no_size_can_serve_are_not_evidence),
		cmocka_unit_test(grows_at_once_to_the_plateau_and_one_buffer),
		cmocka_unit_test(what_is_not_reused_any_more_fades),
		cmocka_unit_test(a_pause_says_nothing),
		cmocka_unit_test(what_does_not_fit_in_gets_the_whole_budget),
		cmocka_unit_test(bytes_must_earn_their_keep),
		cmocka_unit_test(of_sizes_that_do_the_least_is_wanted),
		cmocka_unit_test(never_outside_the_range),
		cmocka_unit_test(a_limit_outside_the_range_is_brought_in_at_once),
		cmocka_unit_test(a_holder_gets_what_it_asks_for_within_the_budget),
		cmocka_unit_test(bytes_alone_limit),
		cmocka_unit_test(room_is_made_before_what_was_announced_comes),
		cmocka_unit_test(what_was_announced_and_does_not_come_is_taken_back),
		cmocka_unit_test(announcements_stay_within_the_budget),
		cmocka_unit_test(pressure_leaves_what_flips_need),
		cmocka_unit_test(pressure_comes_before_what_others_ask_for),
		cmocka_unit_test(a_steady_load_comes_to_rest),
		cmocka_unit_test(explanations_name_action_sizes_and_reason),
		cmocka_unit_test(bounds_are_those_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
