// SPDX-License-Identifier: MIT
/* scanoutctl: looks at, and steers, the cache of scanout mappings.  See scanoutctl(1). */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus.h"
#include "ctl.h"
#include "text.h"

/* What the bus and the service have for an answer, where nobody has to be asked first. */
#define ANSWER_US 1500000

static const char help[] =
	"usage: scanoutctl [OPTION]... COMMAND [ARGUMENT]...\n"
	"\n"
	"  status                            limits, use, and why they are as they are\n"
	"  top [SECONDS]                     the same, again and again; to a file, JSON lines\n"
	"  set NAME=VALUE...                 write max_bytes, max_entries, idle_timeout_ms or\n"
	"                                    import_linger_ms; scanoutd then leaves them alone\n"
	"  resume                            have scanoutd take over again\n"
	"  trim [BYTES]                      undo idle mappings until BYTES (0) are left\n"
	"  hold [--min-bytes=N] --reason=R -- COMMAND...\n"
	"                                    keep the cache that large while COMMAND runs\n"
	"  list-holds                        who holds what\n"
	"  record [--seconds=N] FILE         write what is flipped to FILE\n"
	"  replay [--policy=P] [--max-bytes=N] [--max-entries=N] [--svg=FILE] FILE\n"
	"                                    what would have happened to what was recorded\n"
	"  metrics                           all figures, in OpenMetrics text\n"
	"  doctor [--hardware]               what is missing, how to get it, or whether it works\n"
	"\n"
	"  -c, --cache=CARD       only this one, such as card0\n"
	"      --json=MODE        off, short or pretty\n"
	"      --sysfs-root=DIR   in place of /sys\n"
	"      --config-root=DIR  where doctor looks for configuration\n"
	"      --bus=ADDRESS      in place of the system's bus\n"
	"  -h, --help\n"
	"      --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage, 3 no cache, 4 scanoutd is not running,\n"
	"5 it does not answer.\n";

static const struct {
	const char *name;
	int (*run)(const struct ctl *ctl, int argc, char **argv);
} commands[] = {
	{ "status", ctl_status },	  { "top", ctl_top },	    { "set", ctl_set },
	{ "resume", ctl_resume },	  { "trim", ctl_trim },	    { "hold", ctl_hold },
	{ "list-holds", ctl_list_holds }, { "record", ctl_record }, { "replay", ctl_replay },
	{ "metrics", ctl_metrics },	  { "doctor", ctl_doctor },
};

void ctl_complain(const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_printable(text, sizeof(text), text);
	fprintf(stderr, "scanoutctl: %s\n", text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cache *)a)->name, ((const struct cache *)b)->name);
}

unsigned int ctl_open_caches(const struct ctl *ctl, struct cache caches[CTL_CACHES])
{
	unsigned int count = 0, failed = 0;
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/drm", ctl->sysfs_root);
	dir = opendir(path);
	while (dir && count < CTL_CACHES && (entry = readdir(dir))) {
		int ret;

		if (fnmatch("card[0-9]*", entry->d_name, 0) || strchr(entry->d_name, '-') ||
		    (ctl->cache_name && strcmp(ctl->cache_name, entry->d_name)))
			continue;
		if (snprintf(path, sizeof(path), "%s/class/drm/%s/device/scanout_cache",
			     ctl->sysfs_root, entry->d_name) >= (int)sizeof(path))
			continue;
		ret = cache_open(&caches[count], entry->d_name, path);
		if (ret == -EACCES)
			ret = cache_open_limits(&caches[count], entry->d_name, path);
		if (!ret)
			count++;
		else if (ret != -ENOENT && ++failed)
			ctl_complain("%s", caches[count].error);
	}
	if (dir)
		closedir(dir);
	qsort(caches, count, sizeof(*caches), by_name);
	if (!count && !failed)
		ctl_complain("%s%s has no scanout_cache directory; 'scanoutctl doctor' says why",
			     ctl->cache_name ? "DRM device " : "no DRM device",
			     ctl->cache_name ? ctl->cache_name : "");
	return count;
}

void ctl_close_caches(struct cache caches[CTL_CACHES], unsigned int count)
{
	while (count--)
		cache_close(&caches[count]);
}

