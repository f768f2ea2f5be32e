// SPDX-License-Identifier: MIT
/*
 * What the service costs while nothing changes: no allocation per poll, and next to no processor
 * time.  Runs the manager within the test, to count.
 */
#include "cmocka_all.h"

#include <inttypes.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <time.h>

#include "fake_sysfs.h"
#include "log.h"
#include "manager.h"

#define POLLS 200

#define CACHES 2

static char root[64], cache_dirs[CACHES][128];
static unsigned long allocations;

/* In place of the C library's, for all libraries. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	allocations++;
	return __libc_realloc(memory, size);
}

static int setup(void **state)
{
	char path[128];

	(void)state;
	strcpy(root, "/tmp/scanout-steady-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (unsigned int i = 0; i < CACHES; i++) {
		snprintf(cache_dirs[i], sizeof(cache_dirs[i]),
			 "%s/class/drm/card%u/device/scanout_cache", root, i);
		strcpy(path, cache_dirs[i]);
		for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
			*slash = '\0';
			mkdir(path, 0755);
			*slash = '/';
		}
		mkdir(path, 0755);
		fake_fill(cache_dirs[i]);
	}
	snprintf(path, sizeof(path), "%s/etc", root);
	mkdir(path, 0755);
	fake_write(root, "etc/scanoutd.conf", "[Poll]\nIntervalSec=100ms\nIdleAfter=1000\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_remove(root);
	return 0;
}

/* Four outputs at 60 Hz, in a second, of each cache. */
static void flip(unsigned int second)
{
	char text[32];

	snprintf(text, sizeof(text), "%u\n", 240 * second);
	for (unsigned int i = 0; i < CACHES; i++) {
		const char *dir = cache_dirs[i];

		fake_histogram(dir, "reuse_bytes", BYTES_BUCKETS, 26, 240 * second);
		fake_histogram(dir, "reuse_depth", DEPTH_BUCKETS, 6, 240 * second);
		fake_write(dir, "active_bytes", "33554432\n");
		fake_write(dir, "active_entries", "4\n");
		fake_write(dir, "flips", text);
	}
}

static uint64_t processor_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void a_steady_poll_allocates_nothing_and_costs_next_to_nothing(void **state)
{
	struct manager_options options = {
		.config_root = root,
		.sysfs_root = root,
		.bus_address = "none",
	};
	static struct manager manager;
	unsigned long allocated = 0;
	uint64_t spent_us = 0;
	sd_event *event;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(manager_start(&manager, event, &options), 0);
	for (unsigned int poll = 1; poll <= POLLS; poll++) {
		uint64_t wakeups = manager.wakeups, before_us;
		unsigned long before;

		flip(poll);
		before = allocations;
		before_us = processor_us();
		while (manager.wakeups == wakeups)
			assert_true(sd_event_run(event, 1000000) >= 0);
		/* By then it has shrunk to what is used. */
		if (poll > POLLS / 2) {
			allocated += allocations - before;
			spent_us += processor_us() - before_us;
		}
	}
	print_message("%" PRIu64 " us per poll\n", spent_us / (POLLS / 2));
	assert_int_equal(allocated, 0);
	/* 0.05 % of a core, with a poll a second. */
	assert_true(spent_us / (POLLS / 2) <= 500);
	manager_stop(&manager);
	sd_event_unref(event);
}

#define WITH_ROOT(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROOT(a_steady_poll_allocates_nothing_and_costs_next_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
