// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many threads on few buffers, for what only a race shows: a mapping that goes
 * while its buffer is on the screen, a bound exceeded for a moment, a slot
 * reused too early, a lock taken in the wrong order, a thread that waits for
 * ever.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "fake_display.h"

#define CLIENTS		4
#define BUFFERS		24
#define SHOWN		3
#define MB		((u64)SZ_1M)
#define MS		((u64)NSEC_PER_MSEC)

static uint stress_ms = 2000;
module_param(stress_ms, uint, 0444);
MODULE_PARM_DESC(stress_ms, "duration of the stress test in ms (default 2000)");

/**
 * struct stress_buffer - what the clients agree on about a buffer
 *
 * A buffer lives as long as somebody has its handle or the cache holds it.
 */
struct stress_buffer {
	/** @lock: serialises calls for this buffer, as the cache wants it */
	struct mutex lock;
	/** @handle: a client can name it */
	bool handle;
};

/**
 * struct stress - the test
 */
struct stress {
	/** @display: that all use */
	struct fake_display *display;
	/** @buffer: that they show */
	struct stress_buffer buffer[BUFFERS];
	/** @wait: where reaper and keeper sleep */
	wait_queue_head_t wait;
	/** @frees: buffers freed */
	atomic_t frees;
};

/**
 * struct client - one thread that flips
 */
struct client {
	/** @stress: the test */
	struct stress *stress;
	/** @rnd: chooses what it does */
	struct rnd_state rnd;
	/** @shown: buffers it has on the screen */
	struct {
		/** @shown.index: which */
		unsigned int index;
		/** @shown.iova: where */
		u64 iova;
	} shown[SHOWN];
	/** @n: their number */
	unsigned int n;
};

static u32 below(struct client *c, u32 n)
{
	return prandom_u32_state(&c->rnd) % n;
}

static struct msm_scanout_entry *entry_of(struct stress *s, unsigned int index)
{
	return &s->display->buffer[index]->entry;
}

/* Call with the buffer's lock held, if neither a client nor the cache needs it. */
static void recycle(struct stress *s, unsigned int index, u64 bytes, bool may_linger)
{
	struct msm_scanout_entry *entry = entry_of(s, index);

	msm_scanout_cache_remove(entry);
	if (fake_mapped(s->display, entry))
		fake_violation(s->display, "buffer %u was freed while mapped", index);

	/* Who still follows a pointer into it is found by the list checks. */
	memset(entry, 0x5a, sizeof(*entry));
	msm_scanout_entry_init(&s->display->cache, entry, bytes, may_linger);
	s->buffer[index].handle = true;
	atomic_inc(&s->frees);
}

/* The cache has dropped its reference: was it the last? */
static void stress_released(struct fake_buffer *buffer)
{
	struct stress *s = buffer->display->test->priv;
	struct stress_buffer *b = &s->buffer[buffer->index];

	mutex_lock(&b->lock);
	if (!b->handle && !buffer->entry.users && !atomic_read(&buffer->holds))
		recycle(s, buffer->index, 2 * MB, true);
	mutex_unlock(&b->lock);
}

static void client_show(struct client *c, unsigned int index)
{
	struct stress *s = c->stress;
	u64 iova;
	int ret;

	if (c->n == SHOWN)
		return;

	/* By handle, or imported again while it lingers. */
	s->buffer[index].handle = true;
	ret = msm_scanout_cache_get(entry_of(s, index), &iova);
	if (ret && ret != -EOPNOTSUPP && ret != -ENOSPC)
		fake_violation(s->display, "get failed with %d", ret);
	if (ret)
		return;
	if (!fake_mapped_at(s->display, entry_of(s, index), iova))
		fake_violation(s->display, "buffer %u is not mapped after get", index);
	c->shown[c->n].index = index;
	c->shown[c->n].iova = iova;
	c->n++;
}

