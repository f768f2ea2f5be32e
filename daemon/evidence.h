/* SPDX-License-Identifier: MIT */
/*
 * Recent lookups by reuse distance, and which size they speak for.  Old ones fade.
 *
 * Lookups without a known distance are left out: no size makes them hits, so they must not speak
 * for or against one.
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

/* Zeroed to begin with. */
struct evidence {
	double bytes[BYTES_BOUNDS + 1];
};

/*
 * Add new lookups; of older ones, @left_percent still count after a second.  Returns whether there
 * were any new ones.
 */
bool evidence_add(struct evidence *evidence, const struct histograms *lookups, uint64_t elapsed_ms,
		  unsigned int left_percent);

/* How many lookups it comes to. */
double evidence_weight(const struct evidence *evidence);

/* The share of them that a size turns into hits. */
double evidence_share(const struct evidence *evidence, uint64_t bytes);

/*
 * The size up to @budget of which the share of hits, less @cost_ppm_per_mib millionths for each
 * MiB, is highest; the smaller one of equals.
 */
uint64_t evidence_best_bytes(const struct evidence *evidence, unsigned int cost_ppm_per_mib,
			     uint64_t budget);

#endif
