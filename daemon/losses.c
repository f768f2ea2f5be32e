// SPDX-License-Identifier: MIT
#include "losses.h"


/* The kernel recognises so many buffers that are not mapped any more; older ones are not missed. */
#define GHOSTS 256

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Only of buckets that are within the limit as a whole, and of the histogram that says less. */
static uint64_t lookups_within(const struct histograms *reuse, uint64_t bytes, uint64_t entries)
{
	uint64_t by_bytes = 0, by_depth = 0;

	for (unsigned int i = 0; i < BYTES_BOUNDS && histogram_bytes_bound(i) <= bytes; i++)
		by_bytes += reuse->bytes[i];
	for (unsigned int i = 0; i < DEPTH_BOUNDS && histogram_depth_bound(i) <= entries; i++)
		by_depth += reuse->depth[i];
	return min_u64(by_bytes, by_depth);
}

struct lost losses_take(struct losses *losses, const struct losses_sample *sample)
{
	/* A limit that was changed may have held for part of the time only. */
	uint64_t fit = lookups_within(sample->reuse,
				      min_u64(losses->limit_bytes, sample->limit_bytes),
				      min_u64(losses->limit_entries, sample->limit_entries));
	uint64_t missed = fit > sample->hits ? min_u64(fit - sample->hits, sample->misses) : 0;
	struct lost lost;

	losses->limit_bytes = sample->limit_bytes;
	losses->limit_entries = sample->limit_entries;
	losses->ended = min_u64(losses->ended + sample->ended, GHOSTS);
	lost.by_age = min_u64(missed, losses->ended);
	lost.by_size = missed - lost.by_age;
	losses->ended -= lost.by_age;
	return lost;
}
