// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each thing on the path that can fail, failed once, and from then on: the same
 * life of a few buffers is lived again and again, each time with the next call
 * failing.  Whatever fails, the lookup says so, nothing is left behind, and the
 * next one works.
 */

#include <linux/prandom.h>
#include <linux/slab.h>

#include "fake_display.h"
#include "hooks.h"

#define BUFFERS		10
#define SHOWN		4
#define STEPS		400
#define SLOTS		6
#define MB		((u64)SZ_1M)
#define MS		((u64)NSEC_PER_MSEC)

/**
 * struct life - what happens, always the same but for what is asked for here
 */
struct life {
	/** @kind: what fails */
	enum hook_fault kind;
	/** @first: the first call to fail */
	unsigned int first;
	/** @last: the last call to fail */
	unsigned int last;
	/** @starved: nobody reaps */
	bool starved;
	/** @drain_at: step at which the display is torn down */
	unsigned int drain_at;

	/** @calls: how many could have failed */
	unsigned int calls;
	/** @failures: lookups that failed because of it */
	unsigned int failures;
	/** @lookups: successful or not, while the cache was on */
	unsigned int lookups;
	/** @shown: how often each buffer is on the screen */
	unsigned int shown[BUFFERS];
	/** @all_shown: their sum */
	unsigned int all_shown;
	/** @display: on which they are shown */
	struct fake_display *display;
	/** @rnd: chooses what is shown */
	struct rnd_state rnd;
};

static const struct life untroubled = {
	.first = UINT_MAX,
	.last = UINT_MAX,
	.drain_at = UINT_MAX,
};

static const int errors[] = {
	[HOOK_ALLOC] = -ENOMEM,
	[HOOK_SLOT] = -ENOSPC,
	[HOOK_MAP] = -EIO,
	[HOOK_SHORT_MAP] = -EINVAL,
};

static u32 below(struct life *l, u32 n)
{
	return prandom_u32_state(&l->rnd) % n;
}

static void show(struct life *l, unsigned int i)
{
	struct fake_display *display = l->display;
	struct msm_scanout_entry *entry = &display->buffer[i]->entry;
	struct kunit *test = display->test;
	u64 iova = 42;
	int ret;

	if (l->all_shown == SHOWN)
		return;

	if (!msm_scanout_cache_enabled(&display->cache)) {
		KUNIT_ASSERT_EQ(test, msm_scanout_cache_get(entry, &iova), -EOPNOTSUPP);
		return;
	}

	l->lookups += !l->shown[i];
	ret = msm_scanout_cache_get(entry, &iova);
	if (ret) {
		KUNIT_ASSERT_EQ(test, ret, errors[l->kind]);
		KUNIT_ASSERT_EQ(test, iova, 42);
		KUNIT_ASSERT_EQ(test, fake_mapped(display, entry), 0);
		l->failures++;
		return;
	}

	KUNIT_ASSERT_TRUE(test, fake_mapped_at(display, entry, iova));
	l->shown[i]++;
	l->all_shown++;
}

static void hide(struct life *l, unsigned int i)
{
	if (!l->shown[i])
		return;

	l->shown[i]--;
	l->all_shown--;
	msm_scanout_cache_put(&l->display->buffer[i]->entry);
}

static void renew(struct life *l, unsigned int i)
{
	struct fake_display *display = l->display;
	struct msm_scanout_entry *entry = &display->buffer[i]->entry;

	if (l->shown[i] || atomic_read(&display->buffer[i]->holds))
		return;

	msm_scanout_cache_remove(entry);
	KUNIT_ASSERT_EQ(display->test, fake_mapped(display, entry), 0);
	memset(entry, 0x5a, sizeof(*entry));
	msm_scanout_entry_init(&display->cache, entry, 2 * MB, i % 2);
}

static void limit(struct life *l)
{
	switch (below(l, 4)) {
	case 0:
		fake_limit(l->display, MSM_SCANOUT_MAX_BYTES_LIMIT, below(l, 7) * 2 * MB);
		break;
	case 1:
		fake_limit(l->display, MSM_SCANOUT_MAX_ENTRIES_LIMIT, below(l, 7));
		break;
	case 2:
		fake_limit(l->display, MSM_SCANOUT_LINGER_LIMIT, below(l, 500) * MS);
		break;
	case 3:
		msm_scanout_cache_set_policy(&l->display->cache, below(l, 2));
		break;
	}
}

static void drain(struct life *l)
{
	for (unsigned int i = 0; i < BUFFERS; i++) {
		while (l->shown[i])
			hide(l, i);
	}
	msm_scanout_cache_drain(&l->display->cache);
	KUNIT_ASSERT_TRUE(l->display->test, list_empty(&l->display->ranges));
	KUNIT_ASSERT_EQ(l->display->test, l->display->cache.gauges.lingering_entries, 0);
}

static void step(struct life *l)
{
	struct fake_display *display = l->display;
	unsigned int i = below(l, BUFFERS), dice = below(l, 100);

	if (dice < 42) {
		show(l, i);
	} else if (dice < 76) {
		while (!l->shown[i] && l->all_shown)
			i = (i + 1) % BUFFERS;
		hide(l, i);
	} else if (dice < 80) {
		if (!l->starved)
			fake_reap(display);
	} else if (dice < 84) {
		fake_release(display);
	} else if (dice < 87) {
		fake_advance(display, below(l, 4000) * MS);
	} else if (dice < 90) {
		msm_scanout_cache_trim(&display->cache, below(l, 4) * 2 * MB, MSM_SCANOUT_TRIM);
	} else if (dice < 93) {
		limit(l);
	} else if (dice < 96) {
		if (!l->shown[i])
			msm_scanout_cache_invalidate(&display->buffer[i]->entry,
						     MSM_SCANOUT_MEMORY);
	} else {
		renew(l, i);
	}
	fake_check(display);
}

