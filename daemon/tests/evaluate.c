// SPDX-License-Identifier: MIT
/*
 * Is the tuner worth it?  Plays workloads, and traces given as arguments (files, or folders with
 * NAME.trace in them), to the reference, which is the kernel's default without a service, and to
 * the tuner; prints a table, and fails if the tuner does not keep what it promises.  With --ablate
 * it prints instead what becomes of that if each part of the tuner is left out alone.
 *
 * Most of the idle bytes are needed for the hits they bring: a pool of twenty that is flipped
 * through in turn needs its twenty, whoever decides.  So idle bytes are compared with the oracle's:
 * the least with which anybody can have the reference's hits, even who knows the future
 * (optimum.h).
 */
#include <dirent.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optimum.h"
#include "replay.h"
#include "workloads.h"

#define SEEDS 3

/* Without a service, the kernel has these limits, and this policy. */
#define REFERENCE_BYTES (128 * MIB)
#define REFERENCE_ENTRIES 32
#define REFERENCE_TIMEOUT_MS 10000
#define REFERENCE_POLICY REPLAY_ADAPTIVE

/* What the tuner promises: hits as a share of the reference's, of all traces and of each. */
#define HITS_OF_ALL 0.995
#define HITS_OF_EACH 0.965
/* And idle bytes, of the oracle's. */
#define IDLE_OF_ORACLE 1.10
/* The oracle has all of the reference's hits, but of each trace only this share for certain. */
#define ORACLE_HITS_OF_EACH 0.99

static struct played {
	char name[64];
	struct trace trace;
	struct replay_result reference;
} * played;
static size_t played_count;

static void check(int ret)
{
	if (!ret)
		return;
	fputs("out of memory\n", stderr);
	exit(2);
}

static struct replay_result play(const struct trace *trace, const struct replay_options *options)
{
	struct replay_result result;

	check(replay(trace, options, &result));
	replay_release(&result);
	return result;
}

static struct replay_options options_for(enum replay_policy policy)
{
	return (struct replay_options){
		.policy = policy,
		.max_bytes = REFERENCE_BYTES,
		.max_entries = REFERENCE_ENTRIES,
		.idle_timeout_ms = REFERENCE_TIMEOUT_MS,
		.tuner = TUNER_DEFAULT_PARAMS,
	};
}

/* Takes @trace over. */
static void take(const char *name, const struct trace *trace)
{
	struct replay_options options = options_for(REFERENCE_POLICY);
	struct played *p;

	played = realloc(played, (played_count + 1) * sizeof(*played));
	check(!played);
	p = &played[played_count++];
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->trace = *trace;
	p->reference = play(trace, &options);
}

static void take_workloads(const struct workload *workloads)
{
	for (; workloads->name; workloads++) {
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct trace trace;
			char name[64];

			check(workload_make(workloads, seed, &trace));
			snprintf(name, sizeof(name), "%s #%" PRIu64, workloads->name, seed);
			take(name, &trace);
		}
	}
}

static void take_file(const char *path)
{
	const char *name = strrchr(path, '/');
	struct trace trace;
	char error[512];

	if (trace_read(&trace, path, error, sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		exit(2);
	}
	take(name ? name + 1 : path, &trace);
}

static int is_trace(const struct dirent *entry)
{
	return !fnmatch("*.trace", entry->d_name, FNM_PERIOD);
}

static void take_files(const char *path)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_trace, alphasort);

	if (count < 0)
		take_file(path);
	for (int i = 0; i < count; i++) {
		char file[PATH_MAX];

		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		take_file(file);
		free(entries[i]);
	}
	free(entries);
}

static double in_mib(double bytes)
{
	return bytes / (double)MIB;
}

static double share_of_hits(const struct played *p, const struct replay_result *result)
{
	return p->reference.hits ? (double)result->hits / (double)p->reference.hits : 1;
}

/* Of all traces, each with the same weight. */
struct summary {
	double hits; /* of the reference's */
	double worst;
	const char *worst_name;
	double idle;	      /* of the reference's */
	double idle_oracle;   /* of the oracle's */
	unsigned int changes; /* of limits */
};

/* Plays them all; shows each, if @show. */
static struct summary summarize(const struct replay_options *options, bool show)
{
	struct summary summary = { .worst = 1, .worst_name = "" };
	struct optimum oracle = { 0 };
	double hits = 0, idle = 0, reference_hits = 0, reference_idle = 0;

