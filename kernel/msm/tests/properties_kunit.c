// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the scanout mapping cache promises, one promise a test.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/prandom.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "fake_display.h"

#define KB	((u64)SZ_1K)
#define MB	((u64)SZ_1M)
#define MS	((u64)NSEC_PER_MSEC)
#define SEC	((u64)NSEC_PER_SEC)

/* Long enough for a thread that could go on to have gone on. */
#define A_WHILE_MS	50

/* A test that wants another window than this does it by itself. */
static int display_init(struct kunit *test)
{
	test->priv = fake_display_new(test, FAKE_WINDOW_BYTES);

	return 0;
}

static void display_exit(struct kunit *test)
{
	fake_display_free(test->priv);
}

static struct fake_display *display_with_window(struct kunit *test, u64 bytes)
{
	fake_display_free(test->priv);
	test->priv = fake_display_new(test, bytes);

	return test->priv;
}

/* All buffers of a test are in one array: A is 0, B is 1. */
enum { A, B, C, D, E, F, G, H };

static void buffers(struct fake_display *display, unsigned int n, u64 bytes)
{
	while (n--)
		fake_buffer_new(display, bytes, false);
}

static void imports(struct fake_display *display, unsigned int n, u64 bytes)
{
	while (n--)
		fake_buffer_new(display, bytes, true);
}

static void bounds(struct fake_display *display, u64 bytes, u64 entries)
{
	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, bytes);
	fake_limit(display, MSM_SCANOUT_MAX_ENTRIES_LIMIT, entries);
}

static struct msm_scanout_entry *entry_of(struct fake_display *display, unsigned int index)
{
	return &display->buffer[index]->entry;
}

static unsigned int mappings_of(struct fake_display *display, unsigned int index)
{
	return fake_mapped(display, entry_of(display, index));
}

static void trim(struct fake_display *display, u64 bytes)
{
	msm_scanout_cache_trim(&display->cache, bytes, MSM_SCANOUT_TRIM);
	fake_check(display);
}

static void expect_counter(struct kunit *test, const char *name, u64 value, u64 expected)
{
	KUNIT_EXPECT_EQ_MSG(test, value, expected, "counter %s", name);
}

/* The generation is not compared: it counts how a test was set up. */
static void expect_counters(struct fake_display *display,
			    const struct msm_scanout_counters *expected)
{
	const struct msm_scanout_counters *c = &display->cache.counters;
	struct kunit *test = display->test;

	expect_counter(test, "hits", c->hits, expected->hits);
	expect_counter(test, "misses", c->misses, expected->misses);
	expect_counter(test, "inserts", c->inserts, expected->inserts);
	expect_counter(test, "evictions", c->evictions, expected->evictions);
	expect_counter(test, "evictions_age", c->evictions_age, expected->evictions_age);
	expect_counter(test, "evictions_pressure", c->evictions_pressure,
		       expected->evictions_pressure);
	expect_counter(test, "invalidations", c->invalidations, expected->invalidations);
	expect_counter(test, "rescues", c->rescues, expected->rescues);
	expect_counter(test, "batches", c->batches, expected->batches);
	expect_counter(test, "lingers", c->lingers, expected->lingers);
	expect_counter(test, "map_failures", c->map_failures, expected->map_failures);
	expect_counter(test, "window_full", c->window_full, expected->window_full);
	expect_counter(test, "map_ns", c->map_ns, expected->map_ns);
	expect_counter(test, "unmap_ns", c->unmap_ns, expected->unmap_ns);
}

/*
 * Lookup
 */

static void first_lookup_maps(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 1, 4 * MB);
	fake_show(display, A);
	KUNIT_EXPECT_EQ(test, display->maps, 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "a");
	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 1, .inserts = 1,
	});
}

static void lookup_of_idle_finds_the_same_address(struct kunit *test)
{
	struct fake_display *display = test->priv;
	u64 iova;

	buffers(display, 2, 4 * MB);
	iova = fake_show(display, A);
	fake_hide(display, A);
	fake_flip(display, B);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "ii");
	KUNIT_EXPECT_EQ(test, fake_show(display, A), iova);
	KUNIT_EXPECT_EQ(test, display->maps, 2);
	KUNIT_EXPECT_EQ(test, display->unmaps, 0);
	KUNIT_EXPECT_EQ(test, entry_of(display, A)->hits, 1);
}

static void users_share_one_mapping(struct kunit *test)
{
	struct fake_display *display = test->priv;
	u64 iova;

	buffers(display, 1, 4 * MB);
	iova = fake_show(display, A);
	KUNIT_EXPECT_EQ(test, fake_show(display, A), iova);
	KUNIT_EXPECT_EQ(test, fake_show(display, A), iova);
	KUNIT_EXPECT_EQ(test, display->maps, 1);

	fake_hide(display, A);
	fake_hide(display, A);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "a");
	fake_hide(display, A);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "i");
}

/* A hole that small buffers left is large enough for a large one, but not where it may begin. */
static void large_slots_are_aligned_in_any_hole(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 5, 225 * SZ_4K);
	buffers(display, 1, 2 * MB);
	for (unsigned int i = A; i <= E; i++)
		fake_show(display, i);
	for (unsigned int i = B; i <= D; i++) {
		fake_hide(display, i);
		msm_scanout_cache_invalidate(entry_of(display, i), MSM_SCANOUT_FREE);
	}
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(fake_show(display, F), 2 * MB));
}

/* So as not to break up what large ones need. */
static void small_slots_are_at_the_other_end(struct kunit *test)
{
	struct fake_display *display = test->priv;
	u64 end = FAKE_WINDOW_START + FAKE_WINDOW_BYTES;

	buffers(display, 2, SZ_4K);
	buffers(display, 1, 2 * MB);
	KUNIT_EXPECT_EQ(test, fake_show(display, A), end - SZ_4K);
	KUNIT_EXPECT_EQ(test, fake_show(display, B), end - 2 * SZ_4K);
	KUNIT_EXPECT_EQ(test, fake_show(display, C), FAKE_WINDOW_START);
}

static void a_pool_within_bounds_is_mapped_once(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 3, 8 * MB);
	for (unsigned int i = 0; i < 300; i++)
		fake_flip(display, i % 3);

	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 3, .inserts = 3, .hits = 297,
	});
}

/* Every counter but generation, through every kind of transition but window_full. */
static void counters_are_exact_for_a_scripted_sequence(struct kunit *test)
{
	struct fake_display *display = test->priv;
	u64 iova;

	buffers(display, 4, 2 * MB);
	imports(display, 1, 2 * MB);
	bounds(display, 64 * MB, 3);
	display->map_takes_ns = 1000;
	display->unmap_takes_ns = 300;

	fake_flip(display, A);
	fake_show(display, A);
	fake_show(display, A);
	fake_hide(display, A);
	fake_hide(display, A);
	fake_flip(display, B);
	fake_flip(display, C);
	fake_flip(display, D);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qiii-");
	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 4, .inserts = 4, .hits = 1, .map_ns = 4000,
	});

	/* A comes back, so B has to go. */
	fake_flip(display, A);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iqii-");
	fake_reap(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "i-ii-");
	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 4, .inserts = 4, .hits = 2, .rescues = 1, .evictions = 1,
		.batches = 1, .map_ns = 4000, .unmap_ns = 300,
	});

	/* C is evicted for B; that its pages are then taken is no second eviction. */
	fake_flip(display, B);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iiqi-");
	msm_scanout_cache_invalidate(entry_of(display, C), MSM_SCANOUT_MEMORY);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "ii-i-");
	msm_scanout_cache_invalidate(entry_of(display, D), MSM_SCANOUT_MEMORY);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "ii---");
	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 5, .inserts = 5, .hits = 2, .rescues = 1, .evictions = 2,
		.evictions_pressure = 1, .batches = 3,
		.map_ns = 5000, .unmap_ns = 900,
	});

	trim(display, 0);
	fake_reap(display);
	display->map_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, msm_scanout_cache_get(entry_of(display, D), &iova), -ENOMEM);
	display->map_error = 0;
	fake_flip(display, E);
	fake_flip(display, C);
	msm_scanout_cache_invalidate(entry_of(display, C), MSM_SCANOUT_DROP);
	fake_advance(display, 20 * SEC);
	fake_reap(display);
	fake_release(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-----");
	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 8, .inserts = 7, .hits = 2, .rescues = 1, .evictions = 4,
		.evictions_pressure = 1, .evictions_age = 1, .invalidations = 1,
		.batches = 6, .lingers = 1, .map_failures = 1,
		.map_ns = 7000, .unmap_ns = 2100,
	});
}

static void each_reason_has_its_counter(struct kunit *test)
{
	static const struct {
		enum msm_scanout_reason reason;
		struct msm_scanout_counters expected;
	} reasons[] = {
		{ MSM_SCANOUT_MEMORY, { .evictions_pressure = 1 } },
		{ MSM_SCANOUT_FREE, { .invalidations = 1 } },
		{ MSM_SCANOUT_DROP, { .invalidations = 1 } },
		{ MSM_SCANOUT_DRAIN, { .invalidations = 1 } },
		{ MSM_SCANOUT_TRIM, { .evictions = 1 } },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(reasons); i++) {
		struct fake_display *display = display_with_window(test, FAKE_WINDOW_BYTES);
		struct msm_scanout_counters expected = reasons[i].expected;

		buffers(display, 1, 2 * MB);
		fake_flip(display, A);
		if (reasons[i].reason == MSM_SCANOUT_TRIM)
			msm_scanout_cache_trim(&display->cache, 0, reasons[i].reason);
		else
			msm_scanout_cache_invalidate(entry_of(display, A), reasons[i].reason);
		msm_scanout_cache_settle(&display->cache);

		expected.misses = 1;
		expected.inserts = 1;
		expected.batches = 1;
		expect_counters(display, &expected);
		KUNIT_EXPECT_EQ(test, display->ends, 1);
		KUNIT_EXPECT_EQ(test, display->end[0].reason, reasons[i].reason);
	}
}

