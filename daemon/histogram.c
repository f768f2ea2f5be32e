// SPDX-License-Identifier: MIT
#include "histogram.h"

#include "units.h"

uint64_t histogram_depth_bound(unsigned int bucket)
{
	if (!bucket)
		return 1;
	return (UINT64_C(2) + (bucket - 1) % 2) << (bucket - 1) / 2;
}

uint64_t histogram_bytes_bound(unsigned int bucket)
{
	if (!bucket)
		return MIB;
	return ((UINT64_C(5) + (bucket - 1) % 4) * 256 * KIB) << (bucket - 1) / 4;
}

unsigned int histogram_depth_bucket(uint64_t depth)
{
	unsigned int bucket = 0;

	while (bucket < DEPTH_BOUNDS && depth > histogram_depth_bound(bucket))
		bucket++;
	return bucket;
}

unsigned int histogram_bytes_bucket(uint64_t bytes)
{
	unsigned int bucket = 0;

	while (bucket < BYTES_BOUNDS && bytes > histogram_bytes_bound(bucket))
		bucket++;
	return bucket;
}

void histograms_subtract(struct histograms *difference, const struct histograms *now,
			 const struct histograms *before)
{
	for (unsigned int i = 0; i < DEPTH_BUCKETS; i++)
		difference->depth[i] = now->depth[i] - before->depth[i];
	for (unsigned int i = 0; i < BYTES_BUCKETS; i++)
		difference->bytes[i] = now->bytes[i] - before->bytes[i];
}