	for (const struct played *p = played; p < played + played_count; p++) {
		struct replay_result result = play(&p->trace, options);
		double lookups = (double)(result.hits + result.misses);
		double of_reference = share_of_hits(p, &result);
		struct optimum least = { 0 };

		hits += (double)result.hits;
		idle += result.mean_idle_bytes;
		summary.changes += result.changes;
		reference_hits += (double)p->reference.hits;
		reference_idle += p->reference.mean_idle_bytes;
		check(optimum_add(&oracle, &p->trace,
				  ORACLE_HITS_OF_EACH * (double)p->reference.hits));
		if (of_reference < summary.worst) {
			summary.worst = of_reference;
			summary.worst_name = p->name;
		}
		if (!show)
			continue;
		check(optimum_add(&least, &p->trace, 0));
		printf("%-30s  %6.2f %6.1f  %6.2f %6.1f  %6.1f  %7.4f %4u\n", p->name,
		       100 * (double)p->reference.hits / lookups,
		       in_mib(p->reference.mean_idle_bytes), 100 * (double)result.hits / lookups,
		       in_mib(result.mean_idle_bytes),
		       in_mib(optimum_bytes(&least, (double)p->reference.hits)), of_reference,
		       result.changes);
		optimum_release(&least);
	}
	summary.hits = hits / reference_hits;
	summary.idle = idle / reference_idle;
	summary.idle_oracle = idle / optimum_bytes(&oracle, reference_hits);
	optimum_release(&oracle);
	return summary;
}

static bool promise(const char *what, double value, bool kept, const char *bound)
{
	printf("%-52s %7.4f  (%s) %s\n", what, value, bound, kept ? "kept" : "BROKEN");
	return kept;
}

static void print_reference(void)
{
	printf("%zu traces.  The reference: no service, %" PRIu64 " MiB, %d entries, %d s, %s\n\n",
	       played_count, REFERENCE_BYTES / MIB, REFERENCE_ENTRIES, REFERENCE_TIMEOUT_MS / 1000,
	       replay_policy_name(REFERENCE_POLICY));
}

static bool evaluate(void)
{
	struct replay_options options = options_for(REPLAY_TUNED);
	struct summary tuned;
	bool kept;

	printf("%-30s  %13s  %13s  %6s  %7s\n", "", "reference", "tuned", "oracle", "of the");
	printf("%-30s  %6s %6s  %6s %6s  %6s  %7s %4s\n", "workload", "hits %", "MiB", "hits %",
	       "MiB", "MiB", "hits", "chg");
	tuned = summarize(&options, true);
	printf("\nidle bytes, of the reference's                       %7.4f\n", tuned.idle);
	kept = promise("hits, of the reference's", tuned.hits, tuned.hits >= HITS_OF_ALL,
		       ">= 0.995");
	kept = promise("hits on the worst trace, of the reference's", tuned.worst,
		       tuned.worst >= HITS_OF_EACH, ">= 0.965") &&
	       kept;
	printf("%52s          %s\n", "", tuned.worst_name);
	kept = promise("idle bytes, of the oracle's", tuned.idle_oracle,
		       tuned.idle_oracle <= IDLE_OF_ORACLE, "<= 1.10") &&
	       kept;
	return kept;
}

static void ablate_row(const char *name, const struct replay_options *options)
{
	struct summary s = summarize(options, false);

	printf("| %-44s | %6.4f | %6.3f | %6.3f | %6.3f | %4u | %s |\n", name, s.hits, s.worst,
	       s.idle, s.idle_oracle, s.changes, s.worst_name);
}

static void ablate(void)
{
	static const struct {
		const char *name;
		enum replay_policy policy;
		uint64_t max_entries;
	} plain[] = {
		{ "no service, lru", REPLAY_LRU, 32 },
		{ "no service, adaptive", REPLAY_ADAPTIVE, 32 },
		{ "no service, adaptive, 64 entries", REPLAY_ADAPTIVE, 64 },
		{ "the service", REPLAY_TUNED, 32 },
	};
	static const struct tuner_params as_it_is = TUNER_DEFAULT_PARAMS;
	struct {
		const char *name;
		struct tuner_params tuner;
	} without[] = {
		{ "- a price of bytes", as_it_is },
		{ "- a buffer of slack", as_it_is },
		{ "- the whole budget for what does not fit in", as_it_is },
		{ "- a memory of more than the last second", as_it_is },
		{ "- forgetting", as_it_is },
	};
	struct replay_options options;

	puts("|                                              | hits   | worst  | idle   "
	     "| of the oracle's | changes | worst on |\n|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		options = options_for(plain[i].policy);
		options.max_entries = plain[i].max_entries;
		ablate_row(plain[i].name, &options);
	}
	without[0].tuner.cost_ppm_per_mib = 0;
	without[1].tuner.without = TUNER_PART_SLACK;
	without[2].tuner.without = TUNER_PART_BEYOND;
	without[3].tuner.decay_percent = 0;
	without[4].tuner.decay_percent = 100;
	options = options_for(REPLAY_TUNED);
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		options.tuner = without[i].tuner;
		ablate_row(without[i].name, &options);
	}
}

int main(int argc, char **argv)
{
	bool ablation = argc > 1 && !strcmp(argv[1], "--ablate"), kept = true;

	take_workloads(research_workloads);
	take_workloads(session_workloads);
	for (int i = 1 + ablation; i < argc; i++)
		take_files(argv[i]);
	print_reference();
	if (ablation)
		ablate();
	else
		kept = evaluate();
	for (struct played *p = played; p < played + played_count; p++)
		trace_release(&p->trace);
	free(played);
	return kept ? 0 : 1;
}