int ctl_open_cache(const struct ctl *ctl, struct cache *cache)
{
	struct cache caches[CTL_CACHES];
	unsigned int count = ctl_open_caches(ctl, caches);

	if (!count)
		return CTL_NO_CACHE;
	if (count > 1) {
		ctl_complain("there are %u caches: say which, as in --cache=%s", count,
			     caches[0].name);
		ctl_close_caches(caches, count);
		return CTL_USAGE;
	}
	*cache = caches[0];
	return CTL_OK;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Begin to connect, which does not wait for the bus. */
static int start_bus(const struct ctl *ctl, sd_bus **bus)
{
	int ret;

	if (!ctl->bus_address[0])
		return sd_bus_open_system(bus);
	ret = sd_bus_new(bus);
	if (ret >= 0)
		ret = sd_bus_set_address(*bus, ctl->bus_address);
	if (ret >= 0)
		ret = sd_bus_set_bus_client(*bus, true);
	return ret < 0 ? ret : sd_bus_start(*bus);
}

/* Wait until the bus has said hello, as sd-bus itself would for 90 seconds. */
static int finish_bus(sd_bus *bus, uint64_t end_us)
{
	int ret = 0;

	while (ret >= 0 && sd_bus_is_ready(bus) <= 0) {
		uint64_t now = now_us();

		if (now >= end_us)
			return -ETIMEDOUT;
		ret = sd_bus_process(bus, NULL);
		if (!ret)
			ret = sd_bus_wait(bus, end_us - now);
	}
	return ret;
}

int ctl_absence(const sd_bus_error *error, int ret)
{
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		return CTL_NO_SERVICE;
	return ret == -ETIMEDOUT ? CTL_NO_ANSWER : CTL_FAILED;
}

/* Returns an exit status. */
static int find_service(sd_bus *bus, bool quiet)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int ret = sd_bus_call_method(bus, BUS_NAME, BUS_PATH, "org.freedesktop.DBus.Peer", "Ping",
				     &error, NULL, NULL);
	int status = ret < 0 ? ctl_absence(&error, ret) : CTL_OK;

	if (!quiet && status == CTL_NO_SERVICE)
		ctl_complain("scanoutd is not running; 'systemctl start scanoutd' starts it");
	else if (!quiet && status == CTL_NO_ANSWER)
		ctl_complain("scanoutd is on the bus, but does not answer; "
			     "'systemctl restart scanoutd' starts it anew");
	else if (!quiet && status)
		ctl_complain("scanoutd: %s", error.message ? error.message : strerror(-ret));
	sd_bus_error_free(&error);
	return status;
}

int ctl_connect(const struct ctl *ctl, bool quiet, sd_bus **bus)
{
	uint64_t end_us = now_us() + ANSWER_US, now;
	int ret, status;

	*bus = NULL;
	ret = start_bus(ctl, bus);
	if (ret >= 0)
		ret = finish_bus(*bus, end_us);
	if (ret < 0) {
		if (!quiet)
			ctl_complain("connecting to the bus: %s",
				     ret == -ETIMEDOUT ? "it does not answer" : strerror(-ret));
		status = ret == -ETIMEDOUT ? CTL_NO_ANSWER : CTL_NO_SERVICE;
	} else {
		now = now_us();
		sd_bus_set_method_call_timeout(*bus, now < end_us ? end_us - now : 1);
		status = find_service(*bus, quiet);
		sd_bus_set_method_call_timeout(*bus, ANSWER_US);
	}
	if (status)
		*bus = sd_bus_close_unref(*bus);
	return status;
}

enum { OPT_JSON = 256, OPT_SYSFS_ROOT, OPT_CONFIG_ROOT, OPT_BUS, OPT_VERSION };

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "cache", required_argument, NULL, 'c' },
		{ "json", required_argument, NULL, OPT_JSON },
		{ "sysfs-root", required_argument, NULL, OPT_SYSFS_ROOT },
		{ "config-root", required_argument, NULL, OPT_CONFIG_ROOT },
		{ "bus", required_argument, NULL, OPT_BUS },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ 0 },
	};
	struct ctl ctl = { .sysfs_root = "/sys", .bus_address = "", .config_root = "" };
	int option;

	while ((option = getopt_long(argc, argv, "+c:h", longs, NULL)) >= 0) {
		switch (option) {
		case 'c':
			ctl.cache_name = optarg;
			break;
		case OPT_JSON:
			if (!strcmp(optarg, "short")) {
				ctl.json = JSON_SHORT;
			} else if (!strcmp(optarg, "pretty")) {
				ctl.json = JSON_PRETTY;
			} else if (strcmp(optarg, "off")) {
				ctl_complain("--json=%s: accepted are off, short and pretty",
					     optarg);
				return CTL_USAGE;
			}
			break;
		case OPT_SYSFS_ROOT:
			ctl.sysfs_root = optarg;
			break;
		case OPT_CONFIG_ROOT:
			ctl.config_root = optarg;
			break;
		case OPT_BUS:
			ctl.bus_address = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return CTL_OK;
		case OPT_VERSION:
			puts("scanoutctl " SCANOUTD_VERSION);
			return CTL_OK;
		default:
			return CTL_USAGE;
		}
	}

	argc -= optind;
	argv += optind;
	/* The command's own options are parsed anew. */
	optind = 0;
	if (!argc) {
		char *status[] = { (char[]){ "status" }, NULL };

		return ctl_status(&ctl, 1, status);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[0]))
			return commands[i].run(&ctl, argc, argv);
	ctl_complain("'%s': there is no such command; try --help", argv[0]);
	return CTL_USAGE;
}
