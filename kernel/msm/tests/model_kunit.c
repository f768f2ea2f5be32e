// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cache against a reference that is too simple to be wrong: arrays, linear
 * searches, and distances counted afresh each time.  Both do the same random
 * things, and after each of them everything must be equal: what is mapped and
 * where, all orders, all figures, who is owed a call.
 *
 * A failure prints its last steps and the seed.  Repeat it with
 * msm_scanout_cache_kunit.seed= on the kernel command line.
 */

#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "fake_display.h"

#define MAX_BUFFERS		320
#define TRACE_STEPS		24
#define MAX_QUARANTINE_BYTES	SZ_64M
#define MB			((u64)SZ_1M)
#define SEC			((u64)NSEC_PER_SEC)

static ulong seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "seed of the random tests (default 1)");

static uint ops = 200000;
module_param(ops, uint, 0444);
MODULE_PARM_DESC(ops, "steps of the random model tests (default 200000)");

/**
 * struct order - buffers in some order
 */
struct order {
	/** @n: how many */
	unsigned int n;
	/** @at: their indices */
	u16 at[MAX_BUFFERS];
};

/**
 * struct model_buffer - what the reference knows of a buffer
 */
struct model_buffer {
	enum msm_scanout_state state;
	unsigned int users;
	bool held;
	u64 bytes;
	u64 hits;
	u64 iova;
	u64 idle_since_ns;
};

enum step {
	STEP_GET,
	STEP_PUT,
	STEP_REAP,
	STEP_RELEASE,
	STEP_ADVANCE,
	STEP_EXPIRE,
	STEP_TRIM,
	STEP_LIMIT,
	STEP_INVALIDATE,
	STEP_FREE,
	STEP_SETTLE,
};

static const char * const step_names[] = {
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
};

/**
 * struct scene - a setting in which the model plays
 */
struct scene {
	/** @name: for the log */
	const char *name;
	/** @buffers: how many there are */
	unsigned int buffers;
	/** @slots: the window's size, in slots; every buffer needs one if not 0 */
	unsigned int slots;
	/** @page_sized: all are one page */
	bool page_sized;
};

static const struct scene scenes[] = {
	{ "few buffers", 4, 0 },
	{ "a desktop", 14, 0 },
	{ "many buffers", 48, 0 },
	{ "more buffers than ghosts", MAX_BUFFERS, 0, true },
	{ "a window that is too small", 14, 6 },
};

/**
 * struct model - the reference
 */
struct model {
	struct fake_display *display;
	const struct scene *scene;
	struct rnd_state rnd;
	struct model_buffer buffer[MAX_BUFFERS];

	/** @lru: idle ones, next victim first */
	struct order lru;
	/** @stack: idle ones and ghosts, most recently idle first */
	struct order stack;
	/** @ghosts: unmapped ones, or about to be, whose reuse is recognised; oldest first */
	struct order ghosts;
	/** @quarantine: in the order of eviction */
	struct order quarantine;
	/** @lingering: held and not in use, oldest first */
	struct order lingering;
	/** @released: held, to be let go */
	struct order released;

	struct msm_scanout_limits limits;
	struct msm_scanout_counters counters;
	struct msm_scanout_histograms histograms;
	u64 idle_bytes_peak;

	/** @trace: the last steps */
	struct {
		enum step what;
		unsigned int a;
		u64 b;
	} trace[TRACE_STEPS];
	unsigned int steps;

	/** @wrong: what was the first difference, NULL if there is none */
	const char *wrong;
	unsigned int wrong_at;
	u64 is, should_be;
};

static void add_last(struct order *order, unsigned int i)
{
	order->at[order->n++] = i;
}

static void add_first(struct order *order, unsigned int i)
{
	memmove(order->at + 1, order->at, order->n++ * sizeof(*order->at));
	order->at[0] = i;
}

static void take_out(struct order *order, unsigned int i)
{
	for (unsigned int k = 0; k < order->n; k++) {
		if (order->at[k] != i)
			continue;
		order->n--;
		memmove(order->at + k, order->at + k + 1,
			(order->n - k) * sizeof(*order->at));
		return;
	}
}

static u32 below(struct model *m, u32 n)
{
	return prandom_u32_state(&m->rnd) % n;
}

