// SPDX-License-Identifier: MIT
/*
 * Traces, read and replayed with every policy: each use is a hit or a miss, and no more is ever
 * idle than the limit allows.
 */
#include <inttypes.h>

#include "fuzz.h"
#include "replay.h"

/* Memory goes with the highest number of a buffer; that it may be high is not what is sought. */
#define MOST_BUFFERS 4096
/* The same with time: each second of it is an entry of the result. */
#define MOST_SECONDS 4096

static void check_replay(const struct trace *trace, const struct replay_options *options)
{
	struct replay_result result;
	uint64_t uses = 0;
	int ret = replay(trace, options, &result);

	FUZZ_REQUIRE(!ret, "replay() is %d", ret);
	for (size_t i = 0; i < trace->count; i++)
		uses += trace->events[i].kind == TRACE_USE;
	FUZZ_REQUIRE(result.hits + result.misses == uses,
		     "%" PRIu64 " hits and %" PRIu64 " misses of %" PRIu64 " uses", result.hits,
		     result.misses, uses);
	FUZZ_REQUIRE(result.peak_idle_bytes <= options->max_bytes,
		     "%s: %" PRIu64 " bytes were idle, %" PRIu64 " may be",
		     replay_policy_name(options->policy), result.peak_idle_bytes,
		     options->max_bytes);
	FUZZ_REQUIRE(result.mean_idle_bytes <= (double)options->max_bytes, "mean %f",
		     result.mean_idle_bytes);
	replay_release(&result);
}

static size_t count_lines(const uint8_t *data, size_t size)
{
	size_t count = 0;
	bool begins = true;

	for (size_t i = 0; i < size; i++) {
		/* A line may end with a carriage return as well. */
		count += begins && data[i] != '#' && data[i] != '\n' && data[i] != '\r';
		begins = data[i] == '\n';
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct replay_options options = {
		.max_bytes = 16 * MIB,
		.max_entries = 8,
		.idle_timeout_ms = 1500,
		.tuner = TUNER_DEFAULT_PARAMS,
	};
	struct trace trace;
	char error[600] = "";
	int ret;

	if (fd < 0) {
		fd = fuzz_memory_file("trace");
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	fuzz_fill(fd, data, size);
	ret = trace_read(&trace, path, error, sizeof(error));
	if (ret) {
		FUZZ_REQUIRE(!strncmp(error, path, strlen(path)), "'%s' names no file", error);
		FUZZ_REQUIRE(!trace.events, "a failure left events");
		return 0;
	}
	FUZZ_REQUIRE(trace.count, "no events, and no error");
	for (size_t i = 1; i < trace.count; i++)
		FUZZ_REQUIRE(trace.events[i].time_us >= trace.events[i - 1].time_us, "time");
	/* No line is lost: there is an event for each that is neither empty nor a comment. */
	FUZZ_REQUIRE(trace.count == count_lines(data, size), "%zu events", trace.count);

	options.tuner.max_bytes = options.max_bytes;
	if (trace.buffers <= MOST_BUFFERS &&
	    (trace.events[trace.count - 1].time_us - trace.events[0].time_us) / 1000000 <=
		    MOST_SECONDS)
		for (options.policy = 0; options.policy < REPLAY_POLICIES; options.policy++)
			check_replay(&trace, &options);
	trace_release(&trace);
	return 0;
}
