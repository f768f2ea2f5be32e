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
 * @MSM_SCANOUT_DIP: that of the two which would have had more hits
 */
enum msm_scanout_insertion {
	MSM_SCANOUT_LRU,
	MSM_SCANOUT_BIP,
	MSM_SCANOUT_DIP,
};

/* The two that duel. */
#define MSM_SCANOUT_RIVALS	2

/**
 * struct msm_scanout_shadowed - what a policy keeps of one buffer
 */
struct msm_scanout_shadowed {
	/** @idle: on &msm_scanout_shadow.idle of each rival, if it had it */
	struct list_head idle[MSM_SCANOUT_RIVALS];
	/** @bytes: size of the buffer, immutable */
	u64 bytes;
	/** @missed: rivals that did not have it when it was last looked up */
	u8 missed;
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
	/** @random: state of the generator that makes the exceptions */
	u32 random;
};

/**
 * struct msm_scanout_policy - the policy in force
 */
struct msm_scanout_policy {
	/** @insertion: which one */
	enum msm_scanout_insertion insertion;
	/** @shadow: of %MSM_SCANOUT_LRU and %MSM_SCANOUT_BIP; empty unless DIP */
	struct msm_scanout_shadow shadow[MSM_SCANOUT_RIVALS];
	/** @lead: by how many of the recent hits BIP is ahead of LRU */
	int lead;
	/** @random: as in &msm_scanout_shadow, for the cache itself */
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
void msm_scanout_policy_forget(struct msm_scanout_policy *policy,
			       struct msm_scanout_shadowed *buf);
bool msm_scanout_policy_evict_first(struct msm_scanout_policy *policy);

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
