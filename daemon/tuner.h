/* SPDX-License-Identifier: MIT */
/*
 * How large should the cache be?  Pure functions on structs: samples in, a decision and its reason
 * out.  No I/O, no clock, no allocation.
 *
 * The kernel's histogram says at which distance buffers are flipped to again, in bytes that have to
 * be allowed to be idle.  Recent ones summed up to a size give the share of reuse that this size
 * turns into hits: a curve of plateaus and cliffs, because buffers are used in turn.  What flips
 * need is the foot of the highest plateau whose bytes are worth it, and a buffer more:
 *
 *	utility(size) = share of reuse within size - cost of a byte * size
 *
 * docs/tuning.md has all of it in five sentences, and what each part is worth.
 */
#ifndef TUNER_H
#define TUNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"
#include "histogram.h"
#include "units.h"

struct tuner_params {
	/* Range of max_bytes.  The upper end is the budget. */
	uint64_t min_bytes;
	uint64_t max_bytes;
	/* What max_entries is set to: bytes alone limit. */
	uint64_t max_entries;
	/* What a MiB must earn, in millionths of all reuse. */
	unsigned int cost_ppm_per_mib;
	/* What is left of the weight of evidence after a second, in percent. */
	unsigned int decay_percent;
	/* After memory pressure, nothing is kept for this long but what flips need. */
	unsigned int pressure_hold_ms;
	/* Parts to do without, so as to see what each is worth. */
	unsigned int without;
};

enum tuner_part {
	TUNER_PART_SLACK = 1 << 0,  /* a buffer more than the plateau */
	TUNER_PART_BEYOND = 1 << 1, /* the whole budget for what does not fit in */
};

/* What happened since the previous sample, and what is the case now. */
struct tuner_sample {
	uint64_t elapsed_ms;
	/* New lookups by distance; all zero if not known. */
	struct histograms reuse;
	/* Limits in force. */
	uint64_t limit_bytes;
	uint64_t limit_entries;
	/* Gauges. */
	uint64_t active_bytes;
	uint64_t active_entries;
	uint64_t idle_bytes;
	uint64_t idle_entries;
	/* Wanted by others: holders and compositors; 0 if nobody. */
	uint64_t wanted_bytes;
	/* A compositor announced that it needs this on top of what flips need; 0 if none did. */
	uint64_t coming_bytes;
	/* Memory became short since the previous sample. */
	bool pressure;
};

enum tuner_action {
	TUNER_KEEP,
	TUNER_GROW,
	TUNER_SHRINK,
};

enum tuner_reason {
	TUNER_FITS,	   /* the limit is the size that is wanted */
	TUNER_NO_EVIDENCE, /* no buffer was flipped to again so far */
	TUNER_REUSE,	   /* more reuse becomes hits */
	TUNER_UNUSED,	   /* what is reused needs less */
	TUNER_FLOOR,	   /* a holder or a compositor asked for it */
	TUNER_ANNOUNCED,   /* a compositor said what is coming */
	TUNER_RANGE,	   /* the limit was outside the configured range */
	TUNER_PRESSURE,	   /* memory is short */
};

struct tuner_decision {
	enum tuner_action action;
	enum tuner_reason reason;
	/* What max_bytes and max_entries should be; as they are if nothing is to be done. */
	uint64_t max_bytes;
	uint64_t max_entries;

	/* The numbers that led to it */
	uint64_t need_bytes; /* by what flips reuse */
	double evidence;     /* lookups, decayed */
	double share_now;    /* of reuse that fits within the limit as it was */
	double share_then;   /* and within max_bytes as decided */
	double share_all;    /* and within 1 GiB */
};

/* Between samples.  Zeroed to begin with. */
struct tuner {
	struct evidence evidence;
	/* What flips needed when there was evidence last, or what was found. */
	uint64_t need_bytes;
	/* Memory counts as short for that much longer. */
	uint64_t short_ms;
};

/* The defaults, which are also those of the configuration file. */
#define TUNER_DEFAULT_PARAMS                                                             \
	{                                                                                \
		.min_bytes = 8 * MIB, .max_bytes = 128 * MIB, .max_entries = 256,        \
		.cost_ppm_per_mib = 500, .decay_percent = 80, .pressure_hold_ms = 30000, \
	}

/* Take a sample in and say what is to be done. */
struct tuner_decision tuner_tick(struct tuner *tuner, const struct tuner_params *params,
				 const struct tuner_sample *sample);

const char *tuner_action_name(enum tuner_action action);
const char *tuner_reason_name(enum tuner_reason reason);

/* Enough for tuner_explain(). */
#define TUNER_EXPLANATION 256

/* A decision in one line, with its numbers. */
void tuner_explain(const struct tuner_decision *decision, uint64_t limit_bytes,
		   char text[TUNER_EXPLANATION]);

#endif