static u64 sum_bytes(struct model *m, enum msm_scanout_state state)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < m->scene->buffers; i++) {
		if (m->buffer[i].state == state)
			sum += m->buffer[i].bytes;
	}

	return sum;
}

static unsigned int count_state(struct model *m, enum msm_scanout_state state)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->scene->buffers; i++)
		n += m->buffer[i].state == state;

	return n;
}

static unsigned int bucket_of(u64 distance, u64 (*bound)(unsigned int bucket), unsigned int bounds)
{
	unsigned int i = 0;

	while (i < bounds && bound(i) < distance)
		i++;

	return i;
}

/*
 * What should happen
 */

static void model_record_reuse(struct model *m, unsigned int i)
{
	u64 depth = 0, bytes = 0;

	for (unsigned int k = 0; k < m->stack.n; k++) {
		depth++;
		bytes += m->buffer[m->stack.at[k]].bytes;
		if (m->stack.at[k] != i)
			continue;
		m->histograms.depth[bucket_of(depth, msm_scanout_depth_bound,
					      MSM_SCANOUT_DEPTH_BOUNDS)]++;
		m->histograms.bytes[bucket_of(bytes, msm_scanout_bytes_bound,
					      MSM_SCANOUT_BYTES_BOUNDS)]++;
		take_out(&m->stack, i);
		take_out(&m->ghosts, i);
		return;
	}

	m->histograms.depth[MSM_SCANOUT_DEPTH_BUCKETS - 1]++;
	m->histograms.bytes[MSM_SCANOUT_BYTES_BUCKETS - 1]++;
}

static void model_evict(struct model *m, unsigned int i, enum msm_scanout_reason reason)
{
	take_out(&m->lru, i);
	add_last(&m->quarantine, i);
	m->buffer[i].state = MSM_SCANOUT_QUARANTINED;

	add_last(&m->ghosts, i);
	if (m->ghosts.n > MSM_SCANOUT_MAX_GHOSTS) {
		take_out(&m->stack, m->ghosts.at[0]);
		take_out(&m->ghosts, m->ghosts.at[0]);
	}

	if (m->buffer[i].held) {
		take_out(&m->lingering, i);
		take_out(&m->released, i);
		add_last(&m->released, i);
	}

	if (reason == MSM_SCANOUT_BOUND || reason == MSM_SCANOUT_TRIM)
		m->counters.evictions++;
	else if (reason == MSM_SCANOUT_AGE)
		m->counters.evictions_age++;
	else if (reason == MSM_SCANOUT_WINDOW || reason == MSM_SCANOUT_MEMORY)
		m->counters.evictions_pressure++;
	else
		m->counters.invalidations++;
}

static void model_unmap(struct model *m, unsigned int i)
{
	take_out(&m->quarantine, i);
	m->buffer[i].state = MSM_SCANOUT_UNMAPPED;
	m->counters.unmaps++;
	m->counters.unmap_ns += m->display->unmap_takes_ns;
}

static void model_reap(struct model *m)
{
	if (m->quarantine.n)
		m->counters.batches++;
	while (m->quarantine.n)
		model_unmap(m, m->quarantine.at[0]);
}

static void model_shrink(struct model *m, u64 bytes, u64 entries, enum msm_scanout_reason reason)
{
	while (sum_bytes(m, MSM_SCANOUT_IDLE) > bytes || m->lru.n > entries)
		model_evict(m, m->lru.at[0], reason);
}

/* What the caller of an operation does when the reaper does not keep up. */
static void model_bound_quarantine(struct model *m)
{
	if (sum_bytes(m, MSM_SCANOUT_QUARANTINED) > MAX_QUARANTINE_BYTES)
		model_reap(m);
}

static bool model_on(struct model *m)
{
	return m->limits.max_bytes && m->limits.max_entries;
}

static void model_enforce(struct model *m)
{
	if (model_on(m))
		model_shrink(m, m->limits.max_bytes, m->limits.max_entries, MSM_SCANOUT_BOUND);
	else
		model_shrink(m, 0, 0, MSM_SCANOUT_BOUND);
	m->idle_bytes_peak = max(m->idle_bytes_peak, sum_bytes(m, MSM_SCANOUT_IDLE));
}