static void flips_are_counted(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_snapshot *snap = kunit_kzalloc(test, sizeof(*snap), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, snap);
	msm_scanout_cache_note_flip(&display->cache);
	msm_scanout_cache_note_flip(&display->cache);
	msm_scanout_cache_snapshot(&display->cache, snap);
	KUNIT_EXPECT_EQ(test, snap->flips, 2);
}

static void optional_operations_may_be_missing(struct kunit *test)
{
	struct fake_display *display = test->priv;

	display->ops.flush = NULL;
	display->ops.event = NULL;
	buffers(display, 3, 2 * MB);
	bounds(display, 4 * MB, 32);
	fake_flip(display, A);
	fake_flip(display, B);
	fake_flip(display, C);
	fake_reap(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-ii");
	KUNIT_EXPECT_EQ(test, display->flushes, 0);
}

/*
 * Order of eviction
 */

static void victims_are_those_idle_for_longest(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 8, 2 * MB);
	bounds(display, 64 * MB, 5);
	for (unsigned int i = A; i <= E; i++)
		fake_flip(display, i);
	KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "ABCDE");

	fake_flip(display, F);
	KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "BCDEF");
	fake_flip(display, G);
	KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "CDEFG");
	KUNIT_EXPECT_EQ(test, display->ends, 2);
	KUNIT_EXPECT_PTR_EQ(test, display->end[0].entry, entry_of(display, A));
	KUNIT_EXPECT_PTR_EQ(test, display->end[1].entry, entry_of(display, B));
}

static void use_makes_a_buffer_the_last_victim(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 5, 2 * MB);
	bounds(display, 64 * MB, 4);
	for (unsigned int i = A; i <= D; i++)
		fake_flip(display, i);
	fake_flip(display, A);
	fake_flip(display, C);
	KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "BDAC");
	fake_flip(display, E);
	KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "DACE");
}

/* What counts is when a buffer left the screen, not when it came there. */
static void order_is_that_of_leaving_the_screen(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 3, 2 * MB);
	fake_show(display, A);
	fake_show(display, B);
	fake_show(display, C);
	fake_hide(display, B);
	fake_hide(display, C);
	fake_hide(display, A);
	KUNIT_EXPECT_STREQ(test, fake_idle_order(display), "BCA");
	trim(display, 2 * MB);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iqq");
}

static void trim_keeps_the_most_recently_used(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 4, 4 * MB);
	for (unsigned int i = A; i <= D; i++)
		fake_flip(display, i);

	trim(display, 16 * MB);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iiii");
	trim(display, 16 * MB - 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qiii");
	trim(display, 9 * MB);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qqii");
	trim(display, 0);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qqqq");

	/* Trim is no limit. */
	fake_flip(display, A);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iqqq");
}

static void buffers_in_use_are_never_evicted(struct kunit *test)
{
	struct fake_display *display = test->priv;
	u64 iova;

	imports(display, 3, 8 * MB);
	iova = fake_show(display, A);
	fake_show(display, B);
	fake_show(display, C);

	trim(display, 0);
	bounds(display, 1, 1);
	fake_advance(display, 3600 * SEC);
	msm_scanout_cache_expire(&display->cache);
	fake_reap(display);
	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 0);
	msm_scanout_cache_settle(&display->cache);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "aaa");
	KUNIT_EXPECT_EQ(test, display->unmaps, 0);

	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 64 * MB);
	KUNIT_EXPECT_EQ(test, fake_show(display, A), iova);
	KUNIT_EXPECT_EQ(test, display->maps, 3);
}

/*
 * Bounds; fake_check() compares with them after every step
 */

static void idle_bytes_never_exceed_max(struct kunit *test)
{
	struct fake_display *display = test->priv;
	const struct msm_scanout_gauges *g = &display->cache.gauges;

	buffers(display, 200, 3 * MB);
	bounds(display, 64 * MB, 1000);
	for (unsigned int i = 0; i < 200; i++) {
		fake_flip(display, i);
		KUNIT_EXPECT_EQ(test, g->idle_bytes, min(i + 1, 21) * 3 * MB);
		if (i % 7 == 0)
			fake_reap(display);
	}
	KUNIT_EXPECT_EQ(test, g->idle_bytes_peak, 63 * MB);
}

static void idle_entries_never_exceed_max(struct kunit *test)
{
	struct fake_display *display = test->priv;
	const struct msm_scanout_gauges *g = &display->cache.gauges;

	buffers(display, 100, 4 * KB);
	bounds(display, 64 * MB, 9);
	for (unsigned int i = 0; i < 100; i++) {
		fake_flip(display, i);
		KUNIT_EXPECT_EQ(test, g->idle_entries, min(i + 1, 9));
	}
}

static void lowered_bounds_hold_at_once(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 6, 4 * MB);
	for (unsigned int i = A; i <= E; i++)
		fake_flip(display, i);
	fake_show(display, F);

	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 15 * MB);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qqiiia");
	fake_limit(display, MSM_SCANOUT_MAX_ENTRIES_LIMIT, 2);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qqqiia");
	fake_hide(display, F);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qqqqii");
}

static void bound_lowered_while_in_use_holds_when_idle(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 3, 4 * MB);
	fake_show(display, A);
	fake_show(display, B);
	fake_show(display, C);
	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 4 * MB);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "aaa");
	fake_hide(display, A);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iaa");
	fake_hide(display, B);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qia");
	fake_hide(display, C);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qqi");
}

static void raised_bounds_unmap_nothing(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 4, 4 * MB);
	bounds(display, 8 * MB, 2);
	fake_flip(display, A);
	fake_flip(display, B);
	bounds(display, 12 * MB, 3);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "ii--");
	fake_flip(display, C);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iii-");
	fake_flip(display, D);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qiii");
}

static void buffer_larger_than_the_bound_is_never_idle(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 1, 9 * MB);
	imports(display, 1, 9 * MB);
	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 8 * MB);
	for (unsigned int i = 0; i < 10; i++) {
		fake_flip(display, i % 2);
		KUNIT_EXPECT_EQ(test, display->cache.gauges.idle_bytes, 0);
		fake_reap(display);
		fake_release(display);
		KUNIT_EXPECT_STREQ(test, fake_states(display), "--");
	}
	KUNIT_EXPECT_EQ(test, display->cache.gauges.idle_bytes_peak, 0);
	KUNIT_EXPECT_EQ(test, display->maps, 10);
	KUNIT_EXPECT_EQ(test, display->unmaps, 10);
}

static void buffer_larger_than_the_bound_drives_out_no_other(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 3, 2 * MB);
	buffers(display, 1, 9 * MB);
	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 8 * MB);
	for (unsigned int i = A; i <= C; i++)
		fake_flip(display, i);
	fake_flip(display, D);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iiiq");
	fake_reap(display);
	KUNIT_EXPECT_EQ(test, display->cache.counters.evictions, 1);
	KUNIT_EXPECT_EQ(test, display->end[0].reason, MSM_SCANOUT_BOUND);
}

static void peak_is_the_highest_idle_bytes(struct kunit *test)
{
	struct fake_display *display = test->priv;
	const struct msm_scanout_gauges *g = &display->cache.gauges;

	buffers(display, 4, 4 * MB);
	bounds(display, 12 * MB, 32);
	fake_flip(display, A);
	fake_flip(display, B);
	KUNIT_EXPECT_EQ(test, g->idle_bytes_peak, 8 * MB);
	trim(display, 0);
	KUNIT_EXPECT_EQ(test, g->idle_bytes_peak, 8 * MB);
	fake_flip(display, A);
	fake_flip(display, B);
	fake_flip(display, C);
	fake_flip(display, D);
	KUNIT_EXPECT_EQ(test, g->idle_bytes_peak, 12 * MB);
}

static void zero_bound_switches_the_cache_off(struct kunit *test)
{
	static const enum msm_scanout_limit which[] = {
		MSM_SCANOUT_MAX_BYTES_LIMIT, MSM_SCANOUT_MAX_ENTRIES_LIMIT,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(which); i++) {
		struct fake_display *display = display_with_window(test, FAKE_WINDOW_BYTES);
		struct msm_scanout_counters before;
		u64 iova = 42;

		buffers(display, 3, 2 * MB);
		fake_flip(display, A);
		fake_show(display, B);
		fake_limit(display, which[i], 0);
		KUNIT_EXPECT_STREQ(test, fake_states(display), "qa-");

		before = display->cache.counters;
		for (unsigned int j = A; j <= C; j++)
			KUNIT_EXPECT_EQ(test,
					msm_scanout_cache_get(entry_of(display, j), &iova),
					-EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, iova, 42);
		KUNIT_EXPECT_MEMEQ(test, &before, &display->cache.counters, sizeof(before));

		/* What is in use still is, and goes as soon as it is not. */
		fake_hide(display, B);
		KUNIT_EXPECT_STREQ(test, fake_states(display), "qq-");
		fake_reap(display);
		KUNIT_EXPECT_EQ(test, display->maps, display->unmaps);

		fake_limit(display, which[i], 4);
		if (which[i] == MSM_SCANOUT_MAX_BYTES_LIMIT)
			fake_limit(display, which[i], 4 * MB);
		fake_flip(display, A);
		KUNIT_EXPECT_STREQ(test, fake_states(display), "i--");
	}
}

