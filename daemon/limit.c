// SPDX-License-Identifier: MIT
#include "limit.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "log.h"

#define RETRY_US (60 * UINT64_C(1000000))

const char *managed_state_name(enum managed_state state)
{
	static const char *const names[] = {
		[MANAGED_TUNING] = "tuning",	 [MANAGED_EXTERNAL] = "external",
		[MANAGED_DISABLED] = "disabled", [MANAGED_DRY_RUN] = "dry-run",
		[MANAGED_FAILED] = "failed",
	};

	return names[state];
}

/*
 * From which generation on limits are somebody else's: kept where it outlives this program, but not
 * the boot.  There is none while it tunes: what it finds after it was killed is its own.
 */
static bool record_path(const struct managed *managed, char path[PATH_MAX])
{
	const char *directory = secure_getenv("RUNTIME_DIRECTORY");

	return directory && managed->state != MANAGED_DRY_RUN &&
	       snprintf(path, PATH_MAX, "%s/%s", directory, managed->cache.name) < PATH_MAX;
}

static void record_theirs(const struct managed *managed, uint64_t generation)
{
	char path[PATH_MAX];
	FILE *file;

	if (!record_path(managed, path))
		return;
	file = fopen(path, "we");
	if (file)
		fprintf(file, "%" PRIu64 "\n", generation);
	if (!file || fclose(file))
		log_line(LOG_WARNING, LOG_ERROR, managed->cache.name,
			 "%s: %s; a restart will not know whose limits these are", path,
			 strerror(errno));
}

static void record_none(const struct managed *managed)
{
	char path[PATH_MAX];

	if (record_path(managed, path) && unlink(path) && errno != ENOENT)
		log_line(LOG_WARNING, LOG_ERROR, managed->cache.name, "%s: %s", path,
			 strerror(errno));
}

static bool recorded_as_theirs(const struct managed *managed, uint64_t generation)
{
	char path[PATH_MAX];
	uint64_t from = 0;
	FILE *file;

	if (!record_path(managed, path))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	/* An empty one was being written when this program was killed: as somebody else's. */
	if (fscanf(file, "%" SCNu64, &from) != 1)
		from = 0;
	fclose(file);
	return generation >= from;
}

void limit_set_state(struct managed *managed, enum managed_state state)
{
	if (managed->state == state)
		return;
	managed->state = state;
	if (state == MANAGED_TUNING)
		record_none(managed);
	bus_cache_changed(managed->manager->bus, managed);
}

/* What is in force is what is expected from now on. */
static void expect(struct managed *managed, const struct cache_snapshot *snapshot)
{
	managed->expected_bytes = snapshot->max_bytes;
	managed->expected_entries = snapshot->max_entries;
}

/* Also while disabled: it is not to be taken over by enabling. */
static bool may_stand_down(const struct managed *managed)
{
	return managed->state != MANAGED_EXTERNAL && managed->state != MANAGED_DRY_RUN;
}

static void stand_down(struct managed *managed, const struct cache_snapshot *snapshot)
{
	limit_set_state(managed, MANAGED_EXTERNAL);
	record_theirs(managed, snapshot->generation);
}

/* Switched off is switched off: only its owner, or who says resume, switches it on. */
void limit_respect_off(struct managed *managed, const struct cache_snapshot *snapshot)
{
	if ((snapshot->max_bytes && snapshot->max_entries) || !may_stand_down(managed))
		return;
	log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name,
		 "the cache is switched off (max_bytes=%" PRIu64 " max_entries=%" PRIu64
		 "): leaving it alone until 'scanoutctl resume'",
		 snapshot->max_bytes, snapshot->max_entries);
	stand_down(managed, snapshot);
}

void limit_take_over(struct managed *managed, const struct cache_snapshot *snapshot)
{
	expect(managed, snapshot);
	limit_respect_off(managed, snapshot);
	if (!may_stand_down(managed))
		return;
	if (recorded_as_theirs(managed, snapshot->generation)) {
		log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name,
			 "somebody else set its limits before this start (max_bytes=%" PRIu64
			 " max_entries=%" PRIu64 "): leaving them alone until 'scanoutctl resume'",
			 snapshot->max_bytes, snapshot->max_entries);
		limit_set_state(managed, MANAGED_EXTERNAL);
	} else if (managed->state == MANAGED_TUNING) {
		record_none(managed);
	}
}

