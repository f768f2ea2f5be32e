// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cache against a reference that is too simple to be wrong: arrays, linear
 * searches, and distances counted afresh each time.  Both do the same random
 * things, and after each of them everything must be equal: what is mapped and
 * where, all orders, all figures, who is owed a call.
 *
 * A failure prints its last steps, and how tests/kunit/run repeats it.
 */

#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "fake_display.h"
#include "hooks.h"
#include "model.h"

#define MB	((u64)SZ_1M)
#define SEC	((u64)NSEC_PER_SEC)

static ulong seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "seed of the first round (default 1)");

static uint rounds = 1;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "rounds of the random tests, each with its own seed (default 1)");

static int only_scene = -1;
module_param_named(scene, only_scene, int, 0444);
MODULE_PARM_DESC(scene, "number of the only scene to play (default -1: all)");

static uint ops = 100000;
module_param(ops, uint, 0444);
MODULE_PARM_DESC(ops, "steps of each round in each scene (default 100000)");

const char * const model_step_names[] = {
	[STEP_GET] = "get",
	[STEP_PUT] = "put",
	[STEP_REAP] = "reap",
	[STEP_RELEASE] = "release",
	[STEP_ADVANCE] = "advance",
	[STEP_EXPIRE] = "expire",
	[STEP_TRIM] = "trim",
	[STEP_LIMIT] = "limit",
	[STEP_INVALIDATE] = "invalidate",
	[STEP_FREE] = "free",
	[STEP_SETTLE] = "settle",
	[STEP_POLICY] = "policy",
};

static const struct scene scenes[] = {
	{ "few buffers", 4 },
	{ "a desktop", 14 },
	{ "many buffers", 48 },
	{ "more buffers than ghosts", MODEL_MAX_BUFFERS, .page_sized = true },
	{ "a window that is too small", 14, .slots = 6 },
	{ "adaptive, a ring", 40, .policy = MSM_SCANOUT_ADAPTIVE, .ring = true },
	{ "adaptive", 24, .policy = MSM_SCANOUT_ADAPTIVE },
	{ "the reaper never comes", 40, .starved = true },
};

static u32 below(struct model *m, u32 n)
{
	return prandom_u32_state(&m->rnd) % n;
}

/*
 * The steps, on both sides
 */

static void note(struct model *m, enum step what, unsigned int a, u64 b)
{
	m->trace[m->steps % MODEL_TRACE_STEPS].what = what;
	m->trace[m->steps % MODEL_TRACE_STEPS].a = a;
	m->trace[m->steps % MODEL_TRACE_STEPS].b = b;
	m->steps++;
}

static void step_get(struct model *m, unsigned int i)
{
	struct msm_scanout_cache *cache = &m->display->cache;
	bool was_mapped = m->buffer[i].state != MSM_SCANOUT_UNMAPPED;
	u64 pressure = cache->counters.evictions_pressure, victims;
	unsigned int dice = below(m, 100);
	int error = dice < 2 ? -EIO : 0;
	bool no_memory = dice == 2;
	u64 iova = 0;
	int is, should_be;

	note(m, STEP_GET, i, no_memory ? ENOMEM : -error);
	m->display->map_error = error;
	if (no_memory)
		hook_faults_arm(HOOK_ALLOC, 0, UINT_MAX);
	is = msm_scanout_cache_get(&m->display->buffer[i]->entry, &iova);
	m->display->map_error = 0;
	hook_faults_disarm(HOOK_ALLOC);
	victims = cache->counters.evictions_pressure - pressure;
	/* If it had to make room, what was in quarantine has been unmapped with them. */
	if (victims)
		victims -= model_quarantined_by_pressure(m);
	should_be = model_get(m, i, error, no_memory, victims);
	model_claim(m, "result of get", i, -is, -should_be);
	if (is)
		return;

	if (was_mapped)
		model_claim(m, "address of a hit", i, iova, m->buffer[i].iova);
	m->buffer[i].iova = iova;
}

