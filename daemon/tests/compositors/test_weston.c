// SPDX-License-Identifier: MIT
/*
 * The module in a real Weston, without a display: what it reports is compared with what Weston
 * itself writes about its repaints.
 */
#include "cmocka_all.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "bus.h"
#include "test_client_bus.h"

/* What meson reports as skipped. */
#define SKIPPED 77
/* For what happens within a second on a machine that is not busy. */
#define PATIENCE_MS 20000
#define OUTPUT "headless"

static struct test_bus bus;
static pid_t weston, client;
static char log_path[128];

#define EVENTUALLY(_condition)                                                 \
	do {                                                                   \
		for (int _i = 0; _i < PATIENCE_MS / 20 && !(_condition); _i++) \
			sleep_ms(20);                                          \
		assert_true(_condition);                                       \
	} while (0)

/* How often Weston's log has that text. */
static unsigned int logged(const char *text)
{
	unsigned int count = 0;
	char line[1024];
	FILE *file = fopen(log_path, "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

/*
 * Flips by Weston's own account, reckoned in another way than the module does: repaints that were
 * posted, less the last if it was not finished.
 */
static unsigned int flips_logged(void)
{
	unsigned int flips = 0;
	bool posted = false;
	char line[1024];
	FILE *file = fopen(log_path, "re");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strstr(line, "\"core_repaint_posted\""))
			posted = true;
		if (strstr(line, "\"core_repaint_finished\"")) {
			flips += posted;
			posted = false;
		}
	}
	fclose(file);
	return flips;
}

static void start_weston(const char *idle)
{
	char log_option[160], config_option[160], idle_option[64], path[128];
	char *argv[] = { WESTON,
			 "--backend=headless-backend.so",
			 config_option,
			 "--socket=scanout-test",
			 "--modules=" MODULE,
			 "--logger-scopes=log,timeline",
			 log_option,
			 idle_option,
			 NULL };

	FILE *config;

	/* The panel has a clock, which flips when nobody expects it. */
	snprintf(path, sizeof(path), "%s/weston.ini", bus.folder);
	config = fopen(path, "we");
	assert_non_null(config);
	fputs("[shell]\npanel-position=none\n", config);
	fclose(config);
	snprintf(config_option, sizeof(config_option), "--config=%s", path);
	snprintf(log_path, sizeof(log_path), "%s/weston.log", bus.folder);
	snprintf(log_option, sizeof(log_option), "--log=%s", log_path);
	snprintf(idle_option, sizeof(idle_option), "--idle-time=%s", idle);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.dbus.address, 1);
	setenv("XDG_RUNTIME_DIR", bus.folder, 1);
	setenv("WAYLAND_DISPLAY", "scanout-test", 1);
	/* A module with sanitizers in a program without them; its leaks are not ours. */
	if (PRELOAD[0]) {
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		setenv("LD_PRELOAD", PRELOAD, 1);
	}
	weston = spawn(argv, -1, -1);
	unsetenv("LD_PRELOAD");
}

static void start_client(void)
{
	char *argv[] = { WESTON_SIMPLE_SHM, NULL };
	char path[128];

	snprintf(path, sizeof(path), "%s/scanout-test", bus.folder);
	EVENTUALLY(!access(path, F_OK));
	client = spawn(argv, -1, -1);
}

static void stop_client(void)
{
	end_program(client, SIGTERM);
	client = 0;
}

static int stop_weston(void)
{
	int status;

	kill(weston, SIGTERM);
	waitpid(weston, &status, 0);
	weston = 0;
	return status;
}

static int setup(void **state)
{
	(void)state;
	alarm(120);
	test_bus_start(&bus);
	test_service_start(&bus);
	return 0;
}

static int teardown(void **state)
{
	static const char *const left[] = { "weston.log",	 "weston.ini", "scanout-test",
					    "scanout-test.lock", "class/drm",  "class" };
	char path[128];

	(void)state;
	stop_client();
	end_program(weston, SIGKILL);
	weston = 0;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", bus.folder, left[i]);
		remove(path);
	}
	test_bus_stop(&bus);
	alarm(0);
	return 0;
}

static const struct told_output *told(void)
{
	return test_told(&bus, OUTPUT);
}

static void a_new_output_is_announced_with_the_size_of_its_buffers(void **state)
{
	(void)state;
	start_weston("0");
	EVENTUALLY(bus.told->reports > 0);
	assert_string_equal(told()->event, "output-added");
	assert_int_equal(told()->event_buffers, 3);
	/* 1024 by 640, as headless outputs are unless told otherwise. */
	assert_int_equal(told()->event_bytes, 1024 * 640 * 4);
	assert_int_equal(told()->refresh_mhz, 60000);
}

