/* SPDX-License-Identifier: MIT */
/*
 * Lookups that were no hits although their distance is within the limits.  Either their mapping was
 * ended by something else, above all by its age; or the distance tells too little, see tuner.c.
 */
#ifndef LOSSES_H
#define LOSSES_H

#include <stdint.h>

#include "histogram.h"

/* Between samples.  Zeroed to begin with. */
struct losses {
	/* Mappings that ended, but not by a limit, and have not been missed so far. */
	uint64_t ended;
	/* limits of the sample before */
	uint64_t limit_bytes;
	uint64_t limit_entries;
};

/* What happened since the sample before. */
struct losses_sample {
	const struct histograms *reuse;
	uint64_t hits;
	uint64_t misses;
	/* Mappings ended by age, by memory pressure and by a trim. */
	uint64_t ended;
	uint64_t limit_bytes;
	uint64_t limit_entries;
};

struct lost {
	/* Each mapping that ended otherwise can be missed once; the rest is due to the size. */
	uint64_t by_age;
	uint64_t by_size;
};

struct lost losses_take(struct losses *losses, const struct losses_sample *sample);

#endif
