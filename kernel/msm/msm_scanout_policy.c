// SPDX-License-Identifier: GPL-2.0-only

#include <linux/kernel.h>

#include "msm_scanout_policy.h"

/**
 * DOC: policies
 *
 * Evicting what has been idle for longest is right as long as what is used in
 * turn fits.  A pool that is a little too large for the cache gets no hit at all
 * that way: every buffer is evicted just before it comes back.  So does a stream
 * of buffers that never come back, which drives out those that would.
 *
 * Displays do the same again and again, so when a buffer will be needed can be
 * told from how long it took the last time.  %MSM_SCANOUT_ADAPTIVE evicts what is
 * expected back last, which is what the optimum does, and also what was expected
 * long ago and did not come.  It knows no planes, and still serves the fast one
 * first if there is no room for both.
 *
 * Where a display does something new, expectations are wrong and LRU is right.
 * So each of the two rules a shadow, a list of what it would have kept mapped
 * within the same bounds.  Hits in one but not in the other move a counter, and
 * the cache follows the one that is ahead.  Both evicting what is predicted to be
 * needed last and combining that with LRU are from Wei, "Better and Simpler
 * Learning-Augmented Online Caching", APPROX/RANDOM 2020; the prediction here is
 * the last interval.
 *
 * Where nothing can be predicted the two are alike, and which is ahead is an
 * accident.  To follow accidents costs hits, as each finds what the other kept.
 * So a hit that only LRU has counts double.
 *
 * Everything here is protected by the lock of the cache.  Each operation is O(1),
 * but for an insertion that exceeds the bounds: that evicts from a shadow what
 * was inserted before, so it is O(1) amortised.
 */

/* How far from either end of an order a place is searched. */
#define MSM_SCANOUT_SEARCH_STEPS	16
/* A buffer this many of its intervals late is not expected any more. */
#define MSM_SCANOUT_LATE_INTERVALS	2
/* The shortest interval there is: two buffers in turn. */
#define MSM_SCANOUT_MIN_INTERVAL	2
/* How much of the past counts, in hits of one rival alone. */
#define MSM_SCANOUT_LEAD_MAX		256
/* A lead that is no accident. */
#define MSM_SCANOUT_LEAD_WINS		8
/* What a hit counts that only LRU has. */
#define MSM_SCANOUT_LRU_WEIGHT		2

static struct msm_scanout_policy_buf *buf_at(struct list_head *node,
					     enum msm_scanout_order order)
{
	struct list_head *nodes = node - order;

	return container_of(nodes, struct msm_scanout_policy_buf, idle[0]);
}

/* A buffer that should have been back by now is not expected any more. */
static bool is_overdue(struct msm_scanout_policy *policy,
		       struct msm_scanout_policy_buf *buf)
{
	u64 late = MSM_SCANOUT_LATE_INTERVALS *
		   max(buf->interval, MSM_SCANOUT_MIN_INTERVAL);

	return buf->expected < policy->clock &&
	       policy->clock - buf->expected > late;
}

/*
 * Before the first that is expected no later.  What is used again and again is
 * found from the far end, what is gone for long from the near one.  Where both
 * searches end before they meet, it is a place in the middle of many.
 *
 * What is overdue is at the far end, as it was expected before all others, and
 * becomes the next victim here.
 */
static struct list_head *find_place(struct msm_scanout_policy *policy,
				    struct msm_scanout_policy_buf *buf,
				    struct list_head *idle,
				    enum msm_scanout_order order)
{
	struct list_head *first = idle->next, *end = idle;
	struct msm_scanout_policy_buf *at;

	for (int i = 0; i < MSM_SCANOUT_SEARCH_STEPS && first != end; i++) {
		at = buf_at(end->prev, order);
		if (is_overdue(policy, at)) {
			if (first == end->prev)
				first = end;
			list_move(&at->idle[order], idle);
		} else if (at->expected <= buf->expected) {
			end = end->prev;
		} else {
			break;
		}

		if (first == end)
			break;
		at = buf_at(first, order);
		if (at->expected <= buf->expected && !is_overdue(policy, at))
			return first;
		first = first->next;
	}

	return end;
}

static void insert_by_forecast(struct msm_scanout_policy *policy,
			       struct msm_scanout_policy_buf *buf,
			       struct list_head *idle,
			       enum msm_scanout_order order)
{
	list_add_tail(&buf->idle[order], find_place(policy, buf, idle, order));
}

static void shadow_del(struct msm_scanout_shadow *shadow,
		       struct msm_scanout_policy_buf *buf,
		       enum msm_scanout_order order)
{
	list_del_init(&buf->idle[order]);
	shadow->bytes -= buf->bytes;
	shadow->entries--;
}

/**
 * msm_scanout_policy_init() - set up, with %MSM_SCANOUT_ADAPTIVE in force
 * @policy: to be set up
 */
void msm_scanout_policy_init(struct msm_scanout_policy *policy)
{
	*policy = (struct msm_scanout_policy) {
		.kind = MSM_SCANOUT_ADAPTIVE,
	};
	for (int i = 0; i < MSM_SCANOUT_SHADOWS; i++)
		INIT_LIST_HEAD(&policy->shadow[i].idle);
}

/**
 * msm_scanout_policy_start() - put a policy into force
 * @policy: the policy
 * @kind: which one
 *
 * The rivals start level.  Hand it what is idle by msm_scanout_policy_adopt().
 */
void msm_scanout_policy_start(struct msm_scanout_policy *policy,
			      enum msm_scanout_policy_kind kind)
{
	for (int i = 0; i < MSM_SCANOUT_SHADOWS; i++) {
		struct msm_scanout_shadow *shadow = &policy->shadow[i];

		while (!list_empty(&shadow->idle))
			shadow_del(shadow,
				   list_first_entry(&shadow->idle,
						    struct msm_scanout_policy_buf,
						    idle[i]), i);
	}

