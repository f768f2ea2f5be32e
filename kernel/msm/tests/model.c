// SPDX-License-Identifier: GPL-2.0-only

#include <linux/kernel.h>
#include <linux/string.h>

#include "model.h"

/*
 * Buffers in order
 */

static void order_add_last(struct order *order, unsigned int i)
{
	order->at[order->n++] = i;
}

static void order_add_first(struct order *order, unsigned int i)
{
	memmove(order->at + 1, order->at, order->n++ * sizeof(*order->at));
	order->at[0] = i;
}

static void order_add_at(struct order *order, unsigned int k, unsigned int i)
{
	memmove(order->at + k + 1, order->at + k, (order->n++ - k) * sizeof(*order->at));
	order->at[k] = i;
}

void order_take_out(struct order *order, unsigned int i)
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

static bool order_has(const struct order *order, unsigned int i)
{
	for (unsigned int k = 0; k < order->n; k++) {
		if (order->at[k] == i)
			return true;
	}

	return false;
}

u64 model_sum_bytes(struct model *m, enum msm_scanout_state state)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < m->scene->buffers; i++) {
		if (m->buffer[i].state == state)
			sum += m->buffer[i].bytes;
	}

	return sum;
}

unsigned int model_count_state(struct model *m, enum msm_scanout_state state)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->scene->buffers; i++)
		n += m->buffer[i].state == state;

	return n;
}