static void limits_out_of_range_change_nothing(struct kunit *test)
{
	struct fake_display *display = test->priv;
	static const struct {
		enum msm_scanout_limit which;
		u64 max;
	} limits[] = {
		{ MSM_SCANOUT_MAX_BYTES_LIMIT, FAKE_WINDOW_BYTES },
		{ MSM_SCANOUT_MAX_ENTRIES_LIMIT, MSM_SCANOUT_MAX_ENTRIES },
		{ MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 24 * 3600 * SEC },
		{ MSM_SCANOUT_LINGER_LIMIT, 60 * SEC },
	};

	buffers(display, 2, 2 * MB);
	fake_flip(display, A);
	fake_flip(display, B);

	for (unsigned int i = 0; i < ARRAY_SIZE(limits); i++) {
		struct msm_scanout_limits before;
		const u64 bad[] = { limits[i].max + 1, 1ull << 63, U64_MAX };
		u64 generation;

		fake_limit(display, limits[i].which, limits[i].max);
		before = display->cache.limits;
		generation = display->cache.counters.generation;
		for (unsigned int j = 0; j < ARRAY_SIZE(bad); j++)
			KUNIT_EXPECT_EQ(test, -ERANGE,
					msm_scanout_cache_set_limit(&display->cache,
								    limits[i].which, bad[j]));
		KUNIT_EXPECT_MEMEQ(test, &before, &display->cache.limits, sizeof(before));
		KUNIT_EXPECT_EQ(test, display->cache.counters.generation, generation);
		fake_check(display);
	}
	KUNIT_EXPECT_EQ(test, -ERANGE,
			msm_scanout_cache_set_limit(&display->cache,
						    MSM_SCANOUT_LINGER_LIMIT + 1, 0));
	KUNIT_EXPECT_STREQ(test, fake_states(display), "ii");
}

static void every_accepted_limit_is_a_generation(struct kunit *test)
{
	struct fake_display *display = test->priv;
	const u64 *generation = &display->cache.counters.generation;

	KUNIT_EXPECT_EQ(test, *generation, 0);
	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 64 * MB);
	KUNIT_EXPECT_EQ(test, *generation, 1);
	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 64 * MB);
	KUNIT_EXPECT_EQ(test, *generation, 2);
	fake_limit(display, MSM_SCANOUT_MAX_ENTRIES_LIMIT, 7);
	fake_limit(display, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 0);
	fake_limit(display, MSM_SCANOUT_LINGER_LIMIT, 0);
	KUNIT_EXPECT_EQ(test, *generation, 5);
}

static void defaults_fit_the_window(struct kunit *test)
{
	struct fake_display *display = test->priv;
	const struct msm_scanout_limits *limits = &display->cache.limits;

	KUNIT_EXPECT_EQ(test, limits->max_bytes, 128 * MB);
	KUNIT_EXPECT_EQ(test, limits->max_entries, 32);
	KUNIT_EXPECT_EQ(test, limits->idle_timeout_ns, 10 * SEC);
	KUNIT_EXPECT_EQ(test, limits->linger_ns, 1 * SEC);

	display = display_with_window(test, 32 * MB);
	KUNIT_EXPECT_EQ(test, display->cache.limits.max_bytes, 32 * MB);
}

/*
 * Quarantine
 */

static void quarantined_buffer_is_rescued_without_unmapping(struct kunit *test)
{
	struct fake_display *display = test->priv;
	u64 iova;

	buffers(display, 2, 2 * MB);
	iova = fake_show(display, A);
	fake_hide(display, A);
	fake_flip(display, B);
	trim(display, 0);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qq");

	KUNIT_EXPECT_EQ(test, fake_show(display, A), iova);
	KUNIT_EXPECT_EQ(test, display->cache.gauges.quarantined_bytes, 2 * MB);
	fake_reap(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "a-");
	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 2, .inserts = 2, .hits = 1, .rescues = 1, .evictions = 1,
		.batches = 1,
	});
}

static void victims_are_unmapped_in_one_batch(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 10, 2 * MB);
	for (unsigned int i = 0; i < 10; i++)
		fake_flip(display, i);
	trim(display, 0);
	KUNIT_EXPECT_EQ(test, display->unmaps, 0);
	fake_reap(display);
	KUNIT_EXPECT_EQ(test, display->unmaps, 10);
	KUNIT_EXPECT_EQ(test, display->flushes, 1);
	KUNIT_EXPECT_EQ(test, display->cache.counters.batches, 1);

	/* Nothing to do is no batch. */
	fake_reap(display);
	KUNIT_EXPECT_EQ(test, display->flushes, 1);
	KUNIT_EXPECT_EQ(test, display->cache.counters.batches, 1);
}

static void quarantine_is_bounded(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 50, 4 * MB);
	bounds(display, 4 * MB, 32);
	for (unsigned int i = 0; i < 50; i++) {
		fake_flip(display, i);
		KUNIT_EXPECT_LE(test, display->cache.gauges.quarantined_bytes, 64 * MB);
	}
	/* The last one stays idle; each batch took the 68 MiB that were too many. */
	KUNIT_EXPECT_EQ(test, display->cache.counters.batches, 49 / 17);
	KUNIT_EXPECT_EQ(test, display->unmaps, 49 / 17 * 17);
}

static void settle_leaves_no_quarantine(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 3, 4 * MB);
	for (unsigned int i = A; i <= C; i++)
		fake_flip(display, i);
	trim(display, 4 * MB);
	msm_scanout_cache_settle(&display->cache);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "--i");
	KUNIT_EXPECT_EQ(test, display->cache.gauges.quarantined_bytes, 0);
	KUNIT_EXPECT_EQ(test, display->unmaps, 2);
}

/*
 * Unmaps in flight: a second thread is held up inside the fake MMU
 */

struct second_thread {
	struct fake_display *display;
	struct msm_scanout_entry *entry;
	struct completion done;
};

static int reap_thread(void *arg)
{
	struct second_thread *thread = arg;

	msm_scanout_cache_reap(&thread->display->cache);
	complete(&thread->done);

	return 0;
}

static int settle_thread(void *arg)
{
	struct second_thread *thread = arg;

	msm_scanout_cache_settle(&thread->display->cache);
	complete(&thread->done);

	return 0;
}

static int get_thread(void *arg)
{
	struct second_thread *thread = arg;
	u64 iova;

	if (msm_scanout_cache_get(thread->entry, &iova))
		fake_violation(thread->display, "get failed instead of waiting for a slot");
	complete(&thread->done);

	return 0;
}

static int invalidate_thread(void *arg)
{
	struct second_thread *thread = arg;

	msm_scanout_cache_invalidate(thread->entry, MSM_SCANOUT_MEMORY);
	if (fake_mapped(thread->display, thread->entry))
		fake_violation(thread->display, "invalidate returned with the buffer mapped");
	complete(&thread->done);

	return 0;
}

static int remove_thread(void *arg)
{
	struct second_thread *thread = arg;

	fake_buffer_free(container_of(thread->entry, struct fake_buffer, entry));
	complete(&thread->done);

	return 0;
}

static int drain_thread(void *arg)
{
	struct second_thread *thread = arg;

	msm_scanout_cache_drain(&thread->display->cache);
	if (!list_empty(&thread->display->ranges))
		fake_violation(thread->display, "drain returned with something mapped");
	complete(&thread->done);

	return 0;
}

/* The memory is the test's, and outlives a test function that failed. */
static struct second_thread *start(struct fake_display *display, unsigned int index,
				   int (*fn)(void *arg))
{
	struct second_thread *thread = kunit_kzalloc(display->test, sizeof(*thread), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(display->test, thread);
	thread->display = display;
	thread->entry = entry_of(display, index);
	init_completion(&thread->done);
	task = kthread_run(fn, thread, "scanout_second");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(display->test, task);

	return thread;
}

/* Have a thread take what is in quarantine, and stop it before the unmap. */
static struct second_thread *start_reap_and_hold(struct fake_display *display)
{
	struct second_thread *thread;

	display->gated = true;
	display->reap_due = false;
	thread = start(display, A, reap_thread);
	wait_for_completion(&display->at_gate);

	return thread;
}

static void open_gate(struct second_thread *thread, struct fake_display *display)
{
	complete(&display->gate);
	wait_for_completion(&thread->done);
}

static bool goes_on(struct second_thread *thread)
{
	return wait_for_completion_timeout(&thread->done, msecs_to_jiffies(A_WHILE_MS));
}

static void buffer_in_flight_gets_a_second_mapping_elsewhere(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct second_thread *reaper;
	u64 first, second;

	buffers(display, 1, 2 * MB);
	first = fake_show(display, A);
	fake_hide(display, A);
	trim(display, 0);
	reaper = start_reap_and_hold(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-");
	KUNIT_EXPECT_EQ(test, display->cache.gauges.quarantined_bytes, 2 * MB);

	second = fake_show(display, A);
	KUNIT_EXPECT_NE(test, first, second);
	KUNIT_EXPECT_EQ(test, mappings_of(display, A), 2);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "a");

	open_gate(reaper, display);
	fake_check(display);
	KUNIT_EXPECT_EQ(test, mappings_of(display, A), 1);
	KUNIT_EXPECT_EQ(test, fake_show(display, A), second);
	KUNIT_EXPECT_EQ(test, display->cache.gauges.quarantined_bytes, 0);
	KUNIT_EXPECT_EQ(test, display->cache.counters.misses, 2);
}

static void slot_in_flight_is_not_reused(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 4 * MB);
	struct second_thread *reaper;
	u64 iova[3];

	buffers(display, 3, 2 * MB);
	iova[A] = fake_show(display, A);
	fake_hide(display, A);
	trim(display, 0);
	reaper = start_reap_and_hold(display);

	iova[B] = fake_show(display, B);
	KUNIT_EXPECT_NE(test, iova[A], iova[B]);
	open_gate(reaper, display);

	iova[C] = fake_show(display, C);
	KUNIT_EXPECT_EQ(test, iova[A], iova[C]);
}

