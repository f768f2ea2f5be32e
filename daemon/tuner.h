/* SPDX-License-Identifier: MIT */
/*
 * How large should the cache be?  Pure functions on structs: samples in, a decision and its reason
 * out.  No I/O, no clock, no allocation.
 *
 * The kernel's histograms say at which distance buffers are flipped to again, in bytes that have
 * to be allowed to be idle.  Recent ones summed up to a size give the share of reuse that this
 * size turns into hits: a curve of plateaus and cliffs, because buffers are used in turn.  Wanted
 * is the foot of the highest plateau that is within reach and whose bytes are worth it:
 *
 *	utility(size) = share of reuse within size - cost of a byte * size
 *
 * A wanted size above the limit is taken at once.  One below it is taken after a while if what is
 * idle exceeds it: a limit that nothing fills costs nothing, and has room for what comes next.
 * Without evidence, nothing changes.
 */
#ifndef TUNER_H
#define TUNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"
#include "histogram.h"
#include "losses.h"
#include "timeout.h"
#include "units.h"

struct tuner_params {
	/* Range of max_bytes.  The upper end is the budget. */
	uint64_t min_bytes;
	uint64_t max_bytes;
	/* Range of max_entries. */
	uint64_t min_entries;
	uint64_t max_entries;
	/* What a MiB must earn, in millionths of all reuse. */
	unsigned int cost_ppm_per_mib;
	/* What is left of the weight of evidence after a second, in percent. */
	unsigned int decay_percent;
	/* Weight of evidence, in lookups, below which nothing is decided. */
	unsigned int min_evidence;
	/* More than what is wanted must have been idle for this long. */
	unsigned int shrink_after_ms;
	/* Or a smaller size must have been wanted for this long. */
	unsigned int shrink_unused_after_ms;
	/* After an enlargement, that long passes before the time above begins to run. */
	unsigned int settle_ms;
	/* After memory pressure, nothing is enlarged for this long. */
	unsigned int pressure_hold_ms;
	/* Undo all idle mappings when the last output goes off? */
	bool trim_when_off;
	/* Choose the insertion policy, if the kernel offers one? */
	bool choose_insertion;
	/* Choose idle_timeout_ms, within this range? */
	bool choose_idle_timeout;
	struct timeout_range idle_timeout;
	/* Parts to do without, so as to see what each is worth. */
	unsigned int without;
};

enum tuner_part {
	TUNER_PART_TIGHT = 1 << 0,
	TUNER_PART_SLACK = 1 << 1,
	TUNER_PART_FLOOR = 1 << 2,
	TUNER_PART_ENTRIES = 1 << 3, /* always as many as may be */
};

/* What happened since the previous sample, and what is the case now. */
struct tuner_sample {
	uint64_t elapsed_ms;
	/* New lookups by distance; all zero if not known. */
	struct histograms reuse;
	/* What became of them; both zero if not known. */
	uint64_t hits;
	uint64_t misses;
	/* Mappings that ended since then, but not by a limit. */
	uint64_t ended;
	/* Limits in force. */
	uint64_t limit_bytes;
	uint64_t limit_entries;
	uint64_t idle_timeout_ms; /* 0 if it is not to be chosen */
	/* Gauges. */
	uint64_t active_bytes;
	uint64_t active_entries;
	uint64_t idle_bytes;
	uint64_t idle_entries;
	/* Wanted by others: holders and compositors; 0 if nobody. */
	uint64_t wanted_bytes;
	/* A compositor announced a change: this is not the time to shrink. */
	bool expect_change;
	/* It announced what it needs on top of what there is; 0 if nothing. */
	uint64_t coming_bytes;
	uint64_t coming_entries;
	/* It announced that all outputs go off. */
	bool expect_off;
	/* Memory became short since the previous sample. */
	bool pressure;
	/* The kernel offers DIP insertion; it is chosen now. */
	bool dip_offered;
	bool dip_chosen;
};

enum tuner_action {
	TUNER_KEEP,
	TUNER_GROW,
	TUNER_SHRINK,
};

