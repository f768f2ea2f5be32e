// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many lookups hit under each policy, in the real cache, against the
 * optimum of one who knows the future.  Buffers are of one size, so the optimum is
 * Belady's: of those idle, the one that is wanted last goes.
 *
 * The workloads are displays whose planes cycle through pools of their own, and
 * what was recorded on the board (policy_recorded.h is made of daemon/tests/traces).
 */

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "instant_display.h"

enum action {
	USE,
	IDLE,
	FREE,
};

struct step {
	enum action action;
	unsigned int buffer;
};

struct recording {
	const char *name;
	const struct step *steps;
	unsigned int count;
};

/* The last one has no name. */
#include "policy_recorded.h"

#define FLIPS		6000
#define BUFFER_BYTES	SZ_8M
#define WINDOW_START	0x100000000ull
#define PLANES		4
/* Buffers that are shown once only; as many as there can be flips. */
#define POOL_ONCE	(FLIPS + 1)
#define BUFFERS		(500 + POOL_ONCE)
#define STEPS		(2 * FLIPS)
#define NEVER		UINT_MAX

enum pattern {
	NONE,
	/* In turn. */
	CYCLE,
	/* In turn, three times in ten the next but one. */
	QUEUE,
	/* Any of the next three, as a decoder with B frames. */
	REORDER,
	/* A new one every time. */
	ONCE,
	/* In turn, one in ten is new. */
	SOMETIMES_ONCE,
	/* Four pools in turn, the next one after 90 flips. */
	SWITCH,
	/* What was given back last; up to all others are queued at times, seldom many. */
	LIFO,
	/* Any but the one that is shown. */
	RANDOM,
	/* Two pools in turn, the other one after 5 to 60 flips. */
	BURSTS,
	/* In turn, the other way round after 90 flips. */
	REVERSE,
};

struct stream {
	enum pattern pattern;
	unsigned int pool;
	/* Flips every so many vblanks. */
	unsigned int vblanks;
};

struct workload {
	const char *name;
	struct stream streams[PLANES];
};

static const struct workload workloads[] = {
	{ "cycle3", { { CYCLE, 3, 1 } } },
	{ "3planes-cycle4", { { CYCLE, 4, 1 }, { CYCLE, 4, 1 }, { CYCLE, 4, 1 } } },
	{ "desk3-video20", { { CYCLE, 3, 1 }, { CYCLE, 20, 2 } } },
	{ "desk3-video16-reordered", { { QUEUE, 3, 1 }, { REORDER, 16, 2 } } },
	{ "2outputs-video24-cursor2",
	  { { CYCLE, 3, 1 }, { CYCLE, 4, 1 }, { CYCLE, 24, 2 }, { CYCLE, 2, 3 } } },
	{ "switch-4x3", { { SWITCH, 3, 1 } } },
	{ "desk3-once-10%", { { SOMETIMES_ONCE, 3, 1 }, { CYCLE, 4, 1 } } },
	{ "desk3-stream-once", { { CYCLE, 3, 1 }, { ONCE, 0, 2 } } },
	{ "lifo4", { { LIFO, 4, 1 } } },
	{ "lifo8", { { LIFO, 8, 1 } } },
	{ "lifo12", { { LIFO, 12, 1 } } },
	{ "lifo16", { { LIFO, 16, 1 } } },
	{ "lifo24", { { LIFO, 24, 1 } } },
	{ "desk3-lifo16", { { CYCLE, 3, 1 }, { LIFO, 16, 2 } } },
	{ "random8", { { RANDOM, 8, 1 } } },
	{ "random24", { { RANDOM, 24, 1 } } },
	{ "bursts-2x12", { { BURSTS, 12, 1 } } },
	{ "desk3-bursts-2x6", { { CYCLE, 3, 1 }, { BURSTS, 6, 2 } } },
	{ "reverse12", { { REVERSE, 12, 1 } } },
	{ "desk3-reverse20", { { CYCLE, 3, 1 }, { REVERSE, 20, 2 } } },
};

static const unsigned int capacities[] = { 2, 3, 4, 6, 8, 12, 16, 20, 24, 32 };

static const struct {
	const char *name;
	enum msm_scanout_policy_kind kind;
} policies[] = {
	{ "lru", MSM_SCANOUT_LRU },
	{ "adaptive", MSM_SCANOUT_ADAPTIVE },
};

struct bench {
	struct instant_display display;
	struct msm_scanout_entry *entries;
	struct rnd_state random;
	struct step steps[STEPS];
	unsigned int count;
	/* By step that uses a buffer: when it is used again, or NEVER. */
	unsigned int next[STEPS];
	/* By buffer, for the optimum: when it is wanted next. */
	unsigned int *wanted;
	unsigned int *last;
	unsigned int once;
};

/* Where a stream is in its pool. */
struct place {
	unsigned int base;
	unsigned int count;
	unsigned int queue[32];
	/* Queued behind the one that is shown. */
	unsigned int waiting;
	/* Which of two pools, until so many were shown. */
	unsigned int half;
	unsigned int until;
};