static void client_hide(struct client *c)
{
	struct stress *s = c->stress;
	unsigned int k, index;

	if (!c->n)
		return;

	k = below(c, c->n);
	index = c->shown[k].index;
	mutex_lock(&s->buffer[index].lock);
	if (!fake_mapped_at(s->display, entry_of(s, index), c->shown[k].iova))
		fake_violation(s->display, "buffer %u was unmapped on the screen", index);
	msm_scanout_cache_put(entry_of(s, index));
	mutex_unlock(&s->buffer[index].lock);
	c->shown[k] = c->shown[--c->n];
}

static void client_close(struct client *c, unsigned int index)
{
	struct stress *s = c->stress;

	if (entry_of(s, index)->users)
		return;

	s->buffer[index].handle = false;
	if (!atomic_read(&s->display->buffer[index]->holds))
		recycle(s, index, (1 + below(c, 4)) * MB, below(c, 2));
}

static void client_limit(struct client *c)
{
	struct msm_scanout_cache *cache = &c->stress->display->cache;

	switch (below(c, 5)) {
	case 0:
		msm_scanout_cache_set_limit(cache, MSM_SCANOUT_MAX_BYTES_LIMIT,
					    below(c, 32) * MB);
		break;
	case 1:
		msm_scanout_cache_set_limit(cache, MSM_SCANOUT_MAX_ENTRIES_LIMIT, below(c, 24));
		break;
	case 2:
		msm_scanout_cache_set_limit(cache, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT,
					    below(c, 50) * MS);
		break;
	case 3:
		msm_scanout_cache_set_limit(cache, MSM_SCANOUT_LINGER_LIMIT, below(c, 30) * MS);
		break;
	case 4:
		msm_scanout_cache_trim(cache, below(c, 16) * MB, MSM_SCANOUT_TRIM);
		break;
	}
}

static void client_step(struct client *c)
{
	struct stress *s = c->stress;
	unsigned int index = below(c, BUFFERS);
	unsigned int dice = below(c, 100);

	if (dice < 45) {
		mutex_lock(&s->buffer[index].lock);
		client_show(c, index);
		mutex_unlock(&s->buffer[index].lock);
	} else if (dice < 88) {
		client_hide(c);
	} else if (dice < 92) {
		mutex_lock(&s->buffer[index].lock);
		if (!entry_of(s, index)->users)
			msm_scanout_cache_invalidate(entry_of(s, index), MSM_SCANOUT_MEMORY);
		mutex_unlock(&s->buffer[index].lock);
	} else if (dice < 96) {
		mutex_lock(&s->buffer[index].lock);
		client_close(c, index);
		mutex_unlock(&s->buffer[index].lock);
	} else if (dice < 98) {
		client_limit(c);
	} else {
		msm_scanout_cache_settle(&s->display->cache);
	}
}

static int client_thread(void *arg)
{
	struct client *c = arg;

	while (!kthread_should_stop()) {
		client_step(c);
		cond_resched();
	}
	while (c->n)
		client_hide(c);

	return 0;
}

static void stress_wake(struct fake_display *display)
{
	struct stress *s = display->test->priv;

	wake_up_all(&s->wait);
}

static int reaper_thread(void *arg)
{
	struct stress *s = arg;
	struct fake_display *display = s->display;

	while (!kthread_should_stop()) {
		wait_event_timeout(s->wait, READ_ONCE(display->reap_due) || kthread_should_stop(),
				   HZ);
		WRITE_ONCE(display->reap_due, false);
		msm_scanout_cache_reap(&display->cache);
	}

	return 0;
}

static int keeper_thread(void *arg)
{
	struct stress *s = arg;
	struct fake_display *display = s->display;

	while (!kthread_should_stop()) {
		wait_event_timeout(s->wait,
				   READ_ONCE(display->release_due) || kthread_should_stop(), 1);
		WRITE_ONCE(display->release_due, false);
		msm_scanout_cache_release(&display->cache);
		if (READ_ONCE(display->expire_at_ns) <= ktime_get_ns()) {
			WRITE_ONCE(display->expire_at_ns, U64_MAX);
			msm_scanout_cache_expire(&display->cache);
		}
	}

	return 0;
}