static void full_window_waits_for_unmaps_in_flight(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 2 * MB);
	struct second_thread *reaper, *waiter;

	buffers(display, 2, 2 * MB);
	fake_flip(display, A);
	trim(display, 0);
	reaper = start_reap_and_hold(display);

	waiter = start(display, B, get_thread);
	KUNIT_EXPECT_FALSE(test, goes_on(waiter));
	open_gate(reaper, display);
	wait_for_completion(&waiter->done);
	fake_check(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-a");
	KUNIT_EXPECT_EQ(test, display->cache.counters.window_full, 0);
}

/* The thread must wait for the unmap, and go on after it. */
static void expect_wait_for_unmap(struct kunit *test, unsigned int index,
				  int (*fn)(void *arg))
{
	struct fake_display *display = test->priv;
	struct second_thread *reaper, *waiter;

	buffers(display, 2, 2 * MB);
	fake_flip(display, A);
	fake_flip(display, B);
	trim(display, 0);
	reaper = start_reap_and_hold(display);
	waiter = start(display, index, fn);
	KUNIT_EXPECT_FALSE(test, goes_on(waiter));
	open_gate(reaper, display);
	wait_for_completion(&waiter->done);
	fake_check(display);
}

static void remove_waits_for_the_unmap_in_flight(struct kunit *test)
{
	expect_wait_for_unmap(test, B, remove_thread);
}

static void invalidate_waits_for_the_unmap_in_flight(struct kunit *test)
{
	expect_wait_for_unmap(test, B, invalidate_thread);
}

static void settle_waits_for_the_unmap_in_flight(struct kunit *test)
{
	expect_wait_for_unmap(test, A, settle_thread);
}

static void drain_waits_for_the_unmap_in_flight(struct kunit *test)
{
	expect_wait_for_unmap(test, A, drain_thread);
}

static void remove_does_not_wait_for_other_buffers(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct second_thread *reaper, *remover;

	buffers(display, 2, 2 * MB);
	fake_flip(display, A);
	trim(display, 0);
	reaper = start_reap_and_hold(display);
	fake_flip(display, B);
	remover = start(display, B, remove_thread);
	wait_for_completion(&remover->done);
	KUNIT_EXPECT_FALSE(test, goes_on(reaper));
	open_gate(reaper, display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-.");
}

/* Two mappings of one buffer, the older in flight: freeing ends both. */
static void remove_ends_old_and_new_mapping(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct second_thread *reaper, *remover;

	buffers(display, 1, 2 * MB);
	fake_flip(display, A);
	trim(display, 0);
	reaper = start_reap_and_hold(display);
	fake_flip(display, A);
	KUNIT_EXPECT_EQ(test, mappings_of(display, A), 2);

	remover = start(display, A, remove_thread);
	KUNIT_EXPECT_FALSE(test, goes_on(remover));
	open_gate(reaper, display);
	wait_for_completion(&remover->done);
	KUNIT_EXPECT_EQ(test, display->unmaps, 2);
}

/*
 * Invalidation
 */

static void invalidate_unmaps_an_idle_buffer_at_once(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 2, 2 * MB);
	fake_flip(display, A);
	fake_flip(display, B);
	msm_scanout_cache_invalidate(entry_of(display, A), MSM_SCANOUT_MEMORY);
	KUNIT_EXPECT_EQ(test, mappings_of(display, A), 0);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-i");
	fake_check(display);
}

static void invalidate_unmaps_a_quarantined_buffer_alone(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 2, 2 * MB);
	fake_flip(display, A);
	fake_flip(display, B);
	trim(display, 0);
	msm_scanout_cache_invalidate(entry_of(display, A), MSM_SCANOUT_MEMORY);
	KUNIT_EXPECT_EQ(test, mappings_of(display, A), 0);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-q");
	KUNIT_EXPECT_EQ(test, display->cache.counters.evictions, 1);
	KUNIT_EXPECT_EQ(test, display->cache.counters.evictions_pressure, 0);
	fake_check(display);
}

static void invalidate_of_an_unmapped_buffer_does_nothing(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_counters before;

	buffers(display, 2, 2 * MB);
	fake_flip(display, A);
	msm_scanout_cache_invalidate(entry_of(display, A), MSM_SCANOUT_DROP);
	before = display->cache.counters;
	msm_scanout_cache_invalidate(entry_of(display, A), MSM_SCANOUT_DROP);
	msm_scanout_cache_invalidate(entry_of(display, B), MSM_SCANOUT_DROP);
	KUNIT_EXPECT_MEMEQ(test, &before, &display->cache.counters, sizeof(before));
	fake_check(display);
}

static void invalidate_of_a_buffer_in_use_warns_and_keeps_it(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 1, 2 * MB);
	fake_show(display, A);
	kunit_warning_suppress(test) {
		msm_scanout_cache_invalidate(entry_of(display, A), MSM_SCANOUT_MEMORY);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	KUNIT_EXPECT_STREQ(test, fake_states(display), "a");
	KUNIT_EXPECT_EQ(test, mappings_of(display, A), 1);
	fake_check(display);
}

static void freed_buffers_leave_nothing_mapped(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 4, 2 * MB);
	fake_flip(display, A);
	fake_flip(display, B);
	fake_flip(display, C);
	trim(display, 4 * MB);
	msm_scanout_cache_invalidate(entry_of(display, C), MSM_SCANOUT_MEMORY);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qi--");

	for (unsigned int i = A; i <= D; i++) {
		fake_buffer_free(display->buffer[i]);
		fake_check(display);
	}
	KUNIT_EXPECT_TRUE(test, list_empty(&display->ranges));
	KUNIT_EXPECT_TRUE(test, list_empty(&display->cache.entries));
	KUNIT_EXPECT_EQ(test, display->cache.reuse.entries, 0);
	KUNIT_EXPECT_EQ(test, display->cache.counters.invalidations, 1);
}

static void invalidated_lingering_buffer_is_unmapped_and_let_go(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 1, 2 * MB);
	fake_flip(display, A);
	msm_scanout_cache_invalidate(entry_of(display, A), MSM_SCANOUT_MEMORY);
	fake_check(display);
	KUNIT_EXPECT_EQ(test, mappings_of(display, A), 0);
	KUNIT_EXPECT_TRUE(test, display->release_due);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 0);
	fake_buffer_free(display->buffer[A]);
}

/*
 * Reclaim may free buffers and take pages: nothing here may allocate.  Lockdep
 * complains if it does, which fails the test when its display is freed.
 */
static void unmapping_is_safe_in_reclaim(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 4, 2 * MB);
	imports(display, 1, 2 * MB);
	for (unsigned int i = A; i <= E; i++)
		fake_flip(display, i);

	fs_reclaim_acquire(GFP_KERNEL);
	msm_scanout_cache_invalidate(entry_of(display, A), MSM_SCANOUT_MEMORY);
	msm_scanout_cache_trim(&display->cache, 6 * MB, MSM_SCANOUT_MEMORY);
	msm_scanout_cache_reap(&display->cache);
	msm_scanout_cache_remove(entry_of(display, C));
	msm_scanout_cache_settle(&display->cache);
	fs_reclaim_release(GFP_KERNEL);

	/* Known again, so that it can be freed as usual. */
	msm_scanout_entry_init(&display->cache, entry_of(display, C), 2 * MB, false);
	display->reap_due = false;
	fake_check(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "---ii");
}

/*
 * Age
 */