static void model_make_active(struct model *m, unsigned int i)
{
	m->buffer[i].state = MSM_SCANOUT_ACTIVE;
	m->buffer[i].users = 1;
	take_out(&m->lingering, i);
	take_out(&m->released, i);
}

static void model_put(struct model *m, unsigned int i)
{
	struct model_buffer *b = &m->buffer[i];

	if (--b->users)
		return;

	b->state = MSM_SCANOUT_IDLE;
	b->idle_since_ns = m->display->now_ns;
	add_last(&m->lru, i);
	add_first(&m->stack, i);
	if (!b->held && m->display->buffer[i]->entry.may_linger && m->limits.linger_ns) {
		b->held = true;
		m->counters.lingers++;
	}
	if (b->held)
		add_last(m->limits.linger_ns ? &m->lingering : &m->released, i);

	/* It cannot stay, and nobody has to make room for it. */
	if (b->bytes > m->limits.max_bytes)
		model_evict(m, i, MSM_SCANOUT_BOUND);
	model_enforce(m);
	model_bound_quarantine(m);
}

static void model_invalidate(struct model *m, unsigned int i, enum msm_scanout_reason reason)
{
	if (m->buffer[i].state == MSM_SCANOUT_IDLE)
		model_evict(m, i, reason);
	if (m->buffer[i].state != MSM_SCANOUT_QUARANTINED)
		return;

	model_unmap(m, i);
	m->counters.batches++;
}

static void model_end_linger(struct model *m, u64 older_than_ns)
{
	while (m->lingering.n) {
		unsigned int i = m->lingering.at[0];

		if (m->display->now_ns - m->buffer[i].idle_since_ns < older_than_ns)
			break;
		take_out(&m->lingering, i);
		add_last(&m->released, i);
	}
}

static void model_expire(struct model *m)
{
	model_end_linger(m, m->limits.linger_ns);
	while (m->limits.idle_timeout_ns && m->lru.n) {
		unsigned int i = m->lru.at[0];

		if (m->display->now_ns - m->buffer[i].idle_since_ns < m->limits.idle_timeout_ns)
			break;
		model_evict(m, i, MSM_SCANOUT_AGE);
	}
	model_bound_quarantine(m);
}

static void model_release(struct model *m)
{
	while (m->released.n) {
		m->buffer[m->released.at[0]].held = false;
		take_out(&m->released, m->released.at[0]);
	}
}

/*
 * What is compared
 */

static void claim(struct model *m, const char *what, unsigned int at, u64 is, u64 should_be)
{
	if (is == should_be || m->wrong)
		return;

	m->wrong = what;
	m->wrong_at = at;
	m->is = is;
	m->should_be = should_be;
}

static unsigned int index_of(struct msm_scanout_entry *entry)
{
	return container_of(entry, struct fake_buffer, entry)->index;
}

static void claim_order(struct model *m, const char *what, const struct order *order,
			const struct list_head *head, size_t link)
{
	const struct list_head *pos;
	unsigned int n = 0;

	list_for_each(pos, head) {
		struct msm_scanout_entry *entry = (void *)((u8 *)pos - link);

		if (n < order->n)
			claim(m, what, n, index_of(entry), order->at[n]);
		n++;
	}
	claim(m, what, UINT_MAX, n, order->n);
}

static void claim_orders(struct model *m)
{
	struct msm_scanout_cache *cache = &m->display->cache;
	struct msm_scanout_mapping *map;
	unsigned int n = 0;

	claim_order(m, "lru", &m->lru, &cache->lru, offsetof(struct msm_scanout_entry, lru));
	claim_order(m, "age", &m->lru, &cache->age, offsetof(struct msm_scanout_entry, age));
	claim_order(m, "stack", &m->stack, &cache->stack,
		    offsetof(struct msm_scanout_entry, stack));
	claim_order(m, "lingering", &m->lingering, &cache->lingering,
		    offsetof(struct msm_scanout_entry, linger));
	claim_order(m, "released", &m->released, &cache->released,
		    offsetof(struct msm_scanout_entry, linger));

	list_for_each_entry(map, &cache->quarantine, link) {
		if (n < m->quarantine.n)
			claim(m, "quarantine", n, index_of(map->entry), m->quarantine.at[n]);
		n++;
	}
	claim(m, "quarantine", UINT_MAX, n, m->quarantine.n);
}

