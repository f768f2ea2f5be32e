// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operation costs must not depend on how many buffers there are.  Counted
 * is what the core looks at in its lists, not time.
 */

#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <kunit/test.h>

#include "hooks.h"
#include "instant_display.h"

#define WINDOW_BYTES	SZ_1G
#define WINDOW_START	(3ull * SZ_1G)
#define ROUNDS		4096

/**
 * struct scale - a cache that is full
 */
struct scale {
	/** @display: with the cache */
	struct instant_display display;
	/** @entry: all of its entries */
	struct msm_scanout_entry *entry;
	/** @entries: their number */
	unsigned int entries;
	/** @rnd: chooses among them */
	struct rnd_state rnd;
};

/**
 * struct work - what operations cost, in members of lists looked at
 */
struct work {
	/** @most: the costliest */
	u64 most;
	/** @sum: all of them */
	u64 sum;
};

static void flip(struct kunit *test, struct scale *s, unsigned int i)
{
	u64 iova;

	KUNIT_ASSERT_EQ(test, msm_scanout_cache_get(&s->entry[i], &iova), 0);
	msm_scanout_cache_put(&s->entry[i]);
}

/* As many buffers as fit, and one more, each shown once. */
static void fill(struct kunit *test, struct scale *s, unsigned int entries,
		 enum msm_scanout_policy_kind kind)
{
	struct msm_scanout_cache *cache = &s->display.cache;

	msm_scanout_cache_init(cache, &instant_display_ops, WINDOW_START, WINDOW_BYTES);
	msm_scanout_cache_set_policy(cache, kind);
	KUNIT_ASSERT_EQ(test, msm_scanout_cache_set_limit(cache, MSM_SCANOUT_MAX_BYTES_LIMIT,
							  WINDOW_BYTES), 0);
	KUNIT_ASSERT_EQ(test, msm_scanout_cache_set_limit(cache, MSM_SCANOUT_MAX_ENTRIES_LIMIT,
							  entries), 0);
	s->entries = entries + 1;
	for (unsigned int i = 0; i < s->entries; i++) {
		msm_scanout_entry_init(cache, &s->entry[i], PAGE_SIZE, i % 2);
		flip(test, s, i);
		cond_resched();
	}
	msm_scanout_cache_reap(cache);
	KUNIT_ASSERT_EQ(test, cache->gauges.idle_entries, entries);
}

static void empty(struct scale *s)
{
	msm_scanout_cache_drain(&s->display.cache);
	for (unsigned int i = 0; i < s->entries; i++)
		msm_scanout_cache_remove(&s->entry[i]);
	msm_scanout_cache_fini(&s->display.cache);
}

static void account(struct work *work, u64 units)
{
	work->most = max(work->most, units);
	work->sum += units;
}

/* Hits and misses in any order, each miss at the expense of another buffer. */
static struct work measure(struct kunit *test, struct scale *s)
{
	struct work work = {};

	prandom_seed_state(&s->rnd, 1);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int which = prandom_u32_state(&s->rnd) % s->entries;

		hook_work = 0;
		flip(test, s, which);
		if (i % 4 == 0)
			msm_scanout_cache_reap(&s->display.cache);
		account(&work, hook_work);
		if (i % 8)
			continue;

		hook_work = 0;
		msm_scanout_cache_invalidate(&s->entry[which], MSM_SCANOUT_MEMORY);
		flip(test, s, which);
		account(&work, hook_work);
	}

	return work;
}

static void work_does_not_grow_with_the_number_of_buffers(struct kunit *test)
{
	static const unsigned int sizes[] = { 16, 1024, MSM_SCANOUT_MAX_ENTRIES };
	const enum msm_scanout_policy_kind *kind = test->param_value;
	struct work work[ARRAY_SIZE(sizes)];
	struct scale *s = test->priv;

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		fill(test, s, sizes[i], *kind);
		work[i] = measure(test, s);
		empty(s);
		kunit_info(test, "%u buffers: %llu on average, %llu at most", sizes[i],
			   work[i].sum / ROUNDS, work[i].most);
	}

	/* At least something was counted, and the rest is the same but for chance. */
	KUNIT_EXPECT_GT(test, work[0].sum, ROUNDS);
	for (unsigned int i = 1; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_LE(test, work[i].sum * 10, work[0].sum * 13);
		KUNIT_EXPECT_LE(test, work[i].most * 10, work[0].most * 13);
	}
}

static int scale_init(struct kunit *test)
{
	struct scale *s = vzalloc(sizeof(*s));

	KUNIT_ASSERT_NOT_NULL(test, s);
	test->priv = s;
	s->entry = vcalloc(MSM_SCANOUT_MAX_ENTRIES + 1, sizeof(*s->entry));
	KUNIT_ASSERT_NOT_NULL(test, s->entry);

	return 0;
}

static void scale_exit(struct kunit *test)
{
	struct scale *s = test->priv;

	vfree(s->entry);
	vfree(s);
}

static const enum msm_scanout_policy_kind kinds[] = {
	MSM_SCANOUT_LRU, MSM_SCANOUT_ADAPTIVE,
};

static void describe_kind(const enum msm_scanout_policy_kind *kind, char *description)
{
	static const char * const names[] = { "lru", "adaptive" };

	strscpy(description, names[*kind], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kinds, describe_kind);

static struct kunit_case scale_cases[] = {
	KUNIT_CASE_PARAM_ATTR(work_does_not_grow_with_the_number_of_buffers,
			      kind_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite scale_suite = {
	.name = "msm_scanout_cache_scale",
	.init = scale_init,
	.exit = scale_exit,
	.test_cases = scale_cases,
};

kunit_test_suite(scale_suite);
