// SPDX-License-Identifier: MIT
/*
 * The example for compositors built with wlroots, without a display.
 */
#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_client_bus.h"

#define OUTPUT "HEADLESS-1"
#define FRAMES 240

static struct test_bus bus;

static int setup(void **state)
{
	(void)state;
	alarm(120);
	test_bus_start(&bus);
	test_service_start(&bus);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.dbus.address, 1);
	setenv("XDG_RUNTIME_DIR", bus.folder, 1);
	setenv("WLR_BACKENDS", "headless", 1);
	setenv("WLR_RENDERER", "pixman", 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_bus_stop(&bus);
	alarm(0);
	return 0;
}

static void every_frame_of_it_is_reported(void **state)
{
	char frames[16];
	char *argv[] = { EXAMPLE, frames, NULL };
	const struct told_output *told;
	int status;

	(void)state;
	snprintf(frames, sizeof(frames), "%d", FRAMES);
	assert_int_equal(waitpid(spawn(argv, -1, -1), &status, 0) > 0, 1);
	assert_int_equal(status, 0);
	told = test_told(&bus, OUTPUT);
	assert_int_equal(bus.told->malformed, 0);
	assert_true(told->reports >= 2);
	/* It was switched on; when it went, so did the one who could have said so. */
	assert_int_equal(told->events, 1);
	/* It ends without telling of the last second. */
	assert_in_range(told->flips, FRAMES / 4, FRAMES + 2);
	assert_true(told->flips / told->reports <= 2 * 60);
	assert_in_range(told->refresh_mhz, 50000, 70000);
}

#define WITH_BUS(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BUS(every_frame_of_it_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
