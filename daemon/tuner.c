// SPDX-License-Identifier: MIT
#include "tuner.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "units.h"

/* Under pressure, growth is allowed again in steps of a quarter, one in this time. */
#define RECOVERY_STEP_MS 5000

/*
 * Share of reuse beyond reach from which on DIP insertion is worth it.  Half of it ends what began
 * with all of it, if that lasts.
 */
#define DIP_SHARE 0.05
#define DIP_END_MS 10000

/*
 * So many lookups, and one in so many, are no accident.  A few may be: counters are not all read at
 * the same instant.
 */
#define TIGHT_LEAST 5
#define TIGHT_DIVISOR 20

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int64_t min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

double tuner_share(const struct tuner *tuner, uint64_t bytes)
{
	return evidence_share(&tuner->evidence, bytes);
}

/*
 * Another buffer for everything that is on the screen, or double buffering would miss always.
 * While a flip is under way both of its buffers are active; the smaller of two samples is not.
 */
static uint64_t screen_floor(const struct tuner *tuner, const struct tuner_params *params,
			     const struct tuner_sample *sample)
{
	if (params->without & TUNER_PART_FLOOR)
		return 0;
	return min_u64(tuner->previous_active_bytes, sample->active_bytes);
}

/*
 * Distances are taken at lookups.  A commit looks all its new buffers up before it gives the old
 * ones back, so what its other planes took just before is missing from the distance, but was idle
 * too while the buffer had to last.  One buffer does for most; if it does not, which shows in
 * lookups within the limit that are no hits, there cannot be more than what is on the screen.
 */
static uint64_t slack_bytes(const struct tuner *tuner, const struct tuner_params *params,
			    const struct tuner_sample *sample)
{
	uint64_t active = sample->active_entries ? sample->active_bytes / sample->active_entries :
						   0;
	uint64_t idle = sample->idle_entries ? sample->idle_bytes / sample->idle_entries : 0;

	return max_u64(params->without & TUNER_PART_SLACK ? 0 : max_u64(active, idle),
		       tuner->tight && !(params->without & TUNER_PART_TIGHT) ?
			       screen_floor(tuner, params, sample) :
			       0);
}