	policy->lead = 0;
	policy->kind = kind;
}

/**
 * msm_scanout_policy_track() - make a buffer known
 * @policy: the policy
 * @buf: what it keeps of the buffer
 * @bytes: size of the buffer
 */
void msm_scanout_policy_track(struct msm_scanout_policy *policy,
			      struct msm_scanout_policy_buf *buf, u64 bytes)
{
	for (int i = 0; i < MSM_SCANOUT_ORDERS; i++)
		INIT_LIST_HEAD(&buf->idle[i]);
	buf->bytes = bytes;
	buf->used = 0;
	buf->interval = 0;
	buf->expected = MSM_SCANOUT_SOME_DAY;
}

/**
 * msm_scanout_shadows_lookup() - learn, and count who would have had a buffer
 * @policy: the policy
 * @buf: the buffer
 */
void msm_scanout_shadows_lookup(struct msm_scanout_policy *policy,
				struct msm_scanout_policy_buf *buf)
{
	bool had[MSM_SCANOUT_SHADOWS];

	policy->clock++;
	if (buf->used) {
		buf->interval = policy->clock - buf->used;
		buf->expected = policy->clock + buf->interval;
	}
	buf->used = policy->clock;

	for (int i = 0; i < MSM_SCANOUT_SHADOWS; i++) {
		had[i] = !list_empty(&buf->idle[i]);
		if (had[i])
			shadow_del(&policy->shadow[i], buf, i);
	}

	if (had[MSM_SCANOUT_SHADOW_FORECAST] && !had[MSM_SCANOUT_SHADOW_LRU])
		policy->lead = min(policy->lead + 1, MSM_SCANOUT_LEAD_MAX);
	else if (had[MSM_SCANOUT_SHADOW_LRU] && !had[MSM_SCANOUT_SHADOW_FORECAST])
		policy->lead = max(policy->lead - MSM_SCANOUT_LRU_WEIGHT,
				   -MSM_SCANOUT_LEAD_MAX);
}

/**
 * msm_scanout_shadows_idle() - insert a buffer as each rival would
 * @policy: the policy
 * @buf: the buffer
 * @max_bytes: bound on what is idle
 * @max_entries: bound on what is idle
 */
void msm_scanout_shadows_idle(struct msm_scanout_policy *policy,
			      struct msm_scanout_policy_buf *buf,
			      u64 max_bytes, u64 max_entries)
{
	msm_scanout_policy_forget(policy, buf);
	if (buf->bytes > max_bytes)
		return;

	for (int i = 0; i < MSM_SCANOUT_SHADOWS; i++) {
		struct msm_scanout_shadow *shadow = &policy->shadow[i];

		if (i == MSM_SCANOUT_SHADOW_FORECAST)
			insert_by_forecast(policy, buf, &shadow->idle, i);
		else
			list_add_tail(&buf->idle[i], &shadow->idle);
		shadow->bytes += buf->bytes;
		shadow->entries++;

		while (shadow->bytes > max_bytes || shadow->entries > max_entries)
			shadow_del(shadow,
				   list_first_entry(&shadow->idle,
						    struct msm_scanout_policy_buf,
						    idle[i]), i);
	}
}

/**
 * msm_scanout_policy_adopt() - take over what is idle when a policy starts
 * @policy: the policy
 * @buf: a buffer, in the order of eviction
 * @max_bytes: bound on what is idle
 * @max_entries: bound on what is idle
 *
 * What was expected in an earlier reign is out of date.
 */
void msm_scanout_policy_adopt(struct msm_scanout_policy *policy,
			      struct msm_scanout_policy_buf *buf,
			      u64 max_bytes, u64 max_entries)
{
	buf->expected = MSM_SCANOUT_SOME_DAY;
	msm_scanout_policy_idle(policy, buf, max_bytes, max_entries);
}

/**
 * msm_scanout_policy_forget() - a buffer's mapping would have ended anyway
 * @policy: the policy
 * @buf: the buffer
 *
 * Call before the memory of @buf goes.
 */
void msm_scanout_policy_forget(struct msm_scanout_policy *policy,
			       struct msm_scanout_policy_buf *buf)
{
	for (int i = 0; i < MSM_SCANOUT_SHADOWS; i++)
		if (!list_empty(&buf->idle[i]))
			shadow_del(&policy->shadow[i], buf, i);
}

/**
 * msm_scanout_policy_insert() - insert a buffer that is idle now
 * @policy: the policy
 * @buf: the buffer
 * @idle: what is idle, by &msm_scanout_policy_buf.idle of %MSM_SCANOUT_CACHED
 */
void msm_scanout_policy_insert(struct msm_scanout_policy *policy,
			       struct msm_scanout_policy_buf *buf,
			       struct list_head *idle)
{
	if (policy->kind == MSM_SCANOUT_ADAPTIVE)
		insert_by_forecast(policy, buf, idle, MSM_SCANOUT_CACHED);
	else
		list_add_tail(&buf->idle[MSM_SCANOUT_CACHED], idle);
}

/**
 * msm_scanout_policy_evicts_oldest() - where the next victim is
 * @policy: the policy
 *
 * The order by expectation is kept even while LRU rules, so that it is right
 * when that changes.
 *
 * Return: whether it is what has been idle for longest, rather than the first of
 * the cache's own order.
 */
bool msm_scanout_policy_evicts_oldest(struct msm_scanout_policy *policy)
{
	return policy->kind == MSM_SCANOUT_ADAPTIVE &&
	       policy->lead <= MSM_SCANOUT_LEAD_WINS;
}
