/* SPDX-License-Identifier: MIT */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stddef.h>
#include <stdint.h>

/* Every measured value of one kind, kept for percentiles. Zeroed memory is an empty one. */
struct samples {
	uint64_t *values;
	size_t count, capacity;
};

/* -1 and errno = ENOMEM, with nothing added. */
int samples_add(struct samples *samples, uint64_t value);
/* The smallest value that at least @percent of all do not exceed; 0 where there are none. Sorts. */
uint64_t samples_percentile(struct samples *samples, unsigned int percent);
void samples_free(struct samples *samples);

#endif
