/* SPDX-License-Identifier: MIT */
/*
 * A model of the kernel's insertion policies, lru, bip and dip: in which order idle buffers are
 * evicted.  The kernel's own are in msm_scanout_policy.c, and decide alike.
 */
#ifndef INSERTION_H
#define INSERTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"

/* Idle buffers, next victim first. */
struct order {
	uint32_t *list;
	size_t count;
	uint64_t bytes;
};

/* What dip compares: lru, and eviction of what is expected back last. */
enum shadow { SHADOW_LRU, SHADOW_FORECAST, SHADOWS };

/* Lookups of a buffer under dip: the last, how long after the one before, when is the next. */
struct insertion_known {
	uint64_t used, interval, expected;
};

struct insertion {
	enum cache_insertion policy;
	/* what would be idle if either had always ruled; empty unless dip */
	struct order shadow[SHADOWS];
	/* by buffer */
	struct insertion_known *known;
	/* by how many of the recent hits the forecast is ahead */
	int lead;
	/* lookups under dip */
	uint64_t clock;
	uint32_t random;
};

/* Returns 0 or -ENOMEM. */
int order_init(struct order *order, size_t buffers);
void order_release(struct order *order);
/* Returns whether it was there. */
bool order_remove(struct order *order, uint32_t buffer, uint64_t bytes);

int insertion_init(struct insertion *insertion, size_t buffers);
void insertion_release(struct insertion *insertion);

/* A buffer that was not in use is needed. */
void insertion_lookup(struct insertion *insertion, uint32_t buffer, uint64_t bytes);

/* It is no longer in use; @bytes_of tells the sizes of others. */
struct insertion_limits {
	uint64_t max_bytes;
	uint64_t max_entries;
	uint64_t (*bytes_of)(const void *context, uint32_t buffer);
	const void *context;
};

void insertion_idle(struct insertion *insertion, uint32_t buffer,
		    const struct insertion_limits *limits);

/* Its mapping would have ended under any policy. */
void insertion_forget(struct insertion *insertion, uint32_t buffer, uint64_t bytes);

/* Put a policy into force: the rivals start level, with what is in @idle. */
void insertion_set(struct insertion *insertion, enum cache_insertion policy,
		   const struct order *idle, const struct insertion_limits *limits);

/* Is the next victim what has been idle for longest, rather than the first in order? */
bool insertion_evicts_oldest(const struct insertion *insertion);

/* The buffer itself is gone: who has its number next is another one. */
void insertion_gone(struct insertion *insertion, uint32_t buffer, uint64_t bytes);

/* Inserts a buffer that is idle now into @order.  @missed: it was mapped anew. */
void insertion_insert(struct insertion *insertion, struct order *order, uint32_t buffer,
		      uint64_t bytes, bool missed);

#endif
