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
	uint32_t random;
};

/* What dip compares. */
enum rival { RIVAL_LRU, RIVAL_BIP, RIVALS };

struct insertion {
	enum cache_insertion policy;
	/* what would be idle if lru, or bip, had always ruled; empty unless dip */
	struct order shadow[RIVALS];
	/* by buffer: rivals that did not have it when it was last looked up, as bits */
	uint8_t *missed;
	/* by how many of the recent hits bip is ahead */
	int lead;
	uint32_t random;
};

/* Returns 0 or -ENOMEM. */
int order_init(struct order *order, size_t buffers);
void order_release(struct order *order);
void order_insert(struct order *order, uint32_t buffer, uint64_t bytes, bool first);
/* Returns whether it was there. */
bool order_remove(struct order *order, uint32_t buffer, uint64_t bytes);

int insertion_init(struct insertion *insertion, size_t buffers);
void insertion_release(struct insertion *insertion);

/* Put a policy into force, without a past. */
void insertion_set(struct insertion *insertion, enum cache_insertion policy);

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

/* Is a buffer to be the next victim, rather than the last?  @missed: it was mapped anew. */
bool insertion_evict_first(struct insertion *insertion, bool missed);

#endif
