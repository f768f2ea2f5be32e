// SPDX-License-Identifier: MIT
/*
 * Is the tuner worth it?  Plays workloads, and traces given as arguments (files, or folders with
 * NAME.trace in them), to the kernel's default (128 MiB, 32 entries, fixed) and to the tuner;
 * prints a table, and fails if the tuner does not keep what it promises.
 *
 * Of the default's idle bytes, most are needed for the hits it has: a pool of twenty that is
 * flipped through in turn needs its twenty, whoever decides.  So beside both stands the least that
 * any policy can have as many hits with, even one that knows the future (optimum.h).  What a policy
 * keeps beyond what its own hits need is waste; how much of it the tuner avoids is what it is
 * worth.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optimum.h"
#include "replay.h"
#include "workloads.h"

#define SEEDS 3

/* Hits, as shares of the fixed default's: of all traces, and of each. */
#define HITS_OF_ALL 0.995
#define HITS_OF_EACH 0.99
/* The aim for idle bytes, as a share of the default's. */
#define AIM 0.55
/* Of the default's waste, so much is avoided in any case. */
#define WASTE_AVOIDED 0.5

/* Sums over traces of which each counts the same. */
struct sums {
	unsigned int traces;
	double fixed_hits;
	double tuned_hits;
	double fixed_bytes;
	double tuned_bytes;
	double many_bytes; /* of a fixed limit of 64 buffers of any size */
	/* beyond what the hits of each need */
	double fixed_waste;
	double tuned_waste;
	double worst;
	char worst_text[64];
	struct optimum optimum;
};

static void check(int ret)
{
	if (!ret)
		return;
	fputs("out of memory\n", stderr);
	exit(2);
}

static struct replay_result play_policy(const struct trace *trace, enum replay_policy policy,
					uint64_t max_bytes, uint64_t max_entries)
{
	struct replay_options options = {
		.policy = policy,
		.max_bytes = max_bytes,
		.max_entries = max_entries,
		.idle_timeout_ms = 10000,
		.tuner = TUNER_DEFAULT_PARAMS,
	};
	struct replay_result result;

	check(replay(trace, &options, &result));
	replay_release(&result);
	return result;
}

static double least_for(const struct trace *trace, double hits)
{
	struct optimum optimum = { 0 };
	double least;

	check(optimum_add(&optimum, trace, 0));
	least = optimum_bytes(&optimum, hits);
	optimum_release(&optimum);
	return least;
}

static void play(const char *name, const struct trace *trace, struct sums *of_kind,
		 struct sums *of_all)
{
	struct replay_result fixed = play_policy(trace, REPLAY_FIXED, 128 * MIB, 32);
	struct replay_result tuned = play_policy(trace, REPLAY_TUNED, 128 * MIB, 32);
	struct replay_result many = play_policy(trace, REPLAY_FIXED, GIB, 64);
	double ratio = fixed.hits ? (double)tuned.hits / (double)fixed.hits : 1;
	double least = least_for(trace, HITS_OF_ALL * (double)fixed.hits);
	double lookups = (double)(fixed.hits + fixed.misses);

	for (int i = 0; i < 2; i++) {
		struct sums *sums = i ? of_all : of_kind;

		check(optimum_add(&sums->optimum, trace, HITS_OF_EACH * (double)fixed.hits));
		sums->fixed_hits += (double)fixed.hits;
		sums->tuned_hits += (double)tuned.hits;
		sums->fixed_bytes += fixed.mean_idle_bytes;
		sums->tuned_bytes += tuned.mean_idle_bytes;
		sums->many_bytes += many.mean_idle_bytes;
		sums->fixed_waste += fixed.mean_idle_bytes - least_for(trace, (double)fixed.hits);
		sums->tuned_waste += tuned.mean_idle_bytes - least_for(trace, (double)tuned.hits);
		if (!sums->traces++ || ratio < sums->worst) {
			sums->worst = ratio;
			snprintf(sums->worst_text, sizeof(sums->worst_text), "%s", name);
		}
	}

	printf("%-30s  %6.2f %6.1f  %6.2f %6.1f  %6.1f  %7.4f %6.3f %6.3f %4u\n", name,
	       100 * (double)fixed.hits / lookups, fixed.mean_idle_bytes / (double)MIB,
	       100 * (double)tuned.hits / lookups, tuned.mean_idle_bytes / (double)MIB,
	       least / (double)MIB, ratio,
	       fixed.mean_idle_bytes > 0 ? tuned.mean_idle_bytes / fixed.mean_idle_bytes : 1,
	       fixed.mean_idle_bytes > 0 ? least / fixed.mean_idle_bytes : 1, tuned.changes);
}

