/* SPDX-License-Identifier: MIT */
/*
 * The kernel's histograms of reuse distance: how many buffers, or bytes, had to be allowed to be
 * idle for a lookup to be a hit.  Bounds are part of the kernel's ABI.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define DEPTH_BOUNDS 32
#define BYTES_BOUNDS 41

/* After the bounded ones: larger distances, and lookups of buffers without a known distance. */
#define DEPTH_BUCKETS (DEPTH_BOUNDS + 2)
#define BYTES_BUCKETS (BYTES_BOUNDS + 2)

struct histograms {
	uint64_t depth[DEPTH_BUCKETS];
	uint64_t bytes[BYTES_BUCKETS];
};

/* Largest distance of a bucket: 1, 2, 3, 4, 6, 8, 12 ... 65536. */
uint64_t histogram_depth_bound(unsigned int bucket);

/* Largest distance of a bucket: 1 MiB, 1.25 MiB ... 1 GiB, four to the octave. */
uint64_t histogram_bytes_bound(unsigned int bucket);

/* In which bucket is a distance? */
unsigned int histogram_depth_bucket(uint64_t depth);
unsigned int histogram_bytes_bucket(uint64_t bytes);

/* What was counted between the two. */
void histograms_subtract(struct histograms *difference, const struct histograms *now,
			 const struct histograms *before);

#endif
