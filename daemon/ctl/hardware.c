// SPDX-License-Identifier: MIT
/* doctor --hardware: watches the cache at work on a machine that nobody has tried it on. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "text.h"
#include "units.h"

/* Long enough for a film to show all its buffers, and then once more. */
#define WATCH_S 10
#define SETTLE_S 1
/* Shorter, so that the unmap is not undone by the next flip. */
#define DROP_WAIT_MS 100

static unsigned int failures;

static void verdict(bool passed, const char *what, const char *detail)
{
	failures += !passed;
	printf("%-8s %s: %s\n", passed ? "ok" : "FAILED", what, detail);
}

static void wait_ms(unsigned int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* The driver of the IOMMU that the display is behind, which may be that of the device around it. */
static void show_iommu(const struct ctl *ctl, const char *card)
{
	static const char *const places[] = { "device", "device/.." };
	char path[PATH_MAX], target[PATH_MAX];

	for (unsigned int i = 0; i < 2; i++) {
		ssize_t length;

		snprintf(path, sizeof(path), "%s/class/drm/%s/%s/iommu", ctl->sysfs_root, card,
			 places[i]);
		length = readlink(path, target, sizeof(target) - 1);
		if (length > 0) {
			target[length] = '\0';
			text_printable(target, sizeof(target), target);
			printf("note     IOMMU: %s\n", strrchr(target, '/') ?: target);
			return;
		}
	}
	printf("note     IOMMU: not in sysfs\n");
}

/* Position after what the kernel has said so far, or -1 without the right to read it. */
static int open_kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Whether a line of the kernel's log is about what a mistake in the cache would cause. */
static bool is_complaint(const char *line)
{
	static const char *const signs[] = { "fault",	  "WARNING:", "BUG:",	       "underrun",
					     "underflow", "Oops",     "scanout cache:" };

	for (unsigned int i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strcasestr(line, signs[i]))
			return true;
	return false;
}

static void judge_kernel_log(int fd)
{
	char line[8192], detail[64];
	unsigned int found = 0;
	ssize_t length;

	if (fd < 0) {
		printf("note     kernel log: cannot be read, look at 'dmesg' yourself\n");
		return;
	}
	/* One record a read; -EPIPE if some were overwritten meanwhile. */
	while ((length = read(fd, line, sizeof(line) - 1)) > 0 || (length < 0 && errno == EPIPE)) {
		if (length < 0)
			continue;
		line[length] = '\0';
		if (is_complaint(line)) {
			found++;
			printf("         %s\n", strchr(line, ';') ?: line);
		}
	}
	close(fd);
	snprintf(detail, sizeof(detail), "%u lines about faults, underruns or warnings", found);
	verdict(!found, "kernel log", detail);
}

static bool watch(struct cache *cache, unsigned int for_s, struct cache_snapshot *first,
		  struct cache_snapshot *last)
{
	if (cache_read(cache, first))
		return false;
	wait_ms(for_s * 1000);
	return !cache_read(cache, last);
}

static uint64_t mean(uint64_t sum, uint64_t count)
{
	return count ? sum / count : 0;
}

/* What was shown before is mapped: the second half of the time must find everything. */
static bool judge_flips(struct cache *cache, unsigned int for_s)
{
	struct cache_snapshot a, b, c;
	char detail[160];

	if (!watch(cache, for_s / 2, &a, &b) || !watch(cache, for_s - for_s / 2, &b, &c))
		return false;
	snprintf(detail, sizeof(detail), "%" PRIu64 " in %u s", c.flips - a.flips, for_s);
	if (c.flips == a.flips) {
		verdict(false, "flips", "none; play a film, or move a window, and start again");
		return true;
	}
	verdict(true, "flips", detail);
	snprintf(detail, sizeof(detail),
		 "%" PRIu64 " hits and %" PRIu64 " misses in the second half of that time",
		 c.hits - b.hits, c.misses - b.misses);
	verdict(c.misses - b.misses <= (c.flips - b.flips) / 100, "lookups", detail);
	if (c.inserts > a.inserts)
		printf("note     a map took %" PRIu64 " us on average, of %" PRIu64 "\n",
		       mean(c.map_ns - a.map_ns, c.inserts - a.inserts) / 1000,
		       c.inserts - a.inserts);
	verdict(c.idle_bytes <= c.max_bytes && c.idle_entries <= c.max_entries, "bounds",
		"what is idle is within the limits");
	return true;
}

/* What no emulation can tell: how long it takes here. */
static bool time_unmaps(struct cache *cache)
{
	struct cache_snapshot before, after;
	char bytes[UNITS_BYTES_TEXT];

	if (cache_read(cache, &before) || cache_trim(cache, 0))
		return false;
	wait_ms(DROP_WAIT_MS);
	if (cache_read(cache, &after))
		return false;
	if (after.evictions == before.evictions)
		printf("note     nothing was idle that could be unmapped\n");
	else
		printf("note     unmapping %" PRIu64 " buffers, %s, took %" PRIu64 " us in all\n",
		       after.evictions - before.evictions,
		       units_format_bytes(bytes, before.idle_bytes),
		       (after.unmap_ns - before.unmap_ns) / 1000);
	return true;
}

int ctl_doctor_hardware(const struct ctl *ctl)
{
	char text[CTL_DEVICE_TEXT];
	struct cache cache;
	int status, log;
	bool read;

	failures = 0;
	status = ctl_open_cache(ctl, &cache);
	if (status != CTL_OK)
		return status;
	ctl_describe_device(ctl, cache.name, text);
	printf("note     watching %s for %u s\n", text, WATCH_S);
	show_iommu(ctl, cache.name);
	fflush(stdout);
	log = open_kernel_log();
	read = judge_flips(&cache, WATCH_S) && time_unmaps(&cache);
	if (read)
		wait_ms(SETTLE_S * 1000);
	else
		verdict(false, "sysfs", cache.error);
	judge_kernel_log(log);
	cache_close(&cache);
	printf("%u problem%s; whether the picture was right, only you can tell\n", failures,
	       failures == 1 ? "" : "s");
	return failures ? CTL_FAILED : CTL_OK;
}
