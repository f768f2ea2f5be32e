/* SPDX-License-Identifier: MIT */
/* What the tests of robustness share: a tree of files, a page of faults, the service. */
#ifndef TEST_ROBUST_H
#define TEST_ROBUST_H

#include "cmocka_all.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "fake_sysfs.h"
#include "programs.h"
#include "test_robust_kernel.h"
#include "units.h"

/* Of the configuration that the tests write. */
#define FLOOR_BYTES (8 * MIB)
#define CEILING_BYTES (128 * MIB)
#define FLOOR_ENTRIES 32
#define CEILING_ENTRIES 256

static char root[64];
/* Of two cards: what is put is put into both, and what is read has to be the same of both. */
static char cache_dir[128], second_dir[128];
static char *const cache_dirs[] = { cache_dir, second_dir };
#define CACHES 2
static struct robust_page *page;
static pid_t service_pid;

static inline uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#define EVENTUALLY(_condition)                                     \
	do {                                                       \
		for (int _i = 0; _i < 1000 && !(_condition); _i++) \
			sleep_ms(20);                              \
		assert_true(_condition);                           \
	} while (0)

static inline void put_text(const char *name, const char *text, size_t length)
{
	for (unsigned int i = 0; i < CACHES; i++) {
		char path[256];
		int fd;

		snprintf(path, sizeof(path), "%s/%s", cache_dirs[i], name);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		assert_int_equal(pwrite(fd, text, length, 0), length);
		close(fd);
	}
}

/* A number as the kernel has it: there is never half of one. */
static inline void put_number(const char *name, uint64_t number)
{
	char text[ROBUST_NUMBER_BYTES + 1];

	snprintf(text, sizeof(text), ROBUST_NUMBER, number);
	put_text(name, text, ROBUST_NUMBER_BYTES);
}

/* Two buckets of a histogram, the others zero. */
static inline void put_histogram(const char *name, unsigned int buckets, unsigned int first,
				 uint64_t first_count, unsigned int second, uint64_t second_count)
{
	char text[1024] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < buckets; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%010" PRIu64,
					 i ? " " : "",
					 i == first  ? first_count :
					 i == second ? second_count :
						       0);
	text[used++] = '\n';
	put_text(name, text, used);
}

/* The number in a file of a cache; fails the test if it is anything else. */
static inline uint64_t limit_of(const char *dir, const char *name)
{
	char path[256], text[64] = "";
	ssize_t length;
	char *end;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(length > 1 && text[length - 1] == '\n');
	errno = 0;
	{
		uint64_t number = strtoull(text, &end, 10);

		assert_int_equal(errno, 0);
		assert_string_equal(end, "\n");
		return number;
	}
}

#define DIFFERENT UINT64_MAX

/* That of all caches, or DIFFERENT. */
static inline uint64_t limit(const char *name)
{
	uint64_t number = limit_of(cache_dirs[0], name);

	for (unsigned int i = 1; i < CACHES; i++)
		if (limit_of(cache_dirs[i], name) != number)
			return DIFFERENT;
	return number;
}

static inline void limits_are_within_range(void)
{
	for (unsigned int i = 0; i < CACHES; i++) {
		const char *dir = cache_dirs[i];

		assert_in_range(limit_of(dir, "max_bytes"), FLOOR_BYTES, CEILING_BYTES);
		assert_in_range(limit_of(dir, "max_entries"), FLOOR_ENTRIES, CEILING_ENTRIES);
	}
}

/* Flips that reuse buffers at a distance of 16 MiB, or of 96 MiB: what is wanted then. */
#define NEAR_BUCKET 16
#define FAR_BUCKET 27

/* What is wanted when so distant buffers are flipped to. */
static inline bool follows_now(unsigned int bucket)
{
	uint64_t bytes = limit("max_bytes");

	return bytes != DIFFERENT &&
	       (bucket == NEAR_BUCKET ? bytes <= 32 * MIB : bytes >= 96 * MIB);
}

/* More lookups at that distance, and flips. */
static inline void flip(unsigned int bucket)
{
	static uint64_t near, far;

	*(bucket == NEAR_BUCKET ? &near : &far) += 60;
	put_number("active_bytes", 8 * MIB);
	put_number("active_entries", 1);
	put_histogram("reuse_bytes", BYTES_BUCKETS, NEAR_BUCKET, near, FAR_BUCKET, far);
	put_histogram("reuse_depth", DEPTH_BUCKETS, 2, near, 7, far);
	put_number("flips", near + far);
}

/* @err is where its messages go, or -1 for where the test's go. */
static inline void start_service(const char *address, int err)
{
	service_pid = spawn_service(SCANOUTD, root, address, err);
}

static inline bool service_runs(void)
{
	if (service_pid && waitpid(service_pid, NULL, WNOHANG))
		service_pid = 0;
	return service_pid;
}

/* Returns its status, as waitpid() has it. */
static inline int stop_service(int signal)
{
	int status;

	kill(service_pid, signal);
	assert_int_equal(waitpid(service_pid, &status, 0), service_pid);
	service_pid = 0;
	return status;
}

static inline void make_tree(void)
{
	static const char *const folders[] = { "class",
					       "class/drm",
					       "class/drm/card0",
					       "class/drm/card0/device",
					       "class/drm/card0/device/scanout_cache",
					       "class/drm/card1",
					       "class/drm/card1/device",
					       "class/drm/card1/device/scanout_cache",
					       "etc" };
	char path[256];
	int fd;

	strcpy(root, "/tmp/scanout-robust-XXXXXX");
	assert_non_null(mkdtemp(root));
	chmod(root, 0755);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	for (unsigned int i = 0; i < CACHES; i++) {
		snprintf(cache_dirs[i], sizeof(cache_dir),
			 "%s/class/drm/card%u/device/scanout_cache", root, i);
		fake_fill(cache_dirs[i]);
	}
	flip(NEAR_BUCKET);
	put_number("max_bytes", CEILING_BYTES);
	put_number("max_entries", FLOOR_ENTRIES);
	put_number("generation", 0);
	fake_write(root, "etc/scanoutd.conf",
		   "[Poll]\nIntervalSec=100ms\nSlowIntervalSec=1\n"
		   "[Tuner]\nDecayPercent=10\n");

	snprintf(path, sizeof(path), "%s/page", root);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*page)), 0);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(page != MAP_FAILED);
	close(fd);
	setenv(ROBUST_PAGE, path, 1);
}

static inline void remove_tree(void)
{
	munmap(page, sizeof(*page));
	fake_remove(root);
}

#endif
