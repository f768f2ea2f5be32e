// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be equal, of the cache and of the reference: everything.
 */

#include <linux/string.h>

#include "model.h"

void model_claim(struct model *m, const char *what, unsigned int at, u64 is, u64 should_be)
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
			model_claim(m, what, n, index_of(entry), order->at[n]);
		n++;
	}
	model_claim(m, what, UINT_MAX, n, order->n);
}

static void claim_orders(struct model *m)
{
	struct msm_scanout_cache *cache = &m->display->cache;
	struct msm_scanout_mapping *map;
	unsigned int n = 0;

	claim_order(m, "lru", &m->lru, &cache->lru,
		    offsetof(struct msm_scanout_entry, ranks.idle[MSM_SCANOUT_CACHED]));
	claim_order(m, "age", &m->age, &cache->age, offsetof(struct msm_scanout_entry, age));
	claim_order(m, "lingering", &m->lingering, &cache->lingering,
		    offsetof(struct msm_scanout_entry, linger));
	claim_order(m, "released", &m->released, &cache->released,
		    offsetof(struct msm_scanout_entry, linger));

	list_for_each_entry(map, &cache->quarantine, link) {
		if (n < m->quarantine.n)
			model_claim(m, "quarantine", n, index_of(map->entry), m->quarantine.at[n]);
		n++;
	}
	model_claim(m, "quarantine", UINT_MAX, n, m->quarantine.n);
}

static void claim_policy(struct model *m)
{
	const struct msm_scanout_policy *policy = &m->display->cache.policy;

	model_claim(m, "policy", 0, policy->kind, m->policy);
	model_claim(m, "lead", 0, policy->lead, m->lead);
	model_claim(m, "clock", 0, policy->clock, m->clock);

	for (unsigned int r = 0; r < MSM_SCANOUT_SHADOWS; r++) {
		claim_order(m, r ? "shadow of the forecast" : "shadow of lru", &m->shadow[r],
			    &policy->shadow[r].idle,
			    offsetof(struct msm_scanout_entry, ranks.idle[r]));
		model_claim(m, "entries of a shadow", r, policy->shadow[r].entries, m->shadow[r].n);
		model_claim(m, "bytes of a shadow", r, policy->shadow[r].bytes,
			    model_shadow_bytes(m, r));
	}
}

/* Distances follow from the order of the places and from what pages of them sum up to. */
static void claim_reuse(struct model *m)
{
	const struct msm_scanout_reuse *reuse = &m->display->cache.reuse;
	unsigned int entries[MSM_SCANOUT_REUSE_PAGES] = {}, k = m->stack.n;
	u64 bytes[MSM_SCANOUT_REUSE_PAGES] = {};

	model_claim(m, "places", 0, reuse->entries, m->stack.n);

	for (unsigned int i = 0; i < MSM_SCANOUT_REUSE_PLACES; i++) {
		const struct msm_scanout_tracked *tracked = reuse->places[i];
		struct msm_scanout_entry *entry;

		if (!tracked)
			continue;

		entries[i / MSM_SCANOUT_REUSE_PAGE]++;
		bytes[i / MSM_SCANOUT_REUSE_PAGE] += tracked->bytes;
		model_claim(m, "place is before the next", i, i < reuse->next, true);
		model_claim(m, "place", i, tracked->place, i);
		entry = container_of(tracked, struct msm_scanout_entry, tracked);
		if (k)
			model_claim(m, "order of places", i, index_of(entry), m->stack.at[--k]);
	}

	for (unsigned int i = 0; i < MSM_SCANOUT_REUSE_PAGES; i++) {
		model_claim(m, "entries of a page", i, reuse->page_entries[i], entries[i]);
		model_claim(m, "bytes of a page", i, reuse->page_bytes[i], bytes[i]);
	}
}

static void claim_buffers(struct model *m)
{
	struct fake_range *range;
	unsigned int mapped = 0;

	for (unsigned int i = 0; i < m->scene->buffers; i++) {
		const struct model_buffer *b = &m->buffer[i];
		struct fake_buffer *buffer = m->display->buffer[i];

		model_claim(m, "state", i, buffer->entry.state, b->state);
		model_claim(m, "users", i, buffer->entry.users, b->users);
		model_claim(m, "hits", i, buffer->entry.hits, b->hits);
		model_claim(m, "held", i, atomic_read(&buffer->holds), b->held);
		model_claim(m, "in flight", i, buffer->entry.in_flight, 0);
		mapped += b->state != MSM_SCANOUT_UNMAPPED;
	}

	model_claim(m, "mapped ranges", 0, list_count_nodes(&m->display->ranges), mapped);
	list_for_each_entry(range, &m->display->ranges, link) {
		unsigned int i = index_of(range->entry);

		model_claim(m, "mapped", i, m->buffer[i].state != MSM_SCANOUT_UNMAPPED, true);
		model_claim(m, "address", i, range->start, m->buffer[i].iova);
	}
}

