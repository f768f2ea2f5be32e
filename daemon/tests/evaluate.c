// SPDX-License-Identifier: MIT
/*
 * Is the tuner worth it?  Plays workloads, and traces given as arguments, to the kernel's default
 * (128 MiB, 32 entries, fixed), to the tuner, and to Belady's choice of victims; prints a table and
 * fails if the tuner does not keep its promises:
 *
 *	of all hits of the fixed default, at least 99.5 %;
 *	on no trace more than 1 % fewer hits;
 *	of its mean idle bytes, hardly more than the best fixed size would have had: the smallest
 *	that has 99.5 % of the hits of the default, different for each trace and only known
 *	afterwards.
 *
 * The share of the default's idle bytes is printed, but means little by itself: a pool of twenty
 * that is flipped through in turn needs its twenty, whoever decides.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "workloads.h"

#define SEEDS 3
#define SECONDS 60

static struct {
	uint64_t hits[REPLAY_POLICIES];
	double idle_bytes[REPLAY_POLICIES];
	double best_fixed_idle_bytes;
	double worst;
} all = { .worst = 1 };

static void play_once(const struct trace *trace, enum replay_policy policy, uint64_t max_bytes,
		      struct replay_result *result)
{
	struct replay_options options = {
		.policy = policy,
		.max_bytes = max_bytes,
		.max_entries = 32,
		.idle_timeout_ms = 10000,
		.tuner = TUNER_DEFAULT_PARAMS,
	};

	if (replay(trace, &options, result)) {
		fputs("out of memory\n", stderr);
		exit(2);
	}
}

/* Mean idle bytes with the smallest fixed size that has hardly fewer hits. */
static double best_fixed(const struct trace *trace, uint64_t hits)
{
	struct replay_result result;

	for (unsigned int i = 0;; i++) {
		play_once(trace, REPLAY_FIXED, histogram_bytes_bound(i), &result);
		replay_release(&result);
		if ((double)result.hits >= 0.995 * (double)hits)
			return result.mean_idle_bytes;
	}
}

static void play(const char *name, const struct trace *trace)
{
	struct replay_result results[REPLAY_POLICIES];
	double ratio, idle_ratio, best;

	for (unsigned int policy = 0; policy < REPLAY_POLICIES; policy++) {
		play_once(trace, policy, 128 * MIB, &results[policy]);
		all.hits[policy] += results[policy].hits;
		all.idle_bytes[policy] += results[policy].mean_idle_bytes;
	}

	ratio = results[REPLAY_FIXED].hits ?
			(double)results[REPLAY_TUNED].hits / (double)results[REPLAY_FIXED].hits :
			1;
	idle_ratio = results[REPLAY_FIXED].mean_idle_bytes > 0 ?
			     results[REPLAY_TUNED].mean_idle_bytes /
				     results[REPLAY_FIXED].mean_idle_bytes :
			     1;
	if (ratio < all.worst)
		all.worst = ratio;
	printf("%-30s", name);
	for (unsigned int policy = 0; policy < REPLAY_POLICIES; policy++) {
		const struct replay_result *r = &results[policy];
		double lookups = (double)(r->hits + r->misses);

		printf("  %6.2f %6.1f", 100 * (double)r->hits / lookups,
		       r->mean_idle_bytes / (double)MIB);
	}
	best = best_fixed(trace, results[REPLAY_FIXED].hits);
	all.best_fixed_idle_bytes += best;
	printf("  %6.1f  %7.4f %6.3f %3u\n", best / (double)MIB, ratio, idle_ratio,
	       results[REPLAY_TUNED].changes);
	for (unsigned int policy = 0; policy < REPLAY_POLICIES; policy++)
		replay_release(&results[policy]);
}

static bool promise(const char *what, double value, bool kept)
{
	printf("%-46s %8.4f  %s\n", what, value, kept ? "kept" : "BROKEN");
	return kept;
}

int main(int argc, char **argv)
{
	struct trace trace;
	double hits, idle, best;
	bool kept;

	printf("%-30s  %13s  %13s  %13s  %6s  %14s %3s\n", "", "fixed", "tuned", "belady", "best",
	       "tuned / fixed", "");
	printf("%-30s", "workload");
	for (unsigned int policy = 0; policy < REPLAY_POLICIES; policy++)
		printf("  %6s %6s", "hits %", "MiB");
	printf("  %6s  %7s %6s %3s\n", "MiB", "hits", "idle", "chg");

	for (unsigned int i = 0; workload_name(i); i++) {
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			char name[64];

			if (workload_make(i, seed, SECONDS, &trace))
				return 2;
			snprintf(name, sizeof(name), "%s #%d", workload_name(i), (int)seed);
			play(name, &trace);
			trace_release(&trace);
		}
	}
	for (int i = 1; i < argc; i++) {
		char error[512];

		if (trace_read(&trace, argv[i], error, sizeof(error))) {
			fprintf(stderr, "%s\n", error);
			return 2;
		}
		play(strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i], &trace);
		trace_release(&trace);
	}

	hits = (double)all.hits[REPLAY_TUNED] / (double)all.hits[REPLAY_FIXED];
	idle = all.idle_bytes[REPLAY_TUNED] / all.idle_bytes[REPLAY_FIXED];
	putchar('\n');
	kept = promise("hits, of the fixed default's (>= 0.995)", hits, hits >= 0.995);
	kept = promise("hits on the worst trace (>= 0.99)", all.worst, all.worst >= 0.99) && kept;
	best = all.idle_bytes[REPLAY_TUNED] / all.best_fixed_idle_bytes;
	kept = promise("idle bytes, of the best fixed size's (<= 1.25)", best, best <= 1.25) &&
	       kept;
	printf("%-46s %8.4f  (best fixed %.4f, Belady %.4f)\n",
	       "idle bytes, of the fixed default's", idle,
	       all.best_fixed_idle_bytes / all.idle_bytes[REPLAY_FIXED],
	       all.idle_bytes[REPLAY_BELADY] / all.idle_bytes[REPLAY_FIXED]);
	return kept ? 0 : 1;
}
