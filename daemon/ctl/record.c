// SPDX-License-Identifier: MIT
/*
 * record: from the kernel's tracepoints msm_scanout:*, in a tracing instance of its own, to the
 * format of trace.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "trace.h"
#include "units.h"

#define TRACEFS "/sys/kernel/tracing"

static const char *const events[] = { "msm_scanout_hit", "msm_scanout_miss", "msm_scanout_idle",
				      "msm_scanout_evict" };

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static int write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		ctl_complain("%s: writing '%s': %s%s", path, text, strerror(errno),
			     errno == ENOENT ? "; this kernel has no such tracepoint" : "");
		ret = -1;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Buffers are known by the kernel's (hashed) pointers; files number them. */
struct known {
	char object[32];
	uint32_t number;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->object, ((const struct known *)b)->object);
}

static int number_of(void **tree, uint32_t *count, const char *object, uint32_t *number)
{
	struct known *known = calloc(1, sizeof(*known)), **found;

	if (!known)
		return -ENOMEM;
	snprintf(known->object, sizeof(known->object), "%s", object);
	known->number = *count;
	found = tsearch(known, tree, compare);
	if (!found) {
		free(known);
		return -ENOMEM;
	}
	*number = (*found)->number;
	if (*found == known)
		(*count)++;
	else
		free(known);
	return 0;
}

struct recording {
	const char *card;
	FILE *out;
	void *tree;
	uint32_t buffers;
	uint64_t first_us;
	uint64_t lines;
};

static int take_line(struct recording *recording, const char *text)
{
	struct trace_line line;
	uint32_t number;

	if (!trace_parse_line(text, recording->card, &line))
		return 0;
	if (number_of(&recording->tree, &recording->buffers, line.object, &number))
		return -ENOMEM;
	if (!recording->lines++)
		recording->first_us = line.time_us;
	line.time_us -= recording->first_us;
	if (line.kind == TRACE_USE)
		fprintf(recording->out, "%" PRIu64 " use %u %" PRIu64 "\n", line.time_us, number,
			line.bytes);
	else
		fprintf(recording->out, "%" PRIu64 " %s %u\n", line.time_us,
			line.kind == TRACE_IDLE ? "idle" : "free", number);
	return 0;
}

static int record_from(const char *instance, struct recording *recording, uint64_t seconds)
{
	char path[512], text[65536], *line;
	struct timespec now;
	size_t used = 0;
	uint64_t end;
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/trace_pipe", instance);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		ctl_complain("%s: %s", path, strerror(errno));
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	end = (uint64_t)now.tv_sec + seconds;
	while (!ret && !interrupted && (!seconds || (uint64_t)now.tv_sec < end)) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		ssize_t length;
		char *newline;

		poll(&wait, 1, 500);
		clock_gettime(CLOCK_MONOTONIC, &now);
		length = read(fd, text + used, sizeof(text) - 1 - used);
		if (length <= 0)
			continue;
		used += (size_t)length;
		text[used] = '\0';
		for (line = text; !ret && (newline = strchr(line, '\n')); line = newline + 1) {
			*newline = '\0';
			ret = take_line(recording, line);
		}
		used -= (size_t)(line - text);
		memmove(text, line, used);
		if (used == sizeof(text) - 1)
			used = 0;
	}
	close(fd);
	return ret;
}

int ctl_record(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ 0 },
	};
	struct sigaction action = { .sa_handler = interrupt };
	struct recording recording = { 0 };
	uint64_t seconds = 0;
	char instance[128];
	struct cache cache;
	int option, ret;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		if (option != 's')
			return CTL_USAGE;
		if (units_parse_number(optarg, &seconds) || !seconds) {
			ctl_complain("--seconds=%s: accepted is a number above 0", optarg);
			return CTL_USAGE;
		}
	}
	if (optind != argc - 1) {
		ctl_complain("record takes one file to write to");
		return CTL_USAGE;
	}

	/* The tracepoints are those of all caches: a recording is of one. */
	ret = ctl_open_cache(ctl, &cache);
	if (ret)
		return ret;
	cache_close(&cache);
	recording.card = cache.name;
	snprintf(instance, sizeof(instance), TRACEFS "/instances/scanoutctl-%d", (int)getpid());
	if (mkdir(instance, 0700)) {
		ctl_complain("%s: %s; recording needs root, and tracefs mounted on " TRACEFS,
			     instance, strerror(errno));
		return CTL_FAILED;
	}
	recording.out = fopen(argv[optind], "we");
	ret = recording.out ? 0 : -1;
	if (ret)
		ctl_complain("%s: %s", argv[optind], strerror(errno));
	else
		fputs("# scanout-trace 1\n", recording.out);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);

	if (!ret)
		ret = write_file(instance, "trace_clock", "mono");
	for (size_t i = 0; !ret && i < sizeof(events) / sizeof(events[0]); i++) {
		char name[128];

		snprintf(name, sizeof(name), "events/msm_scanout/%s/enable", events[i]);
		ret = write_file(instance, name, "1");
	}
	if (!ret)
		ret = record_from(instance, &recording, seconds);
	if (recording.out && fclose(recording.out)) {
		ctl_complain("%s: %s", argv[optind], strerror(errno));
		ret = -1;
	}
	if (rmdir(instance))
		ctl_complain("%s: %s", instance, strerror(errno));
	tdestroy(recording.tree, free);
	if (!ret)
		fprintf(stderr, "%" PRIu64 " events of %u buffers\n", recording.lines,
			recording.buffers);
	return ret ? CTL_FAILED : CTL_OK;
}
