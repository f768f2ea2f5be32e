/* SPDX-License-Identifier: MIT */
/*
 * A model of the kernel's cache: which buffers are on the screen, which are idle, and which were
 * evicted but would be recognised; its limits, its figures.  policy.h has its policies.  Tests
 * put it behind files, replay.c plays traces to it.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "policy.h"

/* What a buffer is not used again before, if it is not used again. */
#define MODEL_NEVER SIZE_MAX

struct model_buffer {
	enum { MODEL_UNKNOWN, MODEL_ACTIVE, MODEL_IDLE, MODEL_GHOST } state;
	uint64_t bytes;
	uint64_t idle_since_us;
	size_t next_use; /* while idle */
};

struct model {
	uint64_t now_us;

	/* As in sysfs.  Counters never go back. */
	uint64_t max_bytes;
	uint64_t max_entries;
	uint64_t idle_timeout_ms; /* 0: never */
	uint64_t active_bytes;
	uint64_t active_entries;
	uint64_t hits;
	uint64_t misses;
	uint64_t evictions; /* by a limit, or a trim */
	uint64_t evictions_age;
	struct histograms reuse;

	/* Idle buffers, next victim first, as the policy has it. */
	struct order idle;
	struct policy policy;
	/* Evicts what is used last, by next_use, instead. */
	bool knows_future;

	struct model_buffer *buffers;
	/* idle and ghost buffers, most recently idle last */
	uint32_t *stack;
	size_t stack_count;
	size_t ghosts;
};

/* Buffers have numbers below @buffers.  Zeroed but for that.  Returns 0 or -ENOMEM. */
int model_init(struct model *model, size_t buffers);
void model_release(struct model *model);

/* A framebuffer with @buffer is prepared. */
void model_use(struct model *model, uint32_t buffer, uint64_t bytes);
/* It left the screen. */
void model_leave(struct model *model, uint32_t buffer, size_t next_use);
/* Its owner freed it. */
void model_free(struct model *model, uint32_t buffer);

/* Undo what has been idle for too long by now. */
void model_expire(struct model *model);

void model_set_limits(struct model *model, uint64_t max_bytes, uint64_t max_entries);
void model_set_policy(struct model *model, enum cache_policy policy);
void model_trim(struct model *model, uint64_t idle_bytes);

#endif
