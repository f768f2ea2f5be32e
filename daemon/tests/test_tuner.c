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
		.limit_entries = 32,
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
		assert_int_equal(decision.max_entries, 32);
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

static void shrinks_only_after_quiet_ticks(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(128 * MIB);
	struct tuner_decision decision;

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 60);
	/* What was reused before, and is not any more, is still there. */
	sample.idle_bytes = 10 * BUFFER;
	sample.idle_entries = 10;
	for (int i = 0; i < 4; i++) {
		decision = run(&tuner, &params, &sample, 1);
		assert_int_equal(decision.action, TUNER_KEEP);
		assert_int_equal(decision.reason, TUNER_WAITING);
	}
	decision = run(&tuner, &params, &sample, 1);
	assert_int_equal(decision.action, TUNER_SHRINK);
	assert_int_equal(decision.reason, TUNER_QUIET);
	assert_int_equal(decision.max_bytes, 3 * BUFFER);
}

static void a_limit_that_nothing_fills_stays_for_what_comes_next(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(128 * MIB);
	struct tuner_decision decision = { 0 };
	uint64_t ticks = params.shrink_unused_after_ms / 1000;

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 60);
	for (uint64_t i = 1; i < ticks; i++) {
		/* A moment in which more was idle is not a while. */
		sample.idle_entries = i % 4 ? 2 : 10;
		sample.idle_bytes = sample.idle_entries * BUFFER;
		decision = run(&tuner, &params, &sample, 1);
		assert_int_equal(decision.max_bytes, 128 * MIB);
		assert_int_equal(decision.reason, i % 4 ? TUNER_ROOMY : TUNER_WAITING);
	}
	/* But not for ever. */
	sample.idle_bytes = 2 * BUFFER;
	sample.idle_entries = 2;
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 3 * BUFFER);
}

static void shrinks_to_the_largest_size_wanted_meanwhile(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(128 * MIB);
	struct tuner_decision decision = { 0 };

	(void)state;
	sample.idle_bytes = 128 * MIB;
	sample.idle_entries = 16;
	for (int i = 0; i < 5; i++) {
		memset(&sample.reuse, 0, sizeof(sample.reuse));
		reuse(&sample, 2 * BUFFER, 2, 60);
		if (i == 0)
			reuse(&sample, 64 * MIB, 8, 60);
		decision = run(&tuner, &params, &sample, 1);
	}
	assert_int_equal(decision.action, TUNER_SHRINK);
	assert_int_equal(decision.max_bytes, 64 * MIB + BUFFER);
}

static void a_pause_is_not_evidence_for_shrinking(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(128 * MIB);

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 600);
	run(&tuner, &params, &sample, 1);
	sample.elapsed_ms = 3600 * 1000;
	assert_int_equal(run(&tuner, &params, &sample, 1).action, TUNER_KEEP);
}

static void waits_longer_after_growing(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);
	int waited = 0;

	(void)state;
	reuse(&sample, 80 * MIB, 10, 60);
	assert_int_equal(run(&tuner, &params, &sample, 1).action, TUNER_GROW);
	memset(&tuner.evidence, 0, sizeof(tuner.evidence));
	memset(&sample.reuse, 0, sizeof(sample.reuse));
	reuse(&sample, 2 * BUFFER, 2, 60);
	sample.idle_bytes = 10 * BUFFER;
	sample.idle_entries = 10;
	while (run(&tuner, &params, &sample, 1).action == TUNER_KEEP)
		waited++;
	assert_int_equal(waited, 6);
}

static void a_cliff_beyond_the_budget_is_not_climbed_halfway(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 40);
	reuse(&sample, 320 * MIB, 40, 20);
	assert_int_equal(run(&tuner, &params, &sample, 20).max_bytes, 24 * MIB);
}

static void bytes_must_earn_their_keep(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	/* 96 MiB more for 0.5 % of the hits */
	reuse(&sample, 2 * BUFFER, 2, 995);
	reuse(&sample, 112 * MIB, 14, 5);
	assert_int_equal(run(&tuner, &params, &sample, 20).max_bytes, 24 * MIB);
}

