// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each pair of things that may happen at the same time, from each state worth
 * telling apart, in every order in which their critical sections can follow each
 * other.  With a third actor, the worker that unmaps comes in at any moment, too.
 *
 * Who does them keeps to what the cache asks of its users: calls for one buffer
 * are serialised by the buffer's lock, which the shrinker only tries to take, and
 * the last reference is dropped by whoever happens to have it.
 */

#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "actors.h"
#include "fake_display.h"

#define BUFFERS		3
#define MB		((u64)SZ_1M)
#define SEC		((u64)NSEC_PER_SEC)

enum { A, B, C };

static uint third;
module_param(third, uint, 0444);
MODULE_PARM_DESC(third, "third actor of the interleavings: 0 none (default), 1 the reaper, 2 any");

enum action {
	FLIP_A,
	FLIP_B,
	FLIP_C,
	FAIL_A,
	HIDE_A,
	CLOSE_A,
	SHRINK_A,
	DROP_A,
	TRIM,
	OFF,
	ONE_ENTRY,
	NO_LINGER,
	EXPIRE,
	REAP,
	RELEASE,
	SETTLE,
	VISIT,
	DRAIN,
	ACTIONS,
};

static const char * const action_names[] = {
	[FLIP_A] = "flip A",
	[FLIP_B] = "flip B",
	[FLIP_C] = "flip C",
	[FAIL_A] = "fail to map A",
	[HIDE_A] = "hide A",
	[CLOSE_A] = "close A",
	[SHRINK_A] = "shrink A",
	[DROP_A] = "drop A",
	[TRIM] = "trim",
	[OFF] = "switch off",
	[ONE_ENTRY] = "max_entries = 1",
	[NO_LINGER] = "linger = 0",
	[EXPIRE] = "expire",
	[REAP] = "reap",
	[RELEASE] = "release",
	[SETTLE] = "settle",
	[VISIT] = "visit",
	[DRAIN] = "drain",
};

/**
 * struct start - a state from which things happen
 */
struct start {
	/** @name: for the log */
	const char *name;
	/**
	 * @slots: size of the window, 0 is more than enough; without a free one
	 * whoever needs one reaps, and no third actor does
	 */
	unsigned int slots;
	/** @max_entries: the bound, 0 is the default */
	unsigned int max_entries;
	/** @imported: A may linger, and its handle was closed */
	bool imported;
	/** @idle: flip these first, in order */
	const char *idle;
	/** @evicted: then evict these */
	const char *evicted;
	/** @shown: then show these */
	const char *shown;
	/** @no_flush: each unmap invalidates by itself */
	bool no_flush;
	/** @linger_over: then let the time pass for which A lingers */
	bool linger_over;
};

static const struct start starts[] = {
	{ .name = "A is new" },
	{ .name = "A is idle", .idle = "A" },
	{ .name = "A is in quarantine", .idle = "A", .evicted = "A" },
	{ .name = "A is in quarantine, unmaps do not batch", .idle = "A", .evicted = "A",
	  .no_flush = true },
	{ .name = "A is in use", .shown = "A" },
	{ .name = "A lingers", .imported = true, .idle = "A" },
	{ .name = "A is to be let go", .imported = true, .idle = "A", .linger_over = true },
	{ .name = "A and B are idle, no slot is left", .slots = 2, .idle = "AB" },
	{ .name = "A is in quarantine, B in use, no slot is left", .slots = 2, .idle = "A",
	  .evicted = "A", .shown = "B" },
	{ .name = "B is idle, the only one that may be, A in use", .max_entries = 1,
	  .idle = "B", .shown = "A" },
};

/**
 * struct world - the setting
 */
struct world {
	/** @test: that runs */
	struct kunit *test;
	/** @actors: who act */
	struct actors *actors;
	/** @display: memory for all displays, each of which sees one order */
	struct fake_display *display;
	/** @memory: for the buffers, likewise */
	struct fake_buffer memory[BUFFERS];
	/** @start: from where */
	const struct start *start;
	/** @action: of each actor */
	enum action action[ACTORS_MAX];
	/** @buffer: what their users know of them */
	struct {
		/** @buffer.refs: handles and framebuffers; the cache's references come on top */
		unsigned int refs;
		/** @buffer.handle: one of them is a handle */
		bool handle;
		/** @buffer.locked: somebody has the buffer's lock */
		bool locked;
		/** @buffer.shown: how often it is on the screen */
		unsigned int shown;
		/** @buffer.iova: where */
		u64 iova;
	} buffer[BUFFERS];
	/** @visits: of each buffer, by the only visitor */
	unsigned int visits[BUFFERS];
	/** @in_visit: another could go on after some of them, but not all */
	bool in_visit;
};

