/* SPDX-License-Identifier: MIT */
/*
 * How few idle bytes can hits be had for at all?  A lower bound for every policy, whatever it
 * knows.
 *
 * A lookup is a hit if its buffer stayed mapped since it was last used, which costs its bytes for
 * that long; nothing else has to be kept.  So the least that a number of hits can cost is the sum
 * of that many of the cheapest of these intervals.  Limits are left aside: they can only cost more.
 */
#ifndef OPTIMUM_H
#define OPTIMUM_H

#include <stddef.h>
#include <stdint.h>

#include "trace.h"

/* Several traces, each with the same weight. */
struct optimum {
	/* What is needed in any case, in mean idle bytes of the traces added up. */
	double needed_bytes;
	double needed_hits;
	/* What further hits would add to that, in no order. */
	double *costs;
	size_t count;
};

/*
 * Add a trace of which @hits have to be had in any case.  Returns 0 or -ENOMEM.
 */
int optimum_add(struct optimum *optimum, const struct trace *trace, double hits);

/* The least mean idle bytes, of all traces added up, with which @hits can be had. */
double optimum_bytes(struct optimum *optimum, double hits);

void optimum_release(struct optimum *optimum);

#endif
