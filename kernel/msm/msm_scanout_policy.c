// SPDX-License-Identifier: GPL-2.0-only

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/log2.h>

#include "msm_scanout_policy.h"

/**
 * DOC: insertion policies
 *
 * Evicting what has been idle for longest is right as long as what is used in
 * turn fits.  A pool that is a little too large for the cache gets no hit at all
 * that way: every buffer is evicted just before it comes back.  So does a stream
 * of buffers that never come back, which drives out those that would.
 *
 * %MSM_SCANOUT_BIP inserts a buffer that had to be mapped where it is evicted
 * first.  What is there already stays, and gets hits.  One in 32 is inserted as
 * by %MSM_SCANOUT_LRU, so that a set that is no longer used is replaced in time.
 *
 * Which of the two is better depends on what is running, and %MSM_SCANOUT_DIP
 * finds out: each of the two rules a shadow, a list of what it would have kept
 * mapped within the same bounds.  Hits in one but not in the other move a
 * counter, and the cache follows the one that is ahead.  (Qureshi et al.,
 * "Adaptive Insertion Policies for High Performance Caching", ISCA 2007, with
 * whole shadows rather than sampled sets: there are few buffers.)
 *
 * Everything here is protected by the lock of the cache.  Each operation is O(1),
 * but for an insertion that exceeds the bounds: that evicts from a shadow what
 * was inserted before, so it is O(1) amortised.
 */

/* One insertion by BIP in this many, a power of two, is one by LRU. */
#define MSM_SCANOUT_BIP_THROTTLE	32
/* How much of the past counts, in hits of one rival alone. */
#define MSM_SCANOUT_LEAD_MAX		256
/* A lead that is no accident. */
#define MSM_SCANOUT_LEAD_WINS		8

/*
 * Not every 32nd: a pool may have just as many buffers.  Any generator will do,
 * and a linear one needs no lock and can be replayed.
 */
static bool throttled(u32 *random)
{
	*random = *random * 1664525 + 1013904223;

	return *random >> (32 - ilog2(MSM_SCANOUT_BIP_THROTTLE));
}

/* Whether @insertion puts what was missed where it is evicted first. */
static bool evict_first(enum msm_scanout_insertion insertion, u32 *random)
{
	return insertion == MSM_SCANOUT_BIP && throttled(random);
}

static void shadow_del(struct msm_scanout_shadow *shadow,
		       struct msm_scanout_shadowed *buf, unsigned int rival)
{
	list_del_init(&buf->idle[rival]);
	shadow->bytes -= buf->bytes;
	shadow->entries--;
}

/**
 * msm_scanout_policy_init() - set up, with %MSM_SCANOUT_LRU in force
 * @policy: to be set up
 */
void msm_scanout_policy_init(struct msm_scanout_policy *policy)
{
	*policy = (struct msm_scanout_policy) {
		.insertion = MSM_SCANOUT_LRU,
	};
	for (unsigned int i = 0; i < MSM_SCANOUT_RIVALS; i++)
		INIT_LIST_HEAD(&policy->shadow[i].idle);
}

/**
 * msm_scanout_policy_start() - put a policy into force
 * @policy: the policy
 * @insertion: which one
 *
 * It starts without a past.
 */
void msm_scanout_policy_start(struct msm_scanout_policy *policy,
			      enum msm_scanout_insertion insertion)
{
	for (unsigned int i = 0; i < MSM_SCANOUT_RIVALS; i++) {
		struct msm_scanout_shadow *shadow = &policy->shadow[i];

		while (!list_empty(&shadow->idle))
			shadow_del(shadow,
				   list_first_entry(&shadow->idle,
						    struct msm_scanout_shadowed,
						    idle[i]), i);
	}

	policy->lead = 0;
	policy->insertion = insertion;
}

/**
 * msm_scanout_policy_track() - make a buffer known
 * @policy: the policy
 * @buf: what it keeps of the buffer
 * @bytes: size of the buffer
 */
void msm_scanout_policy_track(struct msm_scanout_policy *policy,
			      struct msm_scanout_shadowed *buf, u64 bytes)
{
	for (unsigned int i = 0; i < MSM_SCANOUT_RIVALS; i++)
		INIT_LIST_HEAD(&buf->idle[i]);
	buf->bytes = bytes;
	buf->missed = 0;
}

/**
 * msm_scanout_shadows_lookup() - count who would have had a buffer
 * @policy: the policy
 * @buf: the buffer
 */
void msm_scanout_shadows_lookup(struct msm_scanout_policy *policy,
				struct msm_scanout_shadowed *buf)
{
	buf->missed = 0;
	for (unsigned int i = 0; i < MSM_SCANOUT_RIVALS; i++) {
		if (list_empty(&buf->idle[i]))
			buf->missed |= BIT(i);
		else
			shadow_del(&policy->shadow[i], buf, i);
	}

	if (buf->missed == BIT(MSM_SCANOUT_LRU))
		policy->lead = min(policy->lead + 1, MSM_SCANOUT_LEAD_MAX);
	else if (buf->missed == BIT(MSM_SCANOUT_BIP))
		policy->lead = max(policy->lead - 1, -MSM_SCANOUT_LEAD_MAX);
}

/**
 * msm_scanout_shadows_idle() - insert a buffer as each rival would
 * @policy: the policy
 * @buf: the buffer
 * @max_bytes: bound on what is idle
 * @max_entries: bound on what is idle
 */
void msm_scanout_shadows_idle(struct msm_scanout_policy *policy,
			      struct msm_scanout_shadowed *buf,
			      u64 max_bytes, u64 max_entries)
{
	msm_scanout_policy_forget(policy, buf);
	if (buf->bytes > max_bytes)
		return;

	for (unsigned int i = 0; i < MSM_SCANOUT_RIVALS; i++) {
		struct msm_scanout_shadow *shadow = &policy->shadow[i];

		if ((buf->missed & BIT(i)) && evict_first(i, &shadow->random))
			list_add(&buf->idle[i], &shadow->idle);
		else
			list_add_tail(&buf->idle[i], &shadow->idle);
		shadow->bytes += buf->bytes;
		shadow->entries++;

		while (shadow->bytes > max_bytes || shadow->entries > max_entries)
			shadow_del(shadow,
				   list_first_entry(&shadow->idle,
						    struct msm_scanout_shadowed,
						    idle[i]), i);
	}
}

/**
 * msm_scanout_policy_forget() - a buffer's mapping would have ended anyway
 * @policy: the policy
 * @buf: the buffer
 *
 * Call before the memory of @buf goes.
 */
void msm_scanout_policy_forget(struct msm_scanout_policy *policy,
			       struct msm_scanout_shadowed *buf)
{
	for (unsigned int i = 0; i < MSM_SCANOUT_RIVALS; i++)
		if (!list_empty(&buf->idle[i]))
			shadow_del(&policy->shadow[i], buf, i);
}

/**
 * msm_scanout_policy_evict_first() - where to insert what was not found mapped
 * @policy: the policy
 *
 * Return: whether the buffer is to be the next victim, rather than the last.
 */
bool msm_scanout_policy_evict_first(struct msm_scanout_policy *policy)
{
	enum msm_scanout_insertion insertion = policy->insertion;

	if (insertion == MSM_SCANOUT_DIP)
		insertion = policy->lead > MSM_SCANOUT_LEAD_WINS ?
			    MSM_SCANOUT_BIP : MSM_SCANOUT_LRU;

	return evict_first(insertion, &policy->random);
}