/* Afterwards everything works as if nothing had happened. */
static void live_on(struct life *l)
{
	struct fake_display *display = l->display;
	const struct msm_scanout_counters *c = &display->cache.counters;
	struct kunit *test = display->test;

	KUNIT_ASSERT_EQ(test, c->hits + c->misses, l->lookups);
	KUNIT_ASSERT_EQ(test, c->map_failures, l->failures);
	KUNIT_ASSERT_EQ(test, c->inserts, display->maps);

	for (unsigned int i = 0; i < BUFFERS; i++) {
		while (l->shown[i])
			hide(l, i);
	}
	if (display->cache.dead)
		return;

	fake_limit(display, MSM_SCANOUT_MAX_BYTES_LIMIT, 4 * MB);
	fake_limit(display, MSM_SCANOUT_MAX_ENTRIES_LIMIT, 4);
	for (unsigned int i = 0; i < BUFFERS; i++)
		fake_flip(display, i);
	fake_reap(display);
	KUNIT_ASSERT_EQ(test, list_count_nodes(&display->ranges), 2);
}

static void live(struct kunit *test, struct life *l)
{
	struct fake_display *display = fake_display_new(test, SLOTS * MSM_SCANOUT_SLOT_BYTES);

	test->priv = display;
	l->display = display;
	prandom_seed_state(&l->rnd, 1);
	display->log_ends = false;
	for (unsigned int i = 0; i < BUFFERS; i++)
		fake_buffer_new(display, 2 * MB, i % 2);

	hook_faults_arm(l->kind, l->first, l->last);
	for (unsigned int i = 0; i < STEPS; i++) {
		if (i == l->drain_at)
			drain(l);
		step(l);
	}
	l->calls = hook_faults_disarm(l->kind);

	live_on(l);
	fake_display_free(display);
	test->priv = NULL;
}

/* Each call in turn, alone and with all that come after it. */
static void fail_each(struct kunit *test, enum hook_fault kind)
{
	struct life reference = untroubled;
	unsigned int injected = 0, failures = 0;

	reference.kind = kind;
	live(test, &reference);
	KUNIT_ASSERT_GT(test, reference.calls, 20);
	KUNIT_ASSERT_EQ(test, reference.failures, 0);

	for (unsigned int first = 0; first < reference.calls; first++) {
		for (unsigned int forever = 0; forever < 2; forever++) {
			struct life l = untroubled;

			l.kind = kind;
			l.first = first;
			l.last = forever ? UINT_MAX : first;
			live(test, &l);
			/* Without a slot, others are evicted, and one is found. */
			if (kind != HOOK_SLOT || forever)
				KUNIT_ASSERT_GT(test, l.failures, 0);
			KUNIT_ASSERT_GT(test, l.calls, first);
			injected += forever ? l.calls - first : 1;
			failures += l.failures;
		}
		cond_resched();
	}

	kunit_info(test, "figure: %u failures injected at %u places, %u lookups failed",
		   injected, reference.calls, failures);
}

static void any_allocation_may_fail(struct kunit *test)
{
	fail_each(test, HOOK_ALLOC);
}

static void any_search_for_a_slot_may_fail(struct kunit *test)
{
	fail_each(test, HOOK_SLOT);
}

static void any_map_may_fail(struct kunit *test)
{
	fail_each(test, HOOK_MAP);
}

static void any_map_may_end_half_way(struct kunit *test)
{
	fail_each(test, HOOK_SHORT_MAP);
}

/* live() checks bounds and promises after each step. */
static void nothing_depends_on_the_reaper(struct kunit *test)
{
	struct life l = untroubled;

	l.starved = true;
	live(test, &l);
	KUNIT_EXPECT_EQ(test, l.failures, 0);
}

static void the_display_may_go_at_any_step(struct kunit *test)
{
	for (unsigned int i = 0; i < STEPS; i++) {
		struct life l = untroubled;

		l.drain_at = i;
		l.starved = i % 2;
		live(test, &l);
		KUNIT_EXPECT_EQ(test, l.failures, 0);
		cond_resched();
	}

	kunit_info(test, "figure: %u teardowns in the middle", STEPS);
}

static void faults_exit(struct kunit *test)
{
	for (enum hook_fault kind = 0; kind < HOOK_FAULTS; kind++)
		hook_faults_disarm(kind);
	if (test->priv)
		fake_display_free(test->priv);
}

static struct kunit_case faults_cases[] = {
	KUNIT_CASE(any_allocation_may_fail),
	KUNIT_CASE(any_search_for_a_slot_may_fail),
	KUNIT_CASE(any_map_may_fail),
	KUNIT_CASE(any_map_may_end_half_way),
	KUNIT_CASE(nothing_depends_on_the_reaper),
	KUNIT_CASE(the_display_may_go_at_any_step),
	{}
};

static struct kunit_suite faults_suite = {
	.name = "msm_scanout_cache_faults",
	.exit = faults_exit,
	.test_cases = faults_cases,
};

kunit_test_suite(faults_suite);
