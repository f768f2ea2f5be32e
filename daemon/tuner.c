// SPDX-License-Identifier: MIT
#include "tuner.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "units.h"

/* Under pressure, growth is allowed again in steps of a quarter, one in this time. */
#define RECOVERY_STEP_MS 5000

/* Share of reuse beyond reach from which on DIP insertion is worth it. */
#define DIP_SHARE 0.05

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static double sum(const double *values, unsigned int count)
{
	double total = 0;

	for (unsigned int i = 0; i < count; i++)
		total += values[i];
	return total;
}

/*
 * Old evidence fades.  Lookups without a known distance are left out: no size makes them hits, so
 * they must not speak for or against one.
 */
static void take_evidence(struct tuner *tuner, const struct tuner_params *params,
			  const struct tuner_sample *sample)
{
	double left = pow(params->decay_percent / 100.0, (double)sample->elapsed_ms / 1000.0);

	for (unsigned int i = 0; i <= DEPTH_BOUNDS; i++)
		tuner->depth[i] = tuner->depth[i] * left + (double)sample->reuse.depth[i];
	for (unsigned int i = 0; i <= BYTES_BOUNDS; i++)
		tuner->bytes[i] = tuner->bytes[i] * left + (double)sample->reuse.bytes[i];
}

/*
 * Weight of reuse within @bytes.  Inside a bucket, distances are taken to be spread evenly: a size
 * that is no bound of the histogram, as a budget may be, gets part of its bucket.
 */
static double weight_within(const struct tuner *tuner, uint64_t bytes)
{
	double total = 0;
	uint64_t lower = 0;

	for (unsigned int i = 0; i < BYTES_BOUNDS; i++) {
		uint64_t bound = histogram_bytes_bound(i);

		if (bytes < bound)
			return total +
			       tuner->bytes[i] * (double)(bytes - lower) / (double)(bound - lower);
		total += tuner->bytes[i];
		lower = bound;
	}
	return total;
}

static double share_within(const struct tuner *tuner, double evidence, uint64_t bytes)
{
	return evidence > 0 ? weight_within(tuner, bytes) / evidence : 0;
}

double tuner_share(const struct tuner *tuner, uint64_t bytes)
{
	return share_within(tuner, sum(tuner->bytes, BYTES_BOUNDS + 1), bytes);
}

static double utility(const struct tuner *tuner, const struct tuner_params *params, double evidence,
		      uint64_t bytes)
{
	return share_within(tuner, evidence, bytes) -
	       params->cost_ppm_per_mib * 1e-6 * (double)bytes / (double)MIB;
}

/* The size of highest utility up to @budget; the smaller one of equals. */
static uint64_t best_size(const struct tuner *tuner, const struct tuner_params *params,
			  double evidence, uint64_t budget)
{
	uint64_t best = min_u64(histogram_bytes_bound(0), budget);
	double best_utility = utility(tuner, params, evidence, best);

	for (unsigned int i = 1; i <= BYTES_BOUNDS; i++) {
		uint64_t size = i < BYTES_BOUNDS ? min_u64(histogram_bytes_bound(i), budget) :
						   budget;
		double u = utility(tuner, params, evidence, size);

		if (u > best_utility + 1e-9) {
			best = size;
			best_utility = u;
		}
		if (size == budget)
			break;
	}
	return best;
}

/* The number of buffers that all reuse within @bytes comes to, by its share of the lookups. */
static uint64_t best_entries(const struct tuner *tuner, const struct tuner_params *params,
			     double evidence, uint64_t bytes)
{
	/*
	 * What the bytes do not allow needs no entries; and a hit in a thousand is none.  As a
	 * share, because the two histograms are not read at the same instant.
	 */
	double wanted = (share_within(tuner, evidence, bytes) - 0.001) *
			sum(tuner->depth, DEPTH_BOUNDS + 1);
	double total = 0;

	for (unsigned int i = 0; i < DEPTH_BOUNDS; i++) {
		total += tuner->depth[i];
		if (total >= wanted)
			return min_u64(histogram_depth_bound(i) + 1, params->max_entries);
	}
	return params->max_entries;
}

/* One more buffer, of the larger of the average sizes: a new one is on before the old is off. */
static uint64_t slack_bytes(const struct tuner_sample *sample)
{
	uint64_t active = sample->active_entries ? sample->active_bytes / sample->active_entries :
						   0;
	uint64_t idle = sample->idle_entries ? sample->idle_bytes / sample->idle_entries : 0;

	return max_u64(active, idle);
}

/*
 * Another buffer for everything that is on the screen, or double buffering would miss always.
 * While a flip is under way both of its buffers are active; the smaller of two samples is not.
 */
static uint64_t screen_floor(const struct tuner *tuner, const struct tuner_sample *sample)
{
	return min_u64(tuner->previous_active_bytes, sample->active_bytes);
}

