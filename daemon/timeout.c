// SPDX-License-Identifier: MIT
#include "timeout.h"

#include <math.h>

/* So much of the lookups may be lost, over the last minute or two. */
#define LOSS_SHARE 0.002
#define LEFT_AFTER_SECOND 0.99
/* It is halved after so much time without too many losses. */
#define STEP_MS 5000
/* Times for which shorter ones are not tried, doubled each time they hurt. */
#define WAIT_FIRST_MS 30000
#define WAIT_MOST_MS 600000

static unsigned int clamp(unsigned int ms, const struct timeout_range *range)
{
	return ms < range->min_ms ? range->min_ms : ms > range->max_ms ? range->max_ms : ms;
}

static void hurt(struct timeout *timeout, const struct timeout_range *range)
{
	timeout->too_short_ms = timeout->ms;
	timeout->wait_ms = timeout->wait_ms ? 2 * timeout->wait_ms : WAIT_FIRST_MS;
	if (timeout->wait_ms > WAIT_MOST_MS)
		timeout->wait_ms = WAIT_MOST_MS;
	timeout->since_hurt_ms = 0;
	timeout->quiet_ms = 0;
	timeout->lost = 0;
	timeout->ms = range->max_ms;
}

unsigned int timeout_choose(struct timeout *timeout, const struct timeout_range *range,
			    uint64_t elapsed_ms, uint64_t lost, uint64_t lookups,
			    unsigned int in_force_ms)
{
	double left = pow(LEFT_AFTER_SECOND, (double)elapsed_ms / 1000);
	unsigned int next;

	timeout->ms = clamp(timeout->ms ? timeout->ms : in_force_ms, range);
	timeout->lost = timeout->lost * left + (double)lost;
	timeout->lookups = timeout->lookups * left + (double)lookups;
	/* While nothing flips, nothing can be lost: that tells nothing. */
	if (!lookups)
		return timeout->ms;
	if (lost && timeout->lost > LOSS_SHARE * timeout->lookups && timeout->ms < range->max_ms) {
		hurt(timeout, range);
		return timeout->ms;
	}

	/* A pause counts as one tick. */
	elapsed_ms = elapsed_ms < 1000 ? elapsed_ms : 1000;
	timeout->since_hurt_ms += elapsed_ms;
	timeout->quiet_ms += elapsed_ms;
	next = clamp(timeout->ms / 2, range);
	if (timeout->quiet_ms < STEP_MS || next == timeout->ms ||
	    (next <= timeout->too_short_ms && timeout->since_hurt_ms < timeout->wait_ms))
		return timeout->ms;
	timeout->quiet_ms = 0;
	timeout->ms = next;
	return timeout->ms;
}