static void step_put(struct model *m, unsigned int i)
{
	note(m, STEP_PUT, i, 0);
	model_put(m, i);
	msm_scanout_cache_put(&m->display->buffer[i]->entry);
}

static void step_reap(struct model *m)
{
	note(m, STEP_REAP, 0, 0);
	m->display->reap_due = false;
	msm_scanout_cache_reap(&m->display->cache);
	model_reap(m);
}

static void step_settle(struct model *m)
{
	note(m, STEP_SETTLE, 0, 0);
	msm_scanout_cache_settle(&m->display->cache);
	model_reap(m);
}

static void step_release(struct model *m)
{
	note(m, STEP_RELEASE, 0, 0);
	m->display->release_due = false;
	msm_scanout_cache_release(&m->display->cache);
	model_release(m);
}

static void step_expire(struct model *m)
{
	note(m, STEP_EXPIRE, 0, 0);
	m->display->expire_at_ns = U64_MAX;
	model_expire(m);
	msm_scanout_cache_expire(&m->display->cache);
}

/* The callback may come late, but only after it was due. */
static void step_advance(struct model *m)
{
	u64 ns = below(m, 4) ? below(m, NSEC_PER_SEC / 5) : below(m, 4) * SEC;

	note(m, STEP_ADVANCE, 0, ns);
	m->display->now_ns += ns;
	if (m->display->expire_at_ns <= m->display->now_ns && below(m, 4)) {
		model_compare(m);
		step_expire(m);
	}
}

static void step_trim(struct model *m)
{
	enum msm_scanout_reason reason = below(m, 2) ? MSM_SCANOUT_TRIM : MSM_SCANOUT_MEMORY;
	u64 bytes = below(m, 4) ? below(m, 64 * MB) : 0;

	note(m, STEP_TRIM, reason, bytes);
	model_shrink(m, bytes, U64_MAX, reason);
	model_bound_quarantine(m);
	msm_scanout_cache_trim(&m->display->cache, bytes, reason);
}

static u64 random_limit(struct model *m, enum msm_scanout_limit which, u64 *max)
{
	switch (which) {
	case MSM_SCANOUT_MAX_BYTES_LIMIT:
		*max = m->display->cache.window_bytes;
		return below(m, 8) ? min(*max, below(m, 96) * MB) : 0;
	case MSM_SCANOUT_MAX_ENTRIES_LIMIT:
		*max = MSM_SCANOUT_MAX_ENTRIES;
		return below(m, 8) ? below(m, 56) : 0;
	case MSM_SCANOUT_IDLE_TIMEOUT_LIMIT:
		*max = 24 * 3600 * SEC;
		return below(m, 4) ? below(m, 20) * SEC : 0;
	default:
		*max = 60 * SEC;
		return below(m, 4) ? below(m, 30) * SEC / 10 : 0;
	}
}

static void step_limit(struct model *m)
{
	enum msm_scanout_limit which = below(m, 4);
	bool bad = !below(m, 8);
	u64 max, value = random_limit(m, which, &max);
	int ret;

	if (bad)
		value = max + 1 + below(m, 1000);
	note(m, STEP_LIMIT, which, value);
	ret = msm_scanout_cache_set_limit(&m->display->cache, which, value);
	model_claim(m, "result of set_limit", which, -ret, bad ? ERANGE : 0);
	if (bad)
		return;

	switch (which) {
	case MSM_SCANOUT_MAX_BYTES_LIMIT:
		m->limits.max_bytes = value;
		break;
	case MSM_SCANOUT_MAX_ENTRIES_LIMIT:
		m->limits.max_entries = value;
		break;
	case MSM_SCANOUT_IDLE_TIMEOUT_LIMIT:
		m->limits.idle_timeout_ns = value;
		break;
	case MSM_SCANOUT_LINGER_LIMIT:
		m->limits.linger_ns = value;
		break;
	}

	m->counters.generation++;
	model_enforce(m);
	if (!m->limits.linger_ns)
		model_end_linger(m, 0);
	model_bound_quarantine(m);
}

