// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the policies promise, one promise a test.  That they do exactly
 * what they should is what model_kunit.c is for.
 */

#include "fake_display.h"

#define MB	((u64)SZ_1M)
#define ROOM	16

enum { A, B, C, D, E, F };

static int policy_init(struct kunit *test)
{
	test->priv = fake_display_new(test, FAKE_WINDOW_BYTES);

	return 0;
}

static void policy_exit(struct kunit *test)
{
	fake_display_free(test->priv);
}

/* A display with so many buffers, and room for some of them. */
static struct fake_display *display_with(struct kunit *test, unsigned int buffers,
					 unsigned int room, enum msm_scanout_policy_kind kind)
{
	struct fake_display *display;

	fake_display_free(test->priv);
	display = fake_display_new(test, FAKE_WINDOW_BYTES);
	test->priv = display;
	display->log_ends = false;
	for (unsigned int i = 0; i < buffers; i++)
		fake_buffer_new(display, 2 * MB, false);
	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, room * 2 * MB);
	fake_limit(display, MSM_SCANOUT_MAX_ENTRIES_LIMIT, room);
	msm_scanout_cache_set_policy(&display->cache, kind);

	return display;
}

static void adaptive_is_the_default(struct kunit *test)
{
	struct msm_scanout_policy policy;

	msm_scanout_policy_init(&policy);
	KUNIT_EXPECT_EQ(test, policy.kind, MSM_SCANOUT_ADAPTIVE);
}

static u64 hits_of_a_ring(struct kunit *test, enum msm_scanout_policy_kind kind)
{
	struct fake_display *display = display_with(test, ROOM * 3 / 2, ROOM, kind);

	for (unsigned int i = 0; i < 3000; i++) {
		fake_flip(display, i % (ROOM * 3 / 2));
		fake_reap(display);
	}

	return display->cache.counters.hits;
}

static void a_ring_that_is_too_large_is_hit(struct kunit *test)
{
	struct fake_display *display;

	KUNIT_EXPECT_EQ(test, hits_of_a_ring(test, MSM_SCANOUT_LRU), 0);
	KUNIT_EXPECT_GE(test, hits_of_a_ring(test, MSM_SCANOUT_ADAPTIVE), 1900);

	display = test->priv;
	KUNIT_EXPECT_EQ(test, display->cache.policy.lead, 256);
}

/* Four buffers take turns for a while, then the next four: what is old is of no use. */
static u64 hits_of_changing_pools(struct kunit *test, enum msm_scanout_policy_kind kind)
{
	struct fake_display *display = display_with(test, ROOM * 4, ROOM, kind);

	for (unsigned int i = 0; i < 3200; i++) {
		fake_flip(display, i / 32 * 4 % (ROOM * 4) + i % 4);
		fake_reap(display);
	}

	return display->cache.counters.hits;
}

static void adaptive_is_no_worse_than_lru_where_lru_is_right(struct kunit *test)
{
	u64 lru = hits_of_changing_pools(test, MSM_SCANOUT_LRU);

	KUNIT_EXPECT_EQ(test, lru, 3200 / 32 * 28);
	KUNIT_EXPECT_GE(test, hits_of_changing_pools(test, MSM_SCANOUT_ADAPTIVE), lru);
}

/* A plane with 3 buffers flips twice as often as one with 9, and there is room for 3. */
static void two_planes(struct fake_display *display, unsigned int flips)
{
	for (unsigned int i = 0; i < flips; i++) {
		fake_flip(display, i % 3);
		if (i % 2)
			fake_flip(display, 3 + i / 2 % 9);
		fake_reap(display);
	}
}

static void adaptive_serves_the_faster_plane_first(struct kunit *test)
{
	struct fake_display *display = display_with(test, 12, 3, MSM_SCANOUT_ADAPTIVE);
	u64 hits = 0;

	two_planes(display, 600);
	for (unsigned int i = A; i <= C; i++)
		hits += display->buffer[i]->entry.hits;
	KUNIT_EXPECT_GE(test, hits, 540);
}

/* What was expected for long is in nobody's way. */
static void adaptive_gives_up_what_does_not_come_back(struct kunit *test)
{
	struct fake_display *display = display_with(test, 15, 3, MSM_SCANOUT_ADAPTIVE);
	u64 hits;

	two_planes(display, 600);
	KUNIT_EXPECT_EQ(test, display->cache.policy.lead, 256);
	hits = display->cache.counters.hits;
	for (unsigned int i = 0; i < 60; i++) {
		fake_flip(display, 12 + i % 3);
		fake_reap(display);
	}
	KUNIT_EXPECT_GE(test, display->cache.counters.hits - hits, 40);
}

static void a_new_policy_keeps_what_is_idle(struct kunit *test)
{
	static const enum msm_scanout_policy_kind all[] = {
		MSM_SCANOUT_ADAPTIVE, MSM_SCANOUT_LRU,
	};
	struct fake_display *display = display_with(test, 4, 4, MSM_SCANOUT_LRU);
	u64 generation;

	for (unsigned int i = A; i <= D; i++)
		fake_flip(display, i);
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		generation = display->cache.counters.generation;
		msm_scanout_cache_set_policy(&display->cache, all[i]);
		fake_check(display);
		KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "ABCD");
		KUNIT_EXPECT_EQ(test, display->cache.counters.generation, generation + 1);
	}
	KUNIT_EXPECT_EQ(test, display->unmaps, 0);
}

/* Age ends a mapping wherever it is in the order of eviction. */
static void mappings_go_at_the_timeout_under_any_policy(struct kunit *test)
{
	struct fake_display *display = display_with(test, 3, 4, MSM_SCANOUT_ADAPTIVE);

	/* A is expected back, so B goes before it although it came later. */
	fake_flip(display, A);
	fake_flip(display, A);
	fake_advance(display, 6ull * NSEC_PER_SEC);
	fake_flip(display, B);
	KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "BA");
	fake_advance(display, 5ull * NSEC_PER_SEC);
	KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "B");
}

static void snapshot_tells_the_policy(struct kunit *test)
{
	struct fake_display *display;

	hits_of_a_ring(test, MSM_SCANOUT_ADAPTIVE);
	display = test->priv;
	msm_scanout_cache_snapshot(&display->cache, &display->snap);
	KUNIT_EXPECT_EQ(test, display->snap.policy, MSM_SCANOUT_ADAPTIVE);
	KUNIT_EXPECT_EQ(test, display->snap.forecast_lead, 256);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(adaptive_is_the_default),
	KUNIT_CASE(a_ring_that_is_too_large_is_hit),
	KUNIT_CASE(adaptive_is_no_worse_than_lru_where_lru_is_right),
	KUNIT_CASE(adaptive_serves_the_faster_plane_first),
	KUNIT_CASE(adaptive_gives_up_what_does_not_come_back),
	KUNIT_CASE(a_new_policy_keeps_what_is_idle),
	KUNIT_CASE(mappings_go_at_the_timeout_under_any_policy),
	KUNIT_CASE(snapshot_tells_the_policy),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "msm_scanout_cache_policy",
	.init = policy_init,
	.exit = policy_exit,
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);