static void flips_are_those_that_weston_counts(void **state)
{
	char last[128];
	unsigned int flips;

	(void)state;
	start_weston("0");
	EVENTUALLY(bus.told->reports > 0);
	start_client();
	EVENTUALLY(told()->reports >= 6);
	/* A frame takes 16 ms there, and up to as much until it begins. */
	assert_in_range(told()->flips / told()->reports, 5, 61);
	stop_client();
	assert_int_equal(stop_weston(), 0);
	/* Weston's words in its log, counted twice: by the module and here. */
	flips = flips_logged();
	assert_true(flips > 60);
	snprintf(last, sizeof(last), "scanout-report: %u flips, ", flips);
	assert_int_equal(logged(last), 1);
	/* All but those of the last second have been told. */
	assert_in_range(told()->flips, flips - 70, flips);
	assert_int_equal(bus.told->malformed, 0);
}

/* The shell's background fills the output, but its buffers cannot be scanned out. */
static void a_client_with_shared_memory_is_no_video(void **state)
{
	(void)state;
	start_weston("0");
	EVENTUALLY(bus.told->reports > 0);
	start_client();
	EVENTUALLY(told()->reports >= 8);
	assert_int_equal(told()->events, 1);
}

static void nothing_is_reported_while_nothing_flips(void **state)
{
	unsigned int reports;

	(void)state;
	start_weston("0");
	start_client();
	EVENTUALLY(told()->flips > 0);
	stop_client();
	sleep_ms(2500);
	reports = bus.told->reports;
	sleep_ms(3000);
	assert_int_equal(bus.told->reports, reports);
}

static void a_stopped_bus_does_not_stop_frames(void **state)
{
	unsigned int before;

	(void)state;
	start_weston("0");
	start_client();
	EVENTUALLY(told()->flips > 0);
	kill(bus.dbus.pid, SIGSTOP);
	before = flips_logged();
	EVENTUALLY(flips_logged() > before + 120);
	kill(bus.dbus.pid, SIGCONT);
	before = bus.told->reports;
	EVENTUALLY(bus.told->reports > before);
	stop_client();
	assert_int_equal(stop_weston(), 0);
}

static void weston_starts_and_ends_without_a_bus(void **state)
{
	(void)state;
	test_service_kill(&bus);
	test_bus_kill(&bus);
	start_weston("0");
	EVENTUALLY(logged("core_repaint_finished") > 0);
	start_client();
	EVENTUALLY(flips_logged() > 60);
	stop_client();
	assert_int_equal(stop_weston(), 0);
	assert_int_equal(logged("last problem: connecting to the bus"), 1);
}

static void a_screen_that_goes_dark_is_announced(void **state)
{
	(void)state;
	start_weston("1");
	EVENTUALLY(!strcmp(told()->event, "output-off"));
	assert_int_equal(stop_weston(), 0);
}

/* The service itself, rather than what stands in for it. */
static void scanoutd_takes_the_reports(void **state)
{
	static const char *const tree[] = { "class", "class/drm" };
	char path[128];
	sd_bus *reader;
	uint64_t flips = 0;
	pid_t service;

	(void)state;
	test_service_kill(&bus);
	for (size_t i = 0; i < sizeof(tree) / sizeof(tree[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", bus.folder, tree[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	service = spawn_service(SCANOUTD, bus.folder, bus.dbus.address, -1);
	start_weston("0");
	start_client();
	reader = connect_client(&bus.dbus);
	for (int i = 0; i < PATIENCE_MS / 100 && !flips; i++) {
		sd_bus_message *reply = NULL;
		const char *name;
		uint32_t refresh_mhz = 0;

		sleep_ms(100);
		if (sd_bus_get_property(reader, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
					"Outputs", NULL, &reply, "a(suttuut)") < 0)
			continue;
		sd_bus_message_enter_container(reply, 'a', "(suttuut)");
		if (sd_bus_message_enter_container(reply, 'r', "suttuut") > 0 &&
		    sd_bus_message_read(reply, "sut", &name, &refresh_mhz, &flips) > 0) {
			assert_string_equal(name, OUTPUT);
			assert_int_equal(refresh_mhz, 60000);
		}
		sd_bus_message_unref(reply);
	}
	sd_bus_flush_close_unref(reader);
	end_program(service, SIGTERM);
	assert_in_range(flips, 1, 100);
}

#define WITH_BUS(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BUS(a_new_output_is_announced_with_the_size_of_its_buffers),
		WITH_BUS(flips_are_those_that_weston_counts),
		WITH_BUS(a_client_with_shared_memory_is_no_video),
		WITH_BUS(nothing_is_reported_while_nothing_flips),
		WITH_BUS(a_stopped_bus_does_not_stop_frames),
		WITH_BUS(weston_starts_and_ends_without_a_bus),
		WITH_BUS(a_screen_that_goes_dark_is_announced),
		WITH_BUS(scanoutd_takes_the_reports),
	};

	if (access(WESTON, X_OK) || access(WESTON_SIMPLE_SHM, X_OK)) {
		printf("skipped: neither Weston nor weston-simple-shm was there to build against; "
		       "Debian's package is weston\n");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