unsigned int model_quarantined_by_pressure(struct model *m)
{
	unsigned int n = 0;

	for (unsigned int k = 0; k < m->quarantine.n; k++) {
		enum msm_scanout_reason reason = m->buffer[m->quarantine.at[k]].reason;

		n += reason == MSM_SCANOUT_WINDOW || reason == MSM_SCANOUT_MEMORY;
	}

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

u64 model_shadow_bytes(struct model *m, unsigned int r)
{
	u64 sum = 0;

	for (unsigned int k = 0; k < m->shadow[r].n; k++)
		sum += m->buffer[m->shadow[r].at[k]].bytes;

	return sum;
}

void model_forget(struct model *m, unsigned int i)
{
	for (unsigned int r = 0; r < MSM_SCANOUT_SHADOWS; r++)
		order_take_out(&m->shadow[r], i);
}

/* It comes back after as long as the last time. */
static void model_learn(struct model *m, unsigned int i)
{
	struct model_buffer *b = &m->buffer[i];

	m->clock++;
	if (b->used) {
		b->interval = m->clock - b->used;
		b->expected = m->clock + b->interval;
	} else {
		b->expected = U64_MAX;
	}
	b->used = m->clock;
}

/* By two intervals, and an interval is two lookups at least. */
static bool model_is_overdue(struct model *m, unsigned int i)
{
	struct model_buffer *b = &m->buffer[i];

	return b->used && b->interval && m->clock > b->expected &&
	       m->clock - b->expected > 2 * max(b->interval, 2);
}

/*
 * Who is expected last comes first, and before those who is not expected any more.
 * Looked at are one from the back and one from the front in turn, sixteen of each.
 */
static void model_forecast(struct model *m, struct order *order, unsigned int i)
{
	unsigned int from = 0, to = order->n, at;
	u64 expected = m->buffer[i].expected;

	for (unsigned int look = 0; look < 32 && from < to; look++) {
		at = order->at[look % 2 ? from : to - 1];
		if (look % 2) {
			if (m->buffer[at].expected <= expected && !model_is_overdue(m, at))
				to = from;
			from++;
		} else if (model_is_overdue(m, at)) {
			order_take_out(order, at);
			order_add_first(order, at);
			from++;
		} else if (m->buffer[at].expected <= expected) {
			to--;
		} else {
			from = to;
		}
	}
	order_add_at(order, to, i);
}

static void model_duel(struct model *m, unsigned int i)
{
	bool foreseen, recent;

	if (m->policy != MSM_SCANOUT_ADAPTIVE)
		return;

	model_learn(m, i);
	foreseen = order_has(&m->shadow[MSM_SCANOUT_SHADOW_FORECAST], i);
	recent = order_has(&m->shadow[MSM_SCANOUT_SHADOW_LRU], i);
	if (foreseen != recent)
		m->lead += foreseen ? 1 : -2;
	model_forget(m, i);
	m->lead = clamp(m->lead, -256, 256);
	m->ahead += m->lead > 8;
	m->behind += m->lead < -8;
}

static void model_insert_shadows(struct model *m, unsigned int i)
{
	struct model_buffer *b = &m->buffer[i];

	if (m->policy != MSM_SCANOUT_ADAPTIVE)
		return;

	model_forget(m, i);
	if (b->bytes > m->limits.max_bytes)
		return;

	for (unsigned int r = 0; r < MSM_SCANOUT_SHADOWS; r++) {
		struct order *shadow = &m->shadow[r];

		if (r == MSM_SCANOUT_SHADOW_FORECAST)
			model_forecast(m, shadow, i);
		else
			order_add_last(shadow, i);
		while (model_shadow_bytes(m, r) > m->limits.max_bytes ||
		       shadow->n > m->limits.max_entries)
			order_take_out(shadow, shadow->at[0]);
	}
}

static void model_insert(struct model *m, unsigned int i)
{
	if (m->policy == MSM_SCANOUT_ADAPTIVE)
		model_forecast(m, &m->lru, i);
	else
		order_add_last(&m->lru, i);
	order_add_last(&m->age, i);
	model_insert_shadows(m, i);
}

static void model_record_reuse(struct model *m, unsigned int i)
{
	u64 depth = 0, bytes = 0;

	model_duel(m, i);

	for (unsigned int k = 0; k < m->stack.n; k++) {
		depth++;
		bytes += m->buffer[m->stack.at[k]].bytes;
		if (m->stack.at[k] != i)
			continue;
		m->reuse_depth[bucket_of(depth, msm_scanout_depth_bound,
					 MSM_SCANOUT_DEPTH_BOUNDS)]++;
		m->reuse_bytes[bucket_of(bytes, msm_scanout_bytes_bound,
					 MSM_SCANOUT_BYTES_BOUNDS)]++;
		order_take_out(&m->stack, i);
		order_take_out(&m->ghosts, i);
		return;
	}

	m->reuse_depth[MSM_SCANOUT_DEPTH_BUCKETS - 1]++;
	m->reuse_bytes[MSM_SCANOUT_BYTES_BUCKETS - 1]++;
}

static void model_evict(struct model *m, unsigned int i, enum msm_scanout_reason reason)
{
	order_take_out(&m->lru, i);
	order_take_out(&m->age, i);
	order_add_last(&m->quarantine, i);
	m->buffer[i].state = MSM_SCANOUT_QUARANTINED;
	m->buffer[i].reason = reason;
	/* It would have gone under any policy. */
	if (reason != MSM_SCANOUT_BOUND)
		model_forget(m, i);

	order_add_last(&m->ghosts, i);
	if (m->ghosts.n > MSM_SCANOUT_MAX_GHOSTS) {
		order_take_out(&m->stack, m->ghosts.at[0]);
		order_take_out(&m->ghosts, m->ghosts.at[0]);
	}

	if (m->buffer[i].held) {
		order_take_out(&m->lingering, i);
		order_take_out(&m->released, i);
		order_add_last(&m->released, i);
	}
}

static void model_unmap(struct model *m, unsigned int i)
{
	enum msm_scanout_reason reason = m->buffer[i].reason;

	order_take_out(&m->quarantine, i);
	m->buffer[i].state = MSM_SCANOUT_UNMAPPED;
	if (reason == MSM_SCANOUT_BOUND || reason == MSM_SCANOUT_TRIM)
		m->counters.evictions++;
	else if (reason == MSM_SCANOUT_AGE)
		m->counters.evictions_age++;
	else if (reason == MSM_SCANOUT_WINDOW || reason == MSM_SCANOUT_MEMORY)
		m->counters.evictions_pressure++;
	else
		m->counters.invalidations++;
	m->counters.unmap_ns += m->display->unmap_takes_ns;
}

void model_reap(struct model *m)
{
	if (m->quarantine.n)
		m->counters.batches++;
	while (m->quarantine.n)
		model_unmap(m, m->quarantine.at[0]);
}

/* Where the forecast is behind, it is the oldest that goes. */
static unsigned int model_victim(struct model *m)
{
	if (m->policy == MSM_SCANOUT_ADAPTIVE && m->lead <= 8)
		return m->age.at[0];

	return m->lru.at[0];
}

void model_shrink(struct model *m, u64 bytes, u64 entries, enum msm_scanout_reason reason)
{
	while (model_sum_bytes(m, MSM_SCANOUT_IDLE) > bytes || m->lru.n > entries)
		model_evict(m, model_victim(m), reason);
}

/* What the caller of an operation does when the reaper does not keep up. */
void model_bound_quarantine(struct model *m)
{
	if (model_sum_bytes(m, MSM_SCANOUT_QUARANTINED) > MODEL_MAX_QUARANTINE)
		model_reap(m);
}

bool model_on(struct model *m)
{
	return m->limits.max_bytes && m->limits.max_entries;
}

void model_enforce(struct model *m)
{
	if (model_on(m))
		model_shrink(m, m->limits.max_bytes, m->limits.max_entries, MSM_SCANOUT_BOUND);
	else
		model_shrink(m, 0, 0, MSM_SCANOUT_BOUND);
	m->idle_bytes_peak = max(m->idle_bytes_peak, model_sum_bytes(m, MSM_SCANOUT_IDLE));
}

static void model_make_active(struct model *m, unsigned int i)
{
	m->buffer[i].state = MSM_SCANOUT_ACTIVE;
	m->buffer[i].users = 1;
	order_take_out(&m->lingering, i);
	order_take_out(&m->released, i);
}

void model_put(struct model *m, unsigned int i)
{
	struct model_buffer *b = &m->buffer[i];

	if (--b->users)
		return;

	b->state = MSM_SCANOUT_IDLE;
	b->idle_since_ns = m->display->now_ns;
	model_insert(m, i);
	order_add_first(&m->stack, i);
	if (!b->held && m->display->buffer[i]->entry.may_linger && m->limits.linger_ns) {
		b->held = true;
		m->counters.lingers++;
	}
	if (b->held)
		order_add_last(m->limits.linger_ns ? &m->lingering : &m->released, i);

	/* It cannot stay, and nobody has to make room for it. */
	if (b->bytes > m->limits.max_bytes)
		model_evict(m, i, MSM_SCANOUT_BOUND);
	model_enforce(m);
	model_bound_quarantine(m);
}

void model_invalidate(struct model *m, unsigned int i, enum msm_scanout_reason reason)
{
	if (m->buffer[i].state == MSM_SCANOUT_IDLE)
		model_evict(m, i, reason);
	if (m->buffer[i].state != MSM_SCANOUT_QUARANTINED)
		return;

	model_unmap(m, i);
	m->counters.batches++;
}

void model_end_linger(struct model *m, u64 older_than_ns)
{
	while (m->lingering.n) {
		unsigned int i = m->lingering.at[0];

		if (m->display->now_ns - m->buffer[i].idle_since_ns < older_than_ns)
			break;
		order_take_out(&m->lingering, i);
		order_add_last(&m->released, i);
	}
}

void model_expire(struct model *m)
{
	model_end_linger(m, m->limits.linger_ns);
	while (m->limits.idle_timeout_ns && m->age.n) {
		unsigned int i = m->age.at[0];

		if (m->display->now_ns - m->buffer[i].idle_since_ns < m->limits.idle_timeout_ns)
			break;
		model_evict(m, i, MSM_SCANOUT_AGE);
	}
	model_bound_quarantine(m);
}

void model_release(struct model *m)
{
	while (m->released.n) {
		m->buffer[m->released.at[0]].held = false;
		order_take_out(&m->released, m->released.at[0]);
	}
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

	model_claim(m, "window victims", 0, victims <= m->lru.n, true);
	model_claim(m, "window victims or quarantine", 0, victims || m->quarantine.n, true);
	while (victims-- && m->lru.n) {
		unsigned int i = model_victim(m);

		model_claim(m, "window victims needed", i, need > 0, true);
		need -= min(need, m->buffer[i].bytes);
		model_evict(m, i, MSM_SCANOUT_WINDOW);
	}
	model_reap(m);

	return true;
}

int model_get(struct model *m, unsigned int i, int map_error, bool no_memory,
	      u64 window_victims)
{
	struct model_buffer *b = &m->buffer[i];
	unsigned int mapped = m->scene->buffers - model_count_state(m, MSM_SCANOUT_UNMAPPED);

	if (!model_on(m))
		return -EOPNOTSUPP;

	if (b->state == MSM_SCANOUT_UNMAPPED) {
		m->counters.misses++;
		model_record_reuse(m, i);
		if (no_memory)
			map_error = -ENOMEM;
		else if (m->scene->slots && mapped == m->scene->slots &&
			 !model_make_room(m, window_victims))
			map_error = -ENOSPC;
		if (map_error) {
			m->counters.map_failures++;
			return map_error;
		}
		m->counters.inserts++;
		m->counters.map_ns += m->display->map_takes_ns;
		model_make_active(m, i);
		return 0;
	}

	if (b->state == MSM_SCANOUT_ACTIVE) {
		b->users++;
		return 0;
	}

	m->counters.hits++;
	b->hits++;
	if (b->state == MSM_SCANOUT_QUARANTINED)
		m->counters.rescues++;
	order_take_out(&m->lru, i);
	order_take_out(&m->age, i);
	order_take_out(&m->quarantine, i);
	model_record_reuse(m, i);
	model_make_active(m, i);

	return 0;
}

void model_set_policy(struct model *m, enum msm_scanout_policy_kind kind)
{
	m->policy = kind;
	m->lead = 0;
	m->counters.generation++;
	for (unsigned int r = 0; r < MSM_SCANOUT_SHADOWS; r++)
		m->shadow[r].n = 0;
	for (unsigned int k = 0; k < m->lru.n; k++) {
		m->buffer[m->lru.at[k]].expected = U64_MAX;
		model_insert_shadows(m, m->lru.at[k]);
	}
}