/*
 * Buffers
 */

static struct msm_scanout_entry *entry_of(struct world *w, unsigned int i)
{
	return &w->display->buffer[i]->entry;
}

static bool alive(struct world *w, unsigned int i)
{
	return w->display->buffer[i] &&
	       (w->buffer[i].refs || atomic_read(&w->display->buffer[i]->holds));
}

/* A reference was dropped. */
static void dropped(struct world *w, unsigned int i)
{
	if (!alive(w, i))
		fake_buffer_free(w->display->buffer[i]);
}

static void world_released(struct fake_buffer *buffer)
{
	dropped(buffer->display->test->priv, buffer->index);
}

static void unref(struct world *w, unsigned int i)
{
	w->buffer[i].refs--;
	dropped(w, i);
}

/* With a reference, and the buffer's lock. */
static bool show(struct world *w, unsigned int i)
{
	u64 iova = 0;
	int ret = msm_scanout_cache_get(entry_of(w, i), &iova);

	if (ret) {
		if (ret != -EOPNOTSUPP && ret != -ENOSPC && ret != -EINVAL)
			fake_violation(w->display, "get failed with %d", ret);
		return false;
	}

	if (!fake_mapped_at(w->display, entry_of(w, i), iova))
		fake_violation(w->display, "buffer %u is not mapped after get", i);
	if (w->buffer[i].shown && w->buffer[i].iova != iova)
		fake_violation(w->display, "buffer %u moved while shown", i);
	w->buffer[i].shown++;
	w->buffer[i].iova = iova;

	return true;
}

static void hide(struct world *w, unsigned int i)
{
	w->buffer[i].shown--;
	msm_scanout_cache_put(entry_of(w, i));
}

/*
 * What actors do
 */

static void act_hide(struct world *w, struct actor *actor, unsigned int i)
{
	actors_begin(actor, "put", &w->buffer[i].locked);
	w->buffer[i].locked = true;
	hide(w, i);
	w->buffer[i].locked = false;
	unref(w, i);
}

static void act_flip(struct world *w, struct actor *actor, unsigned int i, bool fails)
{
	bool shown;

	actors_begin(actor, "get", &w->buffer[i].locked);
	if (!alive(w, i))
		return;

	w->buffer[i].refs++;
	w->buffer[i].locked = true;
	if (fails)
		w->display->map_fails_for = current;
	shown = show(w, i);
	if (fails)
		w->display->map_fails_for = NULL;
	w->buffer[i].locked = false;

	if (shown)
		act_hide(w, actor, i);
	else
		unref(w, i);
}

static void act_close(struct world *w, struct actor *actor, unsigned int i)
{
	actors_begin(actor, "close", NULL);
	if (!w->buffer[i].handle)
		return;

	w->buffer[i].handle = false;
	unref(w, i);
}

/* With a reference and the lock, like the shrinker and debugfs. */
static void act_invalidate(struct world *w, struct actor *actor, unsigned int i, bool try,
			   enum msm_scanout_reason reason)
{
	actors_begin(actor, "invalidate", try ? NULL : &w->buffer[i].locked);
	if (!alive(w, i) || w->buffer[i].locked)
		return;

	w->buffer[i].refs++;
	w->buffer[i].locked = true;
	if (!entry_of(w, i)->users) {
		msm_scanout_cache_invalidate(entry_of(w, i), reason);
		if (fake_mapped(w->display, entry_of(w, i)))
			fake_violation(w->display, "buffer %u is mapped after invalidate", i);
	}
	w->buffer[i].locked = false;
	unref(w, i);
}

static void set_limit(struct world *w, enum msm_scanout_limit which, u64 value)
{
	if (msm_scanout_cache_set_limit(&w->display->cache, which, value))
		fake_violation(w->display, "limit %d was not accepted", which);
}

static void visit_entry(struct msm_scanout_entry *entry, void *arg)
{
	struct world *w = arg;

	lockdep_assert_held(&entry->cache->lock);
	for (unsigned int i = A; i < BUFFERS; i++)
		w->visits[i] += w->display->buffer[i] && entry == entry_of(w, i);
}

static void act_visit(struct world *w, struct actor *actor)
{
	actors_begin(actor, "visit", NULL);
	memset(w->visits, 0, sizeof(w->visits));
	msm_scanout_cache_for_each(&w->display->cache, visit_entry, w);

	for (unsigned int i = A; i < BUFFERS; i++) {
		if (w->visits[i] > 1)
			fake_violation(w->display, "buffer %u was visited twice", i);
		if (!w->visits[i] && w->display->buffer[i])
			fake_violation(w->display, "buffer %u was not visited", i);
	}
}

