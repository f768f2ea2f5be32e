// SPDX-License-Identifier: MIT
/* status, top, metrics: what the kernel counts, and what scanoutd makes of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "ctl.h"
#include "json.h"
#include "text.h"
#include "units.h"

/* The service, and how far it was reached the last time: CTL_OK, or why it says nothing. */
struct service {
	sd_bus *bus;
	int reached;
};

/* What scanoutd says of a cache, or why it says nothing. */
struct opinion {
	char state[32];
	char reason[32];
	char explanation[256];
	const char *silence; /* NULL if it says something */
};

/* The properties of a cache that are text and of use here. */
static int read_opinion(sd_bus_message *reply, struct opinion *opinion)
{
	const char *name, *value;
	int ret = sd_bus_message_enter_container(reply, 'a', "{sv}");

	while (ret >= 0 && (ret = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
		ret = sd_bus_message_read(reply, "s", &name);
		if (ret >= 0 && sd_bus_message_read(reply, "v", "s", &value) < 0)
			ret = sd_bus_message_skip(reply, "v");
		else if (ret >= 0 && !strcmp(name, "State"))
			text_printable(opinion->state, sizeof(opinion->state), value);
		else if (ret >= 0 && !strcmp(name, "Reason"))
			text_printable(opinion->reason, sizeof(opinion->reason), value);
		else if (ret >= 0 && !strcmp(name, "Explanation"))
			text_printable(opinion->explanation, sizeof(opinion->explanation), value);
		if (ret >= 0)
			ret = sd_bus_message_exit_container(reply);
	}
	return ret;
}

static struct opinion opinion_of(struct service *service, const char *cache)
{
	struct opinion opinion = { .state = "unmanaged" };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char path[128];
	int ret = -ENOTCONN;

	snprintf(path, sizeof(path), BUS_CACHES_PATH "/%s", cache);
	if (service->bus && service->reached != CTL_NO_ANSWER) {
		ret = sd_bus_call_method(service->bus, BUS_NAME, path,
					 "org.freedesktop.DBus.Properties", "GetAll", &error,
					 &reply, "s", BUS_CACHE_INTERFACE);
		if (ret >= 0)
			ret = read_opinion(reply, &opinion);
		service->reached = ret < 0 ? ctl_absence(&error, ret) : CTL_OK;
	}
	if (service->reached == CTL_NO_ANSWER) {
		strcpy(opinion.state, "unknown");
		opinion.silence = "scanoutd does not answer";
	} else if (ret < 0) {
		opinion.silence = service->reached == CTL_FAILED ? "scanoutd does not know it" :
								   "scanoutd is not running";
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	return opinion;
}

/* What only root may read scanoutd tells everybody, once a second. */
static int ask_figures(struct service *service, const char *cache, struct cache_snapshot *now)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char path[128];
	const char *name;
	uint64_t value;
	int ret;

	snprintf(path, sizeof(path), BUS_CACHES_PATH "/%s", cache);
	if (!service->bus || service->reached == CTL_NO_ANSWER)
		return service->reached;
	ret = sd_bus_get_property(service->bus, BUS_NAME, path, BUS_CACHE_INTERFACE, "Figures",
				  &error, &reply, "a{st}");
	if (ret >= 0)
		ret = sd_bus_message_enter_container(reply, 'a', "{st}");
	while (ret >= 0 && (ret = sd_bus_message_read(reply, "{st}", &name, &value)) > 0)
		cache_set_figure(now, name, value);
	service->reached = ret < 0 ? ctl_absence(&error, ret) : CTL_OK;
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	return service->reached;
}

static int read_cache(struct cache *cache, struct service *service, struct cache_snapshot *now)
{
	int ret;

	*now = (struct cache_snapshot){ 0 };
	if (!cache->limits_only)
		ret = cache_read(cache, now);
	else
		ret = cache_read_limits(cache, now);
	if (ret) {
		ctl_complain("%s", cache->error);
		return CTL_FAILED;
	}
	if (!cache->limits_only)
		return CTL_OK;
	ret = ask_figures(service, cache->name, now);
	if (ret != CTL_OK)
		ctl_complain("%s: only root may read its figures; scanoutd, which tells them to "
			     "everybody, %s",
			     cache->name,
			     ret == CTL_NO_ANSWER  ? "does not answer" :
			     ret == CTL_NO_SERVICE ? "is not running" :
						     "does not know it");
	return ret;
}

/* Per-second figures are differences to @before, if there is one. */
static void print_json(struct json *json, const struct cache *cache, const char *device,
		       const struct cache_snapshot *now, const struct cache_snapshot *before,
		       const struct opinion *opinion)
{
	json_open(json, NULL, '{');
	json_text(json, "cache", cache->name);
	json_text(json, "device", device);
	json_text(json, "path", cache->path);
	json_text(json, "state", opinion->state);
	json_text(json, "reason", opinion->reason);
	json_text(json, "explanation", opinion->explanation);
	json_number(json, "max_bytes", now->max_bytes);
	json_number(json, "max_entries", now->max_entries);
	json_number(json, "idle_timeout_ms", now->idle_timeout_ms);
	json_number(json, "import_linger_ms", now->import_linger_ms);
	json_text(json, "policy", cache_policy_name(now->policy));
	json_number(json, "active_bytes", now->active_bytes);
	json_number(json, "active_entries", now->active_entries);
	json_number(json, "idle_bytes", now->idle_bytes);
	json_number(json, "idle_entries", now->idle_entries);
	json_number(json, "quarantined_bytes", now->quarantined_bytes);
	json_number(json, "flips", now->flips);
	json_number(json, "hits", now->hits);
	json_number(json, "misses", now->misses);
	json_number(json, "inserts", now->inserts);
	json_number(json, "evictions", now->evictions);
	json_number(json, "evictions_age", now->evictions_age);
	json_number(json, "evictions_pressure", now->evictions_pressure);
	json_number(json, "invalidations", now->invalidations);
	json_number(json, "map_ns", now->map_ns);
	json_number(json, "unmap_ns", now->unmap_ns);
	if (before) {
		json_number(json, "new_flips", now->flips - before->flips);
		json_number(json, "new_hits", now->hits - before->hits);
		json_number(json, "new_misses", now->misses - before->misses);
	}
	json_close(json, '}');
}

static double percent(uint64_t part, uint64_t rest)
{
	return part + rest ? 100.0 * (double)part / (double)(part + rest) : 0;
}

static void print_text(const char *device, const struct cache_snapshot *now,
		       const struct cache_snapshot *before, const struct opinion *opinion)
{
	char idle[UNITS_BYTES_TEXT], limit[UNITS_BYTES_TEXT], active[UNITS_BYTES_TEXT];

	printf("%s  %s", device, opinion->state);
	if (opinion->silence)
		printf(" (%s)", opinion->silence);
	printf("%s%s\n", opinion->reason[0] ? ", " : "", opinion->reason);
	printf("  on screen  %s in %" PRIu64 " buffers\n",
	       units_format_bytes(active, now->active_bytes), now->active_entries);
	printf("  idle       %s of %s, %" PRIu64 " of %" PRIu64 " buffers\n",
	       units_format_bytes(idle, now->idle_bytes), units_format_bytes(limit, now->max_bytes),
	       now->idle_entries, now->max_entries);
	printf("             for %" PRIu64 " ms at most%s, inserted by %s\n", now->idle_timeout_ms,
	       now->idle_timeout_ms ? "" : " (no limit)", cache_policy_name(now->policy));
	printf("  so far     %" PRIu64 " flips, %.2f%% hits, %" PRIu64 " misses, mapping %.1f ms, "
	       "unmapping %.1f ms\n",
	       now->flips, percent(now->hits, now->misses), now->misses, (double)now->map_ns / 1e6,
	       (double)now->unmap_ns / 1e6);
	if (before)
		printf("  just now   %" PRIu64 " flips, %" PRIu64 " hits, %" PRIu64 " misses, "
		       "mapping %.1f ms\n",
		       now->flips - before->flips, now->hits - before->hits,
		       now->misses - before->misses, (double)(now->map_ns - before->map_ns) / 1e6);
	if (opinion->explanation[0])
		printf("  why        %s\n", opinion->explanation);
}

static int print_all(const struct ctl *ctl, struct cache *caches, unsigned int count,
		     struct service *service, struct cache_snapshot *befores)
{
	struct json json = { .pretty = ctl->json == JSON_PRETTY };
	int status = CTL_OK;

	/* One that hangs is asked once each time, not for each cache. */
	if (service->bus)
		service->reached = CTL_OK;
	if (ctl->json)
		json_open(&json, NULL, '[');
	for (unsigned int i = 0; i < count; i++) {
		char device[CTL_DEVICE_TEXT];
		struct opinion opinion = opinion_of(service, caches[i].name);
		const struct cache_snapshot *before =
			befores && befores[i].max_entries + befores[i].generation +
						befores[i].max_bytes ?
				&befores[i] :
				NULL;
		struct cache_snapshot now;
		int ret = read_cache(&caches[i], service, &now);

		if (ret != CTL_OK) {
			status = ret;
			continue;
		}
		if (before && cache_counters_went_back(before, &now))
			before = NULL;
		ctl_describe_device(ctl, caches[i].name, device);
		if (ctl->json)
			print_json(&json, &caches[i], device, &now, before, &opinion);
		else
			print_text(device, &now, before, &opinion);
		if (befores)
			befores[i] = now;
	}
	if (ctl->json) {
		json_close(&json, ']');
		json_end(&json);
	}
	return status;
}

static bool no_arguments(int argc, char **argv)
{
	if (argc > 1)
		ctl_complain("%s takes no argument '%s'", argv[0], argv[1]);
	return argc <= 1;
}

int ctl_status(const struct ctl *ctl, int argc, char **argv)
{
	struct cache caches[CTL_CACHES];
	struct service service;
	unsigned int count;
	int status;

	if (!no_arguments(argc, argv))
		return CTL_USAGE;
	count = ctl_open_caches(ctl, caches);
	if (!count)
		return CTL_NO_CACHE;
	service.reached = ctl_connect(ctl, true, &service.bus);
	status = print_all(ctl, caches, count, &service, NULL);
	sd_bus_flush_close_unref(service.bus);
	ctl_close_caches(caches, count);
	return status;
}

int ctl_top(const struct ctl *ctl, int argc, char **argv)
{
	struct cache_snapshot befores[CTL_CACHES] = { 0 };
	struct cache caches[CTL_CACHES];
	struct timespec pause = { .tv_sec = 1 };
	struct ctl own = *ctl;
	bool terminal = isatty(STDOUT_FILENO);
	struct service service;
	unsigned int count;
	uint64_t seconds;
	int status;

	if (argc > 2 ||
	    (argc == 2 && (units_parse_number(argv[1], &seconds) || !seconds || seconds > 3600))) {
		ctl_complain("top takes one number of seconds, 1 to 3600");
		return CTL_USAGE;
	}
	if (argc == 2)
		pause.tv_sec = (time_t)seconds;
	if (!terminal)
		own.json = JSON_SHORT;
	count = ctl_open_caches(ctl, caches);
	if (!count)
		return CTL_NO_CACHE;
	service.reached = ctl_connect(ctl, true, &service.bus);
	do {
		if (terminal && !own.json)
			fputs("\033[H\033[J", stdout);
		status = print_all(&own, caches, count, &service, befores);
		if (fflush(stdout) || ferror(stdout))
			break;
		nanosleep(&pause, NULL);
	} while (status == CTL_OK);
	sd_bus_flush_close_unref(service.bus);
	ctl_close_caches(caches, count);
	return status;
}

struct metric {
	const char *name;
	const char *type;
	const char *unit;
	const char *help;
	size_t offset;
	double scale;
};

#define METRIC(_name, _type, _unit, _field, _scale, _help)                                  \
	{                                                                                   \
		_name, _type, _unit, _help, offsetof(struct cache_snapshot, _field), _scale \
	}

static const struct metric metrics[] = {
	METRIC("max_bytes", "gauge", "bytes", max_bytes, 1, "Limit of idle bytes."),
	METRIC("max_entries", "gauge", "", max_entries, 1, "Limit of idle buffers."),
	METRIC("active_bytes", "gauge", "bytes", active_bytes, 1, "Mapped and in use."),
	METRIC("active_entries", "gauge", "", active_entries, 1, "Buffers in use."),
	METRIC("idle_bytes", "gauge", "bytes", idle_bytes, 1, "Mapped and not in use."),
	METRIC("idle_entries", "gauge", "", idle_entries, 1, "Buffers mapped and not in use."),
	METRIC("quarantined_bytes", "gauge", "bytes", quarantined_bytes, 1,
	       "Evicted and not yet unmapped."),
	METRIC("flips", "counter", "", flips, 1, "Framebuffers prepared for scanout."),
	METRIC("hits", "counter", "", hits, 1, "Buffers found mapped."),
	METRIC("misses", "counter", "", misses, 1, "Buffers not found mapped."),
	METRIC("inserts", "counter", "", inserts, 1, "Mappings made."),
	METRIC("evictions", "counter", "", evictions, 1, "Mappings ended by a limit or trim."),
	METRIC("evictions_age", "counter", "", evictions_age, 1, "Mappings ended by age."),
	METRIC("evictions_pressure", "counter", "", evictions_pressure, 1,
	       "Mappings ended because memory or address space was needed."),
	METRIC("invalidations", "counter", "", invalidations, 1,
	       "Mappings ended with their buffer."),
	METRIC("map_seconds", "counter", "seconds", map_ns, 1e-9, "Time spent mapping."),
	METRIC("unmap_seconds", "counter", "seconds", unmap_ns, 1e-9, "Time spent unmapping."),
};

int ctl_metrics(const struct ctl *ctl, int argc, char **argv)
{
	struct cache_snapshot snapshots[CTL_CACHES];
	struct cache caches[CTL_CACHES];
	int status = CTL_OK;
	unsigned int count;
	struct service service;

	if (!no_arguments(argc, argv))
		return CTL_USAGE;
	count = ctl_open_caches(ctl, caches);
	if (!count)
		return CTL_NO_CACHE;
	service.reached = ctl_connect(ctl, true, &service.bus);
	for (unsigned int i = 0; i < count && status == CTL_OK; i++)
		status = read_cache(&caches[i], &service, &snapshots[i]);
	sd_bus_flush_close_unref(service.bus);
	for (size_t m = 0; status == CTL_OK && m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		const struct metric *metric = &metrics[m];
		const char *name = metric->name;

		printf("# TYPE msm_scanout_cache_%s %s\n", name, metric->type);
		if (metric->unit[0])
			printf("# UNIT msm_scanout_cache_%s %s\n", name, metric->unit);
		printf("# HELP msm_scanout_cache_%s %s\n", name, metric->help);
		for (unsigned int i = 0; i < count; i++) {
			uint64_t value;

			memcpy(&value, (const char *)&snapshots[i] + metric->offset, sizeof(value));
			printf("msm_scanout_cache_%s%s{card=\"%s\"} ", name,
			       metric->type[0] == 'c' ? "_total" : "", caches[i].name);
			if (metric->scale < 1)
				printf("%.9f\n", (double)value * metric->scale);
			else
				printf("%" PRIu64 "\n", value);
		}
	}
	if (status == CTL_OK)
		puts("# EOF");
	ctl_close_caches(caches, count);
	return status;
}