static void claim_figures(struct model *m)
{
	const struct msm_scanout_cache *cache = &m->display->cache;
	const struct msm_scanout_gauges *g = &cache->gauges;
	const u64 *is = (const u64 *)&cache->counters;
	const u64 *should_be = (const u64 *)&m->counters;
	unsigned int held = 0;
	const char *wrong;

	for (unsigned int i = 0; i < m->scene->buffers; i++)
		held += m->buffer[i].held;

	model_claim(m, "active_bytes", 0, g->active_bytes, model_sum_bytes(m, MSM_SCANOUT_ACTIVE));
	model_claim(m, "active_entries", 0, g->active_entries,
		    model_count_state(m, MSM_SCANOUT_ACTIVE));
	model_claim(m, "idle_bytes", 0, g->idle_bytes, model_sum_bytes(m, MSM_SCANOUT_IDLE));
	model_claim(m, "idle_entries", 0, g->idle_entries, m->lru.n);
	model_claim(m, "quarantined_bytes", 0, g->quarantined_bytes,
		    model_sum_bytes(m, MSM_SCANOUT_QUARANTINED));
	model_claim(m, "ghost_entries", 0, cache->reuse.ghost_entries, m->ghosts.n);
	model_claim(m, "lingering_entries", 0, g->lingering_entries, held);
	model_claim(m, "idle_bytes_peak", 0, g->idle_bytes_peak, m->idle_bytes_peak);

	model_claim(m, "idle_bytes over max_bytes", 0,
		    g->idle_bytes > (model_on(m) ? cache->limits.max_bytes : 0), false);
	model_claim(m, "idle_entries over max_entries", 0,
		    g->idle_entries > (model_on(m) ? cache->limits.max_entries : 0), false);
	model_claim(m, "quarantined_bytes over their bound", 0,
		    g->quarantined_bytes > MODEL_MAX_QUARANTINE, false);

	model_claim(m, "quarantined_entries", 0, g->quarantined_entries, m->quarantine.n);

	msm_scanout_cache_snapshot(&m->display->cache, &m->display->snap);
	wrong = fake_sums_wrong(&m->display->snap);
	model_claim(m, wrong ?: "sums", 0, !wrong, true);

	/* In the order of struct msm_scanout_counters. */
	for (unsigned int i = 0; i < sizeof(m->counters) / sizeof(u64); i++)
		model_claim(m, "counter", i, is[i], should_be[i]);

	model_claim(m, "depth histogram", 0, 0, memcmp(cache->reuse.depth, m->reuse_depth,
						       sizeof(m->reuse_depth)));
	model_claim(m, "bytes histogram", 0, 0, memcmp(cache->reuse.bytes, m->reuse_bytes,
						       sizeof(m->reuse_bytes)));
}

/* Nothing waits for a call that was not asked for. */
static void claim_promises(struct model *m)
{
	u64 due = U64_MAX;

	if (m->limits.idle_timeout_ns && m->age.n)
		due = m->buffer[m->age.at[0]].idle_since_ns + m->limits.idle_timeout_ns;
	if (m->lingering.n)
		due = min(due, m->buffer[m->lingering.at[0]].idle_since_ns + m->limits.linger_ns);

	model_claim(m, "kick_reap was called", 0, m->display->reap_due || !m->quarantine.n, true);
	model_claim(m, "kick_release was called", 0,
		    m->display->release_due || !m->released.n, true);
	model_claim(m, "arm was called in time", 0,
		    m->display->expire_at_ns <= max(due, m->display->now_ns), true);
	model_claim(m, "violations", 0, m->display->violations, 0);
	model_claim(m, "flushes, one for each batch", 0, m->display->flushes, m->counters.batches);
}

void model_compare(struct model *m)
{
	struct kunit *test = m->display->test;
	unsigned int first;

	claim_buffers(m);
	claim_orders(m);
	claim_policy(m);
	claim_reuse(m);
	claim_figures(m);
	claim_promises(m);
	if (!m->wrong)
		return;

	kunit_err(test, "repeat it with: tests/kunit/run --scene %u --seed %lu --steps %u",
		  m->number, m->seed, m->steps);
	kunit_err(test, "%s; the last steps:", m->scene->name);
	first = m->steps > MODEL_TRACE_STEPS ? m->steps - MODEL_TRACE_STEPS : 0;
	for (unsigned int k = first; k < m->steps; k++)
		kunit_err(test, "%8u %s %u %llu", k + 1,
			  model_step_names[m->trace[k % MODEL_TRACE_STEPS].what],
			  m->trace[k % MODEL_TRACE_STEPS].a, m->trace[k % MODEL_TRACE_STEPS].b);
	KUNIT_FAIL_AND_ABORT(test, "%s [%u] is %llu, should be %llu; %s", m->wrong, m->wrong_at,
			     m->is, m->should_be, m->display->violation);
}