/* Did somebody else set a limit?  Then it is theirs. */
bool limit_notice_foreign_write(struct managed *managed, const struct cache_snapshot *snapshot)
{
	if (snapshot->max_bytes == managed->expected_bytes &&
	    snapshot->max_entries == managed->expected_entries)
		return false;
	if (may_stand_down(managed)) {
		log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name,
			 "somebody else set max_bytes to %" PRIu64 " and max_entries to %" PRIu64
			 " (were %" PRIu64 " and %" PRIu64
			 "): leaving them alone until 'scanoutctl resume'",
			 snapshot->max_bytes, snapshot->max_entries, managed->expected_bytes,
			 managed->expected_entries);
		stand_down(managed, snapshot);
	}
	expect(managed, snapshot);
	return true;
}

static void log_decision(const struct managed *managed, const struct cache_snapshot *snapshot)
{
	const struct tuner_decision *decision = &managed->decision;
	char text[7][64];
	struct iovec fields[7];

	snprintf(text[0], sizeof(text[0]), "MAX_BYTES_OLD=%" PRIu64, snapshot->max_bytes);
	snprintf(text[1], sizeof(text[1]), "MAX_BYTES_NEW=%" PRIu64, decision->max_bytes);
	snprintf(text[2], sizeof(text[2]), "MAX_ENTRIES_NEW=%" PRIu64, decision->max_entries);
	snprintf(text[3], sizeof(text[3]), "REASON=%s", tuner_reason_name(decision->reason));
	snprintf(text[4], sizeof(text[4]), "REUSE_SHARE_OLD=%.4f", decision->share_now);
	snprintf(text[5], sizeof(text[5]), "REUSE_SHARE_NEW=%.4f", decision->share_then);
	snprintf(text[6], sizeof(text[6]), "IDLE_BYTES=%" PRIu64, snapshot->idle_bytes);
	for (unsigned int i = 0; i < 7; i++) {
		fields[i].iov_base = text[i];
		fields[i].iov_len = strlen(text[i]);
	}
	log_fields(LOG_INFO, LOG_DECISION, managed->cache.name, managed->explanation, fields, 7);
}

static void write_failed(struct managed *managed)
{
	log_line(LOG_ERR, LOG_ERROR, managed->cache.name,
		 "%s; the limit stays as it is, next attempt in a minute", managed->cache.error);
	managed->retry_us = manager_now_us() + RETRY_US;
	limit_set_state(managed, MANAGED_FAILED);
}

/*
 * Write the limits as decided.  Who wrote one since the last look is noticed before that, not
 * overwritten.  Reading them afterwards also takes the signal of the write itself away.
 */
static int apply(struct managed *managed, struct cache_snapshot *snapshot)
{
	const struct tuner_decision *decision = &managed->decision;
	struct cache *cache = &managed->cache;
	int ret = cache_read_limits(cache, snapshot);

	if (ret || limit_notice_foreign_write(managed, snapshot))
		return ret;
	if (snapshot->max_bytes != decision->max_bytes) {
		ret = cache_write_limit(cache, CACHE_MAX_BYTES, decision->max_bytes);
		if (!ret)
			managed->expected_bytes = decision->max_bytes;
	}
	if (!ret && snapshot->max_entries != decision->max_entries) {
		ret = cache_write_limit(cache, CACHE_MAX_ENTRIES, decision->max_entries);
		if (!ret)
			managed->expected_entries = decision->max_entries;
	}
	if (ret) {
		if (!cache_error_is_gone(ret))
			write_failed(managed);
		return ret;
	}
	limit_set_state(managed, MANAGED_TUNING);
	ret = cache_read_limits(cache, snapshot);
	if (!ret)
		limit_notice_foreign_write(managed, snapshot);
	return ret;
}

