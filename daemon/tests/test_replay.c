// SPDX-License-Identifier: MIT
/* The model of the kernel's cache, its policies, and the bound for all of them. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"
#include "optimum.h"
#include "replay.h"
#include "workloads.h"

#define BUFFER (8 * MIB)
#define FRAME_US 16667

static struct trace trace;

static int setup(void **state)
{
	(void)state;
	memset(&trace, 0, sizeof(trace));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	trace_release(&trace);
	return 0;
}

/* Flip to @buffer at @frame; @before leaves the screen. */
static void flip(uint64_t frame, uint32_t buffer, int64_t before)
{
	assert_int_equal(trace_use(&trace, frame * FRAME_US, buffer, BUFFER), 0);
	if (before >= 0)
		assert_int_equal(trace_idle(&trace, frame * FRAME_US, (uint32_t)before), 0);
}

static void cycle(uint32_t buffers, uint64_t frames)
{
	for (uint64_t i = 0; i < frames; i++)
		flip(i, (uint32_t)(i % buffers), i ? (int64_t)((i - 1) % buffers) : -1);
}

static struct replay_result play(enum replay_policy policy, uint64_t max_bytes)
{
	struct replay_options options = {
		.policy = policy,
		.max_bytes = max_bytes,
		.max_entries = 256,
		.idle_timeout_ms = 10000,
		.tuner = TUNER_DEFAULT_PARAMS,
	};
	struct replay_result result;

	options.tuner.max_bytes = max_bytes;
	assert_int_equal(replay(&trace, &options, &result), 0);
	replay_release(&result);
	return result;
}

static double share(enum replay_policy policy, uint64_t max_bytes)
{
	struct replay_result result = play(policy, max_bytes);

	return (double)result.hits / (double)(result.hits + result.misses);
}

static void a_cycle_that_fits_is_all_hits_under_every_policy(void **state)
{
	(void)state;
	cycle(12, 3600);
	for (unsigned int policy = 0; policy < REPLAY_POLICIES; policy++)
		assert_int_equal(play(policy, 11 * BUFFER).misses, 12);
}

static void of_a_cycle_that_is_too_long_lru_has_nothing_and_adaptive_most(void **state)
{
	double most;

	(void)state;
	cycle(12, 3600);
	most = share(REPLAY_BELADY, 9 * BUFFER);
	assert_true(most > 0.75);
	assert_true(share(REPLAY_LRU, 9 * BUFFER) == 0);
	assert_true(share(REPLAY_ADAPTIVE, 9 * BUFFER) > 0.8 * most);
	/* So has the tuner, which leaves it all of the budget. */
	assert_true(share(REPLAY_TUNED, 9 * BUFFER) > 0.75 * most);
}

static void adaptive_follows_lru_where_that_is_better(void **state)
{
	double lru, adaptive;
	uint64_t frame = 0;
	int64_t before = -1;

	(void)state;
	/* Four applications of three buffers, each for a while. */
	for (uint32_t turn = 0; turn < 40; turn++) {
		for (uint32_t i = 0; i < 90; i++) {
			uint32_t next = turn % 4 * 3 + i % 3;

			flip(frame++, next, before);
			before = next;
		}
	}
	lru = share(REPLAY_LRU, 4 * BUFFER);
	adaptive = share(REPLAY_ADAPTIVE, 4 * BUFFER);
	assert_true(lru > 0.96);
	assert_true(adaptive > lru - 0.01);
}

/* With different sizes it might be better to evict a large one that is needed sooner. */
static bool is_of_one_size(void)
{
	for (size_t i = 1; i < trace.count; i++)
		if (trace.events[i].kind == TRACE_USE &&
		    trace.events[i].bytes != trace.events[0].bytes)
			return false;
	return true;
}

static void of_one_size_no_policy_beats_who_knows_the_future(void **state)
{
	unsigned int played = 0;

	(void)state;
	for (const struct workload *w = research_workloads; w->name; w++) {
		uint64_t most;

		assert_int_equal(workload_make(w, 7, &trace), 0);
		if (!is_of_one_size()) {
			trace_release(&trace);
			continue;
		}
		played++;
		most = play(REPLAY_BELADY, 48 * MIB).hits;
		for (unsigned int policy = 0; policy < REPLAY_POLICIES; policy++)
			assert_true(play(policy, 48 * MIB).hits <= most);
		trace_release(&trace);
	}
	assert_true(played >= 3);
}