static unsigned int chance(struct bench *bench, unsigned int below)
{
	return prandom_u32_state(&bench->random) % below;
}

/* Take the buffer that is @skip from the front, and put it at the end. */
static unsigned int requeue(struct place *place, unsigned int pool, unsigned int skip)
{
	unsigned int taken = place->queue[skip];

	for (unsigned int i = skip; i + 1 < pool; i++)
		place->queue[i] = place->queue[i + 1];
	place->queue[pool - 1] = taken;

	return place->base + taken;
}

static unsigned int next_buffer(struct bench *bench, const struct stream *stream,
				struct place *place)
{
	unsigned int n = place->count++;

	switch (stream->pattern) {
	case QUEUE:
		return requeue(place, stream->pool, chance(bench, 10) < 3);
	case REORDER:
		return requeue(place, stream->pool, chance(bench, 3));
	case ONCE:
		return 500 + bench->once++;
	case SOMETIMES_ONCE:
		if (!chance(bench, 10))
			return 500 + bench->once++;
		return requeue(place, stream->pool, 0);
	case SWITCH:
		return place->base + 10 * (n / 90 % 4) + n % stream->pool;
	case LIFO:
		/* The one shown, those that wait for it to end, then the free, last one first. */
		place->waiting = max(place->waiting,
				     1 + chance(bench, 1 + chance(bench, stream->pool - 1)));
		requeue(place, place->waiting + 1, 0);
		place->waiting--;
		return place->base + place->queue[0];
	case RANDOM:
		return requeue(place, stream->pool, chance(bench, stream->pool - 1));
	case BURSTS:
		if (n == place->until) {
			place->half = !place->half;
			place->until = n + 5 + chance(bench, 56);
		}
		return place->base + 50 * place->half + n % stream->pool;
	case REVERSE:
		if (n / 90 % 2)
			return place->base + stream->pool - 1 - n % stream->pool;
		return place->base + n % stream->pool;
	default:
		return requeue(place, stream->pool, 0);
	}
}

static void add_step(struct bench *bench, enum action action, unsigned int buffer)
{
	bench->steps[bench->count++] = (struct step) { action, buffer };
}

/* A buffer that stays on screen is neither used nor idle. */
static void make_steps(struct bench *bench, const struct workload *workload)
{
	struct place places[PLANES] = { };
	unsigned int shown[PLANES];
	unsigned int made = 0;

	prandom_seed_state(&bench->random, 1);
	bench->once = 0;
	bench->count = 0;
	for (unsigned int p = 0; p < PLANES; p++) {
		shown[p] = NEVER;
		places[p].base = 100 * p;
		for (unsigned int i = 0; i < ARRAY_SIZE(places[p].queue); i++)
			places[p].queue[i] = i;
	}

	for (unsigned int vblank = 0; made < FLIPS; vblank++) {
		for (unsigned int p = 0; p < PLANES && made < FLIPS; p++) {
			const struct stream *stream = &workload->streams[p];
			unsigned int buffer;

			if (!stream->pattern || vblank % stream->vblanks)
				continue;
			made++;
			buffer = next_buffer(bench, stream, &places[p]);
			if (buffer == shown[p])
				continue;
			add_step(bench, USE, buffer);
			if (shown[p] != NEVER)
				add_step(bench, IDLE, shown[p]);
			shown[p] = buffer;
		}
	}
}

static void look_ahead(struct bench *bench)
{
	memset32(bench->last, NEVER, BUFFERS);
	for (int i = bench->count - 1; i >= 0; i--) {
		if (bench->steps[i].action != USE)
			continue;
		bench->next[i] = bench->last[bench->steps[i].buffer];
		bench->last[bench->steps[i].buffer] = i;
	}
}

/* Take a buffer off the list; returns whether it was on it. */
static bool take(unsigned int *idle, unsigned int *count, unsigned int buffer)
{
	for (unsigned int i = 0; i < *count; i++) {
		if (idle[i] == buffer) {
			idle[i] = idle[--*count];
			return true;
		}
	}

	return false;
}

/* Forget what is idle but @capacity buffers, those wanted last first. */
static void forget_farthest(struct bench *bench, unsigned int *idle, unsigned int *count,
			    unsigned int capacity)
{
	while (*count > capacity) {
		unsigned int victim = 0;

		for (unsigned int i = 1; i < *count; i++) {
			if (bench->wanted[idle[i]] > bench->wanted[idle[victim]])
				victim = i;
		}
		idle[victim] = idle[--*count];
	}
}