static void idle_mappings_go_at_the_timeout_and_not_before(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 3, 2 * MB);
	fake_limit(display, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 5 * SEC);
	fake_flip(display, A);
	fake_advance(display, 2 * SEC);
	fake_flip(display, B);
	fake_show(display, C);

	fake_advance(display, 3 * SEC - 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iia");
	fake_advance(display, 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qia");
	fake_advance(display, 2 * SEC - 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qia");
	fake_advance(display, 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qqa");
	fake_reap(display);
	KUNIT_EXPECT_EQ(test, display->cache.counters.evictions_age, 2);

	/* Nothing is idle, so nobody needs to look again. */
	KUNIT_EXPECT_EQ(test, display->expire_at_ns, U64_MAX);
}

static void use_restarts_the_timeout(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 1, 2 * MB);
	fake_limit(display, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 5 * SEC);
	for (unsigned int i = 0; i < 10; i++) {
		fake_flip(display, A);
		fake_advance(display, 5 * SEC - 1);
	}
	KUNIT_EXPECT_STREQ(test, fake_states(display), "i");
	KUNIT_EXPECT_EQ(test, display->maps, 1);
	fake_advance(display, 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "q");
}

static void zero_timeout_is_never(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 1, 2 * MB);
	fake_limit(display, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 0);
	fake_flip(display, A);
	KUNIT_EXPECT_EQ(test, display->expire_at_ns, U64_MAX);
	fake_advance(display, 48 * 3600 * SEC);
	msm_scanout_cache_expire(&display->cache);
	fake_check(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "i");
}

static void changed_timeout_applies_to_what_is_idle(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 2, 2 * MB);
	fake_limit(display, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 0);
	fake_flip(display, A);
	fake_advance(display, 3 * SEC);
	fake_flip(display, B);
	fake_advance(display, 1 * SEC);

	fake_limit(display, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 100 * SEC);
	KUNIT_EXPECT_EQ(test, display->expire_at_ns, display->now_ns + 96 * SEC);
	fake_limit(display, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 2 * SEC);
	fake_advance(display, 0);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qi");
	KUNIT_EXPECT_EQ(test, display->expire_at_ns, display->now_ns + 1 * SEC);
}

/*
 * Linger
 */

static void only_imports_linger(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 1, 2 * MB);
	imports(display, 1, 2 * MB);
	fake_flip(display, A);
	fake_flip(display, B);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[B]->holds), 1);
	KUNIT_EXPECT_EQ(test, display->cache.counters.lingers, 1);
	KUNIT_EXPECT_EQ(test, display->cache.gauges.lingering_entries, 1);
}

static void lingering_ends_on_time_and_the_mapping_stays(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 2, 2 * MB);
	fake_flip(display, A);
	fake_advance(display, 400 * MS);
	fake_flip(display, B);

	fake_advance(display, 600 * MS - 1);
	KUNIT_EXPECT_FALSE(test, display->release_due);
	fake_advance(display, 1);
	KUNIT_EXPECT_TRUE(test, display->release_due);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[B]->holds), 1);

	fake_advance(display, 400 * MS - 1);
	KUNIT_EXPECT_FALSE(test, display->release_due);
	fake_advance(display, 1);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[B]->holds), 0);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "ii");
	KUNIT_EXPECT_EQ(test, display->cache.gauges.lingering_entries, 0);
}

static void one_reference_lasts_through_use(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 1, 2 * MB);
	for (unsigned int i = 0; i < 20; i++) {
		fake_flip(display, A);
		fake_advance(display, 900 * MS);
	}
	KUNIT_EXPECT_EQ(test, display->cache.counters.lingers, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 1);
	KUNIT_EXPECT_FALSE(test, display->release_due);

	/* On the screen it does not age. */
	fake_show(display, A);
	fake_advance(display, 100 * SEC);
	msm_scanout_cache_expire(&display->cache);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 1);
	fake_hide(display, A);
	KUNIT_EXPECT_EQ(test, display->cache.counters.lingers, 1);
	fake_advance(display, 1 * SEC);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 0);
}

static void reference_due_for_release_is_taken_back_by_use(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 1, 2 * MB);
	fake_flip(display, A);
	fake_advance(display, 1 * SEC);
	KUNIT_EXPECT_TRUE(test, display->release_due);
	fake_show(display, A);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 1);
	fake_hide(display, A);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 1);
	KUNIT_EXPECT_EQ(test, display->cache.counters.lingers, 1);
}

static void rescue_keeps_the_reference(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 1, 2 * MB);
	fake_flip(display, A);
	trim(display, 0);
	KUNIT_EXPECT_TRUE(test, display->release_due);
	fake_show(display, A);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 1);
}

static void every_eviction_ends_lingering(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 6, 2 * MB);
	fake_limit(display, MSM_SCANOUT_LINGER_LIMIT, 60 * SEC);
	for (unsigned int i = A; i <= E; i++) {
		fake_flip(display, i);
		fake_advance(display, 1 * SEC);
	}

	trim(display, 8 * MB);					/* A */
	fake_limit(display, MSM_SCANOUT_MAX_ENTRIES_LIMIT, 3);	/* B */
	msm_scanout_cache_invalidate(entry_of(display, E), MSM_SCANOUT_MEMORY);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, display->cache.gauges.lingering_entries, 2);
	fake_advance(display, 7 * SEC);				/* C: 5 SEC + 10 SEC - 2 SEC */
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[C]->holds), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[D]->holds), 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qqqi--");
	msm_scanout_cache_drain(&display->cache);		/* D */
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[D]->holds), 0);
}

static void zero_linger_takes_no_reference(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 2, 2 * MB);
	fake_flip(display, A);
	fake_show(display, B);
	fake_limit(display, MSM_SCANOUT_LINGER_LIMIT, 0);
	fake_advance(display, 0);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, display->cache.gauges.lingering_entries, 0);
	fake_flip(display, A);
	fake_hide(display, B);
	fake_advance(display, 0);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, display->cache.gauges.lingering_entries, 0);
	KUNIT_EXPECT_EQ(test, display->cache.counters.lingers, 1);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "ii");
}

/* A reference from before, kept through use, must not outlive the change. */
static void linger_switched_off_during_use_ends_afterwards(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 1, 2 * MB);
	fake_flip(display, A);
	fake_show(display, A);
	fake_limit(display, MSM_SCANOUT_LINGER_LIMIT, 0);
	fake_hide(display, A);
	fake_advance(display, 0);
	KUNIT_EXPECT_TRUE(test, display->release_due);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 0);
}

static void lowered_linger_applies_to_what_lingers(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 2, 2 * MB);
	fake_flip(display, A);
	fake_advance(display, 500 * MS);
	fake_flip(display, B);
	fake_limit(display, MSM_SCANOUT_LINGER_LIMIT, 300 * MS);
	fake_advance(display, 0);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[B]->holds), 1);
	fake_advance(display, 300 * MS);
	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[B]->holds), 0);
}

/* The reference may be the last one: the buffer is gone when release returns. */
static u64 reclaim(struct fake_display *display, u64 bytes)
{
	fs_reclaim_acquire(GFP_KERNEL);
	bytes = msm_scanout_cache_reclaim(&display->cache, bytes);
	fs_reclaim_release(GFP_KERNEL);

	return bytes;
}

static void reclaim_lets_go_what_nobody_wants(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 5, 2 * MB);
	for (unsigned int i = A; i <= E; i++)
		fake_flip(display, i);
	fake_show(display, E);
	display->buffer[B]->wanted = true;

	KUNIT_EXPECT_EQ(test, msm_scanout_cache_unwanted(&display->cache), 6 * MB);
	KUNIT_EXPECT_FALSE(test, display->release_due);
	KUNIT_EXPECT_EQ(test, reclaim(display, 3 * MB), 4 * MB);
	KUNIT_EXPECT_TRUE(test, display->release_due);
	KUNIT_EXPECT_EQ(test, msm_scanout_cache_unwanted(&display->cache), 2 * MB);

	fake_release(display);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[A]->holds), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[B]->holds), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[C]->holds), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[D]->holds), 1);
	/* Whoever has a reference after all finds it mapped. */
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iiiia");
	KUNIT_EXPECT_EQ(test, reclaim(display, 1), 2 * MB);
	KUNIT_EXPECT_EQ(test, reclaim(display, 1), 0);
	fake_hide(display, E);
}

static void reclaim_looks_at_few(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 65, PAGE_SIZE);
	bounds(display, 2 * MB, 65);
	for (unsigned int i = 0; i < 65; i++) {
		fake_flip(display, i);
		display->buffer[i]->wanted = i < 63;
	}

	KUNIT_EXPECT_EQ(test, msm_scanout_cache_unwanted(&display->cache), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, reclaim(display, 1 * MB), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, reclaim(display, 1 * MB), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, reclaim(display, 1 * MB), 0);
}

static void free_on_release(struct fake_buffer *buffer)
{
	fake_buffer_free(buffer);
}

static void release_may_free_the_buffer(struct kunit *test)
{
	struct fake_display *display = test->priv;

	display->released = free_on_release;
	imports(display, 5, 2 * MB);
	for (unsigned int i = A; i <= E; i++)
		fake_flip(display, i);
	trim(display, 6 * MB);
	fake_release(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "..iii");
	fake_advance(display, 1 * SEC);
	fake_release(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), ".....");
	KUNIT_EXPECT_TRUE(test, list_empty(&display->ranges));
	display->released = NULL;
}

/*
 * Window
 */

static void large_buffers_get_slots_of_2_mib(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 16 * MB);
	u64 iova;

	/* Four times two slots: all of the window, if nothing is wasted. */
	buffers(display, 1, 4 * MB);
	buffers(display, 1, 2 * MB + 4 * KB);
	buffers(display, 1, 3 * MB);
	buffers(display, 1, 1 * MB);
	buffers(display, 1, 2 * MB - 4 * KB);
	for (unsigned int i = A; i <= E; i++) {
		iova = fake_show(display, i);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(iova, 2 * MB));
	}
	KUNIT_EXPECT_EQ(test, display->cache.counters.window_full, 0);
	for (unsigned int i = A; i <= E; i++) {
		const struct drm_mm_node *node = &entry_of(display, i)->map->node;

		KUNIT_EXPECT_EQ(test, node->size,
				round_up(entry_of(display, i)->bytes, 2 * MB));
	}
}