static void act_on_cache(struct world *w, struct actor *actor, enum action action)
{
	struct fake_display *display = w->display;

	actors_begin(actor, action_names[action], NULL);
	switch (action) {
	case TRIM:
		msm_scanout_cache_trim(&display->cache, 0, MSM_SCANOUT_TRIM);
		break;
	case OFF:
		set_limit(w, MSM_SCANOUT_MAX_BYTES_LIMIT, 0);
		break;
	case ONE_ENTRY:
		set_limit(w, MSM_SCANOUT_MAX_ENTRIES_LIMIT, 1);
		break;
	case NO_LINGER:
		set_limit(w, MSM_SCANOUT_LINGER_LIMIT, 0);
		break;
	case EXPIRE:
		display->now_ns += 20 * SEC;
		display->expire_at_ns = U64_MAX;
		msm_scanout_cache_expire(&display->cache);
		break;
	case REAP:
		display->reap_due = false;
		msm_scanout_cache_reap(&display->cache);
		break;
	case RELEASE:
		display->release_due = false;
		msm_scanout_cache_release(&display->cache);
		break;
	case SETTLE:
		msm_scanout_cache_settle(&display->cache);
		break;
	case DRAIN:
		fake_drain(display);
		if (!list_empty(&display->ranges))
			fake_violation(display, "drain returned with something mapped");
		break;
	default:
		fake_violation(display, "no such action: %d", action);
		break;
	}
}

static void world_act(struct actor *actor, void *arg)
{
	struct world *w = arg;
	enum action action = w->action[actor->id];

	switch (action) {
	case FLIP_A:
	case FLIP_B:
	case FLIP_C:
		act_flip(w, actor, action - FLIP_A, false);
		break;
	case FAIL_A:
		act_flip(w, actor, A, true);
		break;
	case HIDE_A:
		act_hide(w, actor, A);
		break;
	case CLOSE_A:
		act_close(w, actor, A);
		break;
	case SHRINK_A:
		act_invalidate(w, actor, A, true, MSM_SCANOUT_MEMORY);
		break;
	case DROP_A:
		act_invalidate(w, actor, A, false, MSM_SCANOUT_DROP);
		break;
	case VISIT:
		act_visit(w, actor);
		break;
	default:
		act_on_cache(w, actor, action);
		break;
	}
}

/*
 * Before, meanwhile and after
 */

static void world_setup(void *arg)
{
	struct world *w = arg;
	const struct start *s = w->start;
	struct fake_display *display = w->display;

	fake_display_begin(display, w->test, s->slots ? s->slots * 2 * MB : FAKE_WINDOW_BYTES);
	display->threads = true;
	display->log_ends = false;
	display->released = world_released;
	if (s->no_flush)
		display->ops.flush = NULL;
	memset(w->buffer, 0, sizeof(w->buffer));
	memset(w->visits, 0, sizeof(w->visits));

	for (unsigned int i = A; i < BUFFERS; i++) {
		w->memory[i].kept = true;
		fake_buffer_begin(display, &w->memory[i], 2 * MB, s->imported && i == A);
		w->buffer[i].refs = 1;
		w->buffer[i].handle = true;
	}
	if (s->max_entries)
		set_limit(w, MSM_SCANOUT_MAX_ENTRIES_LIMIT, s->max_entries);

	for (const char *c = s->idle; c && *c; c++)
		fake_flip(display, *c - 'A');
	if (s->evicted)
		msm_scanout_cache_trim(&display->cache, 0, MSM_SCANOUT_TRIM);
	for (const char *c = s->shown; c && *c; c++) {
		w->buffer[*c - 'A'].refs++;
		show(w, *c - 'A');
	}
	if (s->imported) {
		w->buffer[A].handle = false;
		unref(w, A);
	}
	if (s->linger_over) {
		display->now_ns += 2 * SEC;
		display->expire_at_ns = U64_MAX;
		msm_scanout_cache_expire(&display->cache);
	}
}

static const char *world_check(void *arg)
{
	struct world *w = arg;

	for (unsigned int i = A; i < BUFFERS; i++) {
		if (w->buffer[i].shown &&
		    !fake_mapped_at(w->display, entry_of(w, i), w->buffer[i].iova))
			return "a buffer is on the screen and not mapped";
		w->in_visit |= w->visits[i] != w->visits[0];
	}

	return fake_wrong(w->display);
}

