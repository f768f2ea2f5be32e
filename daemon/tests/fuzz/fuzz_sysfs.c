// SPDX-License-Identifier: MIT
/*
 * Texts of a kernel that lies: a snapshot is either read as a whole or left as it was, with one
 * sentence why, and what was read does not bring the tuner out of its range.  The table of files is
 * private to cache.c, so that is included.
 */
#include "../../cache.c"

#include "fuzz.h"
#include "tuner.h"

/* A letter for each of the files. */
#define FIRST_LETTER 'A'
#define MOST_TEXTS 24

static struct cache cache;

static void fill_file(unsigned int index)
{
	char text[TEXT_BYTES] = "";

	if (files[index].kind == CHOICE)
		strcpy(text, "lru [adaptive]");
	for (unsigned int i = 0; i < files[index].count; i++)
		strcat(text, i ? " 0" : "0");
	strcat(text, "\n");
	fuzz_fill(cache.fds[index], text, strlen(text));
}

static void make_cache(void)
{
	strcpy(cache.name, "card0");
	strcpy(cache.path, "/sys/class/drm/card0/device/scanout_cache");
	cache.dir_fd = -1;
	for (unsigned int i = 0; i < CACHE_FILES; i++)
		cache.fds[i] = fuzz_memory_file(files[i].name);
}

/* What was accepted is what it says: digits and single blanks. */
static void check_accepted(const struct file *file, const struct fuzz_text *text,
			   const struct cache_snapshot *snapshot)
{
	const uint64_t *values = const_values_of(snapshot, file);
	char expected[TEXT_BYTES] = "", found[TEXT_BYTES] = "";
	size_t used = 0;

	if (file->kind != NUMBERS)
		return;
	for (unsigned int i = 0; i < file->count; i++)
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s%" PRIu64,
					 i ? " " : "", values[i]);
	/* Leading zeroes are the one thing that may be written in more than one way. */
	used = 0;
	for (size_t i = 0; i + 1 < text->size; i++) {
		bool begins = !i || text->bytes[i - 1] == ' ';

		while (begins && text->bytes[i] == '0' && i + 2 < text->size &&
		       text->bytes[i + 1] >= '0' && text->bytes[i + 1] <= '9')
			i++;
		found[used++] = text->bytes[i];
	}
	FUZZ_REQUIRE(!strcmp(expected, found), "%s: '%s' was read as '%s'", file->name, found,
		     expected);
}

static void tune(struct tuner *tuner, const struct cache_snapshot *before,
		 const struct cache_snapshot *after)
{
	static const struct tuner_params params = TUNER_DEFAULT_PARAMS;
	struct tuner_sample sample = {
		.elapsed_ms = 1000,
		.limit_bytes = after->max_bytes,
		.limit_entries = after->max_entries,
		.active_bytes = after->active_bytes,
		.active_entries = after->active_entries,
		.idle_bytes = after->idle_bytes,
		.idle_entries = after->idle_entries,
	};
	struct tuner_decision decision;

	histograms_subtract(&sample.reuse, &after->reuse, &before->reuse);
	decision = tuner_tick(tuner, &params, &sample);
	FUZZ_REQUIRE(decision.action == TUNER_KEEP || (decision.max_bytes >= params.min_bytes &&
						       decision.max_bytes <= params.max_bytes),
		     "max_bytes is to be %" PRIu64, decision.max_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct cache_snapshot snapshot, before;
	struct tuner tuner = { 0 };
	struct fuzz_text text;
	uint64_t number;

	if (!cache.name[0])
		make_cache();
	for (unsigned int i = 0; i < CACHE_FILES; i++)
		fill_file(i);
	FUZZ_REQUIRE(!cache_read(&cache, &snapshot), "%s", cache.error);

	for (unsigned int i = 0; i < MOST_TEXTS && fuzz_next_text(&input, &text); i++) {
		unsigned int index = (unsigned int)(text.which - FIRST_LETTER);
		int ret;

		if (index >= CACHE_FILES || files[index].kind == COMMAND)
			continue;
		fuzz_fill(cache.fds[index], text.bytes, text.size);
		before = snapshot;
		cache.error[0] = '\0';
		ret = cache_read(&cache, &snapshot);
		if (ret) {
			FUZZ_REQUIRE(!memcmp(&before, &snapshot, sizeof(before)),
				     "a failure left half a snapshot");
			FUZZ_REQUIRE(strstr(cache.error, files[index].name), "'%s' is not about %s",
				     cache.error, files[index].name);
			FUZZ_REQUIRE(!cache_error_is_gone(ret), "%d: not a device that went", ret);
			fill_file(index);
			continue;
		}
		check_accepted(&files[index], &text, &snapshot);
		if (!cache_counters_went_back(&before, &snapshot))
			tune(&tuner, &before, &snapshot);
		else
			memset(&tuner, 0, sizeof(tuner));
		FUZZ_REQUIRE(!cache_read_limits(&cache, &snapshot), "%s", cache.error);
		FUZZ_REQUIRE(!cache_read_flips(&cache, &number), "%s", cache.error);
		FUZZ_REQUIRE(number == snapshot.flips, "flips are %" PRIu64, number);
		FUZZ_REQUIRE(!cache_read_limit(&cache, CACHE_MAX_BYTES, &number), "%s",
			     cache.error);
		FUZZ_REQUIRE(number == snapshot.max_bytes, "max_bytes is %" PRIu64, number);
	}
	return 0;
}
