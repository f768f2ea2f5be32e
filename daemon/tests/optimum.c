// SPDX-License-Identifier: MIT
#include "optimum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct last {
	uint64_t bytes;
	uint64_t idle_since_us;
	enum { NEVER_USED, IN_USE, IDLE_SINCE } state;
};

static int by_cost(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

/* What each possible hit of a trace costs, in mean idle bytes of that trace. */
static size_t find_costs(const struct trace *trace, struct last *buffers, double *costs)
{
	uint64_t begin_us = trace->events[0].time_us;
	double length_us = (double)(trace->events[trace->count - 1].time_us - begin_us + 1);
	size_t count = 0;

	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_event *event = &trace->events[i];
		struct last *buffer = &buffers[event->buffer];

		if (event->kind == TRACE_FREE) {
			buffer->state = NEVER_USED;
		} else if (event->kind == TRACE_IDLE && buffer->state == IN_USE) {
			buffer->state = IDLE_SINCE;
			buffer->idle_since_us = event->time_us;
		} else if (event->kind == TRACE_USE) {
			if (buffer->state == IN_USE)
				costs[count++] = 0;
			else if (buffer->state == IDLE_SINCE)
				costs[count++] = (double)buffer->bytes *
						 (double)(event->time_us - buffer->idle_since_us) /
						 length_us;
			buffer->state = IN_USE;
			buffer->bytes = event->bytes;
		}
	}
	return count;
}

/* The sum of the cheapest; the last in part, as shares of hits may not be whole numbers. */
static double take_cheapest(const double *costs, size_t count, double hits, size_t *taken)
{
	double sum = 0;

	*taken = 0;
	while (*taken < count && hits > 0) {
		sum += costs[*taken] * (hits < 1 ? hits : 1);
		++*taken;
		hits--;
	}
	return sum;
}

int optimum_add(struct optimum *optimum, const struct trace *trace, double hits)
{
	struct last *buffers = calloc(trace->buffers, sizeof(*buffers));
	double *costs = realloc(optimum->costs, (optimum->count + trace->count) * sizeof(*costs));
	size_t count, taken;

	if (costs)
		optimum->costs = costs;
	if (!buffers || !costs) {
		free(buffers);
		return -ENOMEM;
	}
	costs += optimum->count;
	count = find_costs(trace, buffers, costs);
	free(buffers);
	qsort(costs, count, sizeof(*costs), by_cost);
	optimum->needed_bytes += take_cheapest(costs, count, hits, &taken);
	optimum->needed_hits += hits < (double)taken ? hits : (double)taken;
	memmove(costs, costs + taken, (count - taken) * sizeof(*costs));
	optimum->count += count - taken;
	return 0;
}

double optimum_bytes(struct optimum *optimum, double hits)
{
	size_t taken;

	if (optimum->count)
		qsort(optimum->costs, optimum->count, sizeof(*optimum->costs), by_cost);
	return optimum->needed_bytes +
	       take_cheapest(optimum->costs, optimum->count, hits - optimum->needed_hits, &taken);
}

void optimum_release(struct optimum *optimum)
{
	free(optimum->costs);
	memset(optimum, 0, sizeof(*optimum));
}
