/* SPDX-License-Identifier: MIT */
/*
 * One cache of scanout mappings, as the kernel shows it in a directory of sysfs
 * (kernel/ABI/sysfs-driver-msm-scanout-cache).  Reads snapshots, writes limits.
 *
 * No policy, no event loop.  After cache_open() nothing here allocates.
 */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

/* Policies of the file 'policy', as bits. */
enum cache_policy {
	CACHE_POLICY_LRU = 1 << 0,
	CACHE_POLICY_ADAPTIVE = 1 << 1,
};

/* Limits that can be written. */
enum cache_limit {
	CACHE_MAX_BYTES,
	CACHE_MAX_ENTRIES,
	CACHE_IDLE_TIMEOUT_MS,
	CACHE_IMPORT_LINGER_MS,
	CACHE_LIMITS,
};

/* Some of them, to be written together. */
struct cache_limits {
	bool given[CACHE_LIMITS];
	uint64_t values[CACHE_LIMITS];
};

/* Everything the kernel says, in the order in which it is read. */
struct cache_snapshot {
	/* Writes to limits so far, by anybody; read first, so that it is never ahead. */
	uint64_t generation;

	/* limits in force */
	uint64_t max_bytes;
	uint64_t max_entries;
	uint64_t idle_timeout_ms;
	uint64_t import_linger_ms;
	unsigned int policies; /* those the kernel offers */
	unsigned int policy;	 /* the current one */

	/* gauges */
	uint64_t active_bytes;
	uint64_t active_entries;
	uint64_t idle_bytes;
	uint64_t idle_entries;
	uint64_t quarantined_bytes;

	/* counters, which never go back while the driver lives */
	uint64_t flips;
	uint64_t hits;
	uint64_t misses;
	uint64_t inserts;
	uint64_t evictions;
	uint64_t evictions_age;
	uint64_t evictions_pressure;
	uint64_t invalidations;
	uint64_t map_ns;
	uint64_t unmap_ns;
	struct histograms reuse;
};

/* Number of files read for a snapshot. */
#define CACHE_FILES 24

struct cache {
	/* "card0"; what people call it */
	char name[32];
	/* of the directory, for messages */
	char path[256];
	int dir_fd;
	/* open as long as the cache is, by index into the table in cache.c; -1 if not */
	int fds[CACHE_FILES];
	/* All there is to read is generation and limits. */
	bool limits_only;
	/* One sentence on what went wrong last: file, value, what is accepted. */
	char error[512];
};

/*
 * Open the directory @path.  Returns 0 or a negative error, explained in @cache->error: -ENOENT if
 * it is not there, -ENOTSUP if it is but lacks a file, as that of another version of the kernel.
 */
int cache_open(struct cache *cache, const char *name, const char *path);

/* Generation and limits only, which everybody may read: for cache_read_limits(). */
int cache_open_limits(struct cache *cache, const char *name, const char *path);
void cache_close(struct cache *cache);

/*
 * Read everything.  -ENODEV if the cache is gone; other errors may pass.  @snapshot is only changed
 * if all of it could be read.
 */
int cache_read(struct cache *cache, struct cache_snapshot *snapshot);

/*
 * Read only the number of flips.  From then on the kernel signals POLLPRI on cache_flips_fd() at
 * the next flip.
 */
int cache_read_flips(struct cache *cache, uint64_t *flips);
int cache_flips_fd(const struct cache *cache);

/* Signals POLLPRI when a limit was written; read with cache_read(). */
int cache_generation_fd(const struct cache *cache);

/* Read generation and limits only; the rest of @snapshot stays as it is. */
int cache_read_limits(struct cache *cache, struct cache_snapshot *snapshot);

/*
 * The figures that are one number, by the names of their files, for those who may not read them:
 * the next after @i, which begins with 0; 0 after the last.
 */
unsigned int cache_next_figure(unsigned int i);
const char *cache_figure_name(unsigned int i);
uint64_t cache_figure(const struct cache_snapshot *snapshot, unsigned int i);
/* Ignores what this program has not heard of. */
void cache_set_figure(struct cache_snapshot *snapshot, const char *name, uint64_t value);

/* Read one limit, to see whether it is still what is expected. */
int cache_read_limit(struct cache *cache, enum cache_limit limit, uint64_t *value);

/* Write one.  The kernel's own answer: -EINVAL, -ERANGE, -EACCES, -EROFS, -ENODEV ... */
int cache_write_limit(struct cache *cache, enum cache_limit limit, uint64_t value);

/* Write those given: all of them, or, where one fails, none.  Each is known to be in its range. */
int cache_write_limits(struct cache *cache, const struct cache_limits *limits);

/* Have idle mappings undone until @idle_bytes are left, without changing a limit. */
int cache_trim(struct cache *cache, uint64_t idle_bytes);

const char *cache_limit_name(enum cache_limit limit);

/* CACHE_LIMITS if there is none of that name. */
enum cache_limit cache_limit_find(const char *name);

/* The kernel's range, to check before anything is written; and the same in words. */
bool cache_limit_in_range(enum cache_limit limit, uint64_t value);
const char *cache_limit_range(enum cache_limit limit);
#define CACHE_LIMIT_NAMES "max_bytes, max_entries, idle_timeout_ms and import_linger_ms"
const char *cache_policy_name(enum cache_policy policy);

/* True if a counter went back between the two: the driver was loaded anew. */
bool cache_counters_went_back(const struct cache_snapshot *before,
			      const struct cache_snapshot *after);

/* Has the device gone, rather than a read failed? */
bool cache_error_is_gone(int error);

#endif
