// SPDX-License-Identifier: MIT
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "complain.h"
#include "kernel_file.h"

/* Those who turn what root may turn, use up the memory, and watch. */

#define MEMORY_LEFT_BYTES (64ull << 20)
#define SWING_BYTES (96u << 20)
#define STATS_BYTES 16384

static void put(struct hostile *hostile, const char *path, uint64_t value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (dprintf(fd, "%" PRIu64 "\n", value) > 0)
		hostile_count(&hostile->shared->counters.knobs, 1);
	close(fd);
}

/* More often a sensible value than one of the extremes. */
static uint64_t limit(uint64_t *random, uint64_t usual)
{
	switch (hostile_below(random, 8)) {
	case 0:
		return 0;
	case 1:
		return usual / 64;
	default:
		return hostile_random(random) % (2 * usual);
	}
}

void hostile_turn_knobs(struct hostile *hostile, uint64_t seed)
{
	for (;;) {
		switch (hostile_below(&seed, hostile->has_cache ? 12 : 2)) {
		case 0:
			put(hostile, HOSTILE_DEBUG "/shrink", hostile_below(&seed, 4096));
			break;
		case 1:
			/* 4: without a line in the log */
			put(hostile, "/proc/sys/vm/drop_caches", 4 | (1 + hostile_below(&seed, 3)));
			break;
		case 2:
		case 3:
			put(hostile, HOSTILE_CACHE "/max_bytes", limit(&seed, 32 << 20));
			break;
		case 4:
		case 5:
			put(hostile, HOSTILE_CACHE "/max_entries", limit(&seed, 16));
			break;
		case 6:
			put(hostile, HOSTILE_CACHE "/idle_timeout_ms", limit(&seed, 500));
			break;
		case 7:
		case 8:
			put(hostile, HOSTILE_CACHE "/import_linger_ms", limit(&seed, 500));
			break;
		case 9:
		case 10:
			put(hostile, HOSTILE_CACHE "/trim", limit(&seed, 16 << 20));
			break;
		case 11:
			put(hostile, HOSTILE_DEBUG "/scanout_cache/drop", 1);
			break;
		}
		clock_sleep_ns(hostile_below(&seed, 60) * NS_PER_MS);
	}
}

static void touch(struct hostile *hostile, char *memory, size_t size_bytes)
{
	/* In one go: a fault for each page takes half a minute where KASAN looks at each */
	if (size_bytes && madvise(memory, size_bytes, MADV_POPULATE_WRITE))
		return;
	hostile_count(&hostile->shared->counters.pressure_bytes, size_bytes);
}

/* Nearly all memory, most of it for good, and the kernel has to take back pages for the rest. */
void hostile_press(struct hostile *hostile, uint64_t seed)
{
	uint64_t available_bytes;
	size_t base_bytes;
	char *memory;

	if (kernel_file_read_available_bytes(&available_bytes) ||
	    available_bytes < MEMORY_LEFT_BYTES + SWING_BYTES)
		return;
	base_bytes = (size_t)(available_bytes - MEMORY_LEFT_BYTES - SWING_BYTES) / 4096 * 4096;
	memory = mmap(NULL, base_bytes + SWING_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return;
	touch(hostile, memory, base_bytes);
	for (;;) {
		size_t swing_bytes = hostile_below(&seed, SWING_BYTES / 4096) * 4096ul;

		touch(hostile, memory + base_bytes, swing_bytes);
		clock_sleep_ns(hostile_below(&seed, 200) * NS_PER_MS);
		madvise(memory + base_bytes, SWING_BYTES, MADV_DONTNEED);
		clock_sleep_ns(hostile_below(&seed, 500) * NS_PER_MS);
	}
}

/* 0, or -1 after one line on stderr. */
static int read_stats(char *text, size_t size)
{
	int fd = open(HOSTILE_DEBUG "/scanout_cache/stats", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (length < 0)
		complain("%s: %s", HOSTILE_DEBUG "/scanout_cache/stats", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (length < 0)
		return -1;
	text[length] = '\0';
	return 0;
}

static bool value_of(const char *stats, const char *name, uint64_t *value)
{
	size_t length = strlen(name);

	for (const char *line = stats; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, length) && line[length] == ' ')
			return sscanf(line + length, "%" SCNu64, value) == 1;
		if (!*line)
			break;
	}
	return false;
}

/* debugfs stats is a snapshot, taken under the cache's lock: its figures belong together. */
void hostile_watch_bounds(struct hostile *hostile)
{
	struct hostile_counters *counters = &hostile->shared->counters;
	char stats[STATS_BYTES];
	uint64_t max_bytes, max_entries, idle_bytes, idle_entries, lingering, quarantined;

	for (;;) {
		clock_sleep_ns(3 * NS_PER_MS);
		if (read_stats(stats, sizeof(stats)))
			return;
		if (!value_of(stats, "max_bytes", &max_bytes) ||
		    !value_of(stats, "max_entries", &max_entries) ||
		    !value_of(stats, "idle_bytes", &idle_bytes) ||
		    !value_of(stats, "idle_entries", &idle_entries) ||
		    !value_of(stats, "lingering_entries", &lingering) ||
		    !value_of(stats, "quarantined_bytes", &quarantined)) {
			complain("%s: a figure is missing", HOSTILE_DEBUG "/scanout_cache/stats");
			return;
		}
		hostile_count(&counters->bound_samples, 1);
		hostile_peak(&counters->idle_bytes_peak, idle_bytes);
		hostile_peak(&counters->lingering_entries_peak, lingering);
		hostile_peak(&counters->quarantined_bytes_peak, quarantined);
		if (idle_bytes <= max_bytes && idle_entries <= max_entries)
			continue;
		if (!atomic_fetch_add(&counters->bound_violations, 1))
			complain("idle: %" PRIu64 " bytes in %" PRIu64 " buffers, limits %" PRIu64
				 " and %" PRIu64,
				 idle_bytes, idle_entries, max_bytes, max_entries);
	}
}
