// SPDX-License-Identifier: MIT
/* doctor: goes through everything the cache and its service need, and says how to get it. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bus.h"
#include "config.h"
#include "ctl.h"
#include "text.h"
#include "units.h"

static unsigned int problems;

static void good(const char *what, const char *detail)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s%s", what, detail[0] ? ": " : "", detail);
	text_printable(text, sizeof(text), text);
	printf("ok       %s\n", text);
}

static void bad(const char *what, const char *remedy)
{
	char text[1024];

	problems++;
	text_printable(text, sizeof(text), what);
	printf("MISSING  %s\n         %s\n", text, remedy);
}

static unsigned int check_devices(const struct ctl *ctl)
{
	unsigned int cards = 0, found = 0;
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/drm", ctl->sysfs_root);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		struct cache_snapshot snapshot = { 0 };
		struct cache cache;
		char text[CTL_DEVICE_TEXT];
		int ret;

		if (fnmatch("card[0-9]*", entry->d_name, 0) || strchr(entry->d_name, '-'))
			continue;
		cards++;
		if (snprintf(path, sizeof(path), "%s/class/drm/%s/device/scanout_cache",
			     ctl->sysfs_root, entry->d_name) >= (int)sizeof(path) ||
		    access(path, F_OK))
			continue;
		found++;
		ret = cache_open(&cache, entry->d_name, path);
		if (!ret)
			ret = cache_read(&cache, &snapshot);
		else if (ret == -EACCES && !cache_open_limits(&cache, entry->d_name, path))
			ret = cache_read_limits(&cache, &snapshot);
		if (ret) {
			bad(cache.error, "the kernel's files are not those this version knows: "
					 "update both together");
			cache_close(&cache);
			continue;
		}
		ctl_describe_device(ctl, entry->d_name, text);
		good("scanout cache", text);
		if (!snapshot.max_bytes || !snapshot.max_entries)
			bad("the cache is switched off",
			    "'scanoutctl set max_bytes=128M max_entries=32' switches it on, "
			    "'scanoutctl resume' lets scanoutd size it");
		cache_close(&cache);
	}
	if (dir)
		closedir(dir);
	if (!cards)
		bad("there is no DRM device", "load the display driver: 'modprobe msm'");
	else if (!found)
		bad("no DRM device has a scanout cache",
		    "it takes msm, built with CONFIG_DRM_MSM_SCANOUT_CACHE=y, on a display "
		    "controller behind an IOMMU");
	return found;
}

static void check_service(const struct ctl *ctl)
{
	sd_bus *bus;
	int status = ctl_connect(ctl, true, &bus);

	if (!status)
		good("scanoutd", "running");
	else if (status == CTL_NO_ANSWER)
		bad("scanoutd, or the bus, does not answer",
		    "'systemctl status scanoutd' says what it does; 'systemctl restart scanoutd' "
		    "starts it anew");
	else
		bad("scanoutd is not running, or not on the bus",
		    "'systemctl start scanoutd'; 'journalctl -u scanoutd' says why it ended");
	sd_bus_flush_close_unref(bus);
}

static void complain_config(void *context, const char *text)
{
	(void)context;
	bad(text, "correct the line, then 'systemctl reload scanoutd'");
}

static void check_config(const struct ctl *ctl)
{
	struct config config = config_defaults;
	unsigned int before = problems;

	config_read(&config, ctl->config_root, complain_config, NULL);
	if (problems == before) {
		char text[UNITS_BYTES_TEXT], line[64];

		snprintf(line, sizeof(line), "budget %s, %s",
			 units_format_bytes(text, config.tuner.max_bytes),
			 config.enabled ? "tuning enabled" : "tuning disabled");
		good("configuration", line);
	}
}

static void check_rest(void)
{
	if (access("/proc/pressure/memory", F_OK))
		bad("no /proc/pressure/memory: scanoutd does not back off when memory is short",
		    "a kernel with CONFIG_PSI=y, and psi=1 on its command line if it is off by "
		    "default");
	else
		good("memory pressure", "/proc/pressure/memory");
	if (access("/sys/kernel/tracing/events/msm_scanout", F_OK))
		printf("note     no msm_scanout tracepoints visible: 'scanoutctl record' needs "
		       "them, and root\n");
	else
		good("tracepoints", "msm_scanout");
}

int ctl_doctor(const struct ctl *ctl, int argc, char **argv)
{
	struct utsname system;

	if (argc == 2 && !strcmp(argv[1], "--hardware"))
		return ctl_doctor_hardware(ctl);
	if (argc > 1) {
		ctl_complain("doctor takes no argument '%s', only --hardware", argv[1]);
		return CTL_USAGE;
	}
	if (!uname(&system))
		good("kernel", system.release);
	check_devices(ctl);
	check_config(ctl);
	check_service(ctl);
	check_rest();
	printf("%u problem%s\n", problems, problems == 1 ? "" : "s");
	return problems ? CTL_FAILED : CTL_OK;
}