static unsigned int optimum_hits(struct bench *bench, unsigned int capacity)
{
	unsigned int idle[64], count = 0, hits = 0;

	for (unsigned int i = 0; i < bench->count; i++) {
		unsigned int buffer = bench->steps[i].buffer;

		switch (bench->steps[i].action) {
		case USE:
			hits += take(idle, &count, buffer);
			bench->wanted[buffer] = bench->next[i];
			break;
		case IDLE:
			idle[count++] = buffer;
			forget_farthest(bench, idle, &count, capacity);
			break;
		case FREE:
			take(idle, &count, buffer);
			break;
		}
	}

	return hits;
}

static unsigned int policy_hits(struct kunit *test, struct bench *bench, unsigned int capacity,
				enum msm_scanout_policy_kind kind)
{
	struct msm_scanout_cache *cache = &bench->display.cache;
	u64 iova, hits;

	msm_scanout_cache_init(cache, &instant_display_ops, WINDOW_START, SZ_1G);
	KUNIT_ASSERT_EQ(test, 0, msm_scanout_cache_set_limit(cache, MSM_SCANOUT_MAX_BYTES_LIMIT,
							     capacity * BUFFER_BYTES));
	KUNIT_ASSERT_EQ(test, 0, msm_scanout_cache_set_limit(cache, MSM_SCANOUT_MAX_ENTRIES_LIMIT,
							     MSM_SCANOUT_MAX_ENTRIES));
	KUNIT_ASSERT_EQ(test, 0, msm_scanout_cache_set_limit(cache,
							     MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 0));
	msm_scanout_cache_set_policy(cache, kind);
	for (unsigned int i = 0; i < BUFFERS; i++)
		msm_scanout_entry_init(cache, &bench->entries[i], BUFFER_BYTES, false);

	for (unsigned int i = 0; i < bench->count; i++) {
		struct msm_scanout_entry *entry = &bench->entries[bench->steps[i].buffer];

		switch (bench->steps[i].action) {
		case USE:
			KUNIT_ASSERT_EQ(test, 0, msm_scanout_cache_get(entry, &iova));
			break;
		case IDLE:
			msm_scanout_cache_put(entry);
			/* What was chosen goes at once: to take it back is no hit. */
			msm_scanout_cache_reap(cache);
			break;
		case FREE:
			msm_scanout_cache_invalidate(entry, MSM_SCANOUT_FREE);
			break;
		}
	}
	hits = cache->counters.hits;

	for (unsigned int i = 0; i < BUFFERS; i++) {
		if (bench->entries[i].state == MSM_SCANOUT_ACTIVE)
			msm_scanout_cache_put(&bench->entries[i]);
		msm_scanout_cache_remove(&bench->entries[i]);
	}
	msm_scanout_cache_drain(cache);
	msm_scanout_cache_fini(cache);

	return hits;
}

static void compare(struct kunit *test, const char *name)
{
	struct bench *bench = test->priv;

	look_ahead(bench);
	for (int c = 0; c < ARRAY_SIZE(capacities); c++) {
		unsigned int best = optimum_hits(bench, capacities[c]);

		for (int p = 0; p < ARRAY_SIZE(policies); p++) {
			unsigned int hits = policy_hits(test, bench, capacities[c],
							policies[p].kind);

			/* Who beats the optimum shows that it is none. */
			KUNIT_EXPECT_LE(test, hits, best);
			kunit_info(test, "bench policy workload=%s capacity=%u policy=%s hits=%u optimum=%u",
				   name, capacities[c], policies[p].name, hits, best);
		}
	}
}

static void policies_against_the_optimum(struct kunit *test)
{
	for (int w = 0; w < ARRAY_SIZE(workloads); w++) {
		make_steps(test->priv, &workloads[w]);
		compare(test, workloads[w].name);
	}
}

static void policies_on_recordings(struct kunit *test)
{
	struct bench *bench = test->priv;

	for (const struct recording *r = recordings; r->name; r++) {
		KUNIT_ASSERT_LE(test, r->count, STEPS);
		memcpy(bench->steps, r->steps, r->count * sizeof(*r->steps));
		bench->count = r->count;
		compare(test, r->name);
	}
}

static int policy_init(struct kunit *test)
{
	struct bench *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	test->priv = bench;
	bench->entries = kvcalloc(BUFFERS, sizeof(*bench->entries), GFP_KERNEL);
	bench->wanted = kvcalloc(BUFFERS, sizeof(*bench->wanted), GFP_KERNEL);
	bench->last = kvcalloc(BUFFERS, sizeof(*bench->last), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bench->entries);
	KUNIT_ASSERT_NOT_NULL(test, bench->wanted);
	KUNIT_ASSERT_NOT_NULL(test, bench->last);

	return 0;
}

static void policy_exit(struct kunit *test)
{
	struct bench *bench = test->priv;

	if (!bench)
		return;
	kvfree(bench->last);
	kvfree(bench->wanted);
	kvfree(bench->entries);
	kvfree(bench);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(policies_against_the_optimum),
	KUNIT_CASE(policies_on_recordings),
	{ }
};

static struct kunit_suite policy_suite = {
	.name = "msm_scanout_bench_policy",
	.init = policy_init,
	.exit = policy_exit,
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);