static void claim_distances(struct model *m)
{
	u64 depth = 0, bytes = 0;

	for (unsigned int k = 0; k < m->stack.n; k++) {
		const struct msm_scanout_entry *entry =
			&m->display->buffer[m->stack.at[k]]->entry;

		depth++;
		bytes += m->buffer[m->stack.at[k]].bytes;
		claim(m, "depth bucket", m->stack.at[k], entry->depth_bucket,
		      bucket_of(depth, msm_scanout_depth_bound, MSM_SCANOUT_DEPTH_BOUNDS));
		claim(m, "bytes bucket", m->stack.at[k], entry->bytes_bucket,
		      bucket_of(bytes, msm_scanout_bytes_bound, MSM_SCANOUT_BYTES_BOUNDS));
	}
}

static void claim_buffers(struct model *m)
{
	struct fake_range *range;
	unsigned int mapped = 0;

	for (unsigned int i = 0; i < m->scene->buffers; i++) {
		const struct model_buffer *b = &m->buffer[i];
		struct fake_buffer *buffer = m->display->buffer[i];

		claim(m, "state", i, buffer->entry.state, b->state);
		claim(m, "users", i, buffer->entry.users, b->users);
		claim(m, "hits", i, buffer->entry.hits, b->hits);
		claim(m, "held", i, atomic_read(&buffer->holds), b->held);
		claim(m, "in flight", i, buffer->entry.in_flight, 0);
		mapped += b->state != MSM_SCANOUT_UNMAPPED;
	}

	claim(m, "mapped ranges", 0, list_count_nodes(&m->display->ranges), mapped);
	list_for_each_entry(range, &m->display->ranges, link) {
		unsigned int i = index_of(range->entry);

		claim(m, "mapped", i, m->buffer[i].state != MSM_SCANOUT_UNMAPPED, true);
		claim(m, "address", i, range->start, m->buffer[i].iova);
	}
}

static void claim_figures(struct model *m)
{
	const struct msm_scanout_cache *cache = &m->display->cache;
	const struct msm_scanout_gauges *g = &cache->gauges;
	const u64 *is = (const u64 *)&cache->counters;
	const u64 *should_be = (const u64 *)&m->counters;
	unsigned int held = 0;

	for (unsigned int i = 0; i < m->scene->buffers; i++)
		held += m->buffer[i].held;

	claim(m, "active_bytes", 0, g->active_bytes, sum_bytes(m, MSM_SCANOUT_ACTIVE));
	claim(m, "active_entries", 0, g->active_entries, count_state(m, MSM_SCANOUT_ACTIVE));
	claim(m, "idle_bytes", 0, g->idle_bytes, sum_bytes(m, MSM_SCANOUT_IDLE));
	claim(m, "idle_entries", 0, g->idle_entries, m->lru.n);
	claim(m, "quarantined_bytes", 0, g->quarantined_bytes,
	      sum_bytes(m, MSM_SCANOUT_QUARANTINED));
	claim(m, "ghost_entries", 0, g->ghost_entries, m->ghosts.n);
	claim(m, "lingering_entries", 0, g->lingering_entries, held);
	claim(m, "idle_bytes_peak", 0, g->idle_bytes_peak, m->idle_bytes_peak);

	claim(m, "idle_bytes over max_bytes", 0,
	      g->idle_bytes > (model_on(m) ? cache->limits.max_bytes : 0), false);
	claim(m, "idle_entries over max_entries", 0,
	      g->idle_entries > (model_on(m) ? cache->limits.max_entries : 0), false);
	claim(m, "quarantined_bytes over their bound", 0,
	      g->quarantined_bytes > MAX_QUARANTINE_BYTES, false);

	/* In the order of struct msm_scanout_counters. */
	for (unsigned int i = 0; i < sizeof(m->counters) / sizeof(u64); i++)
		claim(m, "counter", i, is[i], should_be[i]);

	claim(m, "depth histogram", 0, 0, memcmp(cache->histograms.depth, m->histograms.depth,
						 sizeof(m->histograms.depth)));
	claim(m, "bytes histogram", 0, 0, memcmp(cache->histograms.bytes, m->histograms.bytes,
						 sizeof(m->histograms.bytes)));
}