/* Memory became short: down to the next plateau, and no growth for a while. */
static void feel_pressure(struct tuner *tuner, const struct tuner_params *params,
			  const struct tuner_sample *sample, double evidence)
{
	uint64_t below = sample->limit_bytes - sample->limit_bytes / 4;
	unsigned int bucket = histogram_bytes_bucket(below);
	uint64_t plateau;

	/* Where plateaus end: halfway up a cliff is not worth its bytes. */
	if (bucket && bucket < BYTES_BOUNDS && below < histogram_bytes_bound(bucket))
		below = histogram_bytes_bound(bucket - 1);

	plateau = evidence >= params->min_evidence ? best_size(tuner, params, evidence, below) :
						     below;
	tuner->pressure_cap_bytes = max_u64(plateau, params->min_bytes);
	tuner->pressure_left_ms = params->pressure_hold_ms;
}

static void recover(struct tuner *tuner, const struct tuner_params *params, uint64_t elapsed_ms)
{
	while (tuner->pressure_cap_bytes && elapsed_ms) {
		uint64_t step_ms = min_u64(elapsed_ms, tuner->pressure_left_ms);

		tuner->pressure_left_ms -= step_ms;
		elapsed_ms -= step_ms;
		if (tuner->pressure_left_ms)
			return;
		tuner->pressure_cap_bytes += max_u64(tuner->pressure_cap_bytes / 4, MIB);
		tuner->pressure_left_ms = RECOVERY_STEP_MS;
		if (tuner->pressure_cap_bytes >= params->max_bytes)
			tuner->pressure_cap_bytes = 0;
	}
}

/* Report once, when nothing has been on any screen for two samples. */
static bool went_off(struct tuner *tuner, const struct tuner_params *params,
		     const struct tuner_sample *sample)
{
	bool off = !sample->active_entries && !tuner->previous_active_entries;
	bool trim = off && !tuner->off && sample->idle_bytes && params->trim_when_off;

	tuner->off = off;
	return trim;
}

/*
 * Is there so much reuse that the budget does not reach, that evicting at random depth is better
 * than in order?  In order, none of a cycle that is too long becomes hits; with DIP, part of it.
 */
static bool choose_dip(const struct tuner_params *params, const struct tuner_sample *sample,
		       double evidence, double share_all, double share_budget)
{
	if (!params->choose_insertion || !sample->dip_offered)
		return false;
	if (evidence < params->min_evidence)
		return sample->dip_chosen;
	/* Half of it ends what began with all of it. */
	return share_all - share_budget > (sample->dip_chosen ? DIP_SHARE / 2 : DIP_SHARE);
}

static void restart_quiet(struct tuner *tuner, int64_t from_ms)
{
	tuner->quiet_ms = from_ms;
	tuner->quiet_peak_bytes = 0;
	tuner->quiet_peak_entries = 0;
}

/* For as long as a smaller size has been wanted, what was the largest of these? */
static bool quiet_for_long(struct tuner *tuner, const struct tuner_params *params,
			   uint64_t elapsed_ms, uint64_t bytes, uint64_t entries)
{
	/* A pause in which nothing was flipped is not evidence; it counts as one tick. */
	tuner->quiet_ms += (int64_t)min_u64(elapsed_ms, 1000);
	tuner->quiet_peak_bytes = max_u64(tuner->quiet_peak_bytes, bytes);
	tuner->quiet_peak_entries = max_u64(tuner->quiet_peak_entries, entries);
	return tuner->quiet_ms >= (int64_t)params->shrink_after_ms;
}

static void set(struct tuner_decision *decision, enum tuner_action action, enum tuner_reason reason,
		uint64_t max_bytes, uint64_t max_entries)
{
	decision->action = action;
	decision->reason = reason;
	decision->max_bytes = max_bytes;
	decision->max_entries = max_entries;
}

static void decide(struct tuner *tuner, const struct tuner_params *params,
		   const struct tuner_sample *sample, double evidence,
		   struct tuner_decision *decision)
{
	uint64_t bytes, entries, limit = sample->limit_bytes;
	bool evident = evidence >= params->min_evidence;
	bool capped = tuner->pressure_cap_bytes;
	enum tuner_reason why = TUNER_REUSE;

	/* Without evidence the limit itself is wanted. */
	bytes = limit;
	entries = sample->limit_entries;
	if (evident) {
		bytes = best_size(tuner, params, evidence, params->max_bytes);
		if (decision->dip)
			bytes = params->max_bytes;
		entries =
			max_u64(best_entries(tuner, params, evidence, bytes), params->min_entries);
		bytes = min_u64(bytes + slack_bytes(sample), params->max_bytes);
	}
	decision->wanted_bytes = bytes;

	if (bytes < decision->floor_bytes) {
		bytes = decision->floor_bytes;
		why = TUNER_FLOOR;
	}
	if (bytes > decision->budget_bytes) {
		bytes = decision->budget_bytes;
		why = capped ? TUNER_PRESSURE : TUNER_RANGE;
	}
	if (bytes < params->min_bytes)
		bytes = params->min_bytes;
	entries = min_u64(max_u64(entries, params->min_entries), params->max_entries);

	/* Outside the range, or memory is short: at once. */
	if (limit > decision->budget_bytes || limit < params->min_bytes) {
		restart_quiet(tuner, 0);
		set(decision, bytes < limit ? TUNER_SHRINK : TUNER_GROW,
		    capped ? TUNER_PRESSURE : TUNER_RANGE, bytes, entries);
		return;
	}