static void set_policy(struct model *m, enum msm_scanout_policy_kind kind)
{
	msm_scanout_cache_set_policy(&m->display->cache, kind);
	model_set_policy(m, kind);
}

static void step_policy(struct model *m)
{
	enum msm_scanout_policy_kind kind = below(m, 2);

	note(m, STEP_POLICY, kind, 0);
	set_policy(m, kind);
}

static void step_invalidate(struct model *m, unsigned int i)
{
	static const enum msm_scanout_reason reasons[] = {
		MSM_SCANOUT_MEMORY, MSM_SCANOUT_DROP, MSM_SCANOUT_FREE,
	};
	enum msm_scanout_reason reason = reasons[below(m, ARRAY_SIZE(reasons))];

	note(m, STEP_INVALIDATE, i, reason);
	msm_scanout_cache_invalidate(&m->display->buffer[i]->entry, reason);
	model_invalidate(m, i, reason);
}

static void new_buffer(struct model *m, unsigned int i)
{
	struct model_buffer *b = &m->buffer[i];
	u64 bytes;

	/*
	 * Alike enough for the distances to be exact: one step moves at most so
	 * many buffers to another bucket.
	 */
	if (m->scene->page_sized)
		bytes = SZ_4K;
	else if (m->scene->slots)
		bytes = MB + below(m, 257) * SZ_4K;
	else if (below(m, 12))
		bytes = MB + below(m, 768) * SZ_4K;
	else
		bytes = (1 + below(m, 255)) * SZ_4K;

	*b = (struct model_buffer) { .bytes = bytes, .expected = U64_MAX };
	msm_scanout_entry_init(&m->display->cache, &m->display->buffer[i]->entry, bytes,
			       below(m, 2));
}

/* Freed, and another buffer takes its place. */
static void step_free(struct model *m, unsigned int i)
{
	struct msm_scanout_entry *entry = &m->display->buffer[i]->entry;

	note(m, STEP_FREE, i, 0);
	model_invalidate(m, i, MSM_SCANOUT_FREE);
	model_forget(m, i);
	order_take_out(&m->stack, i);
	order_take_out(&m->ghosts, i);
	msm_scanout_cache_remove(entry);
	model_claim(m, "freed buffer is mapped", i, fake_mapped(m->display, entry), 0);

	memset(entry, 0x5a, sizeof(*entry));
	new_buffer(m, i);
}

static void random_step(struct model *m)
{
	unsigned int i = m->scene->ring ? m->next : below(m, m->scene->buffers);
	unsigned int dice = below(m, 1000);
	bool in_use = m->buffer[i].state == MSM_SCANOUT_ACTIVE;

	/* Ghosts are buffers that are not on the screen: leave few there. */
	if (m->scene->page_sized && dice >= 350 && dice < 750) {
		while (!in_use && ++i < m->scene->buffers)
			in_use = m->buffer[i].state == MSM_SCANOUT_ACTIVE;
	}

	if (dice < 350) {
		if (m->buffer[i].users < 3)
			step_get(m, i);
	} else if (dice < 750) {
		if (in_use)
			step_put(m, i);
		m->next = (i + 1) % m->scene->buffers;
	} else if (dice < 800) {
		if (!m->scene->starved)
			step_reap(m);
	} else if (dice < 840) {
		step_release(m);
	} else if (dice < 900) {
		step_advance(m);
	} else if (dice < 910) {
		step_expire(m);
	} else if (dice < 925) {
		step_trim(m);
	} else if (dice < 945) {
		step_limit(m);
	} else if (dice < 970) {
		if (!in_use)
			step_invalidate(m, i);
	} else if (dice < 995) {
		/* A buffer that the cache holds cannot be freed. */
		if (!in_use && !m->buffer[i].held)
			step_free(m, i);
	} else if (dice < 999) {
		if (!m->scene->starved)
			step_settle(m);
	} else {
		/* Leave it in force for long enough to make a difference. */
		if (!below(m, 8))
			step_policy(m);
	}
}

