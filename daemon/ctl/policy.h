/* SPDX-License-Identifier: MIT */
/*
 * A model of the kernel's policies, lru and adaptive: in which order idle buffers are evicted.
 * The kernel's own are in msm_scanout_policy.c, and decide alike.
 */
#ifndef POLICY_H
#define POLICY_H

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

/* What adaptive compares: lru, and eviction of what is expected back last. */
enum shadow { SHADOW_LRU, SHADOW_FORECAST, SHADOWS };

/* Lookups of a buffer under adaptive: the last, how long after the one before, when is the next. */
struct policy_known {
	uint64_t used, interval, expected;
};

struct policy {
	enum cache_policy kind;
	/* what would be idle if either had always ruled; empty unless adaptive */
	struct order shadow[SHADOWS];
	/* by buffer */
	struct policy_known *known;
	/* by how many of the recent hits the forecast is ahead; those of lru alone count double */
	int lead;
	/* lookups under adaptive */
	uint64_t clock;
};

/* Returns 0 or -ENOMEM. */
int order_init(struct order *order, size_t buffers);
void order_release(struct order *order);
/* Returns whether it was there. */
bool order_remove(struct order *order, uint32_t buffer, uint64_t bytes);

int policy_init(struct policy *policy, size_t buffers);
void policy_release(struct policy *policy);

/* A buffer that was not in use is needed. */
void policy_lookup(struct policy *policy, uint32_t buffer, uint64_t bytes);

/* It is no longer in use; @bytes_of tells the sizes of others. */
struct policy_limits {
	uint64_t max_bytes;
	uint64_t max_entries;
	uint64_t (*bytes_of)(const void *context, uint32_t buffer);
	const void *context;
};

void policy_idle(struct policy *policy, uint32_t buffer, const struct policy_limits *limits);

/* Its mapping would have ended under any policy. */
void policy_forget(struct policy *policy, uint32_t buffer, uint64_t bytes);

/* Put a policy into force: the rivals start level, with what is in @idle. */
void policy_set(struct policy *policy, enum cache_policy kind, const struct order *idle,
		const struct policy_limits *limits);

/* Is the next victim what has been idle for longest, rather than the first in order? */
bool policy_evicts_oldest(const struct policy *policy);

/* The buffer itself is gone: who has its number next is another one. */
void policy_gone(struct policy *policy, uint32_t buffer, uint64_t bytes);

/* Inserts a buffer that is idle now into @order. */
void policy_insert(struct policy *policy, struct order *order, uint32_t buffer, uint64_t bytes);

#endif