static void small_buffers_are_judged_by_their_bytes(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	/* The same gain is worth it for half a MiB. */
	reuse(&sample, 16 * MIB, 2, 995);
	reuse(&sample, 20 * MIB, 40, 5);
	assert_true(run(&tuner, &params, &sample, 1).max_entries > 40);
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
		sample.coming_entries = sample.coming_bytes ? (seed >> 18) % UINT32_MAX : 0;
		sample.elapsed_ms = (seed >> 45) % 3000;
		decision = run(&tuner, &params, &sample, 1);
		assert_in_range(decision.max_bytes, params.min_bytes, params.max_bytes);
		assert_in_range(decision.max_entries, params.min_entries, params.max_entries);
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
	decision = tuner_tick(&tuner, &params, &sample);
	assert_int_equal(decision.action, TUNER_GROW);
	assert_int_equal(decision.max_bytes, params.min_bytes);
}

static void what_is_on_the_screen_is_a_floor(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(16 * MIB);
	struct tuner_decision decision;

	(void)state;
	sample.active_bytes = 4 * 32 * MIB;
	sample.active_entries = 4;
	/* One sample may have caught a flip under way. */
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 16 * MIB);
	decision = run(&tuner, &params, &sample, 1);
	assert_int_equal(decision.reason, TUNER_FLOOR);
	assert_int_equal(decision.max_bytes, 128 * MIB);
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

static void an_announced_change_defers_shrinking(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(128 * MIB);

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 60);
	sample.idle_bytes = 10 * BUFFER;
	sample.idle_entries = 10;
	sample.expect_change = true;
	assert_int_equal(run(&tuner, &params, &sample, 30).max_bytes, 128 * MIB);
	sample.expect_change = false;
	assert_int_equal(run(&tuner, &params, &sample, 5).action, TUNER_SHRINK);
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
	sample.coming_entries = 40;
	sample.expect_change = true;
	decision = run(&tuner, &params, &sample, 1);
	assert_int_equal(decision.action, TUNER_GROW);
	assert_int_equal(decision.reason, TUNER_ANNOUNCED);
	assert_int_equal(decision.max_bytes, 84 * MIB);
	assert_int_equal(decision.max_entries, 72);
	/* Asked for once, not again with every sample. */
	assert_int_equal(run(&tuner, &params, &sample, 4).max_bytes, 84 * MIB);

	/* It comes, and is judged by its flips from then on. */
	reuse(&sample, 80 * MIB, 22, 60);
	sample.coming_bytes = 0;
	sample.coming_entries = 0;
	sample.expect_change = false;
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
	sample.coming_entries = 20;
	assert_int_equal(run(&tuner, &params, &sample, 5).max_bytes, 84 * MIB);
	sample.coming_bytes = 0;
	sample.coming_entries = 0;
	decision = run(&tuner, &params, &sample, 1);
	assert_int_equal(decision.reason, TUNER_EXPIRED);
	assert_int_equal(decision.max_bytes, 24 * MIB);
	assert_int_equal(decision.max_entries, 32);

	/* Flips end before it times out: what they said is not said any more. */
	reuse(&sample, 2 * BUFFER, 2, 60);
	sample.coming_bytes = 60 * MIB;
	run(&tuner, &params, &sample, 1);
	memset(&sample.reuse, 0, sizeof(sample.reuse));
	sample.coming_bytes = 0;
	assert_int_equal(run(&tuner, &params, &sample, 10).max_bytes, 24 * MIB);

	/* Only the desktop flips, and something that never comes back fills the room. */
	reuse(&sample, 2 * BUFFER, 2, 60);
	sample.coming_bytes = 60 * MIB;
	assert_int_equal(run(&tuner, &params, &sample, 5).max_bytes, 84 * MIB);
	sample.coming_bytes = 0;
	sample.idle_bytes = 80 * MIB;
	sample.idle_entries = 10;
	assert_int_equal(run(&tuner, &params, &sample, 10).max_bytes, 24 * MIB);
}

