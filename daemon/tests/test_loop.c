// SPDX-License-Identifier: MIT
/*
 * The loop is closed: the service but for its bus sizes caches that behave as the kernel's do
 * (fake_cache.h), in a time of their own.  What counts is misses.
 */
#include "cmocka_all.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "fake_cache.h"
#include "fake_sysfs.h"
#include "manager.h"
#include "units.h"

#define PHONE_BYTES (UINT64_C(1080) * 2400 * 4)
#define FILM_BYTES (UINT64_C(1920) * 1088 * 3 / 2)
#define BUFFERS 64

static char root[64];
static uint64_t now_us;
static struct manager manager;
static sd_event *event;
static int memory;
static struct fake_cache cache, second_cache;

/* A phone's shell, triple-buffered at 120 Hz, and a film at 60 Hz. */
static struct fake_stream shell, film, other;
static bool two_outputs;

/* In place of the C library's, for the service. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	time->tv_sec = (time_t)(now_us / 1000000);
	time->tv_nsec = (long)(now_us % 1000000 * 1000);
	return 0;
}

/*
 * Memory pressure as poll() sees it: a terminal's master signals POLLPRI, too, when what was
 * written to it is discarded.
 */
static void begin_pressure(void)
{
	int master = sd_event_source_get_io_fd(manager.pressure_source), on = 1;

	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	memory = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(memory >= 0);
	assert_int_equal(ioctl(master, TIOCPKT, &on), 0);
}

static void memory_is_short(void)
{
	char status[256];

	assert_int_equal(tcflush(memory, TCIFLUSH), 0);
	assert_true(sd_event_run(event, 0) > 0);
	/* Seen. */
	assert_true(read(sd_event_source_get_io_fd(manager.pressure_source), status,
			 sizeof(status)) > 0);
	fake_cache_obey(&cache);
}

