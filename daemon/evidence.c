// SPDX-License-Identifier: MIT
#include "evidence.h"

#include <math.h>

#include "units.h"

bool evidence_add(struct evidence *evidence, const struct histograms *lookups, uint64_t elapsed_ms,
		  unsigned int left_percent)
{
	double left = pow(left_percent / 100.0, (double)elapsed_ms / 1000.0);
	bool any = false;

	for (unsigned int i = 0; i <= BYTES_BOUNDS; i++) {
		evidence->bytes[i] = evidence->bytes[i] * left + (double)lookups->bytes[i];
		any = any || lookups->bytes[i];
	}
	return any;
}

double evidence_weight(const struct evidence *evidence)
{
	double total = 0;

	for (unsigned int i = 0; i <= BYTES_BOUNDS; i++)
		total += evidence->bytes[i];
	return total;
}

/*
 * Inside a bucket, distances are taken to be spread evenly: a size that is no bound of the
 * histogram, as a budget may be, gets part of its bucket.
 */
static double weight_within(const struct evidence *evidence, uint64_t bytes)
{
	double total = 0;
	uint64_t lower = 0;

	for (unsigned int i = 0; i < BYTES_BOUNDS; i++) {
		uint64_t bound = histogram_bytes_bound(i);

		if (bytes < bound)
			return total + evidence->bytes[i] * (double)(bytes - lower) /
					       (double)(bound - lower);
		total += evidence->bytes[i];
		lower = bound;
	}
	return total;
}

double evidence_share(const struct evidence *evidence, uint64_t bytes)
{
	double weight = evidence_weight(evidence);

	return weight > 0 ? weight_within(evidence, bytes) / weight : 0;
}

uint64_t evidence_best_bytes(const struct evidence *evidence, unsigned int cost_ppm_per_mib,
			     uint64_t budget)
{
	double cost = cost_ppm_per_mib * 1e-6 / (double)MIB, best_utility = -INFINITY;
	uint64_t best = 0, size;

	for (unsigned int i = 0; i <= BYTES_BOUNDS; i++) {
		double utility;

		size = i < BYTES_BOUNDS && histogram_bytes_bound(i) < budget ?
			       histogram_bytes_bound(i) :
			       budget;
		utility = evidence_share(evidence, size) - cost * (double)size;
		if (utility > best_utility + 1e-9) {
			best = size;
			best_utility = utility;
		}
		if (size == budget)
			break;
	}
	return best;
}