static void announcements_stay_within_the_budget(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	sample.coming_bytes = GIB;
	sample.coming_entries = UINT32_MAX;
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, params.max_bytes);
	assert_int_equal(sample.limit_entries, params.max_entries);
	sample.pressure = true;
	assert_true(run(&tuner, &params, &sample, 1).max_bytes < params.max_bytes);
}

static void pressure_falls_back_to_the_plateau_below_and_holds(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(96 * MIB);
	struct tuner_decision decision;

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 40);
	reuse(&sample, 80 * MIB, 20, 20);
	sample.pressure = true;
	decision = run(&tuner, &params, &sample, 1);
	assert_int_equal(decision.action, TUNER_SHRINK);
	assert_int_equal(decision.reason, TUNER_PRESSURE);
	assert_int_equal(decision.max_bytes, 16 * MIB);
	for (int i = 0; i < 29; i++)
		assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 16 * MIB);
	/* Then in steps, not in one. */
	decision = run(&tuner, &params, &sample, 1);
	assert_true(decision.max_bytes <= 24 * MIB);
	assert_int_equal(run(&tuner, &params, &sample, 120).max_bytes, 88 * MIB);
}

static void pressure_comes_before_holders_but_not_before_the_screen(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(120 * MIB);

	(void)state;
	sample.active_bytes = 40 * MIB;
	sample.active_entries = 2;
	sample.wanted_bytes = 120 * MIB;
	run(&tuner, &params, &sample, 2);
	for (int i = 0; i < 20; i++) {
		sample.pressure = true;
		run(&tuner, &params, &sample, 1);
	}
	assert_int_equal(sample.limit_bytes, 40 * MIB);
}

static void outputs_said_to_go_off_are_trimmed_at_the_first_sample(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(64 * MIB);

	(void)state;
	run(&tuner, &params, &sample, 2);
	sample.expect_off = true;
	assert_false(run(&tuner, &params, &sample, 1).trim);
	sample.active_bytes = 0;
	sample.active_entries = 0;
	assert_true(run(&tuner, &params, &sample, 1).trim);
	assert_false(run(&tuner, &params, &sample, 1).trim);
}

static void trims_once_when_the_outputs_go_off(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(64 * MIB);

	(void)state;
	assert_false(run(&tuner, &params, &sample, 1).trim);
	sample.active_bytes = 0;
	sample.active_entries = 0;
	assert_false(run(&tuner, &params, &sample, 1).trim);
	assert_true(run(&tuner, &params, &sample, 1).trim);
	assert_false(run(&tuner, &params, &sample, 1).trim);
	assert_int_equal(sample.limit_bytes, 64 * MIB);
}

static void dip_is_chosen_only_when_offered_and_the_budget_binds(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(24 * MIB);

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 40);
	reuse(&sample, 320 * MIB, 40, 20);
	assert_false(run(&tuner, &params, &sample, 1).dip);
	sample.dip_offered = true;
	assert_true(run(&tuner, &params, &sample, 1).dip);
	assert_int_equal(sample.limit_bytes, 128 * MIB);
	memset(&tuner, 0, sizeof(tuner));
	memset(&sample.reuse, 0, sizeof(sample.reuse));
	reuse(&sample, 2 * BUFFER, 2, 40);
	/* It takes a while to be sure. */
	sample.dip_chosen = true;
	assert_true(run(&tuner, &params, &sample, 9).dip);
	assert_false(run(&tuner, &params, &sample, 1).dip);
}

static void what_a_commit_takes_first_is_learnt_from_what_was_no_hit(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(72 * MIB);

	(void)state;
	/* Two planes: by their distances all fit, but in truth a third does not. */
	sample.active_bytes = 3 * BUFFER;
	sample.active_entries = 2;
	reuse(&sample, 60 * MIB, 20, 90);
	sample.hits = 90;
	run(&tuner, &params, &sample, 5);
	assert_int_equal(sample.limit_bytes, 64 * MIB + 3 * BUFFER / 2);
	sample.hits = 60;
	sample.misses = 30;
	assert_int_equal(run(&tuner, &params, &sample, 1).max_bytes, 64 * MIB + 3 * BUFFER);
	/* It does not forget. */
	sample.hits = 90;
	sample.misses = 0;
	assert_int_equal(run(&tuner, &params, &sample, 50).max_bytes, 64 * MIB + 3 * BUFFER);
}