static int setup_with(const char *name, enum cache_policy policy)
{
	struct manager_options options = {
		.config_root = root,
		.sysfs_root = root,
		.bus_address = "none",
		.pressure_file = "/dev/ptmx",
	};

	strcpy(root, "/tmp/scanout-loop-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	now_us = 1000000;
	shell = (struct fake_stream){ .first = 0, .pool = 3, .bytes = PHONE_BYTES };
	film = (struct fake_stream){ .first = 8, .pool = 20, .bytes = FILM_BYTES };
	other = (struct fake_stream){ .first = 32, .pool = 3, .bytes = PHONE_BYTES };
	two_outputs = false;
	memset(&manager, 0, sizeof(manager));
	fake_cache_open(&cache, root, "card0", BUFFERS);
	fake_cache_open(&second_cache, root, "card1", BUFFERS);
	fake_cache_set_policy(&cache, name, policy);
	if (sd_event_new(&event) < 0 || manager_start(&manager, event, &options))
		return -1;
	begin_pressure();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with("[adaptive]\n", CACHE_POLICY_ADAPTIVE);
}

static int setup_lru(void **state)
{
	(void)state;
	return setup_with("[lru]\n", CACHE_POLICY_LRU);
}

static int teardown(void **state)
{
	(void)state;
	manager_stop(&manager);
	sd_event_unref(event);
	close(memory);
	fake_cache_close(&cache);
	fake_cache_close(&second_cache);
	fake_remove(root);
	return 0;
}

static void look(void)
{
	fake_cache_publish(&cache);
	fake_cache_publish(&second_cache);
	manager_reconsider(&manager);
	/* Time is ours. */
	sd_event_source_set_enabled(manager.poll_source, SD_EVENT_OFF);
	fake_cache_obey(&cache);
	fake_cache_obey(&second_cache);
}

/* For so many seconds, one after the other; returns the misses of the first cache. */
static uint64_t play(unsigned int seconds, bool with_shell, bool with_film)
{
	uint64_t before = cache.model.misses;

	while (seconds--) {
		for (unsigned int vblank = 0; vblank < 120; vblank++) {
			now_us += 8333;
			cache.model.now_us = second_cache.model.now_us = now_us;
			if (with_shell)
				fake_cache_flip(&cache, &shell);
			if (with_shell && two_outputs)
				fake_cache_flip(&cache, &other);
			if (with_film && vblank % 2)
				fake_cache_flip(&cache, &film);
		}
		model_expire(&cache.model);
		model_expire(&second_cache.model);
		look();
	}
	return cache.model.misses - before;
}

static void under_pressure_what_flips_need_is_not_missed(void **state)
{
	uint64_t misses = 0;

	(void)state;
	play(10, true, false);
	for (unsigned int i = 0; i < 30; i++) {
		memory_is_short();
		misses += play(2, true, false);
	}
	print_message("%" PRIu64 " misses in 7200 flips\n", misses);
	assert_int_equal(misses, 0);
	assert_true(cache.model.max_bytes >= 2 * PHONE_BYTES);
}

static void under_pressure_what_no_flip_needs_goes_soon(void **state)
{
	(void)state;
	play(10, true, true);
	/* It is paused, and so lingers. */
	play(3, true, false);
	assert_true(cache.model.idle.bytes >= 19 * FILM_BYTES + 2 * PHONE_BYTES);
	memory_is_short();
	/* Without a miss, and before its age ends it. */
	assert_int_equal(play(5, true, false), 0);
	assert_int_equal(cache.model.evictions_age, 0);
	assert_true(cache.model.idle.bytes <= 4 * PHONE_BYTES);
}

static void a_film_that_begins_under_pressure_gets_its_room(void **state)
{
	(void)state;
	play(10, true, false);
	memory_is_short();
	play(2, true, true);
	memory_is_short();
	assert_int_equal(play(10, true, true), 0);
}

static void a_trim_does_not_inflate_the_limit(void **state)
{
	uint64_t limit;

	(void)state;
	two_outputs = true;
	shell.pool = other.pool = 8;
	shell.bytes = other.bytes = 4 * MIB;
	play(30, true, false);
	limit = cache.model.max_bytes;
	assert_true(limit < 128 * MIB);
	model_trim(&cache.model, 0);
	play(30, true, false);
	assert_int_equal(cache.model.max_bytes, limit);
}

static void what_is_announced_for_ever_keeps_no_limit_up(void **state)
{
	const struct output_report report = {
		.name = "DSI-1",
		.event = EVENT_FULLSCREEN_VIDEO,
		.event_buffers = 20,
		.event_bytes = FILM_BYTES,
	};

	(void)state;
	play(10, true, true);
	assert_true(cache.model.max_bytes >= 19 * FILM_BYTES);
	for (unsigned int i = 0; i < 60; i++) {
		claims_report(&manager.claims, &manager.config, ":1.1", &report, 1, now_us / 1000);
		play(1, true, false);
	}
	assert_true(cache.model.max_bytes < 4 * PHONE_BYTES);
}

static void a_film_gets_room_and_gives_it_back(void **state)
{
	uint64_t limit;

	(void)state;
	play(30, true, false);
	limit = cache.model.max_bytes;
	assert_true(limit < 4 * PHONE_BYTES);
	/* Each of its buffers is new once, and comes too late for a second at most. */
	assert_in_range(play(5, true, true), film.pool, film.pool + 60 + 120);
	assert_int_equal(play(30, true, true), 0);
	assert_int_equal(play(30, true, false), 0);
	assert_true(cache.model.max_bytes < limit + 2 * FILM_BYTES);
}

static void of_two_caches_each_has_its_own_limit(void **state)
{
	uint64_t misses;

	(void)state;
	other.pool = 2;
	other.bytes = 4 * MIB;
	play(30, true, true);
	for (unsigned int i = 0; i < 30; i++) {
		for (unsigned int flip = 0; flip < 60; flip++)
			fake_cache_flip(&second_cache, &other);
		play(1, true, true);
	}
	assert_true(cache.model.max_bytes >= 2 * PHONE_BYTES + 19 * FILM_BYTES);
	assert_in_range(second_cache.model.max_bytes, 8 * MIB, 9 * MIB);
	misses = second_cache.model.misses;
	assert_int_equal(misses, other.pool);
	memory_is_short();
	assert_int_equal(play(5, true, true), 0);
}

#define WITH_SERVICE(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVICE(under_pressure_what_flips_need_is_not_missed),
		WITH_SERVICE(under_pressure_what_no_flip_needs_goes_soon),
		WITH_SERVICE(a_film_that_begins_under_pressure_gets_its_room),
		cmocka_unit_test_setup_teardown(a_trim_does_not_inflate_the_limit, setup_lru,
						teardown),
		WITH_SERVICE(what_is_announced_for_ever_keeps_no_limit_up),
		WITH_SERVICE(a_film_gets_room_and_gives_it_back),
		WITH_SERVICE(of_two_caches_each_has_its_own_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