static void small_buffers_share_a_slot(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 4 * MB);

	/* 2 MiB of small ones leave room for a large one. */
	buffers(display, 32, 60 * KB);
	buffers(display, 32, 4 * KB);
	buffers(display, 1, 2 * MB);
	for (unsigned int i = 0; i < 65; i++)
		fake_show(display, i);
	KUNIT_EXPECT_EQ(test, entry_of(display, 3)->map->node.size, 60 * KB);
	KUNIT_EXPECT_EQ(test, display->cache.counters.evictions_pressure, 0);
	KUNIT_EXPECT_EQ(test, display->cache.counters.window_full, 0);
}

/* The hardware reads ahead, and computes in 32 bits, as do some drivers of IOMMUs. */
static void no_slot_ends_at_4_gib(struct kunit *test)
{
	struct fake_display *display = test->priv;

	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(FAKE_WINDOW_START, MSM_SCANOUT_SLOT_BYTES));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(FAKE_WINDOW_BYTES, MSM_SCANOUT_SLOT_BYTES));

	buffers(display, 1, PAGE_SIZE);
	buffers(display, 1, FAKE_WINDOW_BYTES);
	KUNIT_EXPECT_LT(test, fake_show(display, A) + PAGE_SIZE, SZ_4G);
	fake_hide(display, A);
	KUNIT_EXPECT_LT(test, fake_show(display, B) + FAKE_WINDOW_BYTES, SZ_4G);
}

static void full_window_evicts_what_is_idle_for_longest(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 8 * MB);

	buffers(display, 6, 2 * MB);
	for (unsigned int i = A; i <= D; i++)
		fake_flip(display, i);
	fake_show(display, B);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iaii--");

	fake_show(display, E);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-aiia-");
	fake_show(display, F);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-a-iaa");
	KUNIT_EXPECT_EQ(test, display->cache.counters.evictions_pressure, 2);
	KUNIT_EXPECT_EQ(test, display->cache.counters.window_full, 0);
	KUNIT_EXPECT_EQ(test, display->end[0].reason, MSM_SCANOUT_WINDOW);
}

/* Each round waits for an unmap: what is evicted doubles until there is a hole. */
static void fragmented_window_is_cleared_in_few_rounds(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 64 * MB);
	u64 batches;

	display->log_ends = false;
	bounds(display, 64 * MB, 256);
	buffers(display, 128, 512 * KB);
	buffers(display, 1, 2 * MB);
	for (unsigned int i = 0; i < 128; i++)
		fake_flip(display, i);
	/* No four neighbours are gone before three quarters of all are. */
	for (unsigned int i = 0; i < 128; i++)
		fake_flip(display, i % 32 * 4 + i / 32);

	batches = display->cache.counters.batches;
	fake_show(display, 128);
	KUNIT_EXPECT_GT(test, display->cache.counters.evictions_pressure, 96);
	KUNIT_EXPECT_LE(test, display->cache.counters.batches - batches, 8);
}

static void full_window_uses_the_quarantine_first(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 8 * MB);

	buffers(display, 5, 2 * MB);
	for (unsigned int i = A; i <= D; i++)
		fake_flip(display, i);
	trim(display, 6 * MB);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "qiii-");
	fake_show(display, E);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-iiia");
	KUNIT_EXPECT_EQ(test, display->cache.counters.evictions_pressure, 0);
}

static void fragmented_window_is_cleared_for_a_large_buffer(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 16 * MB);
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 1);
	buffers(display, 64, 900 * KB);
	buffers(display, 1, 16 * MB);
	for (unsigned int i = 0; i < 500; i++)
		fake_flip(display, prandom_u32_state(&rnd) % 64);
	fake_show(display, 64);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&display->ranges), 1);
	KUNIT_EXPECT_EQ(test, display->cache.counters.window_full, 0);
}

static void window_full_of_buffers_in_use_is_an_error(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 8 * MB);
	u64 iova = 42;

	buffers(display, 5, 2 * MB);
	for (unsigned int i = A; i <= D; i++)
		fake_show(display, i);
	KUNIT_EXPECT_EQ(test, msm_scanout_cache_get(entry_of(display, E), &iova), -ENOSPC);
	fake_check(display);
	KUNIT_EXPECT_EQ(test, iova, 42);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "aaaa-");
	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 5, .inserts = 4, .map_failures = 1, .window_full = 1,
	});

	fake_hide(display, C);
	fake_show(display, E);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "aa-aa");
}

static void buffer_larger_than_the_window_evicts_nothing(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 8 * MB);
	u64 iova;

	buffers(display, 3, 2 * MB);
	buffers(display, 1, 8 * MB + 4 * KB);
	for (unsigned int i = A; i <= C; i++)
		fake_flip(display, i);
	KUNIT_EXPECT_EQ(test, msm_scanout_cache_get(entry_of(display, D), &iova), -ENOSPC);
	fake_check(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "iii-");
	KUNIT_EXPECT_EQ(test, display->cache.counters.window_full, 1);
}

static void failed_map_leaks_nothing(struct kunit *test)
{
	struct fake_display *display = display_with_window(test, 8 * MB);
	u64 iova = 42;

	buffers(display, 4, 2 * MB);
	imports(display, 1, 2 * MB);
	display->map_error = -EIO;
	for (unsigned int i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, msm_scanout_cache_get(entry_of(display, E), &iova), -EIO);
	fake_check(display);
	KUNIT_EXPECT_EQ(test, iova, 42);
	expect_counters(display, &(struct msm_scanout_counters) {
		.misses = 100, .map_failures = 100,
	});

	/* All of the window is still there, and the buffer works. */
	display->map_error = 0;
	for (unsigned int i = B; i <= E; i++)
		fake_show(display, i);
	KUNIT_EXPECT_EQ(test, display->cache.counters.window_full, 0);
}

/*
 * Figures
 */

static void bounds_of_the_histograms_are_as_documented(struct kunit *test)
{
	static const u64 depth[] = { 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64 };
	static const u64 bytes[] = { 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120 };

	for (unsigned int i = 0; i < ARRAY_SIZE(depth); i++)
		KUNIT_EXPECT_EQ(test, msm_scanout_depth_bound(i), depth[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(bytes); i++)
		KUNIT_EXPECT_EQ(test, msm_scanout_bytes_bound(i), bytes[i] * KB);
	for (unsigned int i = 1; i < MSM_SCANOUT_DEPTH_BOUNDS; i++)
		KUNIT_EXPECT_GT(test, msm_scanout_depth_bound(i), msm_scanout_depth_bound(i - 1));
	for (unsigned int i = 1; i < MSM_SCANOUT_BYTES_BOUNDS; i++)
		KUNIT_EXPECT_GT(test, msm_scanout_bytes_bound(i), msm_scanout_bytes_bound(i - 1));
	KUNIT_EXPECT_EQ(test, msm_scanout_depth_bound(MSM_SCANOUT_DEPTH_BOUNDS - 1), 65536);
	KUNIT_EXPECT_EQ(test, msm_scanout_bytes_bound(MSM_SCANOUT_BYTES_BOUNDS - 1), SZ_1G);
}

/* The first bucket whose bound a distance does not exceed, the obvious way. */
static unsigned int depth_bucket(u64 distance)
{
	unsigned int i = 0;

	while (i < MSM_SCANOUT_DEPTH_BOUNDS && msm_scanout_depth_bound(i) < distance)
		i++;

	return i;
}

static unsigned int bytes_bucket(u64 distance)
{
	unsigned int i = 0;

	while (i < MSM_SCANOUT_BYTES_BOUNDS && msm_scanout_bytes_bound(i) < distance)
		i++;

	return i;
}

/* With a pool of n, each reuse is of the buffer that has been idle for longest. */
static void a_ring_of_n_has_reuse_depth_n(struct kunit *test)
{
	for (unsigned int n = 1; n <= 12; n++) {
		struct fake_display *display = display_with_window(test, FAKE_WINDOW_BYTES);
		struct msm_scanout_reuse *h = &display->cache.reuse;
		unsigned int rounds = 10;

		buffers(display, n, 3 * MB);
		for (unsigned int i = 0; i < n * rounds; i++)
			fake_flip(display, i % n);

		KUNIT_EXPECT_EQ(test, h->depth[depth_bucket(n)], n * (rounds - 1));
		KUNIT_EXPECT_EQ(test, h->bytes[bytes_bucket(n * 3 * MB)], n * (rounds - 1));
		KUNIT_EXPECT_EQ(test, h->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1], n);
		KUNIT_EXPECT_EQ(test, h->bytes[MSM_SCANOUT_BYTES_BUCKETS - 1], n);
	}
}

static void reuse_of_unmapped_buffers_is_recognised(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_reuse *h = &display->cache.reuse;

	buffers(display, 6, 2 * MB);
	bounds(display, 4 * MB, 2);
	for (unsigned int i = A; i <= F; i++)
		fake_flip(display, i);
	fake_reap(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "----ii");

	/* B is fifth of E and F, which are idle, and A to D, which are not mapped. */
	fake_flip(display, B);
	KUNIT_EXPECT_EQ(test, h->depth[depth_bucket(5)], 1);
	KUNIT_EXPECT_EQ(test, h->bytes[bytes_bucket(10 * MB)], 1);
	KUNIT_EXPECT_EQ(test, h->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1], 6);

	/* What is in use is not on the stack: nothing but F before C, E, D. */
	fake_show(display, B);
	fake_show(display, E);
	fake_show(display, D);
	fake_show(display, C);
	KUNIT_EXPECT_EQ(test, h->depth[depth_bucket(1)], 1);
	KUNIT_EXPECT_EQ(test, h->depth[depth_bucket(2)], 3);
}