static void no_policy_needs_less_than_the_optimum(void **state)
{
	(void)state;
	for (const struct workload *w = session_workloads; w->name; w++) {
		assert_int_equal(workload_make(w, 7, &trace), 0);
		for (unsigned int policy = 0; policy < REPLAY_POLICIES; policy++) {
			struct replay_result result = play(policy, 96 * MIB);
			struct optimum optimum = { 0 };

			assert_int_equal(optimum_add(&optimum, &trace, 0), 0);
			assert_true(optimum_bytes(&optimum, (double)result.hits) <=
				    result.mean_idle_bytes * (1 + 1e-9));
			optimum_release(&optimum);
		}
		trace_release(&trace);
	}
}

static void the_optimum_takes_the_cheapest_hits(void **state)
{
	struct optimum optimum = { 0 };
	double all;

	(void)state;
	/* One buffer is back after a second, the other after four; the trace takes ten. */
	trace_use(&trace, 0, 0, 10 * MIB);
	trace_use(&trace, 0, 1, 10 * MIB);
	trace_idle(&trace, 1000000, 0);
	trace_idle(&trace, 1000000, 1);
	trace_use(&trace, 2000000, 0, 10 * MIB);
	trace_use(&trace, 5000000, 1, 10 * MIB);
	trace_buffer_freed(&trace, 9999999, 0);
	assert_int_equal(optimum_add(&optimum, &trace, 0), 0);
	assert_true(optimum_bytes(&optimum, 0) == 0);
	assert_true(optimum_bytes(&optimum, 1) == (double)MIB);
	assert_true(optimum_bytes(&optimum, 1.5) == 3.0 * (double)MIB);
	all = optimum_bytes(&optimum, 2);
	assert_true(all == 5.0 * (double)MIB);
	assert_true(optimum_bytes(&optimum, 9) == all);
	optimum_release(&optimum);
}

static void a_seed_makes_the_same_trace_again_and_another_another(void **state)
{
	struct trace other;

	(void)state;
	assert_int_equal(workload_make(&session_workloads[0], 1, &trace), 0);
	assert_int_equal(workload_make(&session_workloads[0], 1, &other), 0);
	assert_int_equal(trace.count, other.count);
	for (size_t i = 0; i < trace.count; i++) {
		assert_int_equal(trace.events[i].time_us, other.events[i].time_us);
		assert_int_equal(trace.events[i].buffer, other.events[i].buffer);
	}
	trace_release(&other);
	assert_int_equal(workload_make(&session_workloads[0], 2, &other), 0);
	assert_int_not_equal(trace.count, other.count);
	trace_release(&other);
}

static void a_recording_is_of_one_card(void **state)
{
	static const struct {
		const char *text;
		const char *card;
		enum trace_kind kind;
		uint64_t bytes;
	} lines[] = {
		{ "  app-1 [000] d..1.  5.123456: msm_scanout_hit: card0 obj=00000000aa "
		  "iova=c0000000 "
		  "bytes=4096000 was=idle",
		  "card0", TRACE_USE, 4096000 },
		{ " a b-1 [001] .....  5.123456: msm_scanout_miss: card1 obj=00000000aa "
		  "iova=00000000 "
		  "bytes=1 arg=0",
		  "card1", TRACE_USE, 1 },
		{ "x-1 [000] .. 5.123456: msm_scanout_idle: card1 obj=00000000aa iova=0 bytes=2 "
		  "idle_bytes=3",
		  "card1", TRACE_IDLE, 2 },
		{ "x-1 [000] .. 5.123456: msm_scanout_evict: card10 obj=00000000aa iova=0 bytes=2 "
		  "reason=free",
		  "card10", TRACE_FREE, 2 },
		{ "x-1 [000] .. 5.123456: msm_scanout_evict: card1 obj=00000000aa iova=0 bytes=2 "
		  "reason=bound",
		  NULL, TRACE_FREE, 0 },
		{ "x-1 [000] .. 5.123456: msm_scanout_map: card1 obj=00000000aa iova=0 bytes=2 "
		  "ns=1",
		  NULL, TRACE_FREE, 0 },
		{ "x-1 [000] .. 5.123456: msm_scanout_unmap_batch: mappings=1 bytes=2 ns=3", NULL,
		  TRACE_FREE, 0 },
		{ "CPU:0 [LOST 12 EVENTS]", NULL, TRACE_FREE, 0 },
	};
	static const char *const cards[] = { "card0", "card1", "card10" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (size_t c = 0; c < sizeof(cards) / sizeof(cards[0]); c++) {
			struct trace_line line;
			bool its = lines[i].card && !strcmp(lines[i].card, cards[c]);

			assert_int_equal(trace_parse_line(lines[i].text, cards[c], &line), its);
			if (!its)
				continue;
			assert_int_equal(line.kind, lines[i].kind);
			assert_int_equal(line.time_us, 5123456);
			assert_int_equal(line.bytes, lines[i].bytes);
			assert_string_equal(line.object, "00000000aa");
		}
	}
}