/* All is quiet: nobody waits in vain, everything still works, nothing is left. */
static void world_finish(void *arg)
{
	struct world *w = arg;
	struct fake_display *display = w->display;
	struct msm_scanout_cache *cache = &display->cache;

	for (unsigned int i = A; i < BUFFERS; i++) {
		KUNIT_ASSERT_FALSE(w->test, w->buffer[i].locked);
		while (w->buffer[i].shown) {
			hide(w, i);
			unref(w, i);
		}
	}

	fake_check(display);
	while (display->reap_due || display->release_due) {
		display->reap_due = false;
		msm_scanout_cache_reap(cache);
		display->release_due = false;
		msm_scanout_cache_release(cache);
	}
	fake_check(display);
	KUNIT_ASSERT_EQ(w->test, cache->gauges.quarantined_bytes, 0);

	for (unsigned int i = A; i < BUFFERS; i++) {
		if (alive(w, i) && msm_scanout_cache_enabled(cache))
			fake_flip(display, i);
		else
			KUNIT_ASSERT_EQ(w->test, !display->buffer[i], !alive(w, i));
	}
	fake_display_end(display);
}

/*
 * Which of them may happen at the same time
 */

static bool possible(const struct world *w, enum action action)
{
	return action != HIDE_A || (w->start->shown && strchr(w->start->shown, 'A'));
}

/* The last commit is over before the display is torn down. */
static bool shows(enum action action)
{
	return action <= HIDE_A;
}

static bool compatible(const struct world *w, enum action a, enum action b)
{
	if (a == b && (a == HIDE_A || a == VISIT))
		return false;
	if (a == DRAIN || b == DRAIN)
		return a != b && !shows(a) && !shows(b) && !w->start->shown;

	return true;
}

static u64 play_together(struct world *w, const struct actors_play *play, unsigned int count,
			 enum action a, enum action b, enum action c)
{
	const enum action action[] = { a, b, c };

	for (unsigned int i = 0; i < ARRAY_SIZE(action); i++) {
		w->action[i] = action[i];
		w->actors->actor[i].name = action_names[action[i]];
	}

	return actors_play(w->actors, count, play);
}

static struct actors_play play_of(struct world *w)
{
	return (struct actors_play) {
		.setup = world_setup,
		.act = world_act,
		.check = world_check,
		.finish = world_finish,
		.arg = w,
	};
}

/* However many entries there are, whoever flips need not wait for all of them. */
static void a_visit_lets_others_in_between(struct kunit *test)
{
	struct world *w = test->priv;
	const struct actors_play play = play_of(w);

	w->start = &starts[0];
	play_together(w, &play, 2, VISIT, FLIP_A, REAP);
	KUNIT_EXPECT_TRUE(test, w->in_visit);
}

static void every_order_keeps_the_promises(struct kunit *test)
{
	struct world *w = test->priv;
	const struct actors_play play = play_of(w);
	unsigned int plays = 0;
	u64 orders = 0;

	w->start = test->param_value;
	for (enum action a = 0; a < ACTIONS; a++) {
		for (enum action b = a; b < ACTIONS; b++) {
			unsigned int count = third && !(third == 1 && w->start->slots) ? 3 : 2;
			/* Who is third does not matter, so each set comes only once. */
			enum action first = third == 2 ? b : REAP;
			enum action last = third == 2 ? ACTIONS - 1 : REAP;

			if (!possible(w, a) || !possible(w, b) || !compatible(w, a, b))
				continue;
			for (enum action c = first; c <= last; c++) {
				if (!possible(w, c) || !compatible(w, a, c) ||
				    !compatible(w, b, c))
					continue;
				orders += play_together(w, &play, count, a, b, c);
				plays++;
			}
		}
	}

	kunit_info(test, "figure: %llu orders of %u sets of actors", orders, plays);
}

static int interleave_init(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->test = test;
	w->display = kunit_kzalloc(test, sizeof(*w->display), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->display);
	w->actors = actors_new(test);
	test->priv = w;

	return 0;
}

static void interleave_exit(struct kunit *test)
{
	struct world *w = test->priv;

	actors_free(w->actors);
}

static void describe_start(const struct start *start, char *description)
{
	strscpy(description, start->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(start, starts, describe_start);

static struct kunit_case interleave_cases[] = {
	KUNIT_CASE(a_visit_lets_others_in_between),
	KUNIT_CASE_PARAM_ATTR(every_order_keeps_the_promises, start_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite interleave_suite = {
	.name = "msm_scanout_cache_interleave",
	.init = interleave_init,
	.exit = interleave_exit,
	.test_cases = interleave_cases,
};

kunit_test_suite(interleave_suite);
