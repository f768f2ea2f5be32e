// SPDX-License-Identifier: MIT
#include "samples.h"

#include <stdlib.h>

int samples_add(struct samples *samples, uint64_t value)
{
	if (samples->count == samples->capacity) {
		size_t capacity = samples->capacity ? 2 * samples->capacity : 256;
		uint64_t *values = realloc(samples->values, capacity * sizeof(*values));

		if (!values)
			return -1;
		samples->values = values;
		samples->capacity = capacity;
	}
	samples->values[samples->count++] = value;
	return 0;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

uint64_t samples_percentile(struct samples *samples, unsigned int percent)
{
	size_t rank;

	if (!samples->count)
		return 0;
	qsort(samples->values, samples->count, sizeof(*samples->values), compare);
	rank = (samples->count * percent + 99) / 100;
	return samples->values[rank ? rank - 1 : 0];
}

void samples_free(struct samples *samples)
{
	free(samples->values);
	*samples = (struct samples){ 0 };
}