	if (bytes > limit || entries > sample->limit_entries) {
		restart_quiet(tuner, -(int64_t)params->settle_ms);
		set(decision, TUNER_GROW, why == TUNER_FLOOR ? TUNER_FLOOR : TUNER_REUSE,
		    max_u64(bytes, limit), max_u64(entries, sample->limit_entries));
		return;
	}

	if (bytes == limit && entries == sample->limit_entries) {
		restart_quiet(tuner, 0);
		set(decision, TUNER_KEEP,
		    why == TUNER_PRESSURE ? TUNER_RECOVERING :
		    why == TUNER_FLOOR	  ? TUNER_FLOOR :
		    evident		  ? TUNER_FITS :
					    TUNER_NO_EVIDENCE,
		    limit, entries);
		return;
	}

	set(decision, TUNER_KEEP, TUNER_WAITING, limit, sample->limit_entries);
	if (sample->expect_change) {
		restart_quiet(tuner, 0);
		return;
	}
	if (quiet_for_long(tuner, params, sample->elapsed_ms, bytes, entries)) {
		set(decision, TUNER_SHRINK, TUNER_QUIET, tuner->quiet_peak_bytes,
		    tuner->quiet_peak_entries);
		restart_quiet(tuner, 0);
	}
}

struct tuner_decision tuner_tick(struct tuner *tuner, const struct tuner_params *params,
				 const struct tuner_sample *sample)
{
	struct tuner_decision decision = { 0 };
	uint64_t floor = screen_floor(tuner, sample);
	double evidence;

	take_evidence(tuner, params, sample);
	evidence = sum(tuner->bytes, BYTES_BOUNDS + 1);
	recover(tuner, params, sample->elapsed_ms);
	if (sample->pressure)
		feel_pressure(tuner, params, sample, evidence);

	/* What is on the screen comes before memory, memory before what others asked for. */
	decision.budget_bytes = params->max_bytes;
	if (tuner->pressure_cap_bytes)
		decision.budget_bytes =
			min_u64(params->max_bytes, max_u64(tuner->pressure_cap_bytes, floor));
	decision.floor_bytes = max_u64(max_u64(floor, sample->wanted_bytes), params->min_bytes);

	decision.evidence = evidence;
	decision.share_now = share_within(tuner, evidence, sample->limit_bytes);
	decision.share_all = share_within(tuner, evidence, histogram_bytes_bound(BYTES_BOUNDS - 1));
	decision.dip = choose_dip(params, sample, evidence, decision.share_all,
				  share_within(tuner, evidence, params->max_bytes));
	decide(tuner, params, sample, evidence, &decision);
	decision.share_then = share_within(tuner, evidence, decision.max_bytes);

	decision.trim = went_off(tuner, params, sample);
	tuner->previous_active_bytes = sample->active_bytes;
	tuner->previous_active_entries = sample->active_entries;
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
		[TUNER_FITS] = "fits",
		[TUNER_NO_EVIDENCE] = "no-evidence",
		[TUNER_REUSE] = "reuse",
		[TUNER_WAITING] = "waiting",
		[TUNER_QUIET] = "quiet",
		[TUNER_FLOOR] = "floor",
		[TUNER_RANGE] = "range",
		[TUNER_PRESSURE] = "pressure",
		[TUNER_RECOVERING] = "recovering",
	};

	return names[reason];
}

void tuner_explain(const struct tuner_decision *decision, uint64_t limit_bytes,
		   char text[TUNER_EXPLANATION])
{
	static const char *const reasons[] = {
		[TUNER_FITS] = "as large as the reuse it sees",
		[TUNER_NO_EVIDENCE] = "too few flips to judge",
		[TUNER_REUSE] = "more buffers are reused than fit",
		[TUNER_WAITING] = "smaller would do; waiting whether that lasts",
		[TUNER_QUIET] = "smaller has done for a while",
		[TUNER_FLOOR] = "what is on the screen, a holder or a compositor needs it",
		[TUNER_RANGE] = "outside the configured range",
		[TUNER_PRESSURE] = "memory is short",
		[TUNER_RECOVERING] = "memory was short a moment ago",
	};
	char from[UNITS_BYTES_TEXT], to[UNITS_BYTES_TEXT];
	char floor[UNITS_BYTES_TEXT], budget[UNITS_BYTES_TEXT];

	snprintf(text, TUNER_EXPLANATION,
		 "%s %s -> %s, %" PRIu64 " entries: %s; reuse that fits %.1f%% -> %.1f%% of %.0f "
		 "lookups, floor %s, budget %s",
		 tuner_action_name(decision->action), units_format_bytes(from, limit_bytes),
		 units_format_bytes(to, decision->max_bytes), decision->max_entries,
		 reasons[decision->reason], 100 * decision->share_now, 100 * decision->share_then,
		 decision->evidence, units_format_bytes(floor, decision->floor_bytes),
		 units_format_bytes(budget, decision->budget_bytes));
}