static void further_users_are_no_reuse(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_reuse *h = &display->cache.reuse;

	buffers(display, 1, 2 * MB);
	fake_show(display, A);
	fake_show(display, A);
	fake_show(display, A);
	KUNIT_EXPECT_EQ(test, h->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1], 1);
	for (unsigned int i = 0; i < MSM_SCANOUT_DEPTH_BUCKETS - 1; i++)
		KUNIT_EXPECT_EQ(test, h->depth[i], 0);
}

static void ghosts_are_bounded(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_reuse *h = &display->cache.reuse;

	buffers(display, 300, 4 * KB);
	bounds(display, 64 * MB, 10);
	for (unsigned int i = 0; i < 300; i++)
		fake_flip(display, i);
	KUNIT_EXPECT_EQ(test, display->cache.reuse.ghost_entries, MSM_SCANOUT_MAX_GHOSTS);
	KUNIT_EXPECT_EQ(test, display->cache.reuse.entries, 10 + MSM_SCANOUT_MAX_GHOSTS);

	/* The oldest are forgotten. */
	fake_flip(display, 33);
	KUNIT_EXPECT_EQ(test, h->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1], 301);
	fake_flip(display, 35);
	KUNIT_EXPECT_EQ(test, h->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1], 301);
	KUNIT_EXPECT_EQ(test, h->depth[depth_bucket(266)], 1);
}

/* fake_check() compares with the bound; here no buffer becomes idle meanwhile. */
static void ghosts_are_bounded_when_many_go_at_once(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 600, 4 * KB);
	bounds(display, 64 * MB, 300);
	for (unsigned int i = 0; i < 600; i++)
		fake_flip(display, i);
	trim(display, 0);
	fake_reap(display);
}

static void ghosts_are_bounded_above_an_old_idle_buffer(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 600, 4 * KB);
	fake_flip(display, 0);
	for (unsigned int i = 1; i < 600; i++) {
		fake_flip(display, i);
		msm_scanout_cache_invalidate(entry_of(display, i), MSM_SCANOUT_MEMORY);
		fake_check(display);
	}
	KUNIT_EXPECT_EQ(test, display->cache.gauges.idle_entries, 1);
}

/* Buffers of wildly different size, over several pages of places. */
static void distances_are_right_in_a_wild_mix(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_reuse *h = &display->cache.reuse;
	u64 before;

	buffers(display, 300, 4 * KB);
	buffers(display, 4, 200 * MB);
	bounds(display, FAKE_WINDOW_BYTES, 1000);
	for (unsigned int i = 0; i < 304; i++)
		fake_flip(display, i);
	for (unsigned int i = 0; i < 100; i++)
		fake_flip(display, i % 4);

	before = h->depth[depth_bucket(304)];
	fake_flip(display, 4);
	KUNIT_EXPECT_EQ(test, h->depth[depth_bucket(304)], before + 1);
	before = h->bytes[bytes_bucket(300 * 4 * KB + 800 * MB)];
	fake_flip(display, 5);
	KUNIT_EXPECT_EQ(test, h->bytes[bytes_bucket(300 * 4 * KB + 800 * MB)], before + 1);
	before = h->bytes[bytes_bucket(6 * 4 * KB + 200 * MB)];
	fake_flip(display, 303);
	KUNIT_EXPECT_EQ(test, h->bytes[bytes_bucket(6 * 4 * KB + 200 * MB)], before + 1);
}

/* When all places have been given away, only the most recent buffers keep one. */
static void old_places_are_given_up(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_reuse *h = &display->cache.reuse;
	unsigned int n = 700, again = MSM_SCANOUT_REUSE_PLACES - n, oldest;

	buffers(display, n, 4 * KB);
	bounds(display, FAKE_WINDOW_BYTES, 2 * n);
	for (unsigned int i = 0; i < n; i++)
		fake_flip(display, i);
	for (unsigned int i = 0; i < again; i++)
		fake_flip(display, i);
	KUNIT_EXPECT_EQ(test, h->entries, n);

	fake_flip(display, again);
	KUNIT_EXPECT_EQ(test, h->entries, MSM_SCANOUT_MAX_TRACKED + 1);
	KUNIT_EXPECT_EQ(test, display->cache.gauges.idle_entries, n);
	KUNIT_EXPECT_EQ(test, h->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1], n);

	/* The last that went, and the first that did not. */
	oldest = n - (MSM_SCANOUT_MAX_TRACKED - again);
	fake_flip(display, oldest - 1);
	KUNIT_EXPECT_EQ(test, h->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1], n + 1);
	fake_flip(display, oldest);
	KUNIT_EXPECT_EQ(test, h->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1], n + 1);
	KUNIT_EXPECT_EQ(test, display->cache.counters.misses, n);
}

static void latencies_are_sums_and_powers_of_two(struct kunit *test)
{
	static const u64 ns[] = { 0, 1, 2, 3, 4, 1023, 1024, 1025, 1ull << 31, 1ull << 40 };
	struct fake_display *display = test->priv;
	struct msm_scanout_histograms expected = {};
	u64 sum = 0;

	buffers(display, 1, 2 * MB);
	for (unsigned int i = 0; i < ARRAY_SIZE(ns); i++) {
		unsigned int bucket = ns[i] ? min(ilog2(ns[i]), 31) : 0;

		display->map_takes_ns = ns[i];
		display->unmap_takes_ns = ns[i];
		expected.map_ns[bucket]++;
		expected.unmap_ns[bucket]++;
		sum += ns[i];
		fake_flip(display, A);
		msm_scanout_cache_invalidate(entry_of(display, A), MSM_SCANOUT_DROP);
	}
	KUNIT_EXPECT_EQ(test, display->cache.counters.map_ns, sum);
	KUNIT_EXPECT_EQ(test, display->cache.counters.unmap_ns, sum);
	KUNIT_EXPECT_MEMEQ(test, display->cache.histograms.map_ns, expected.map_ns,
			   sizeof(expected.map_ns));
	KUNIT_EXPECT_MEMEQ(test, display->cache.histograms.unmap_ns, expected.unmap_ns,
			   sizeof(expected.unmap_ns));
}

static void snapshot_copies_all_figures(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_cache *cache = &display->cache;
	struct msm_scanout_snapshot *snap = kunit_kzalloc(test, sizeof(*snap), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, snap);
	buffers(display, 4, 2 * MB);
	imports(display, 1, 2 * MB);
	for (unsigned int i = A; i <= E; i++)
		fake_flip(display, i);
	trim(display, 6 * MB);
	fake_reap(display);
	trim(display, 4 * MB);
	fake_show(display, D);

	memset(snap, 0xff, sizeof(*snap));
	msm_scanout_cache_snapshot(cache, snap);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "--qai");
	KUNIT_EXPECT_EQ(test, snap->gauges.active_bytes, 2 * MB);
	KUNIT_EXPECT_EQ(test, snap->gauges.active_entries, 1);
	KUNIT_EXPECT_EQ(test, snap->gauges.idle_bytes, 2 * MB);
	KUNIT_EXPECT_EQ(test, snap->gauges.idle_entries, 1);
	KUNIT_EXPECT_EQ(test, snap->gauges.quarantined_bytes, 2 * MB);
	KUNIT_EXPECT_EQ(test, snap->gauges.lingering_entries, 1);
	KUNIT_EXPECT_EQ(test, snap->ghost_entries, 3);
	KUNIT_EXPECT_EQ(test, snap->gauges.idle_bytes_peak, 10 * MB);
	KUNIT_EXPECT_EQ(test, snap->flips, 0);
	KUNIT_EXPECT_MEMEQ(test, &snap->limits, &cache->limits, sizeof(snap->limits));
	KUNIT_EXPECT_MEMEQ(test, &snap->counters, &cache->counters, sizeof(snap->counters));
	KUNIT_EXPECT_MEMEQ(test, &snap->histograms, &cache->histograms,
			   sizeof(snap->histograms));
}

static void count_entry(struct msm_scanout_entry *entry, void *arg)
{
	unsigned int *seen = arg;

	lockdep_assert_held(&entry->cache->lock);
	(*seen)++;
}

static void every_buffer_is_visited(struct kunit *test)
{
	struct fake_display *display = test->priv;
	unsigned int seen = 0;

	buffers(display, 7, 2 * MB);
	fake_flip(display, A);
	fake_show(display, B);
	fake_buffer_free(display->buffer[C]);
	msm_scanout_cache_for_each(&display->cache, count_entry, &seen);
	KUNIT_EXPECT_EQ(test, seen, 6);
}

/*
 * The end
 */

