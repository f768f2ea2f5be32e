/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A display that maps in no time, for what is counted or timed in the core alone.
 */

#ifndef __INSTANT_DISPLAY_H__
#define __INSTANT_DISPLAY_H__

#include "../msm_scanout_cache.h"

/**
 * struct instant_display - a cache and its clock
 */
struct instant_display {
	/** @cache: with &instant_display_ops */
	struct msm_scanout_cache cache;
	/** @now_ns: a nanosecond later at every look */
	u64 now_ns;
};

static int instant_map(struct msm_scanout_cache *cache, struct msm_scanout_entry *entry, u64 iova)
{
	return 0;
}

static void instant_unmap(struct msm_scanout_cache *cache, struct msm_scanout_entry *entry,
			  u64 iova)
{
}

static void instant_flush(struct msm_scanout_cache *cache)
{
}

static void instant_ref(struct msm_scanout_entry *entry)
{
}

static void instant_kick(struct msm_scanout_cache *cache)
{
}

static void instant_arm(struct msm_scanout_cache *cache, u64 delay_ns)
{
}

static u64 instant_now_ns(struct msm_scanout_cache *cache)
{
	return container_of(cache, struct instant_display, cache)->now_ns++;
}

static const struct msm_scanout_cache_ops instant_display_ops = {
	.map = instant_map,
	.unmap = instant_unmap,
	.flush = instant_flush,
	.hold = instant_ref,
	.release = instant_ref,
	.kick_reap = instant_kick,
	.kick_release = instant_kick,
	.arm = instant_arm,
	.now_ns = instant_now_ns,
	.stopwatch_ns = instant_now_ns,
};

#endif /* __INSTANT_DISPLAY_H__ */
