/* SPDX-License-Identifier: MIT */
/*
 * scanoutd.conf and its drop-in directories, layered as systemd does it.  Every mistake is reported
 * with file, line, value and what is accepted; the value before it stays in force.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "tuner.h"

struct config {
	/* [Tuner] */
	struct tuner_params tuner;
	bool enabled;

	/* [Pressure] */
	bool pressure;
	uint64_t pressure_stall_us;
	uint64_t pressure_window_us;

	/* [Poll] */
	unsigned int poll_ms;
	/* Stop after so many polls without a flip. */
	unsigned int idle_polls;
	/* For kernels that do not say when flips begin again. */
	unsigned int slow_poll_ms;

	/* [Bus] */
	unsigned int holds_per_user;
	unsigned int holds;
	uint64_t hold_max_bytes;
	/* Calls of one client: so many a second, and so many at once. */
	unsigned int calls_per_second;
	unsigned int calls_burst;
	/* A report without a successor counts for this long. */
	unsigned int report_ms;
	/* An announced event counts for this long. */
	unsigned int event_ms;

	/* Options that files set, as bits; for config.c. */
	uint64_t set;
};

extern const struct config config_defaults;

/* One line, without newline: "FILE:LINE: ...". */
typedef void (*config_complain_fn)(void *context, const char *text);

/*
 * Read all files there are, below @root ("" for the real ones): scanoutd.conf of the first of
 * /etc, /run, /usr/local/lib and /usr/lib that has it, then the *.conf in scanoutd.conf.d of all
 * four in the order of their names, where a name in an earlier directory hides the same in later
 * ones.
 *
 * @config is what is in force until now, defaults to begin with.  What no file mentions goes back
 * to its default; what a file mentions wrongly stays in force.  Fails with -ENOMEM only.
 */
int config_read(struct config *config, const char *root, config_complain_fn complain,
		void *context);

/* Repair what no single line can be blamed for, such as a minimum above a maximum. */
void config_settle(struct config *config, config_complain_fn complain, void *context);

#endif
