// SPDX-License-Identifier: MIT
#include "tuner.h"

#include <inttypes.h>
#include <stdio.h>

/* So much of the reuse beyond the budget, and it does not fit in. */
#define BEYOND_SHARE 0.05

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * Distances are taken at lookups.  A commit looks all its new buffers up before it gives the old
 * ones back, so what its other planes took just before is missing from the distance, but was idle
 * too while the buffer had to last.  One buffer does for most.
 */
static uint64_t slack_bytes(const struct tuner_params *params, const struct tuner_sample *sample)
{
	uint64_t active = sample->active_entries ? sample->active_bytes / sample->active_entries :
						   0;
	uint64_t idle = sample->idle_entries ? sample->idle_bytes / sample->idle_entries : 0;

	return params->without & TUNER_PART_SLACK ? 0 : max_u64(active, idle);
}

/*
 * What flips need, by the evidence.  Of what does not fit in, the kernel's policy still turns the
 * more into hits the more there is room.
 */
static uint64_t find_need(const struct tuner *tuner, const struct tuner_params *params,
			  const struct tuner_sample *sample)
{
	const struct evidence *evidence = &tuner->evidence;
	double beyond = evidence_share(evidence, histogram_bytes_bound(BYTES_BOUNDS - 1)) -
			evidence_share(evidence, params->max_bytes);
	uint64_t plateau =
		evidence_best_bytes(evidence, params->cost_ppm_per_mib, params->max_bytes);

	if (beyond > BEYOND_SHARE && !(params->without & TUNER_PART_BEYOND))
		return params->max_bytes;
	return min_u64(plateau + slack_bytes(params, sample), params->max_bytes);
}

struct tuner_decision tuner_tick(struct tuner *tuner, const struct tuner_params *params,
				 const struct tuner_sample *sample)
{
	const struct evidence *evidence = &tuner->evidence;
	uint64_t wanted, limit = sample->limit_bytes;
	struct tuner_decision decision = { .reason = TUNER_REUSE };
	bool is_short, flipped;

	tuner->short_ms -= min_u64(tuner->short_ms, sample->elapsed_ms);
	if (sample->pressure)
		tuner->short_ms = params->pressure_hold_ms;
	is_short = sample->pressure || tuner->short_ms;

	/* While memory is short, what was flipped to a while ago counts for less. */
	flipped = evidence_add(&tuner->evidence, &sample->reuse, sample->elapsed_ms,
			       is_short ? params->decay_percent / 2 : params->decay_percent);
	decision.evidence = evidence_weight(evidence);

	/* As long as there was no evidence at all, what was found is needed. */
	if (flipped)
		tuner->need_bytes = find_need(tuner, params, sample);
	else if (!tuner->need_bytes)
		tuner->need_bytes = limit;
	wanted = decision.need_bytes = tuner->need_bytes;

	/* Flips come before memory, memory before what others ask for. */
	if (!is_short && wanted < sample->wanted_bytes) {
		wanted = sample->wanted_bytes;
		decision.reason = TUNER_FLOOR;
	}
	if (!is_short && sample->coming_bytes) {
		wanted += sample->coming_bytes;
		decision.reason = TUNER_ANNOUNCED;
	}
	wanted = max_u64(min_u64(wanted, params->max_bytes), params->min_bytes);

	decision.max_bytes = wanted;
	decision.max_entries = params->max_entries;
	if (wanted != limit)
		decision.action = wanted > limit ? TUNER_GROW : TUNER_SHRINK;
	else if (sample->limit_entries != params->max_entries)
		decision.action = sample->limit_entries < params->max_entries ? TUNER_GROW :
										TUNER_SHRINK;

	if (limit > params->max_bytes || limit < params->min_bytes ||
	    (wanted == limit && decision.action != TUNER_KEEP))
		decision.reason = TUNER_RANGE;
	else if (is_short && wanted <= limit)
		decision.reason = TUNER_PRESSURE;
	else if (wanted < limit)
		decision.reason = TUNER_UNUSED;
	else if (wanted == limit && decision.reason == TUNER_REUSE)
		decision.reason = decision.evidence > 0 ? TUNER_FITS : TUNER_NO_EVIDENCE;

	decision.share_now = evidence_share(evidence, limit);
	decision.share_then = evidence_share(evidence, wanted);
	decision.share_all = evidence_share(evidence, histogram_bytes_bound(BYTES_BOUNDS - 1));
	return decision;
}

const char *tuner_action_name(enum tuner_action action)
{
	static const char *const names[] = {
		[TUNER_KEEP] = "keep",
		[TUNER_GROW] = "grow",
		[TUNER_SHRINK] = "shrink",
	};

	return names[action];
}

const char *tuner_reason_name(enum tuner_reason reason)
{
	static const char *const names[] = {
		[TUNER_FITS] = "fits",	 [TUNER_NO_EVIDENCE] = "no-evidence",
		[TUNER_REUSE] = "reuse", [TUNER_UNUSED] = "unused",
		[TUNER_FLOOR] = "floor", [TUNER_ANNOUNCED] = "announced",
		[TUNER_RANGE] = "range", [TUNER_PRESSURE] = "pressure",
	};

	return names[reason];
}

void tuner_explain(const struct tuner_decision *decision, uint64_t limit_bytes,
		   char text[TUNER_EXPLANATION])
{
	static const char *const reasons[] = {
		[TUNER_FITS] = "as large as the reuse it sees",
		[TUNER_NO_EVIDENCE] = "nothing was flipped to again so far",
		[TUNER_REUSE] = "more buffers are reused than fit",
		[TUNER_UNUSED] = "what is reused needs less",
		[TUNER_FLOOR] = "a holder or a compositor asked for it",
		[TUNER_ANNOUNCED] = "a compositor announced what it will need",
		[TUNER_RANGE] = "outside the configured range",
		[TUNER_PRESSURE] = "memory is short, and this is what flips need",
	};
	char from[UNITS_BYTES_TEXT], to[UNITS_BYTES_TEXT];
	char need[UNITS_BYTES_TEXT];

	snprintf(text, TUNER_EXPLANATION,
		 "%s %s -> %s, %" PRIu64 " entries: %s; reuse that fits %.1f%% -> %.1f%% of %.0f "
		 "lookups, which need %s",
		 tuner_action_name(decision->action), units_format_bytes(from, limit_bytes),
		 units_format_bytes(to, decision->max_bytes), decision->max_entries,
		 reasons[decision->reason], 100 * decision->share_now, 100 * decision->share_then,
		 decision->evidence, units_format_bytes(need, decision->need_bytes));
}