/* Nothing waits for a call that was not asked for. */
static void claim_promises(struct model *m)
{
	u64 due = U64_MAX;

	if (m->limits.idle_timeout_ns && m->lru.n)
		due = m->buffer[m->lru.at[0]].idle_since_ns + m->limits.idle_timeout_ns;
	if (m->lingering.n)
		due = min(due, m->buffer[m->lingering.at[0]].idle_since_ns + m->limits.linger_ns);

	claim(m, "kick_reap was called", 0, m->display->reap_due || !m->quarantine.n, true);
	claim(m, "kick_release was called", 0, m->display->release_due || !m->released.n, true);
	claim(m, "arm was called in time", 0,
	      m->display->expire_at_ns <= max(due, m->display->now_ns), true);
	claim(m, "violations", 0, m->display->violations, 0);
}

static void compare(struct model *m)
{
	struct kunit *test = m->display->test;
	unsigned int first;

	claim_buffers(m);
	claim_orders(m);
	claim_distances(m);
	claim_figures(m);
	claim_promises(m);
	if (!m->wrong)
		return;

	kunit_err(test, "%s, seed %lu, step %u; the last steps:", m->scene->name, seed, m->steps);
	first = m->steps > TRACE_STEPS ? m->steps - TRACE_STEPS : 0;
	for (unsigned int k = first; k < m->steps; k++)
		kunit_err(test, "%8u %s %u %llu", k + 1,
			  step_names[m->trace[k % TRACE_STEPS].what],
			  m->trace[k % TRACE_STEPS].a, m->trace[k % TRACE_STEPS].b);
	KUNIT_FAIL_AND_ABORT(test, "%s [%u] is %llu, should be %llu; %s", m->wrong, m->wrong_at,
			     m->is, m->should_be, m->display->violation);
}

/*
 * The steps, on both sides
 */

static void note(struct model *m, enum step what, unsigned int a, u64 b)
{
	m->trace[m->steps % TRACE_STEPS].what = what;
	m->trace[m->steps % TRACE_STEPS].a = a;
	m->trace[m->steps % TRACE_STEPS].b = b;
	m->steps++;
}

/*
 * Without room: victims are taken from the LRU's head, no more than needed, and
 * the quarantine is emptied.  How many there are is the cache's business.
 */
static bool model_make_room(struct model *m, u64 victims)
{
	u64 need = MSM_SCANOUT_SLOT_BYTES;

	if (m->buffer[0].bytes && !m->lru.n && !m->quarantine.n) {
		m->counters.window_full++;
		return false;
	}

	claim(m, "window victims", 0, victims <= m->lru.n, true);
	claim(m, "window victims or quarantine", 0, victims || m->quarantine.n, true);
	while (victims-- && m->lru.n) {
		unsigned int i = m->lru.at[0];

		claim(m, "window victims needed", i, need > 0, true);
		need -= min(need, m->buffer[i].bytes);
		model_evict(m, i, MSM_SCANOUT_WINDOW);
	}
	model_reap(m);

	return true;
}

static int model_get(struct model *m, unsigned int i, int map_error, u64 window_victims)
{
	struct model_buffer *b = &m->buffer[i];
	unsigned int mapped = m->scene->buffers - count_state(m, MSM_SCANOUT_UNMAPPED);

	if (!model_on(m))
		return -EOPNOTSUPP;

	if (b->state == MSM_SCANOUT_UNMAPPED) {
		m->counters.misses++;
		model_record_reuse(m, i);
		if (m->scene->slots && mapped == m->scene->slots &&
		    !model_make_room(m, window_victims))
			return -ENOSPC;
		if (map_error) {
			m->counters.map_failures++;
			return map_error;
		}
		m->counters.inserts++;
		m->counters.map_ns += m->display->map_takes_ns;
		model_make_active(m, i);
		return 0;
	}

	m->counters.hits++;
	b->hits++;
	if (b->state == MSM_SCANOUT_ACTIVE) {
		b->users++;
		return 0;
	}

	if (b->state == MSM_SCANOUT_QUARANTINED)
		m->counters.rescues++;
	take_out(&m->lru, i);
	take_out(&m->quarantine, i);
	model_record_reuse(m, i);
	model_make_active(m, i);

	return 0;
}