static void drained_cache_maps_nothing(struct kunit *test)
{
	struct fake_display *display = test->priv;
	struct msm_scanout_counters before;
	u64 iova = 42;

	buffers(display, 3, 2 * MB);
	imports(display, 1, 2 * MB);
	for (unsigned int i = A; i <= D; i++)
		fake_flip(display, i);
	trim(display, 6 * MB);
	fake_drain(display);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "----");
	KUNIT_EXPECT_TRUE(test, list_empty(&display->ranges));
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[D]->holds), 0);
	KUNIT_EXPECT_EQ(test, display->cache.counters.invalidations, 3);
	KUNIT_EXPECT_EQ(test, display->cache.counters.evictions, 1);

	before = display->cache.counters;
	for (unsigned int i = A; i <= D; i++)
		KUNIT_EXPECT_EQ(test, msm_scanout_cache_get(entry_of(display, i), &iova),
				-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, iova, 42);
	KUNIT_EXPECT_MEMEQ(test, &before, &display->cache.counters, sizeof(before));

	/* No limit brings it back. */
	msm_scanout_cache_set_limit(&display->cache, MSM_SCANOUT_MAX_BYTES_LIMIT, 64 * MB);
	KUNIT_EXPECT_EQ(test, msm_scanout_cache_get(entry_of(display, A), &iova), -EOPNOTSUPP);
}

static void drain_ends_even_what_is_in_use(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 2, 2 * MB);
	fake_flip(display, A);
	fake_flip(display, B);
	fake_show(display, B);
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[B]->holds), 1);
	kunit_warning_suppress(test) {
		fake_drain(display);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	KUNIT_EXPECT_STREQ(test, fake_states(display), "--");
	KUNIT_EXPECT_TRUE(test, list_empty(&display->ranges));
	KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[B]->holds), 0);
}

static void put_of_a_drained_cache_asks_for_nothing(struct kunit *test)
{
	struct fake_display *display = test->priv;

	imports(display, 1, 2 * MB);
	fake_flip(display, A);
	fake_show(display, A);
	fake_show(display, A);
	kunit_warning_suppress(test) {
		fake_drain(display);
	}
	msm_scanout_cache_put(entry_of(display, A));
	KUNIT_EXPECT_EQ(test, entry_of(display, A)->users, 1);
	msm_scanout_cache_put(entry_of(display, A));
	KUNIT_EXPECT_EQ(test, entry_of(display, A)->users, 0);
	KUNIT_EXPECT_STREQ(test, fake_states(display), "-");
	kunit_warning_suppress(test) {
		msm_scanout_cache_put(entry_of(display, A));
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}

static void fini_warns_about_a_buffer_left_behind(struct kunit *test)
{
	struct fake_display *display = test->priv;

	buffers(display, 1, 2 * MB);
	msm_scanout_cache_drain(&display->cache);
	kunit_warning_suppress(test) {
		msm_scanout_cache_fini(&display->cache);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	msm_scanout_cache_init(&display->cache, &display->ops, FAKE_WINDOW_START,
			       FAKE_WINDOW_BYTES);
	msm_scanout_entry_init(&display->cache, entry_of(display, A), 2 * MB, false);
}

static struct kunit_case property_cases[] = {
	KUNIT_CASE(first_lookup_maps),
	KUNIT_CASE(lookup_of_idle_finds_the_same_address),
	KUNIT_CASE(users_share_one_mapping),
	KUNIT_CASE(large_slots_are_aligned_in_any_hole),
	KUNIT_CASE(small_slots_are_at_the_other_end),
	KUNIT_CASE(a_pool_within_bounds_is_mapped_once),
	KUNIT_CASE(counters_are_exact_for_a_scripted_sequence),
	KUNIT_CASE(each_reason_has_its_counter),
	KUNIT_CASE(flips_are_counted),
	KUNIT_CASE(optional_operations_may_be_missing),
	KUNIT_CASE(victims_are_those_idle_for_longest),
	KUNIT_CASE(use_makes_a_buffer_the_last_victim),
	KUNIT_CASE(order_is_that_of_leaving_the_screen),
	KUNIT_CASE(trim_keeps_the_most_recently_used),
	KUNIT_CASE(buffers_in_use_are_never_evicted),
	KUNIT_CASE(idle_bytes_never_exceed_max),
	KUNIT_CASE(idle_entries_never_exceed_max),
	KUNIT_CASE(lowered_bounds_hold_at_once),
	KUNIT_CASE(bound_lowered_while_in_use_holds_when_idle),
	KUNIT_CASE(raised_bounds_unmap_nothing),
	KUNIT_CASE(buffer_larger_than_the_bound_is_never_idle),
	KUNIT_CASE(buffer_larger_than_the_bound_drives_out_no_other),
	KUNIT_CASE(peak_is_the_highest_idle_bytes),
	KUNIT_CASE(zero_bound_switches_the_cache_off),
	KUNIT_CASE(limits_out_of_range_change_nothing),
	KUNIT_CASE(every_accepted_limit_is_a_generation),
	KUNIT_CASE(defaults_fit_the_window),
	KUNIT_CASE(quarantined_buffer_is_rescued_without_unmapping),
	KUNIT_CASE(victims_are_unmapped_in_one_batch),
	KUNIT_CASE(quarantine_is_bounded),
	KUNIT_CASE(settle_leaves_no_quarantine),
	KUNIT_CASE(buffer_in_flight_gets_a_second_mapping_elsewhere),
	KUNIT_CASE(slot_in_flight_is_not_reused),
	KUNIT_CASE(full_window_waits_for_unmaps_in_flight),
	KUNIT_CASE(remove_waits_for_the_unmap_in_flight),
	KUNIT_CASE(invalidate_waits_for_the_unmap_in_flight),
	KUNIT_CASE(settle_waits_for_the_unmap_in_flight),
	KUNIT_CASE(drain_waits_for_the_unmap_in_flight),
	KUNIT_CASE(remove_does_not_wait_for_other_buffers),
	KUNIT_CASE(remove_ends_old_and_new_mapping),
	KUNIT_CASE(invalidate_unmaps_an_idle_buffer_at_once),
	KUNIT_CASE(invalidate_unmaps_a_quarantined_buffer_alone),
	KUNIT_CASE(invalidate_of_an_unmapped_buffer_does_nothing),
	KUNIT_CASE(invalidate_of_a_buffer_in_use_warns_and_keeps_it),
	KUNIT_CASE(freed_buffers_leave_nothing_mapped),
	KUNIT_CASE(invalidated_lingering_buffer_is_unmapped_and_let_go),
	KUNIT_CASE(unmapping_is_safe_in_reclaim),
	KUNIT_CASE(idle_mappings_go_at_the_timeout_and_not_before),
	KUNIT_CASE(use_restarts_the_timeout),
	KUNIT_CASE(zero_timeout_is_never),
	KUNIT_CASE(changed_timeout_applies_to_what_is_idle),
	KUNIT_CASE(only_imports_linger),
	KUNIT_CASE(lingering_ends_on_time_and_the_mapping_stays),
	KUNIT_CASE(one_reference_lasts_through_use),
	KUNIT_CASE(reference_due_for_release_is_taken_back_by_use),
	KUNIT_CASE(rescue_keeps_the_reference),
	KUNIT_CASE(every_eviction_ends_lingering),
	KUNIT_CASE(zero_linger_takes_no_reference),
	KUNIT_CASE(linger_switched_off_during_use_ends_afterwards),
	KUNIT_CASE(lowered_linger_applies_to_what_lingers),
	KUNIT_CASE(reclaim_lets_go_what_nobody_wants),
	KUNIT_CASE(reclaim_looks_at_few),
	KUNIT_CASE(release_may_free_the_buffer),
	KUNIT_CASE(large_buffers_get_slots_of_2_mib),
	KUNIT_CASE(small_buffers_share_a_slot),
	KUNIT_CASE(no_slot_ends_at_4_gib),
	KUNIT_CASE(full_window_evicts_what_is_idle_for_longest),
	KUNIT_CASE(fragmented_window_is_cleared_in_few_rounds),
	KUNIT_CASE(full_window_uses_the_quarantine_first),
	KUNIT_CASE(fragmented_window_is_cleared_for_a_large_buffer),
	KUNIT_CASE(window_full_of_buffers_in_use_is_an_error),
	KUNIT_CASE(buffer_larger_than_the_window_evicts_nothing),
	KUNIT_CASE(failed_map_leaks_nothing),
	KUNIT_CASE(bounds_of_the_histograms_are_as_documented),
	KUNIT_CASE(a_ring_of_n_has_reuse_depth_n),
	KUNIT_CASE(reuse_of_unmapped_buffers_is_recognised),
	KUNIT_CASE(further_users_are_no_reuse),
	KUNIT_CASE(ghosts_are_bounded),
	KUNIT_CASE(ghosts_are_bounded_when_many_go_at_once),
	KUNIT_CASE(ghosts_are_bounded_above_an_old_idle_buffer),
	KUNIT_CASE(distances_are_right_in_a_wild_mix),
	KUNIT_CASE(old_places_are_given_up),
	KUNIT_CASE(latencies_are_sums_and_powers_of_two),
	KUNIT_CASE(snapshot_copies_all_figures),
	KUNIT_CASE(every_buffer_is_visited),
	KUNIT_CASE(drained_cache_maps_nothing),
	KUNIT_CASE(drain_ends_even_what_is_in_use),
	KUNIT_CASE(put_of_a_drained_cache_asks_for_nothing),
	KUNIT_CASE(fini_warns_about_a_buffer_left_behind),
	{}
};

static struct kunit_suite property_suite = {
	.name = "msm_scanout_cache",
	.init = display_init,
	.exit = display_exit,
	.test_cases = property_cases,
};

kunit_test_suite(property_suite);