static void idle_timeout_is_the_shortest_while_off_and_comes_back(void **state)
{
	struct tuner tuner = { 0 };
	struct tuner_sample sample = screen(64 * MIB);

	(void)state;
	reuse(&sample, 2 * BUFFER, 2, 60);
	sample.hits = 60;
	sample.idle_timeout_ms = 10000;
	assert_int_equal(run(&tuner, &params, &sample, 1).idle_timeout_ms, 10000);
	memset(&sample.reuse, 0, sizeof(sample.reuse));
	sample.hits = 0;
	sample.active_entries = 0;
	sample.active_bytes = 0;
	assert_int_equal(run(&tuner, &params, &sample, 2).idle_timeout_ms,
			 params.idle_timeout.min_ms);
	sample.idle_timeout_ms = params.idle_timeout.min_ms;
	sample.active_entries = 1;
	assert_int_equal(run(&tuner, &params, &sample, 1).idle_timeout_ms, 10000);
	/* Under DIP nobody knows what is lost by age. */
	reuse(&sample, 2 * BUFFER, 2, 60);
	sample.hits = 60;
	sample.idle_timeout_ms = 10000;
	sample.dip_chosen = true;
	assert_int_equal(run(&tuner, &params, &sample, 60).idle_timeout_ms, 10000);
	sample.dip_chosen = false;
	assert_int_equal(run(&tuner, &params, &sample, 60).idle_timeout_ms,
			 params.idle_timeout.min_ms);
	/* Not to be chosen: somebody set it to never. */
	sample.idle_timeout_ms = 0;
	assert_int_equal(run(&tuner, &params, &sample, 1).idle_timeout_ms, 0);
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
		cmocka_unit_test(shrinks_only_after_quiet_ticks),
		cmocka_unit_test(a_limit_that_nothing_fills_stays_for_what_comes_next),
		cmocka_unit_test(shrinks_to_the_largest_size_wanted_meanwhile),
		cmocka_unit_test(a_pause_is_not_evidence_for_shrinking),
		cmocka_unit_test(waits_longer_after_growing),
		cmocka_unit_test(a_cliff_beyond_the_budget_is_not_climbed_halfway),
		cmocka_unit_test(bytes_must_earn_their_keep),
		cmocka_unit_test(small_buffers_are_judged_by_their_bytes),
		cmocka_unit_test(never_outside_the_range),
		cmocka_unit_test(a_limit_outside_the_range_is_brought_in_at_once),
		cmocka_unit_test(what_is_on_the_screen_is_a_floor),
		cmocka_unit_test(a_holder_gets_what_it_asks_for_within_the_budget),
		cmocka_unit_test(an_announced_change_defers_shrinking),
		cmocka_unit_test(room_is_made_before_what_was_announced_comes),
		cmocka_unit_test(what_was_announced_and_does_not_come_is_taken_back),
		cmocka_unit_test(announcements_stay_within_the_budget),
		cmocka_unit_test(outputs_said_to_go_off_are_trimmed_at_the_first_sample),
		cmocka_unit_test(pressure_falls_back_to_the_plateau_below_and_holds),
		cmocka_unit_test(pressure_comes_before_holders_but_not_before_the_screen),
		cmocka_unit_test(trims_once_when_the_outputs_go_off),
		cmocka_unit_test(dip_is_chosen_only_when_offered_and_the_budget_binds),
		cmocka_unit_test(what_a_commit_takes_first_is_learnt_from_what_was_no_hit),
		cmocka_unit_test(idle_timeout_is_the_shortest_while_off_and_comes_back),
		cmocka_unit_test(a_steady_load_comes_to_rest),
		cmocka_unit_test(explanations_name_action_sizes_and_reason),
		cmocka_unit_test(bounds_are_those_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
