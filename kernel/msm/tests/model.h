/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reference for the cache that is too simple to be wrong: arrays, linear
 * searches, and everything counted afresh each time.
 */

#ifndef __MODEL_H__
#define __MODEL_H__

#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "fake_display.h"

#define MODEL_MAX_BUFFERS	320
#define MODEL_TRACE_STEPS	24
#define MODEL_MAX_QUARANTINE	SZ_64M

/**
 * struct order - buffers in some order
 */
struct order {
	/** @n: how many */
	unsigned int n;
	/** @at: their indices */
	u16 at[MODEL_MAX_BUFFERS];
};

/**
 * struct model_buffer - what the reference knows of a buffer
 */
struct model_buffer {
	enum msm_scanout_state state;
	/* Why it is in quarantine. */
	enum msm_scanout_reason reason;
	unsigned int users;
	bool held;
	/* Of lookups under adaptive: the last, how long after the one before, and the next. */
	u64 used, interval, expected;
	u64 bytes;
	u64 hits;
	u64 iova;
	u64 idle_since_ns;
};

enum step {
	STEP_GET,
	STEP_PUT,
	STEP_REAP,
	STEP_RELEASE,
	STEP_ADVANCE,
	STEP_EXPIRE,
	STEP_TRIM,
	STEP_LIMIT,
	STEP_INVALIDATE,
	STEP_FREE,
	STEP_SETTLE,
	STEP_POLICY,
};

/**
 * struct scene - a setting in which the model plays
 */
struct scene {
	/** @name: for the log */
	const char *name;
	/** @buffers: how many there are */
	unsigned int buffers;
	/** @slots: the window's size, in slots; every buffer needs one if not 0 */
	unsigned int slots;
	/** @page_sized: all are one page */
	bool page_sized;
	/** @policy: in force at first */
	enum msm_scanout_policy_kind policy;
	/** @ring: buffers are shown in turn */
	bool ring;
	/** @starved: nobody comes when reaping is asked for */
	bool starved;
};

/**
 * struct model - the reference
 */
struct model {
	struct fake_display *display;
	const struct scene *scene;
	struct rnd_state rnd;
	struct model_buffer buffer[MODEL_MAX_BUFFERS];

	/** @lru: idle ones, next victim first */
	struct order lru;
	/** @age: idle ones, longest idle first */
	struct order age;
	/** @stack: idle ones and ghosts, most recently idle first */
	struct order stack;
	/** @ghosts: unmapped ones, or about to be, whose reuse is recognised; oldest first */
	struct order ghosts;
	/** @quarantine: in the order of eviction */
	struct order quarantine;
	/** @lingering: held and not in use, oldest first */
	struct order lingering;
	/** @released: held, to be let go */
	struct order released;

	/** @policy: where in @lru the next one is inserted */
	enum msm_scanout_policy_kind policy;
	/** @clock: lookups under adaptive */
	u64 clock;
	/** @shadow: what would be idle under each of the policies that duel */
	struct order shadow[MSM_SCANOUT_SHADOWS];
	/** @lead: of the forecast; how often it was ahead by enough, and behind */
	int lead;
	unsigned int ahead, behind;

	struct msm_scanout_limits limits;
	struct msm_scanout_counters counters;
	u64 reuse_depth[MSM_SCANOUT_DEPTH_BUCKETS];
	u64 reuse_bytes[MSM_SCANOUT_BYTES_BUCKETS];
	u64 idle_bytes_peak;

	/** @trace: the last steps */
	struct {
		enum step what;
		unsigned int a;
		u64 b;
	} trace[MODEL_TRACE_STEPS];
	unsigned int steps;
	/** @next: the buffer whose turn it is in a ring */
	unsigned int next;
	/** @seed: of this round */
	ulong seed;
	/** @number: of the scene */
	unsigned int number;

	/** @wrong: what was the first difference, NULL if there is none */
	const char *wrong;
	unsigned int wrong_at;
	u64 is, should_be;
};

extern const char * const model_step_names[];

void order_take_out(struct order *order, unsigned int i);
u64 model_sum_bytes(struct model *m, enum msm_scanout_state state);
unsigned int model_count_state(struct model *m, enum msm_scanout_state state);
unsigned int model_quarantined_by_pressure(struct model *m);
u64 model_shadow_bytes(struct model *m, unsigned int r);
void model_forget(struct model *m, unsigned int i);
void model_reap(struct model *m);
void model_shrink(struct model *m, u64 bytes, u64 entries, enum msm_scanout_reason reason);
void model_bound_quarantine(struct model *m);
bool model_on(struct model *m);
void model_enforce(struct model *m);
void model_put(struct model *m, unsigned int i);
void model_invalidate(struct model *m, unsigned int i, enum msm_scanout_reason reason);
void model_end_linger(struct model *m, u64 older_than_ns);
void model_expire(struct model *m);
void model_release(struct model *m);
int model_get(struct model *m, unsigned int i, int map_error, bool no_memory,
	      u64 window_victims);
void model_set_policy(struct model *m, enum msm_scanout_policy_kind kind);
void model_claim(struct model *m, const char *what, unsigned int at, u64 is, u64 should_be);
void model_compare(struct model *m);

#endif /* __MODEL_H__ */
