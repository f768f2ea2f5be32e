/* SPDX-License-Identifier: MIT */
/* A directory that looks like the kernel's scanout_cache. */
#ifndef FAKE_SYSFS_H
#define FAKE_SYSFS_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "histogram.h"

static inline void fake_write(const char *dir, const char *name, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* Cut afterwards: who reads meanwhile shall not find it empty. */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    ftruncate(fd, (off_t)strlen(text)))
		abort();
	close(fd);
}

static inline void fake_histogram(const char *dir, const char *name, unsigned int buckets,
				  unsigned int bucket, unsigned int count)
{
	char text[2048] = "";

	for (unsigned int i = 0; i < buckets; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", i ? " " : "",
			 i == bucket ? count : 0);
	strcat(text, "\n");
	fake_write(dir, name, text);
}

/* @dir must exist. */
static inline void fake_fill(const char *dir)
{
	static const char *const zeroes[] = {
		"active_bytes",	     "active_entries", "idle_bytes",	"idle_entries",
		"quarantined_bytes", "flips",	       "hits",		"misses",
		"inserts",	     "evictions",      "evictions_age", "evictions_pressure",
		"invalidations",     "map_ns",	       "unmap_ns",	"generation",
	};

	for (size_t i = 0; i < sizeof(zeroes) / sizeof(zeroes[0]); i++)
		fake_write(dir, zeroes[i], "0\n");
	fake_write(dir, "max_bytes", "134217728\n");
	fake_write(dir, "max_entries", "32\n");
	fake_write(dir, "idle_timeout_ms", "10000\n");
	fake_write(dir, "import_linger_ms", "1000\n");
	fake_write(dir, "policy", "[lru]\n");
	fake_write(dir, "trim", "");
	fake_histogram(dir, "reuse_depth", DEPTH_BUCKETS, 0, 0);
	fake_histogram(dir, "reuse_bytes", BYTES_BUCKETS, 0, 0);
}

static inline int fake_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void fake_remove(const char *dir)
{
	nftw(dir, fake_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
