/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In which order mappings are evicted.  See DOC: policies in
 * msm_scanout_policy.c.
 */

#ifndef __MSM_SCANOUT_POLICY_H__
#define __MSM_SCANOUT_POLICY_H__

#include <linux/list.h>
#include <linux/types.h>

/**
 * enum msm_scanout_policy_kind - the policies
 * @MSM_SCANOUT_LRU: what became idle last is evicted last
 * @MSM_SCANOUT_ADAPTIVE: what is expected back last is evicted first, unless
 *	%MSM_SCANOUT_LRU has more hits; the default
 */
enum msm_scanout_policy_kind {
	MSM_SCANOUT_LRU,
	MSM_SCANOUT_ADAPTIVE,
};

/**
 * enum msm_scanout_order - orders of idle buffers, next victim first
 * @MSM_SCANOUT_SHADOW_LRU: what would be idle if %MSM_SCANOUT_LRU had always
 *	ruled
 * @MSM_SCANOUT_SHADOW_FORECAST: the same, if expectations had
 * @MSM_SCANOUT_SHADOWS: their number
 * @MSM_SCANOUT_CACHED: what is idle in the cache itself
 * @MSM_SCANOUT_ORDERS: number of orders
 */
enum msm_scanout_order {
	MSM_SCANOUT_SHADOW_LRU,
	MSM_SCANOUT_SHADOW_FORECAST,
	MSM_SCANOUT_SHADOWS,
	MSM_SCANOUT_CACHED = MSM_SCANOUT_SHADOWS,
	MSM_SCANOUT_ORDERS,
};

/* When a buffer is expected that was seen once. */
#define MSM_SCANOUT_SOME_DAY	U64_MAX

/**
 * struct msm_scanout_policy_buf - what a policy keeps of one buffer
 */
struct msm_scanout_policy_buf {
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
	/** @idle: &msm_scanout_policy_buf, next victim first */
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
	/** @kind: which one */
	enum msm_scanout_policy_kind kind;
	/**
	 * @shadow: what the rivals would have; empty unless
	 * %MSM_SCANOUT_ADAPTIVE is in force
	 */
	struct msm_scanout_shadow shadow[MSM_SCANOUT_SHADOWS];
	/**
	 * @lead: by how many of the recent hits expectations are ahead of LRU,
	 * whose own count double
	 */
	int lead;
	/** @clock: lookups under %MSM_SCANOUT_ADAPTIVE, the time of &msm_scanout_policy_buf */
	u64 clock;
};

void msm_scanout_policy_init(struct msm_scanout_policy *policy);
void msm_scanout_policy_start(struct msm_scanout_policy *policy,
			      enum msm_scanout_policy_kind kind);
void msm_scanout_policy_track(struct msm_scanout_policy *policy,
			      struct msm_scanout_policy_buf *buf, u64 bytes);
void msm_scanout_shadows_lookup(struct msm_scanout_policy *policy,
				struct msm_scanout_policy_buf *buf);
void msm_scanout_shadows_idle(struct msm_scanout_policy *policy,
			      struct msm_scanout_policy_buf *buf,
			      u64 max_bytes, u64 max_entries);
void msm_scanout_policy_adopt(struct msm_scanout_policy *policy,
			      struct msm_scanout_policy_buf *buf,
			      u64 max_bytes, u64 max_entries);
void msm_scanout_policy_forget(struct msm_scanout_policy *policy,
			       struct msm_scanout_policy_buf *buf);
void msm_scanout_policy_insert(struct msm_scanout_policy *policy,
			       struct msm_scanout_policy_buf *buf,
			       struct list_head *idle);
bool msm_scanout_policy_evicts_oldest(struct msm_scanout_policy *policy);

/**
 * msm_scanout_policy_lookup() - a buffer that was not in use is needed
 * @policy: the policy
 * @buf: the buffer
 */
static inline void msm_scanout_policy_lookup(struct msm_scanout_policy *policy,
					     struct msm_scanout_policy_buf *buf)
{
	if (policy->kind == MSM_SCANOUT_ADAPTIVE)
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
					   struct msm_scanout_policy_buf *buf,
					   u64 max_bytes, u64 max_entries)
{
	if (policy->kind == MSM_SCANOUT_ADAPTIVE)
		msm_scanout_shadows_idle(policy, buf, max_bytes, max_entries);
}

#endif /* __MSM_SCANOUT_POLICY_H__ */
