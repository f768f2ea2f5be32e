/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where in the order of eviction a mapping is inserted.  See DOC: insertion
 * policies in msm_scanout_policy.c.
 */

#ifndef __MSM_SCANOUT_POLICY_H__
#define __MSM_SCANOUT_POLICY_H__

#include <linux/list.h>
#include <linux/types.h>

/**
 * enum msm_scanout_insertion - the policies
 * @MSM_SCANOUT_LRU: what became idle last is evicted last
 * @MSM_SCANOUT_BIP: what was not found mapped is evicted first, with few
 *	exceptions
 * @MSM_SCANOUT_DIP: what is expected back last is evicted first, unless
 *	%MSM_SCANOUT_LRU has more hits
 */
enum msm_scanout_insertion {
	MSM_SCANOUT_LRU,
	MSM_SCANOUT_BIP,
	MSM_SCANOUT_DIP,
};

/**
 * enum msm_scanout_order - orders of idle buffers, next victim first
 * @MSM_SCANOUT_SHADOW_LRU: what would be idle if %MSM_SCANOUT_LRU had always
 *	ruled
 * @MSM_SCANOUT_SHADOW_FORECAST: the same, if expectations had
 * @MSM_SCANOUT_SHADOWS: their number
 * @MSM_SCANOUT_OWN: what is idle: the cache's own order
 * @MSM_SCANOUT_ORDERS: number of orders
 */
enum msm_scanout_order {
	MSM_SCANOUT_SHADOW_LRU,
	MSM_SCANOUT_SHADOW_FORECAST,
	MSM_SCANOUT_SHADOWS,
	MSM_SCANOUT_OWN = MSM_SCANOUT_SHADOWS,
	MSM_SCANOUT_ORDERS,
};

/* When a buffer is expected that was seen once. */
#define MSM_SCANOUT_SOME_DAY	U64_MAX

/**
 * struct msm_scanout_shadowed - what a policy keeps of one buffer
 */
struct msm_scanout_shadowed {
	/** @idle: on each order that it is in */
	struct list_head idle[MSM_SCANOUT_ORDERS];
	/** @bytes: size of the buffer, immutable */
	u64 bytes;
	/** @used: when it was looked up last, 0 for not yet */
	u64 used;
	/** @interval: how long after the time before */
	u64 interval;
	/** @expected: when it will be again, or %MSM_SCANOUT_SOME_DAY */
	u64 expected;
};

/**
 * struct msm_scanout_shadow - what would be idle if a policy had always ruled
 */
struct msm_scanout_shadow {
	/** @idle: &msm_scanout_shadowed, next victim first */
	struct list_head idle;
	/** @bytes: their bytes */
	u64 bytes;
	/** @entries: their number */
	u64 entries;
};

/**
 * struct msm_scanout_policy - the policy in force
 */
struct msm_scanout_policy {
	/** @insertion: which one */
	enum msm_scanout_insertion insertion;
	/** @shadow: what the rivals would have; empty unless DIP */
	struct msm_scanout_shadow shadow[MSM_SCANOUT_SHADOWS];
	/** @lead: by how many of the recent hits expectations are ahead of LRU */
	int lead;
	/** @clock: lookups under DIP, the time of &msm_scanout_shadowed */
	u64 clock;
	/** @random: state of the generator that makes BIP's exceptions */
	u32 random;
};

void msm_scanout_policy_init(struct msm_scanout_policy *policy);
void msm_scanout_policy_start(struct msm_scanout_policy *policy,
			      enum msm_scanout_insertion insertion);
void msm_scanout_policy_track(struct msm_scanout_policy *policy,
			      struct msm_scanout_shadowed *buf, u64 bytes);
void msm_scanout_shadows_lookup(struct msm_scanout_policy *policy,
				struct msm_scanout_shadowed *buf);
void msm_scanout_shadows_idle(struct msm_scanout_policy *policy,
			      struct msm_scanout_shadowed *buf,
			      u64 max_bytes, u64 max_entries);
void msm_scanout_policy_adopt(struct msm_scanout_policy *policy,
			      struct msm_scanout_shadowed *buf,
			      u64 max_bytes, u64 max_entries);
void msm_scanout_policy_forget(struct msm_scanout_policy *policy,
			       struct msm_scanout_shadowed *buf);
void msm_scanout_policy_insert(struct msm_scanout_policy *policy,
			       struct msm_scanout_shadowed *buf,
			       struct list_head *own, bool missed);
bool msm_scanout_policy_evicts_oldest(struct msm_scanout_policy *policy);

/**
 * msm_scanout_policy_lookup() - a buffer that was not in use is needed
 * @policy: the policy
 * @buf: the buffer
 */
static inline void msm_scanout_policy_lookup(struct msm_scanout_policy *policy,
					     struct msm_scanout_shadowed *buf)
{
	if (policy->insertion == MSM_SCANOUT_DIP)
		msm_scanout_shadows_lookup(policy, buf);
}

/**
 * msm_scanout_policy_idle() - a buffer is no longer in use
 * @policy: the policy
 * @buf: the buffer
 * @max_bytes: bound on what is idle
 * @max_entries: bound on what is idle
 */
static inline void msm_scanout_policy_idle(struct msm_scanout_policy *policy,
					   struct msm_scanout_shadowed *buf,
					   u64 max_bytes, u64 max_entries)
{
	if (policy->insertion == MSM_SCANOUT_DIP)
		msm_scanout_shadows_idle(policy, buf, max_bytes, max_entries);
}

#endif /* __MSM_SCANOUT_POLICY_H__ */