enum tuner_reason {
	TUNER_FITS,	   /* the limit is the size that is wanted */
	TUNER_NO_EVIDENCE, /* too few lookups to decide anything */
	TUNER_REUSE,	   /* more reuse becomes hits */
	TUNER_ROOMY,	   /* a smaller size would do, but nothing fills this one */
	TUNER_WAITING,	   /* more is idle than is wanted, but not yet for long enough */
	TUNER_QUIET,	   /* a smaller size did for long enough */
	TUNER_FLOOR,	   /* what is on the screen, a holder or a compositor needs it */
	TUNER_ANNOUNCED,   /* a compositor said what is coming */
	TUNER_EXPIRED,	   /* and that did not come */
	TUNER_RANGE,	   /* the limit was outside the configured range */
	TUNER_PRESSURE,	   /* memory is short */
	TUNER_RECOVERING,  /* memory was short; growth is still limited */
};

struct tuner_decision {
	enum tuner_action action;
	enum tuner_reason reason;
	/* What max_bytes and max_entries should be; as they are if nothing is to be done. */
	uint64_t max_bytes;
	uint64_t max_entries;
	/* Undo all idle mappings now: the outputs went off. */
	bool trim;
	/* Insertion should be DIP; only if there is a choice. */
	bool dip;
	/* What idle_timeout_ms should be; as it is if it is not to be chosen. */
	uint64_t idle_timeout_ms;

	/* The numbers that led to it */
	uint64_t wanted_bytes; /* before floors, waiting and pressure */
	uint64_t floor_bytes;
	uint64_t budget_bytes;
	double evidence;   /* lookups, decayed */
	double share_now;  /* of reuse that fits within the limit as it was */
	double share_then; /* and within max_bytes as decided */
	double share_all;  /* and within 1 GiB */
};

/* A reason to shrink: for how long there was one, and the largest size wanted in that time. */
struct tuner_quiet {
	int64_t ms;
	uint64_t peak_bytes;
	uint64_t peak_entries;
};

/* Between samples.  Zeroed to begin with. */
struct tuner {
	struct evidence evidence;
	struct losses losses;
	struct timeout timeout;
	/* Distances turned out to say too little: allow for what is on the screen on top. */
	bool tight;
	/* DIP is not needed any more, for so long. */
	uint64_t dip_unneeded_ms;
	/* More is idle than is wanted; less is wanted than is allowed. */
	struct tuner_quiet waste;
	struct tuner_quiet unused;
	/* No enlargement beyond this; 0 if memory is not short. */
	uint64_t pressure_cap_bytes;
	uint64_t pressure_left_ms;
	uint64_t previous_active_bytes;
	uint64_t previous_active_entries;
	/* The last output is off and idle mappings were undone. */
	bool off;
	/* Limits before room was made for what was announced, until it is known to be needed; or 0.
	 */
	uint64_t before_coming_bytes;
	uint64_t before_coming_entries;
};

/* The defaults, which are also those of the configuration file. */
#define TUNER_DEFAULT_PARAMS                                                                  \
	{                                                                                     \
		.min_bytes = 8 * MIB, .max_bytes = 128 * MIB, .min_entries = 32,              \
		.max_entries = 256, .cost_ppm_per_mib = 100, .decay_percent = 50,             \
		.min_evidence = 8, .shrink_after_ms = 5000, .shrink_unused_after_ms = 600000, \
		.settle_ms = 2000, .pressure_hold_ms = 30000, .trim_when_off = true,          \
		.choose_insertion = true, .choose_idle_timeout = true,                        \
		.idle_timeout = { .min_ms = 2000, .max_ms = 10000 },                          \
	}

/* Take a sample in and say what is to be done. */
struct tuner_decision tuner_tick(struct tuner *tuner, const struct tuner_params *params,
				 const struct tuner_sample *sample);

/* Share of the recent reuse with known distance that a size turns into hits. */
double tuner_share(const struct tuner *tuner, uint64_t bytes);

const char *tuner_action_name(enum tuner_action action);
const char *tuner_reason_name(enum tuner_reason reason);

/* Enough for tuner_explain(). */
#define TUNER_EXPLANATION 256

/* A decision in one line, with its numbers. */
void tuner_explain(const struct tuner_decision *decision, uint64_t limit_bytes,
		   char text[TUNER_EXPLANATION]);

#endif
