// SPDX-License-Identifier: MIT
/* replay: what limits would have done to a recorded trace, as a table and as a picture. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "json.h"
#include "replay.h"
#include "units.h"

#define WIDTH 960
#define PANEL 200
#define LEFT 80
#define TOP 40

static const char *const colours[REPLAY_POLICIES] = {
	[REPLAY_LRU] = "#888888",
	[REPLAY_ADAPTIVE] = "#1e8449",
	[REPLAY_TUNED] = "#c0392b",
	[REPLAY_BELADY] = "#2471a3",
};

typedef double (*value_fn)(const struct replay_second *second);

static double misses_of(const struct replay_second *second)
{
	return (double)second->misses;
}

static double idle_of(const struct replay_second *second)
{
	return (double)second->idle_bytes / (double)MIB;
}

static double limit_of(const struct replay_second *second)
{
	return (double)second->max_bytes / (double)MIB;
}

static void plot_line(FILE *file, const struct replay_result *result, value_fn value, double most,
		      int top, const char *style)
{
	fprintf(file, "<polyline fill='none' %s points='", style);
	for (size_t i = 0; i < result->second_count; i++)
		fprintf(file, "%.1f,%.1f ",
			LEFT + (double)i * (WIDTH - LEFT - 20) / (double)result->second_count,
			top + PANEL - PANEL * value(&result->seconds[i]) / most);
	fputs("'/>\n", file);
}

static void plot_axis(FILE *file, int top, double most, const char *label)
{
	fprintf(file, "<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='#ccc'/>\n",
		LEFT, top, WIDTH - LEFT - 20, PANEL);
	fprintf(file, "<text x='%d' y='%d'>%s</text>\n", LEFT, top - 6, label);
	fprintf(file, "<text x='%d' y='%d' text-anchor='end'>%.0f</text>\n", LEFT - 6, top + 10,
		most);
	fprintf(file, "<text x='%d' y='%d' text-anchor='end'>0</text>\n", LEFT - 6, top + PANEL);
}

static int plot(const char *path, const struct replay_result *results, const bool *wanted)
{
	double most_misses = 1, most_bytes = 1;
	FILE *file = fopen(path, "we");
	char style[64];
	size_t seconds = 0;
	int x = LEFT;

	if (!file)
		return -errno;
	for (unsigned int p = 0; p < REPLAY_POLICIES; p++) {
		for (size_t i = 0; wanted[p] && i < results[p].second_count; i++) {
			const struct replay_second *s = &results[p].seconds[i];

			most_misses = misses_of(s) > most_misses ? misses_of(s) : most_misses;
			most_bytes = idle_of(s) > most_bytes ? idle_of(s) : most_bytes;
			most_bytes = limit_of(s) > most_bytes ? limit_of(s) : most_bytes;
		}
		seconds = wanted[p] ? results[p].second_count : seconds;
	}

	fprintf(file,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
		"font-family='sans-serif' font-size='12'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n",
		WIDTH, 2 * (PANEL + TOP) + 50);
	plot_axis(file, TOP, most_misses, "misses per second");
	plot_axis(file, 2 * TOP + PANEL, most_bytes, "idle MiB (limit dashed)");
	for (unsigned int p = 0; p < REPLAY_POLICIES; p++) {
		if (!wanted[p])
			continue;
		snprintf(style, sizeof(style), "stroke='%s'", colours[p]);
		plot_line(file, &results[p], misses_of, most_misses, TOP, style);
		plot_line(file, &results[p], idle_of, most_bytes, 2 * TOP + PANEL, style);
		snprintf(style, sizeof(style), "stroke='%s' stroke-dasharray='4 3'", colours[p]);
		plot_line(file, &results[p], limit_of, most_bytes, 2 * TOP + PANEL, style);
		fprintf(file, "<text x='%d' y='%d' fill='%s'>%s</text>\n", x,
			2 * (PANEL + TOP) + 36, colours[p], replay_policy_name(p));
		x += 80;
	}
	fprintf(file, "<text x='%d' y='%d' text-anchor='end'>%zu s</text>\n</svg>\n", WIDTH - 20,
		2 * (PANEL + TOP) + 18, seconds);
	if (ferror(file)) {
		fclose(file);
		return -EIO;
	}
	return fclose(file) ? -errno : 0;
}

static void print_results(const struct ctl *ctl, const struct replay_result *results,
			  const bool *wanted)
{
	struct json json = { .pretty = ctl->json == JSON_PRETTY };

	if (ctl->json)
		json_open(&json, NULL, '[');
	else
		printf("%-8s %10s %10s %8s %12s %12s %8s\n", "POLICY", "HITS", "MISSES", "HITS %",
		       "MEAN IDLE", "PEAK IDLE", "CHANGES");
	for (unsigned int p = 0; p < REPLAY_POLICIES; p++) {
		const struct replay_result *r = &results[p];
		char mean[UNITS_BYTES_TEXT], peak[UNITS_BYTES_TEXT];

		if (!wanted[p])
			continue;
		if (ctl->json) {
			json_open(&json, NULL, '{');
			json_text(&json, "policy", replay_policy_name(p));
			json_number(&json, "hits", r->hits);
			json_number(&json, "misses", r->misses);
			json_number(&json, "mean_idle_bytes", (uint64_t)r->mean_idle_bytes);
			json_number(&json, "peak_idle_bytes", r->peak_idle_bytes);
			json_number(&json, "changes", r->changes);
			json_close(&json, '}');
			continue;
		}
		printf("%-8s %10" PRIu64 " %10" PRIu64 " %8.2f %12s %12s %8u\n",
		       replay_policy_name(p), r->hits, r->misses,
		       r->hits + r->misses ? 100 * (double)r->hits / (double)(r->hits + r->misses) :
					     0,
		       units_format_bytes(mean, (uint64_t)r->mean_idle_bytes),
		       units_format_bytes(peak, r->peak_idle_bytes), r->changes);
	}
	if (ctl->json) {
		json_close(&json, ']');
		json_end(&json);
	}
}

static int parse_policy(const char *text, bool wanted[REPLAY_POLICIES])
{
	for (unsigned int p = 0; p < REPLAY_POLICIES; p++)
		wanted[p] = !strcmp(text, "all") || !strcmp(text, replay_policy_name(p));
	for (unsigned int p = 0; p < REPLAY_POLICIES; p++)
		if (wanted[p])
			return 0;
	ctl_complain("--policy=%s: accepted are lru, adaptive, tuned, belady and all", text);
	return -EINVAL;
}

int ctl_replay(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "max-bytes", required_argument, NULL, 'b' },
		{ "max-entries", required_argument, NULL, 'e' },
		{ "svg", required_argument, NULL, 's' },
		{ 0 },
	};
	struct replay_result results[REPLAY_POLICIES] = { 0 };
	struct replay_options options = {
		.max_bytes = 128 * MIB,
		.max_entries = 32,
		.idle_timeout_ms = 10000,
		.tuner = TUNER_DEFAULT_PARAMS,
	};
	bool wanted[REPLAY_POLICIES] = { true, true, true, true };
	const char *svg = NULL;
	struct trace trace;
	char error[600];
	int option, ret = 0;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		if (option == 'p') {
			ret = parse_policy(optarg, wanted);
		} else if (option == 'b') {
			ret = units_parse_bytes(optarg, &options.max_bytes);
			if (ret)
				ctl_complain("--max-bytes=%s: accepted is a size, with an optional "
					     "suffix K, M or G",
					     optarg);
		} else if (option == 'e') {
			ret = units_parse_number(optarg, &options.max_entries);
			if (ret)
				ctl_complain("--max-entries=%s: accepted is a number", optarg);
		} else if (option == 's') {
			svg = optarg;
		} else {
			ret = -EINVAL;
		}
		if (ret)
			return CTL_USAGE;
	}
	if (optind != argc - 1) {
		ctl_complain("replay takes one file, written by 'scanoutctl record'");
		return CTL_USAGE;
	}
	if (trace_read(&trace, argv[optind], error, sizeof(error))) {
		ctl_complain("%s", error);
		return CTL_FAILED;
	}

	/* The limit is the tuner's budget. */
	options.tuner.max_bytes = options.max_bytes;
	if (options.tuner.min_bytes > options.max_bytes)
		options.tuner.min_bytes = options.max_bytes;
	for (unsigned int p = 0; p < REPLAY_POLICIES && !ret; p++) {
		options.policy = p;
		if (wanted[p])
			ret = replay(&trace, &options, &results[p]);
	}
	if (ret) {
		ctl_complain("%s", strerror(-ret));
	} else {
		print_results(ctl, results, wanted);
		ret = svg ? plot(svg, results, wanted) : 0;
		if (ret)
			ctl_complain("%s: %s", svg, strerror(-ret));
	}
	for (unsigned int p = 0; p < REPLAY_POLICIES; p++)
		replay_release(&results[p]);
	trace_release(&trace);
	return ret ? CTL_FAILED : CTL_OK;
}