static void play_workloads(const struct workload *workloads, struct sums *of_kind,
			   struct sums *of_all)
{
	for (; workloads->name; workloads++) {
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct trace trace;
			char name[64];

			check(workload_make(workloads, seed, &trace));
			snprintf(name, sizeof(name), "%s #%d", workloads->name, (int)seed);
			play(name, &trace, of_kind, of_all);
			trace_release(&trace);
		}
	}
}

static void play_file(const char *path, struct sums *of_kind, struct sums *of_all)
{
	const char *name = strrchr(path, '/');
	struct trace trace;
	char error[512];

	if (trace_read(&trace, path, error, sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		exit(2);
	}
	play(name ? name + 1 : path, &trace, of_kind, of_all);
	trace_release(&trace);
}

static int is_trace(const struct dirent *entry)
{
	return !fnmatch("*.trace", entry->d_name, FNM_PERIOD);
}

static void play_files(const char *path, struct sums *of_kind, struct sums *of_all)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_trace, alphasort);

	if (count < 0)
		play_file(path, of_kind, of_all);
	for (int i = 0; i < count; i++) {
		char file[PATH_MAX];

		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		play_file(file, of_kind, of_all);
		free(entries[i]);
	}
	free(entries);
}

static bool promise(const char *what, double value, double least)
{
	printf("  %-52s %7.4f  (>= %.3f) %s\n", what, value, least,
	       value >= least ? "kept" : "BROKEN");
	return value >= least;
}

/* The least idle bytes for the hits that are promised, of the default's. */
static double least_share(struct sums *sums)
{
	return optimum_bytes(&sums->optimum, HITS_OF_ALL * sums->fixed_hits) / sums->fixed_bytes;
}

static bool conclude(const char *name, struct sums *sums)
{
	double idle = sums->tuned_bytes / sums->fixed_bytes;
	bool kept;

	printf("\n%s, %u traces\n", name, sums->traces);
	kept = promise("hits, of the default's", sums->tuned_hits / sums->fixed_hits, HITS_OF_ALL);
	kept = promise("hits on the worst trace, of the default's", sums->worst, HITS_OF_EACH) &&
	       kept;
	printf("  %52s          %s\n", "", sums->worst_text);
	printf("  %-52s %7.4f  (aim <= %.2f) %s\n", "idle bytes, of the default's", idle, AIM,
	       idle <= AIM ? "reached" : "MISSED");
	printf("  %-52s %7.4f\n", "the least that any policy needs for these hits",
	       least_share(sums));
	printf("  %-52s %7.4f\n", "idle bytes, of those of a fixed limit of 64 buffers",
	       sums->tuned_bytes / sums->many_bytes);
	printf("  %-52s %7.4f\n", "share of the default's waste that is avoided",
	       1 - sums->tuned_waste / sums->fixed_waste);
	return kept;
}

/* How far the aim is, why, and what could be done. */
static void explain(struct sums *all)
{
	double idle = all->tuned_bytes / all->fixed_bytes;

	if (idle <= AIM)
		return;
	printf("\nThe aim of %.2f for idle bytes is missed by %.3f.  Who knows the future needs "
	       "%.3f:\n"
	       "most of what the default keeps is flipped to again.  (The aim stems from a "
	       "simulation\n"
	       "with a fixed limit of 64 buffers of any size.)  What is left above that is one "
	       "buffer\n"
	       "of slack, the seconds until a limit shrinks, and buffers that are used once and "
	       "fill\n"
	       "the end of the order of eviction.  Next: a histogram of the time until reuse, so "
	       "that\n"
	       "idle_timeout_ms need not be tried out; and sizes chosen by the hits that dip "
	       "has.\n",
	       AIM, idle - AIM, least_share(all));
}

int main(int argc, char **argv)
{
	struct sums research = { 0 }, sessions = { 0 }, recorded = { 0 }, all = { 0 };
	bool kept;

	printf("%-30s  %13s  %13s  %6s  %21s\n", "", "fixed default", "tuned", "least",
	       "of the fixed default's");
	printf("%-30s  %6s %6s  %6s %6s  %6s  %7s %6s %6s %4s\n", "workload", "hits %", "MiB",
	       "hits %", "MiB", "MiB", "hits", "tuned", "least", "chg");
	play_workloads(research_workloads, &research, &all);
	play_workloads(session_workloads, &sessions, &all);
	for (int i = 1; i < argc; i++)
		play_files(argv[i], &recorded, &all);

	kept = conclude("patterns without end", &research);
	kept = conclude("sessions", &sessions) && kept;
	if (recorded.traces)
		kept = conclude("recorded", &recorded) && kept;
	kept = conclude("all", &all) && kept;
	kept = promise("and that is", 1 - all.tuned_waste / all.fixed_waste, WASTE_AVOIDED) && kept;
	explain(&all);

	optimum_release(&research.optimum);
	optimum_release(&sessions.optimum);
	optimum_release(&recorded.optimum);
	optimum_release(&all.optimum);
	return kept ? 0 : 1;
}
