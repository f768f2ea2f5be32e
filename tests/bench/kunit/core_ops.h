/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the cache's own operations cost, by number of entries, with a display that
 * maps in no time.
 */

#ifndef __CORE_OPS_H__
#define __CORE_OPS_H__

#include <linux/types.h>

/**
 * struct core_costs - mean time of an operation, in thousandths of the clock's unit
 *
 * Of all rounds but the slowest hundredth, which had an interrupt.
 */
struct core_costs {
	/** @ring_get: lookup of the buffer that was idle longest, which is mapped */
	u64 ring_get;
	/** @ring_put: making it idle again */
	u64 ring_put;
	/** @random_get: lookup of any buffer, which is mapped */
	u64 random_get;
	/** @random_put: making it idle again */
	u64 random_put;
	/** @miss: lookup of a buffer that is not mapped */
	u64 miss;
	/** @evict: making it idle, at which another has to go */
	u64 evict;
	/** @reap: unmapping that */
	u64 reap;
};

int core_ops_measure(unsigned int entries, u64 (*clock)(void), struct core_costs *costs);

#endif /* __CORE_OPS_H__ */