static void what_is_idle_for_too_long_is_gone(void **state)
{
	(void)state;
	flip(0, 0, -1);
	flip(60, 1, 0);
	/* Idle for nine seconds, and for twelve. */
	flip(60 + 9 * 60, 0, 1);
	flip(60 + 21 * 60, 1, 0);
	assert_int_equal(play(REPLAY_LRU, 32 * MIB).hits, 1);
	assert_int_equal(play(REPLAY_LRU, 32 * MIB).misses, 3);
}

static void the_model_forgets_what_is_gone_and_the_oldest(void **state)
{
	/* As many as are still recognised without being mapped, and one more. */
	const uint32_t ghosts = 256;
	struct model model;

	(void)state;
	assert_int_equal(model_init(&model, ghosts + 1), 0);
	model_use(&model, 0, BUFFER);
	model_free(&model, 0);
	assert_int_equal(model.active_bytes, 0);
	assert_int_equal(model.active_entries, 0);
	memset(&model.reuse, 0, sizeof(model.reuse));
	for (uint32_t i = 0; i <= ghosts; i++) {
		model_use(&model, i, BUFFER);
		model_leave(&model, i, MODEL_NEVER);
	}
	assert_int_equal(model.idle.count, 0);
	assert_int_equal(model.reuse.depth[DEPTH_BUCKETS - 1], ghosts + 1);
	model_use(&model, 0, BUFFER);
	assert_int_equal(model.reuse.depth[DEPTH_BUCKETS - 1], ghosts + 2);
	model_use(&model, 1, BUFFER);
	assert_int_equal(model.reuse.depth[DEPTH_BUCKETS - 1], ghosts + 2);
	model_release(&model);
}

static void bad_lines_of_traces_are_refused(void **state)
{
	static const char long_line[] = "1 idle ";
	static const struct {
		const char *line;
		const char *why;
	} lines[] = {
		{ "1 use 9999999 549755813888", NULL },
		{ "1 use 10000000 1", "expected" },
		{ "1 use 0 549755813889", "expected" },
		{ "1 use 0 0", "expected" },
		{ "1 use 0 1 1", "expected" },
		{ "1 idle 0 1", "expected" },
		{ "0 idle 0", "goes back in time" },
		{ "2592000000001 idle 0", "more than 30 days" },
		{ long_line, "longer than" },
	};
	char path[] = "/tmp/scanout-trace-XXXXXX", error[512];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		fputs("# scanout-trace 1\n1 use 0 1\n", file);
		/* The number of a buffer may begin with zeroes, but a line has an end. */
		fputs(lines[i].line, file);
		if (lines[i].line == long_line)
			fprintf(file, "%0300d", 0);
		fputc('\n', file);
		fclose(file);
		if (!lines[i].why) {
			assert_int_equal(trace_read(&trace, path, error, sizeof(error)), 0);
			trace_release(&trace);
			continue;
		}
		assert_true(trace_read(&trace, path, error, sizeof(error)) < 0);
		assert_non_null(strstr(error, ":3: "));
		assert_non_null(strstr(error, lines[i].why));
	}
	unlink(path);
}

#define FRESH(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_cycle_that_fits_is_all_hits_under_every_policy),
		FRESH(of_a_cycle_that_is_too_long_lru_has_nothing_and_adaptive_most),
		FRESH(adaptive_follows_lru_where_that_is_better),
		FRESH(of_one_size_no_policy_beats_who_knows_the_future),
		FRESH(no_policy_needs_less_than_the_optimum),
		FRESH(the_optimum_takes_the_cheapest_hits),
		FRESH(a_recording_is_of_one_card),
		FRESH(what_is_idle_for_too_long_is_gone),
		FRESH(the_model_forgets_what_is_gone_and_the_oldest),
		FRESH(bad_lines_of_traces_are_refused),
		FRESH(a_seed_makes_the_same_trace_again_and_another_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