static void watch_bounds(struct kunit *test, struct fake_display *display,
			 struct msm_scanout_snapshot *snap)
{
	unsigned long end = jiffies + msecs_to_jiffies(stress_ms);
	const struct msm_scanout_limits *l = &snap->limits;
	const struct msm_scanout_gauges *g = &snap->gauges;
	unsigned int samples = 0;
	const char *wrong;

	while (time_before(jiffies, end)) {
		bool on;

		msm_scanout_cache_snapshot(&display->cache, snap);
		wrong = fake_sums_wrong(snap);
		KUNIT_EXPECT_NULL_MSG(test, wrong, "%s", wrong);
		on = l->max_bytes && l->max_entries;
		KUNIT_EXPECT_LE(test, g->idle_bytes, on ? l->max_bytes : 0);
		KUNIT_EXPECT_LE(test, g->idle_entries, on ? l->max_entries : 0);
		KUNIT_EXPECT_LE(test, g->lingering_entries, BUFFERS);
		KUNIT_EXPECT_LE(test, display->cache.reuse.ghost_entries, BUFFERS);
		KUNIT_EXPECT_LE(test, g->active_entries, CLIENTS * SHOWN);
		if (++samples % 64)
			cond_resched();
		else
			usleep_range(200, 500);
	}
}

static void nothing_breaks_under_concurrency(struct kunit *test)
{
	struct stress *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct client *clients = kunit_kcalloc(test, CLIENTS, sizeof(*clients), GFP_KERNEL);
	struct msm_scanout_snapshot *snap = kunit_kzalloc(test, sizeof(*snap), GFP_KERNEL);
	struct task_struct *threads[CLIENTS + 2];
	const struct msm_scanout_counters *c = &snap->counters;
	struct fake_display *display;

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_NOT_NULL(test, clients);
	KUNIT_ASSERT_NOT_NULL(test, snap);

	/* Room for less than there is, so that the window is contended too. */
	display = fake_display_new(test, 48 * MB);
	s->display = display;
	init_waitqueue_head(&s->wait);
	test->priv = s;
	display->real_clock = true;
	display->threads = true;
	display->log_ends = false;
	display->wake = stress_wake;
	display->released = stress_released;

	for (unsigned int i = 0; i < BUFFERS; i++) {
		mutex_init(&s->buffer[i].lock);
		s->buffer[i].handle = true;
		fake_buffer_new(display, (1 + i % 4) * MB, i % 2);
	}

	threads[CLIENTS] = kthread_run(reaper_thread, s, "scanout_reaper");
	threads[CLIENTS + 1] = kthread_run(keeper_thread, s, "scanout_keeper");
	for (unsigned int i = 0; i < CLIENTS; i++) {
		clients[i].stress = s;
		prandom_seed_state(&clients[i].rnd, i + 1);
		threads[i] = kthread_run(client_thread, &clients[i], "scanout_client%u", i);
	}

	watch_bounds(test, display, snap);

	/* Clients first: they need the others. */
	for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++) {
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, threads[i]);
		if (!IS_ERR(threads[i]))
			kthread_stop(threads[i]);
	}

	msm_scanout_cache_snapshot(&display->cache, snap);
	kunit_info(test, "%llu hits, %llu rescues, %llu misses, %llu window_full, %d frees",
		   c->hits, c->rescues, c->misses, c->window_full, atomic_read(&s->frees));
	kunit_info(test, "%llu unmaps in %llu batches, %llu lingers, %llu aged, %llu pressed out",
		   display->unmaps, c->batches, c->lingers, c->evictions_age,
		   c->evictions_pressure);

	/* Without these, it was no test. */
	KUNIT_EXPECT_GT(test, c->hits, 0);
	KUNIT_EXPECT_GT(test, display->unmaps, 0);
	KUNIT_EXPECT_GT(test, c->lingers, 0);
	KUNIT_EXPECT_GT(test, atomic_read(&s->frees), 0);
	KUNIT_EXPECT_EQ(test, snap->gauges.active_entries, 0);

	fake_display_free(display);
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE_SLOW(nothing_breaks_under_concurrency),
	{}
};

static struct kunit_suite stress_suite = {
	.name = "msm_scanout_cache_stress",
	.test_cases = stress_cases,
};

kunit_test_suite(stress_suite);
