/* SPDX-License-Identifier: MIT */
/*
 * What if: a trace played to a model of the kernel's cache, with limits that are fixed and one of
 * the policies, with limits that follow the tuner, or with victims chosen by who knows
 * the future.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace.h"
#include "tuner.h"

enum replay_policy {
	REPLAY_LRU, /* the limits stay as they are */
	REPLAY_ADAPTIVE,
	REPLAY_TUNED,  /* adaptive, with the limit as scanoutd would have it */
	REPLAY_BELADY, /* evicts what is needed last; of buffers of one size, none does better */
	REPLAY_POLICIES,
};

struct replay_options {
	enum replay_policy policy;
	/* limits to begin with */
	uint64_t max_bytes;
	uint64_t max_entries;
	/* 0: never */
	uint64_t idle_timeout_ms;
	/* of the tuned */
	struct tuner_params tuner;
};

/* A second of the trace. */
struct replay_second {
	uint64_t hits;
	uint64_t misses;
	uint64_t idle_bytes; /* at its end */
	uint64_t max_bytes;  /* in it */
};

struct replay_result {
	uint64_t hits;
	uint64_t misses;
	double mean_idle_bytes; /* over time */
	uint64_t peak_idle_bytes;
	unsigned int changes; /* of limits */
	struct replay_second *seconds;
	size_t second_count;
};

/* Returns 0 or -ENOMEM. */
int replay(const struct trace *trace, const struct replay_options *options,
	   struct replay_result *result);
void replay_release(struct replay_result *result);

const char *replay_policy_name(enum replay_policy policy);

#endif
