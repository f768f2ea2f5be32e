// SPDX-License-Identifier: MIT
/*
 * Samples and parameters of any size, and parameters that change on the way, as a reload changes
 * them: no decision leaves the configured range, and its explanation always fits.
 */
#include <inttypes.h>
#include <math.h>

#include "fuzz.h"
#include "tuner.h"

#define MOST_TICKS 64

/* What the configuration accepts; see the table in config.c. */
static void take_params(struct fuzz_input *input, struct tuner_params *params)
{
	params->max_bytes = fuzz_number_within(input, MIB, GIB);
	params->min_bytes = fuzz_number_within(input, MIB, params->max_bytes);
	params->max_entries = fuzz_number_within(input, 1, 65536);
	params->cost_ppm_per_mib = (unsigned int)fuzz_number_within(input, 0, 100000);
	params->decay_percent = (unsigned int)fuzz_number_within(input, 0, 99);
	params->pressure_hold_ms = (unsigned int)fuzz_number_within(input, 0, 3600000);
}

static void take_sample(struct fuzz_input *input, struct tuner_sample *sample)
{
	uint8_t flags = fuzz_byte(input), lookups = fuzz_byte(input) % 8;

	memset(sample, 0, sizeof(*sample));
	sample->elapsed_ms = flags & 1 ? fuzz_number(input) : 1000;
	sample->limit_bytes = fuzz_number(input);
	sample->limit_entries = fuzz_number(input);
	if (flags & 2) {
		sample->active_bytes = fuzz_number(input);
		sample->active_entries = fuzz_number(input);
		sample->idle_bytes = fuzz_number(input);
		sample->idle_entries = fuzz_number(input);
	}
	if (flags & 4) {
		sample->wanted_bytes = fuzz_number(input);
		sample->coming_bytes = fuzz_number(input);
	}
	sample->pressure = flags & 16;
	while (lookups--) {
		sample->reuse.bytes[fuzz_byte(input) % BYTES_BUCKETS] = fuzz_number(input);
		sample->reuse.depth[fuzz_byte(input) % DEPTH_BUCKETS] = fuzz_number(input);
	}
}

static void check_decision(const struct tuner_decision *decision, const struct tuner_params *params,
			   const struct tuner_sample *sample)
{
	char text[TUNER_EXPLANATION];

	if (decision->action == TUNER_KEEP) {
		FUZZ_REQUIRE(decision->max_bytes == sample->limit_bytes &&
				     decision->max_entries == sample->limit_entries,
			     "kept, but %" PRIu64 " bytes, %" PRIu64 " entries",
			     decision->max_bytes, decision->max_entries);
	} else {
		FUZZ_REQUIRE(decision->max_bytes >= params->min_bytes &&
				     decision->max_bytes <= params->max_bytes,
			     "%" PRIu64 " bytes", decision->max_bytes);
		FUZZ_REQUIRE(decision->max_entries == params->max_entries, "%" PRIu64 " entries",
			     decision->max_entries);
	}
	FUZZ_REQUIRE(isfinite(decision->evidence) && decision->share_now >= 0 &&
			     decision->share_now <= 1.000001 && decision->share_then >= 0 &&
			     decision->share_then <= 1.000001,
		     "evidence %f, share %f -> %f", decision->evidence, decision->share_now,
		     decision->share_then);
	FUZZ_REQUIRE(tuner_action_name(decision->action) && tuner_reason_name(decision->reason),
		     "names");
	tuner_explain(decision, sample->limit_bytes, text);
	FUZZ_REQUIRE(strlen(text) < TUNER_EXPLANATION - 1, "'%s' was cut", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct tuner_params params = TUNER_DEFAULT_PARAMS;
	struct tuner tuner = { 0 };
	uint64_t limit_bytes = 128 * MIB, limit_entries = 256;

	for (unsigned int i = 0; i < MOST_TICKS && input.size; i++) {
		struct tuner_sample sample;
		struct tuner_decision decision;
		uint8_t flags = fuzz_byte(&input);

		if (flags & 1)
			take_params(&input, &params);
		take_sample(&input, &sample);
		/* Mostly as it is: the limits in force are those that were decided. */
		if (flags & 6) {
			sample.limit_bytes = limit_bytes;
			sample.limit_entries = limit_entries;
		}
		decision = tuner_tick(&tuner, &params, &sample);
		check_decision(&decision, &params, &sample);
		limit_bytes = decision.max_bytes;
		limit_entries = decision.max_entries;
	}
	return 0;
}