/* Learn from what should have been a hit; returns how many are due to the age of mappings. */
static uint64_t take_losses(struct tuner *tuner, const struct tuner_sample *sample)
{
	struct losses_sample losses = {
		.reuse = &sample->reuse,
		.hits = sample->hits,
		.misses = sample->misses,
		.ended = sample->ended,
		.limit_bytes = sample->limit_bytes,
		.limit_entries = sample->limit_entries,
	};
	uint64_t lookups = sample->hits + sample->misses;
	struct lost lost = losses_take(&tuner->losses, &losses);

	/* Distances are those in LRU order. */
	if (sample->dip_chosen)
		return 0;
	if (lost.by_size >= TIGHT_LEAST && lost.by_size > lookups / TIGHT_DIVISOR)
		tuner->tight = true;
	return lost.by_age;
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

	plateau = evidence >= params->min_evidence ?
			  evidence_best_bytes(&tuner->evidence, params->cost_ppm_per_mib, below) :
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

/* Report once, when nothing was on any screen for two samples; for one, if it was announced. */
static bool went_off(struct tuner *tuner, const struct tuner_params *params,
		     const struct tuner_sample *sample)
{
	bool off = !sample->active_entries &&
		   (!tuner->previous_active_entries || sample->expect_off);
	bool trim = off && !tuner->off && sample->idle_bytes && params->trim_when_off;

	tuner->off = off;
	return trim;
}

/*
 * Is there so much reuse that the budget does not reach, that evicting at random depth is better
 * than in order?  In order, none of a cycle that is too long becomes hits; with DIP, part of it.
 */
static bool choose_dip(struct tuner *tuner, const struct tuner_params *params,
		       const struct tuner_sample *sample, double evidence)
{
	double beyond = evidence_share(&tuner->evidence, histogram_bytes_bound(BYTES_BOUNDS - 1)) -
			evidence_share(&tuner->evidence, params->max_bytes);

	if (!params->choose_insertion || !sample->dip_offered)
		return false;
	if (evidence < params->min_evidence)
		return sample->dip_chosen;
	if (!sample->dip_chosen || beyond > DIP_SHARE / 2) {
		tuner->dip_unneeded_ms = 0;
		return beyond > (sample->dip_chosen ? DIP_SHARE / 2 : DIP_SHARE);
	}
	tuner->dip_unneeded_ms += min_u64(sample->elapsed_ms, 1000);
	return tuner->dip_unneeded_ms < DIP_END_MS;
}

/* How long mappings may be idle: while everything is off, as short as it may be. */
static uint64_t choose_idle_timeout(struct tuner *tuner, const struct tuner_params *params,
				    const struct tuner_sample *sample, uint64_t lost)
{
	/* Under DIP it is not known what is lost: then no step is taken. */
	uint64_t lookups = sample->dip_chosen ? 0 : sample->hits + sample->misses;
	unsigned int ms;

	if (!params->choose_idle_timeout || !sample->idle_timeout_ms)
		return sample->idle_timeout_ms;
	ms = timeout_choose(&tuner->timeout, &params->idle_timeout, sample->elapsed_ms, lost,
			    lookups,
			    (unsigned int)min_u64(sample->idle_timeout_ms, UINT_MAX));
	return tuner->off ? params->idle_timeout.min_ms : ms;
}

static void restart_quiet(struct tuner *tuner, int64_t from_ms)
{
	tuner->waste = (struct tuner_quiet){ .ms = from_ms };
	tuner->unused = tuner->waste;
}

/* For as long as a smaller size has been wanted, what was the largest of these? */
static bool quiet_for_long(struct tuner_quiet *quiet, unsigned int long_ms, uint64_t elapsed_ms,
			   uint64_t bytes, uint64_t entries)
{
	/* A pause in which nothing was flipped is not evidence; it counts as one tick. */
	quiet->ms += (int64_t)min_u64(elapsed_ms, 1000);
	quiet->peak_bytes = max_u64(quiet->peak_bytes, bytes);
	quiet->peak_entries = max_u64(quiet->peak_entries, entries);
	return quiet->ms >= (int64_t)long_ms;
}

static void set(struct tuner_decision *decision, enum tuner_action action, enum tuner_reason reason,
		uint64_t max_bytes, uint64_t max_entries)
{
	decision->action = action;
	decision->reason = reason;
	decision->max_bytes = max_bytes;
	decision->max_entries = max_entries;
}

/*
 * While something is announced, remember what there was before.  Once it timed out, either flips
 * justify the room that was made, or that is wanted again.  Returns true if nothing was flipped
 * that could be judged: then it need not be waited for.
 */
static bool expect_coming(struct tuner *tuner, const struct tuner_sample *sample, bool evident,
			  uint64_t *bytes, uint64_t *entries)
{
	uint64_t before = tuner->before_coming_bytes;

	if (!before && sample->coming_bytes) {
		tuner->before_coming_bytes = sample->limit_bytes;
		tuner->before_coming_entries = sample->limit_entries;
	}
	if (!before)
		return false;
	if (!evident) {
		*bytes = min_u64(*bytes, before);
		*entries = min_u64(*entries, tuner->before_coming_entries);
	}
	if (sample->coming_bytes)
		return false;
	if (!evident || *bytes >= sample->limit_bytes || sample->limit_bytes <= before)
		tuner->before_coming_bytes = 0;
	return !evident;
}

/* @bytes and @entries would do; is it time? */
static void shrink_in_time(struct tuner *tuner, const struct tuner_params *params,
			   const struct tuner_sample *sample, uint64_t bytes, uint64_t entries,
			   struct tuner_decision *decision)
{
	bool waste = sample->idle_bytes > bytes || sample->idle_entries > entries;
	struct tuner_quiet *quiet = NULL;

	set(decision, TUNER_KEEP, waste ? TUNER_WAITING : TUNER_ROOMY, sample->limit_bytes,
	    sample->limit_entries);
	if (sample->expect_change) {
		restart_quiet(tuner, 0);
		return;
	}
	if (quiet_for_long(&tuner->unused, params->shrink_unused_after_ms, sample->elapsed_ms,
			   bytes, entries))
		quiet = &tuner->unused;
	if (!waste)
		tuner->waste = (struct tuner_quiet){ .ms = min_i64(tuner->waste.ms, 0) };
	else if (quiet_for_long(&tuner->waste, params->shrink_after_ms, sample->elapsed_ms, bytes,
				entries))
		quiet = &tuner->waste;
	if (quiet) {
		set(decision, TUNER_SHRINK, TUNER_QUIET, quiet->peak_bytes, quiet->peak_entries);
		restart_quiet(tuner, 0);
	}
}

static void decide(struct tuner *tuner, const struct tuner_params *params,
		   const struct tuner_sample *sample, double evidence,
		   struct tuner_decision *decision)
{
	uint64_t bytes, entries, limit = sample->limit_bytes;
	bool evident = evidence >= params->min_evidence;
	bool capped = tuner->pressure_cap_bytes, expired;
	enum tuner_reason why = TUNER_REUSE, cause = TUNER_REUSE;

	/* Without evidence the limit itself is wanted. */
	bytes = limit;
	entries = sample->limit_entries;
	if (evident) {
		bytes = evidence_best_bytes(&tuner->evidence, params->cost_ppm_per_mib,
					    params->max_bytes);
		if (decision->dip)
			bytes = params->max_bytes;
		entries =
			max_u64(evidence_best_entries(&tuner->evidence, bytes, params->max_entries),
				params->min_entries);
		bytes = min_u64(bytes + slack_bytes(tuner, params, sample), params->max_bytes);
	}
	if (params->without & TUNER_PART_ENTRIES)
		entries = params->max_entries;
	expired = expect_coming(tuner, sample, evident, &bytes, &entries);
	decision->wanted_bytes = bytes;

	if (bytes < decision->floor_bytes) {
		bytes = decision->floor_bytes;
		why = cause = TUNER_FLOOR;
	}
	if (sample->coming_bytes) {
		bytes += sample->coming_bytes;
		entries += sample->coming_entries;
		why = cause = TUNER_ANNOUNCED;
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

	/* So is the number of entries; for it alone no bytes are given up. */
	if (sample->limit_entries > params->max_entries ||
	    sample->limit_entries < params->min_entries) {
		restart_quiet(tuner, 0);
		set(decision,
		    sample->limit_entries > params->max_entries ? TUNER_SHRINK : TUNER_GROW,
		    TUNER_RANGE, max_u64(bytes, limit),
		    max_u64(entries, min_u64(sample->limit_entries, params->max_entries)));
		return;
	}

	if (bytes > limit || entries > sample->limit_entries) {
		restart_quiet(tuner, -(int64_t)params->settle_ms);
		set(decision, TUNER_GROW, cause, max_u64(bytes, limit),
		    max_u64(entries, sample->limit_entries));
		return;
	}

	if (bytes == limit && entries == sample->limit_entries) {
		restart_quiet(tuner, 0);
		set(decision, TUNER_KEEP,
		    why == TUNER_PRESSURE		 ? TUNER_RECOVERING :
		    why == cause && cause != TUNER_REUSE ? cause :
		    evident				 ? TUNER_FITS :
							   TUNER_NO_EVIDENCE,
		    limit, entries);
		return;
	}

	if (expired) {
		restart_quiet(tuner, 0);
		set(decision, TUNER_SHRINK, TUNER_EXPIRED, bytes, entries);
		return;
	}

	shrink_in_time(tuner, params, sample, bytes, entries, decision);
}

struct tuner_decision tuner_tick(struct tuner *tuner, const struct tuner_params *params,
				 const struct tuner_sample *sample)
{
	struct tuner_decision decision = { 0 };
	uint64_t floor = screen_floor(tuner, params, sample), lost;
	double evidence;

	evidence_add(&tuner->evidence, &sample->reuse, sample->elapsed_ms, params->decay_percent);
	evidence = evidence_weight(&tuner->evidence);
	lost = take_losses(tuner, sample);
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
	decision.share_now = tuner_share(tuner, sample->limit_bytes);
	decision.share_all = tuner_share(tuner, histogram_bytes_bound(BYTES_BOUNDS - 1));
	decision.dip = choose_dip(tuner, params, sample, evidence);
	decide(tuner, params, sample, evidence, &decision);
	decision.share_then = tuner_share(tuner, decision.max_bytes);

	decision.trim = went_off(tuner, params, sample);
	decision.idle_timeout_ms = choose_idle_timeout(tuner, params, sample, lost);
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
		[TUNER_FITS] = "fits",	       [TUNER_NO_EVIDENCE] = "no-evidence",
		[TUNER_REUSE] = "reuse",       [TUNER_ROOMY] = "roomy",
		[TUNER_WAITING] = "waiting",   [TUNER_QUIET] = "quiet",
		[TUNER_FLOOR] = "floor",       [TUNER_ANNOUNCED] = "announced",
		[TUNER_EXPIRED] = "expired",   [TUNER_RANGE] = "range",
		[TUNER_PRESSURE] = "pressure", [TUNER_RECOVERING] = "recovering",
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
		[TUNER_ROOMY] = "smaller would do, but nothing fills it",
		[TUNER_WAITING] = "more is idle than is reused; waiting whether that lasts",
		[TUNER_QUIET] = "smaller has done for a while",
		[TUNER_FLOOR] = "what is on the screen, a holder or a compositor needs it",
		[TUNER_ANNOUNCED] = "a compositor announced what it will need",
		[TUNER_EXPIRED] = "what was announced did not come",
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