static void step_get(struct model *m, unsigned int i)
{
	struct msm_scanout_cache *cache = &m->display->cache;
	bool was_mapped = m->buffer[i].state != MSM_SCANOUT_UNMAPPED;
	u64 pressure = cache->counters.evictions_pressure;
	int error = below(m, 50) ? 0 : -ENOMEM;
	u64 iova = 0;
	int is, should_be;

	note(m, STEP_GET, i, -error);
	m->display->map_error = error;
	is = msm_scanout_cache_get(&m->display->buffer[i]->entry, &iova);
	m->display->map_error = 0;
	should_be = model_get(m, i, error, cache->counters.evictions_pressure - pressure);
	claim(m, "result of get", i, -is, -should_be);
	if (is)
		return;

	if (was_mapped)
		claim(m, "address of a hit", i, iova, m->buffer[i].iova);
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
		compare(m);
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
	claim(m, "result of set_limit", which, -ret, bad ? ERANGE : 0);
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

	*b = (struct model_buffer) { .bytes = bytes };
	msm_scanout_entry_init(&m->display->cache, &m->display->buffer[i]->entry, bytes,
			       below(m, 2));
}

/* Freed, and another buffer takes its place. */
static void step_free(struct model *m, unsigned int i)
{
	struct msm_scanout_entry *entry = &m->display->buffer[i]->entry;

	note(m, STEP_FREE, i, 0);
	model_invalidate(m, i, MSM_SCANOUT_FREE);
	take_out(&m->stack, i);
	take_out(&m->ghosts, i);
	msm_scanout_cache_remove(entry);
	claim(m, "freed buffer is mapped", i, fake_mapped(m->display, entry), 0);

	memset(entry, 0x5a, sizeof(*entry));
	new_buffer(m, i);
}

static void random_step(struct model *m)
{
	unsigned int i = below(m, m->scene->buffers);
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
	} else if (dice < 800) {
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
	} else {
		step_settle(m);
	}
}

static void cache_equals_a_naive_model(struct kunit *test)
{
	const struct scene *scene = test->param_value;
	struct fake_display *display = test->priv;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u64 window_bytes = scene->slots ? (u64)scene->slots * MSM_SCANOUT_SLOT_BYTES :
					  FAKE_WINDOW_BYTES;
	unsigned int steps = ops;

	KUNIT_ASSERT_NOT_NULL(test, m);
	fake_display_free(display);
	display = fake_display_new(test, window_bytes);
	test->priv = display;

	/* What is compared grows with the number of buffers. */
	if (scene->buffers > 100)
		steps /= 10;
	kunit_info(test, "%s: seed %lu, %u steps", scene->name, seed, steps);
	prandom_seed_state(&m->rnd, seed + (scene - scenes));
	m->display = display;
	m->scene = scene;
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

	for (unsigned int i = 0; i < steps; i++) {
		random_step(m);
		compare(m);
		if (i % 1024 == 0)
			cond_resched();
	}

	kunit_info(test, "%s: %llu hits, %llu misses, %llu rescues, %llu unmaps, %u ghosts",
		   scene->name, m->counters.hits, m->counters.misses, m->counters.rescues,
		   m->counters.unmaps, m->ghosts.n);
}

static int model_init(struct kunit *test)
{
	test->priv = fake_display_new(test, FAKE_WINDOW_BYTES);

	return 0;
}

static void model_exit(struct kunit *test)
{
	fake_display_free(test->priv);
}

static void describe_scene(const struct scene *scene, char *description)
{
	strscpy(description, scene->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(scene, scenes, describe_scene);

static struct kunit_case model_cases[] = {
	KUNIT_CASE_PARAM_ATTR(cache_equals_a_naive_model, scene_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite model_suite = {
	.name = "msm_scanout_cache_model",
	.init = model_init,
	.exit = model_exit,
	.test_cases = model_cases,
};

kunit_test_suite(model_suite);
