// SPDX-License-Identifier: MIT
/* What should have been a hit, why it was not, and how long mappings may therefore be idle. */
#include "cmocka_all.h"

#include <string.h>

#include "losses.h"
#include "timeout.h"
#include "units.h"

#define BUFFER (8 * MIB)

static const struct timeout_range range = { .min_ms = 2000, .max_ms = 10000 };
static struct histograms reuse;
static struct losses losses;
static struct timeout timeout;

static int setup(void **state)
{
	(void)state;
	memset(&reuse, 0, sizeof(reuse));
	memset(&losses, 0, sizeof(losses));
	memset(&timeout, 0, sizeof(timeout));
	return 0;
}

static void lookups(uint64_t bytes, uint64_t depth, uint64_t count)
{
	reuse.bytes[histogram_bytes_bucket(bytes)] += count;
	reuse.depth[histogram_depth_bucket(depth)] += count;
}

static struct lost take(uint64_t limit, uint64_t hits, uint64_t misses, uint64_t ended)
{
	struct losses_sample sample = {
		.reuse = &reuse,
		.hits = hits,
		.misses = misses,
		.ended = ended,
		.limit_bytes = limit,
		.limit_entries = 32,
	};

	return losses_take(&losses, &sample);
}

static void beyond_the_limit_nothing_is_lost(void **state)
{
	struct lost lost;

	(void)state;
	lookups(2 * BUFFER, 2, 40);
	lookups(20 * BUFFER, 20, 60);
	take(3 * BUFFER, 40, 60, 0);
	lost = take(3 * BUFFER, 40, 60, 0);
	assert_int_equal(lost.by_age, 0);
	assert_int_equal(lost.by_size, 0);
}

static void a_mapping_that_ended_is_missed_once(void **state)
{
	struct lost lost;

	(void)state;
	take(16 * BUFFER, 0, 0, 5);
	lookups(8 * BUFFER, 8, 60);
	lost = take(16 * BUFFER, 56, 4, 0);
	assert_int_equal(lost.by_age, 4);
	assert_int_equal(lost.by_size, 0);
	lost = take(16 * BUFFER, 30, 30, 0);
	assert_int_equal(lost.by_age, 1);
	assert_int_equal(lost.by_size, 29);
	lost = take(16 * BUFFER, 60, 0, 0);
	assert_int_equal(lost.by_age + lost.by_size, 0);
}

static void no_more_is_lost_than_was_missed(void **state)
{
	struct lost lost;

	(void)state;
	/* Histograms are read a little later than counters. */
	lookups(2 * BUFFER, 2, 70);
	take(16 * BUFFER, 60, 0, 9);
	lost = take(16 * BUFFER, 60, 0, 0);
	assert_int_equal(lost.by_age + lost.by_size, 0);
}

static void of_a_limit_that_changed_the_smaller_one_counts(void **state)
{
	struct lost lost;

	(void)state;
	lookups(8 * BUFFER, 8, 60);
	take(4 * BUFFER, 0, 60, 0);
	lost = take(16 * BUFFER, 0, 60, 0);
	assert_int_equal(lost.by_size, 0);
	lost = take(16 * BUFFER, 0, 60, 0);
	assert_int_equal(lost.by_size, 60);
}

static unsigned int pass(unsigned int seconds, uint64_t lost)
{
	unsigned int ms = 0;

	while (seconds--)
		ms = timeout_choose(&timeout, &range, 1000, lost, 60, 10000);
	return ms;
}

static void it_is_shortened_while_nothing_is_lost(void **state)
{
	(void)state;
	assert_int_equal(pass(4, 0), 10000);
	assert_int_equal(pass(1, 0), 5000);
	assert_int_equal(pass(5, 0), 2500);
	assert_int_equal(pass(5, 0), 2000);
	assert_int_equal(pass(100, 0), 2000);
}

static void without_flips_it_stays(void **state)
{
	(void)state;
	pass(7, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(timeout_choose(&timeout, &range, 1000, 0, 0, 10000), 5000);
}

static void what_hurt_is_tried_again_later_and_later(void **state)
{
	unsigned int waited;

	(void)state;
	while (pass(1, 0) != 2500)
		;
	for (unsigned int round = 0; round < 8; round++) {
		/* A pool of twenty is missed. */
		assert_int_equal(pass(1, 20), 10000);
		/* What did not hurt is found again soon. */
		assert_int_equal(pass(5, 0), 5000);
		for (waited = 5; pass(1, 0) > 2500; waited++)
			assert_int_equal(timeout.ms, 5000);
		assert_in_range(waited, round < 5 ? (30U << round) - 1 : 599,
				round < 5 ? 30U << round : 600);
	}
}

static void a_loss_now_and_then_is_accepted(void **state)
{
	(void)state;
	pass(60, 0);
	/* One in 1200 lookups */
	for (int i = 0; i < 20; i++) {
		assert_int_equal(pass(1, 1), 2000);
		assert_int_equal(pass(19, 0), 2000);
	}
}

static void what_is_found_is_taken_over_within_the_range(void **state)
{
	(void)state;
	assert_int_equal(timeout_choose(&timeout, &range, 1000, 0, 0, 3000), 3000);
	memset(&timeout, 0, sizeof(timeout));
	assert_int_equal(timeout_choose(&timeout, &range, 1000, 0, 0, 100), 2000);
	memset(&timeout, 0, sizeof(timeout));
	assert_int_equal(timeout_choose(&timeout, &range, 1000, 0, 0, 60000), 10000);
}

#define FRESH(_test) cmocka_unit_test_setup(_test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(beyond_the_limit_nothing_is_lost),
		FRESH(a_mapping_that_ended_is_missed_once),
		FRESH(no_more_is_lost_than_was_missed),
		FRESH(of_a_limit_that_changed_the_smaller_one_counts),
		FRESH(it_is_shortened_while_nothing_is_lost),
		FRESH(without_flips_it_stays),
		FRESH(what_hurt_is_tried_again_later_and_later),
		FRESH(a_loss_now_and_then_is_accepted),
		FRESH(what_is_found_is_taken_over_within_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