static struct model *model_new(struct kunit *test, const struct scene *scene, ulong round_seed)
{
	u64 window_bytes = scene->slots ? (u64)scene->slots * MSM_SCANOUT_SLOT_BYTES :
					  FAKE_WINDOW_BYTES;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct fake_display *display;

	KUNIT_ASSERT_NOT_NULL(test, m);
	display = fake_display_new(test, window_bytes);
	test->priv = display;

	prandom_seed_state(&m->rnd, round_seed + (scene - scenes));
	m->display = display;
	m->scene = scene;
	m->seed = round_seed;
	m->number = scene - scenes;
	m->limits = display->cache.limits;
	display->log_ends = false;
	display->map_takes_ns = 7;
	display->unmap_takes_ns = 3;

	for (unsigned int i = 0; i < scene->buffers; i++) {
		/* Made by the model, so that it knows the size. */
		fake_buffer_new(display, SZ_4K, false);
		msm_scanout_cache_remove(&display->buffer[i]->entry);
		new_buffer(m, i);
	}
	if (scene->policy)
		set_policy(m, scene->policy);

	return m;
}

static void model_end(struct kunit *test, struct model *m)
{
	kunit_info(test, "seed %lu: %llu hits, %llu misses, %llu rescues, %llu unmaps, %u ghosts",
		   m->seed, m->counters.hits, m->counters.misses, m->counters.rescues,
		   m->display->unmaps, m->ghosts.n);

	fake_display_free(test->priv);
	test->priv = NULL;
	kunit_kfree(test, m);
}

static void cache_equals_a_naive_model(struct kunit *test)
{
	const struct scene *scene = test->param_value;
	unsigned int steps = ops, ahead = 0, behind = 0;
	u64 done = 0;

	/* What is compared grows with the number of buffers. */
	if (scene->buffers > 100)
		steps = DIV_ROUND_UP(steps, 10);

	for (unsigned int round = 0; round < rounds; round++) {
		struct model *m = model_new(test, scene, seed + round);

		for (unsigned int turn = 0; m->steps < steps; turn++) {
			unsigned int before = m->steps;

			random_step(m);
			if (m->steps != before)
				model_compare(m);
			if (turn % 1024 == 0)
				cond_resched();
		}
		done += m->steps;
		ahead += m->ahead;
		behind += m->behind;
		model_end(test, m);
	}

	/* A duel without a winner shows nothing: where nothing repeats that is LRU. */
	if (scene->policy == MSM_SCANOUT_ADAPTIVE && done >= 100000)
		KUNIT_EXPECT_GT(test, scene->ring ? ahead : behind, 0);
	kunit_info(test, "figure: %llu steps, all equal; the forecast led in %u lookups, LRU in %u",
		   done, ahead, behind);
}

static void model_exit(struct kunit *test)
{
	if (test->priv)
		fake_display_free(test->priv);
}

static void describe_scene(const struct scene *scene, char *description)
{
	strscpy(description, scene->name, KUNIT_PARAM_DESC_SIZE);
}

static const void *scene_gen_params(struct kunit *test, const void *prev, char *description)
{
	const struct scene *next = prev ? (const struct scene *)prev + 1 : scenes;

	if (only_scene >= 0)
		next = prev ? NULL : &scenes[min_t(size_t, only_scene, ARRAY_SIZE(scenes) - 1)];
	if (!next || next == scenes + ARRAY_SIZE(scenes))
		return NULL;
	describe_scene(next, description);

	return next;
}

static struct kunit_case model_cases[] = {
	KUNIT_CASE_PARAM_ATTR(cache_equals_a_naive_model, scene_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite model_suite = {
	.name = "msm_scanout_cache_model",
	.exit = model_exit,
	.test_cases = model_cases,
};

kunit_test_suite(model_suite);