int limit_act(struct managed *managed, struct cache_snapshot *snapshot)
{
	const struct tuner_decision *decision = &managed->decision;
	bool change = decision->max_bytes != snapshot->max_bytes ||
		      decision->max_entries != snapshot->max_entries;
	struct cache_snapshot before;
	int ret;

	if (managed->state == MANAGED_DRY_RUN) {
		if (change && managed->said_bytes != decision->max_bytes)
			log_line(LOG_INFO, LOG_DECISION, managed->cache.name, "would %s",
				 managed->explanation);
		managed->said_bytes = decision->max_bytes;
		return 0;
	}
	if (managed->state == MANAGED_FAILED && manager_now_us() < managed->retry_us)
		return 0;
	if (managed->state != MANAGED_TUNING && managed->state != MANAGED_FAILED)
		return 0;

	if (!change)
		return 0;
	before = *snapshot;
	ret = apply(managed, snapshot);
	if (!ret && managed->state == MANAGED_TUNING) {
		log_decision(managed, &before);
		bus_cache_changed(managed->manager->bus, managed);
	}
	return ret;
}

void limit_decide(struct managed *managed, struct cache_snapshot *snapshot, uint64_t now)
{
	struct manager *manager = managed->manager;
	const struct cache_snapshot *last = &managed->last;
	const char *card = managed->cache.name;
	struct coming coming = claims_coming(&manager->claims, &manager->config, card, now / 1000);
	enum tuner_reason reason = managed->decision.reason;
	struct tuner_sample sample = {
		.elapsed_ms = (now - managed->last_us) / 1000,
		.limit_bytes = snapshot->max_bytes,
		.limit_entries = snapshot->max_entries,
		.active_bytes = snapshot->active_bytes,
		.active_entries = snapshot->active_entries,
		.idle_bytes = snapshot->idle_bytes,
		.idle_entries = snapshot->idle_entries,
		.wanted_bytes =
			claims_wanted_bytes(&manager->claims, &manager->config, card, now / 1000),
		.coming_bytes = coming.bytes,
		.pressure = managed->pressure,
	};

	histograms_subtract(&sample.reuse, &snapshot->reuse, &last->reuse);
	managed->pressure = false;
	managed->claimed_bytes = sample.wanted_bytes;
	managed->coming = coming;
	managed->decision = tuner_tick(&managed->tuner, &manager->config.tuner, &sample);
	if (managed->decision.action != TUNER_KEEP || managed->decision.reason != reason) {
		tuner_explain(&managed->decision, snapshot->max_bytes, managed->explanation);
		if (managed->decision.action == TUNER_KEEP)
			bus_cache_changed(manager->bus, managed);
	}
}

/* A knob that cannot be turned back does not keep the others from being. */
static void turn_back(struct managed *managed, enum cache_limit limit, uint64_t now, uint64_t then)
{
	if (now != then && cache_write_limit(&managed->cache, limit, then))
		log_line(LOG_WARNING, LOG_ERROR, managed->cache.name, "%s", managed->cache.error);
}

/*
 * Leave the whole budget in force: right without anybody watching, and the same whatever was found.
 * Not what others set.
 */
void limit_hand_back(struct managed *managed)
{
	const struct tuner_params *params = &managed->manager->config.tuner;
	struct cache_snapshot *last = &managed->last;

	if (!managed->have_last ||
	    (managed->state != MANAGED_TUNING && managed->state != MANAGED_FAILED))
		return;
	if (cache_read_limits(&managed->cache, last)) {
		log_line(LOG_WARNING, LOG_ERROR, managed->cache.name, "%s; limits stay as they are",
			 managed->cache.error);
		return;
	}
	if (limit_notice_foreign_write(managed, last))
		return;
	turn_back(managed, CACHE_MAX_BYTES, last->max_bytes, params->max_bytes);
	turn_back(managed, CACHE_MAX_ENTRIES, last->max_entries, params->max_entries);
	if (cache_read_limits(&managed->cache, last))
		return;
	expect(managed, last);
	record_theirs(managed, last->generation + 1);
	log_line(LOG_INFO, LOG_SERVICE, managed->cache.name,
		 "left with max_bytes=%" PRIu64 " max_entries=%" PRIu64, last->max_bytes,
		 last->max_entries);
}
