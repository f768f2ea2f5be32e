/* SPDX-License-Identifier: MIT */
/*
 * For how long may a mapping be idle?  Whatever was not used again for longer than anything in use
 * is, is dead: the pool of a film that ended, the windows of another session.  How long that is
 * shows in lookups that would have been hits (losses.h).  So the time is shortened step by step
 * while there are hardly any, and as long as it may be again when there are; then shorter ones are
 * not tried for a while, each time for longer.
 */
#ifndef TIMEOUT_H
#define TIMEOUT_H

#include <stdint.h>

/* Between samples.  Zeroed to begin with. */
struct timeout {
	unsigned int ms; /* 0: take over what is in force */
	/* This or less cost hits, and is not tried again before so much time with flips. */
	unsigned int too_short_ms;
	uint64_t wait_ms;
	uint64_t since_hurt_ms;
	/* without losses, at this time */
	uint64_t quiet_ms;
	/* Recent ones; they fade. */
	double lost;
	double lookups;
};

struct timeout_range {
	unsigned int min_ms;
	unsigned int max_ms;
};

/*
 * @lost of @lookups since @elapsed_ms were lost by age, with @in_force_ms.  Returns what it should
 * be.
 */
unsigned int timeout_choose(struct timeout *timeout, const struct timeout_range *range,
			    uint64_t elapsed_ms, uint64_t lost, uint64_t lookups,
			    unsigned int in_force_ms);

#endif
