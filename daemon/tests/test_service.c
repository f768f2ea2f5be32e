// SPDX-License-Identifier: MIT
/*
 * The service as it is run, on a bus and a tree of files of its own: what it does to limits, and
 * what clients can and cannot make it do.
 */
#include "cmocka_all.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <systemd/sd-bus.h>

#include "bus.h"
#include "fake_sysfs.h"
#include "programs.h"
#include "units.h"

/* What is said of "the" limit or state in a test is so of each of these. */
#define CARDS 2
static const struct {
	const char *card;
	const char *output;
} cards[CARDS] = { { "card0", "DSI-1" }, { "card1", "HDMI-A-1" } };

static char root[64];
static char cache_dirs[CARDS][128];
static struct bus_daemon dbus;
static pid_t service_pid;
static unsigned int flips;

static void make_folder(const char *format, const char *card, const char *output)
{
	char path[256];
	int length = snprintf(path, sizeof(path), "%s/class/drm/", root);

	snprintf(path + length, sizeof(path) - (size_t)length, format, card, output);
	mkdir(path, 0755);
}

static void make_tree(unsigned int i)
{
	const char *card = cards[i].card;

	make_folder("%s", card, "");
	make_folder("%s/device", card, "");
	make_folder("%s/device/scanout_cache", card, "");
	make_folder("%s-%s", card, cards[i].output);
	snprintf(cache_dirs[i], sizeof(cache_dirs[i]), "%s/class/drm/%s/device/scanout_cache", root,
		 card);
	fake_fill(cache_dirs[i]);
}

static void start_service(void)
{
	service_pid = spawn_service(SCANOUTD, root, dbus.address, -1);
}

static int stop_service(int signal)
{
	int status;

	kill(service_pid, signal);
	waitpid(service_pid, &status, 0);
	service_pid = 0;
	return status;
}

static int call(sd_bus *bus, const char *method, sd_bus_error *error, sd_bus_message **reply,
		const char *types, ...)
{
	va_list args;
	int ret;

	va_start(args, types);
	ret = sd_bus_call_methodv(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, method, error,
				  reply, types, args);
	va_end(args);
	return ret;
}

static uint64_t property_of(unsigned int i, sd_bus *bus, const char *name)
{
	uint64_t value = 0;
	char path[64];

	snprintf(path, sizeof(path), BUS_CACHES_PATH "/%s", cards[i].card);
	sd_bus_get_property_trivial(bus, BUS_NAME, path, BUS_CACHE_INTERFACE, name, NULL, 't',
				    &value);
	return value;
}

/* A number that nothing is, if it is not the same of all. */
static uint64_t common(const uint64_t values[CARDS])
{
	for (unsigned int i = 1; i < CARDS; i++)
		if (values[i] != values[0])
			return UINT64_MAX;
	return values[0];
}

static uint64_t property(sd_bus *bus, const char *name)
{
	uint64_t values[CARDS];

	for (unsigned int i = 0; i < CARDS; i++)
		values[i] = property_of(i, bus, name);
	return common(values);
}

static bool state_of_is(unsigned int i, sd_bus *bus, const char *name, const char *expected)
{
	char *value = NULL, path[64];
	bool same;

	snprintf(path, sizeof(path), BUS_CACHES_PATH "/%s", cards[i].card);
	sd_bus_get_property_string(bus, BUS_NAME, path, BUS_CACHE_INTERFACE, name, NULL, &value);
	same = value && !strcmp(value, expected);
	free(value);
	return same;
}

static bool state_is(sd_bus *bus, const char *name, const char *expected)
{
	bool same = true;

	for (unsigned int i = 0; i < CARDS; i++)
		same = same && state_of_is(i, bus, name, expected);
	return same;
}

static void read_text(unsigned int i, const char *name, char text[64])
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", cache_dirs[i], name);
	file = fopen(path, "re");
	assert_non_null(file);
	if (!fgets(text, 64, file))
		text[0] = '\0';
	fclose(file);
}

static uint64_t limit_of(unsigned int i, const char *name)
{
	char text[64];

	read_text(i, name, text);
	return strtoull(text, NULL, 10);
}

static uint64_t limit(const char *name)
{
	uint64_t values[CARDS];

	for (unsigned int i = 0; i < CARDS; i++)
		values[i] = limit_of(i, name);
	return common(values);
}

#define EVENTUALLY(_condition)                                    \
	do {                                                      \
		for (int _i = 0; _i < 100 && !(_condition); _i++) \
			sleep_ms(50);                             \
		assert_true(_condition);                          \
	} while (0)

static void write_number_of(unsigned int i, const char *name, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 "\n", number);
	fake_write(cache_dirs[i], name, text);
}

static void write_number(const char *name, uint64_t number)
{
	for (unsigned int i = 0; i < CARDS; i++)
		write_number_of(i, name, number);
}

/* With a line more in its first section. */
static void configure(const char *line)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "[Tuner]\n%s\n"
		 "[Poll]\nIntervalSec=100ms\nSlowIntervalSec=1\n[Bus]\nEventSec=2\nReportSec=3\n",
		 line);
	fake_write(root, "etc/scanoutd.conf", text);
}

static void reload_with(const char *line)
{
	configure(line);
	kill(service_pid, SIGHUP);
}

static int setup(void **state)
{
	char path[128];

	(void)state;
	strcpy(root, "/tmp/scanout-service-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	chmod(root, 0755);
	snprintf(path, sizeof(path), "%s/class", root);
	mkdir(path, 0755);
	strcat(path, "/drm");
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/etc", root);
	mkdir(path, 0755);
	for (unsigned int i = 0; i < CARDS; i++)
		make_tree(i);
	/* As systemd does it: a folder that outlives the service. */
	snprintf(path, sizeof(path), "%s/run", root);
	mkdir(path, 0755);
	setenv("RUNTIME_DIRECTORY", path, 1);
	configure("");
	flips = 0;
	start_bus(&dbus, root);
	start_service();
	{
		sd_bus *bus = connect_client(&dbus);

		EVENTUALLY(property(bus, "MaxBytes") == 128 * MIB);
		sd_bus_flush_close_unref(bus);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (service_pid)
		assert_int_equal(stop_service(SIGTERM), 0);
	stop_bus(&dbus, SIGTERM);
	fake_remove(root);
	return 0;
}

static void flip_once(unsigned int i, unsigned int bytes_bucket, unsigned int depth_bucket,
		      unsigned int total)
{
	fake_histogram(cache_dirs[i], "reuse_bytes", BYTES_BUCKETS, bytes_bucket, total);
	fake_histogram(cache_dirs[i], "reuse_depth", DEPTH_BUCKETS, depth_bucket, total);
	write_number_of(i, "flips", flips);
}

/* A desktop's flips, all within 16 MiB, for a while. */
static void flip_at(unsigned int ms, unsigned int bytes_bucket, unsigned int depth_bucket)
{
	static unsigned int total;

	write_number("active_bytes", 8 * MIB);
	write_number("active_entries", 1);
	for (unsigned int i = 0; i < ms / 100; i++) {
		total += 60;
		flips += 60;
		for (unsigned int j = 0; j < CARDS; j++)
			flip_once(j, bytes_bucket, depth_bucket, total);
		sleep_ms(100);
	}
	total = 0;
}

/* Two buffers of 8 MiB are idle at a time. */
static void flip_for(unsigned int ms)
{
	flip_at(ms, histogram_bytes_bucket(16 * MIB), histogram_depth_bucket(2));
}

static void shrinks_to_what_is_reused_and_says_so(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	EVENTUALLY(property(bus, "MaxBytes") == 24 * MIB);
	assert_true(state_is(bus, "State", "tuning"));
	sd_bus_flush_close_unref(bus);
}

static void leaves_the_whole_budget_behind(void **state)
{
	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	assert_int_equal(stop_service(SIGTERM), 0);
	assert_int_equal(limit("max_bytes"), 128 * MIB);
}

static void a_kill_leaves_a_valid_bound_to_resume_from(void **state)
{
	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	stop_service(SIGKILL);
	assert_int_equal(limit("max_bytes"), 24 * MIB);
	start_service();
	{
		sd_bus *bus = connect_client(&dbus);

		EVENTUALLY(property(bus, "MaxBytes") == 24 * MIB);
		assert_true(state_is(bus, "State", "tuning"));
		sd_bus_flush_close_unref(bus);
	}
}

static void a_foreign_write_makes_it_stand_down_until_resumed(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	sd_bus_error error = SD_BUS_ERROR_NULL;

	(void)state;
	write_number("max_bytes", 77 * MIB);
	EVENTUALLY(state_is(bus, "State", "external"));
	flip_for(2500);
	assert_int_equal(limit("max_bytes"), 77 * MIB);
	/* Also holds do not change what is somebody else's. */
	assert_true(call(bus, "Hold", &error, NULL, "ts", 100 * MIB, "test") >= 0);
	assert_int_equal(limit("max_bytes"), 77 * MIB);

	assert_true(call(bus, "Resume", &error, NULL, "s", "card9") < 0);
	assert_non_null(strstr(error.message, "card9"));
	sd_bus_error_free(&error);
	assert_true(call(bus, "Resume", &error, NULL, "s", "card1") >= 0);
	EVENTUALLY(state_of_is(1, bus, "State", "tuning"));
	EVENTUALLY(limit_of(1, "max_bytes") == 100 * MIB);
	assert_true(state_of_is(0, bus, "State", "external"));
	assert_int_equal(limit_of(0, "max_bytes"), 77 * MIB);
	assert_true(call(bus, "Resume", &error, NULL, "s", "card0") >= 0);
	EVENTUALLY(state_is(bus, "State", "tuning"));
	EVENTUALLY(limit("max_bytes") == 100 * MIB);
	sd_bus_flush_close_unref(bus);
}

static void what_was_set_by_others_is_left_behind_untouched(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	write_number("max_bytes", 5 * MIB);
	EVENTUALLY(state_is(bus, "State", "external"));
	assert_int_equal(stop_service(SIGTERM), 0);
	assert_int_equal(limit("max_bytes"), 5 * MIB);
	sd_bus_flush_close_unref(bus);
}

static void what_others_set_outlives_the_service(void **state)
{
	static const int ends[] = { SIGTERM, SIGKILL, SIGTERM };
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	EVENTUALLY(state_is(bus, "State", "tuning"));
	write_number_of(0, "max_bytes", 77 * MIB);
	write_number_of(0, "generation", 5);
	EVENTUALLY(state_of_is(0, bus, "State", "external"));
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		stop_service(ends[i]);
		start_service();
		EVENTUALLY(state_of_is(0, bus, "State", "external"));
		/* The other one is nobody's. */
		EVENTUALLY(state_of_is(1, bus, "State", "tuning"));
	}
	flip_for(2500);
	assert_int_equal(limit_of(0, "max_bytes"), 77 * MIB);

	/* It is the service's from then on, also when that is killed. */
	assert_true(call(bus, "Resume", NULL, NULL, "s", "card0") >= 0);
	flip_for(2500);
	EVENTUALLY(limit_of(0, "max_bytes") == 24 * MIB);
	write_number_of(0, "generation", 6);
	stop_service(SIGKILL);
	start_service();
	EVENTUALLY(state_is(bus, "State", "tuning"));
	sd_bus_flush_close_unref(bus);
}

static void what_was_set_while_it_was_stopped_is_left_alone(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	write_number("generation", 5);
	EVENTUALLY(property(bus, "MaxEntries") == 256);
	assert_int_equal(stop_service(SIGTERM), 0);
	/* Nobody else has written yet; then it does so itself, and is killed. */
	start_service();
	EVENTUALLY(state_is(bus, "State", "tuning"));
	write_number("generation", 7);
	stop_service(SIGKILL);
	start_service();
	EVENTUALLY(state_is(bus, "State", "tuning"));
	assert_int_equal(stop_service(SIGTERM), 0);
	write_number("max_bytes", 77 * MIB);
	write_number("generation", 8);
	start_service();
	EVENTUALLY(state_is(bus, "State", "external"));
	flip_for(2500);
	assert_int_equal(limit("max_bytes"), 77 * MIB);

	/* A driver that was loaded since has limits of its own. */
	assert_int_equal(stop_service(SIGTERM), 0);
	write_number("generation", 0);
	start_service();
	EVENTUALLY(state_is(bus, "State", "tuning"));
	sd_bus_flush_close_unref(bus);
}

static void what_was_set_while_disabled_is_left_alone(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	reload_with("Enabled=no");
	EVENTUALLY(state_is(bus, "State", "disabled"));
	write_number("max_bytes", 77 * MIB);
	EVENTUALLY(property(bus, "MaxBytes") == 77 * MIB);
	reload_with("Enabled=yes");
	EVENTUALLY(state_is(bus, "State", "external"));
	flip_for(2500);
	assert_int_equal(limit("max_bytes"), 77 * MIB);
	sd_bus_flush_close_unref(bus);
}

static void enabling_never_switches_the_cache_on(void **state)
{
	static const char *const names[] = { "max_bytes", "max_entries" };
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		/* Switched off while disabled, */
		reload_with("Enabled=no");
		EVENTUALLY(state_is(bus, "State", "disabled"));
		write_number(names[i], 0);
		reload_with("Enabled=yes");
		EVENTUALLY(state_is(bus, "State", "external"));
		flip_for(500);
		assert_int_equal(limit(names[i]), 0);

		/* found so when it starts disabled, */
		reload_with("Enabled=no");
		assert_int_equal(stop_service(SIGTERM), 0);
		start_service();
		EVENTUALLY(state_is(bus, "State", "external"));
		reload_with("Enabled=yes");
		flip_for(500);
		assert_int_equal(limit(names[i]), 0);

		/* and told to resume while disabled. */
		reload_with("Enabled=no");
		assert_true(call(bus, "Resume", NULL, NULL, "s", "") >= 0);
		EVENTUALLY(state_is(bus, "State", "disabled"));
		reload_with("Enabled=yes");
		EVENTUALLY(state_is(bus, "State", "external"));
		flip_for(500);
		assert_int_equal(limit(names[i]), 0);

		/* Who says so while it is enabled, has it. */
		assert_true(call(bus, "Resume", NULL, NULL, "s", "") >= 0);
		EVENTUALLY(limit(names[i]) > 0);
	}
	sd_bus_flush_close_unref(bus);
}

static void a_hold_raises_the_limit_and_goes_with_its_owner(void **state)
{
	sd_bus *bus = connect_client(&dbus), *holder = connect_client(&dbus);
	sd_bus_message *reply = NULL;
	uint32_t cookie = 0;

	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	assert_true(call(holder, "Hold", NULL, &reply, "ts", 96 * MIB, "a film") >= 0);
	assert_true(sd_bus_message_read(reply, "u", &cookie) > 0);
	sd_bus_message_unref(reply);
	assert_true(cookie > 0);
	assert_int_equal(limit("max_bytes"), 96 * MIB);
	assert_int_equal(hold_count(bus), 1);

	/* No release: it vanishes. */
	sd_bus_close_unref(holder);
	EVENTUALLY(hold_count(bus) == 0);
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	sd_bus_flush_close_unref(bus);
}

static void releasing_needs_the_right_cookie(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	uint32_t cookie = 0;

	(void)state;
	assert_true(call(bus, "Hold", NULL, &reply, "ts", MIB, "x") >= 0);
	assert_true(sd_bus_message_read(reply, "u", &cookie) > 0);
	sd_bus_message_unref(reply);
	assert_true(call(bus, "ReleaseHold", &error, NULL, "u", cookie + 1) < 0);
	assert_non_null(strstr(error.message, "there is no hold"));
	sd_bus_error_free(&error);
	assert_true(call(bus, "ReleaseHold", NULL, NULL, "u", cookie) >= 0);
	assert_int_equal(hold_count(bus), 0);
	sd_bus_flush_close_unref(bus);
}

static void holds_are_capped_in_size_and_number(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	sd_bus_error error = SD_BUS_ERROR_NULL;

	(void)state;
	assert_true(call(bus, "Hold", &error, NULL, "ts", 129 * MIB, "greedy") < 0);
	assert_non_null(strstr(error.message, "HoldMaxBytes="));
	sd_bus_error_free(&error);
	for (int i = 0; i < 8; i++) {
		assert_true(call(bus, "Hold", NULL, NULL, "ts", MIB, "many") >= 0);
		sleep_ms(300);
	}
	assert_true(call(bus, "Hold", &error, NULL, "ts", MIB, "one more") < 0);
	assert_true(sd_bus_error_has_name(&error, SD_BUS_ERROR_LIMITS_EXCEEDED));
	sd_bus_error_free(&error);
	assert_int_equal(hold_count(bus), 8);
	sd_bus_flush_close_unref(bus);
}

static void a_flood_is_turned_away_and_others_are_served(void **state)
{
	sd_bus *flood = connect_client(&dbus), *other = connect_client(&dbus);
	unsigned int admitted = 0;
	struct timespec begin, end;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < 500; i++) {
		sd_bus_error error = SD_BUS_ERROR_NULL;

		/* Who is admitted is told that there is no such hold. */
		assert_true(call(flood, "ReleaseHold", &error, NULL, "u", 0) < 0);
		admitted += !sd_bus_error_has_name(&error, SD_BUS_ERROR_LIMITS_EXCEEDED);
		sd_bus_error_free(&error);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	/* Ten at once, and two a second. */
	assert_in_range(admitted, 10, 10 + 2 * (end.tv_sec - begin.tv_sec + 1));
	assert_true(call(other, "Hold", NULL, NULL, "ts", MIB, "polite") >= 0 ||
		    hold_count(other) >= 8);
	assert_true(state_is(other, "State", "tuning"));
	sd_bus_flush_close_unref(flood);
	sd_bus_flush_close_unref(other);
}

static int append_output(sd_bus_message *message, const char *name, const char *buffers_type)
{
	int ret = sd_bus_message_open_container(message, 'r', "sa{sv}");

	if (ret >= 0)
		ret = sd_bus_message_append(message, "s", name);
	if (ret >= 0 && !strcmp(buffers_type, "u"))
		ret = sd_bus_message_append(message, "a{sv}", 5, "RefreshMilliHertz", "u", 60000,
					    "Planes", "u", 1, "Buffers", "u", 13, "BufferBytes",
					    "t", 4 * MIB, "FromTheFuture", "as", 1, "x");
	else if (ret >= 0)
		ret = sd_bus_message_append(message, "a{sv}", 1, "Buffers", "s", "many");
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

static void reports_raise_the_limit_and_bad_parts_are_dropped(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	sd_bus_message *message = NULL, *reply = NULL;
	uint32_t taken = 0, dropped = 0;

	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	assert_true(sd_bus_message_new_method_call(bus, &message, BUS_NAME, BUS_PATH,
						   BUS_MANAGER_INTERFACE, "Report") >= 0);
	assert_true(sd_bus_message_open_container(message, 'a', "(sa{sv})") >= 0);
	assert_true(append_output(message, "", "u") >= 0);
	assert_true(append_output(message, "DSI-1", "s") >= 0);
	assert_true(append_output(message, "DSI-1", "u") >= 0);
	assert_true(sd_bus_message_close_container(message) >= 0);
	assert_true(sd_bus_call(bus, message, 0, NULL, &reply) >= 0);
	assert_true(sd_bus_message_read(reply, "uu", &taken, &dropped) > 0);
	assert_int_equal(taken, 1);
	assert_int_equal(dropped, 2);
	/* Twelve buffers that are not on the screen, of the first card. */
	assert_int_equal(limit_of(0, "max_bytes"), 48 * MIB);
	assert_int_equal(limit_of(1, "max_bytes"), 24 * MIB);
	sd_bus_message_unref(message);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
}

/* One output, with an event or without. */
static void report_of(sd_bus *bus, const char *output, const char *event)
{
	sd_bus_message *message = NULL, *reply = NULL;
	uint32_t taken = 0, dropped = 0;

	assert_true(sd_bus_message_new_method_call(bus, &message, BUS_NAME, BUS_PATH,
						   BUS_MANAGER_INTERFACE, "Report") >= 0);
	assert_true(sd_bus_message_append(message, "a(sa{sv})", 1, output, 3, "Event", "s", event,
					  "EventBuffers", "u", 20, "EventBytes", "t",
					  3 * MIB) >= 0);
	assert_true(sd_bus_call(bus, message, 0, NULL, &reply) >= 0);
	assert_true(sd_bus_message_read(reply, "uu", &taken, &dropped) > 0);
	assert_int_equal(taken, 1);
	assert_int_equal(dropped, 0);
	sd_bus_message_unref(message);
	sd_bus_message_unref(reply);
}

static void an_announced_video_has_room_when_report_returns_until_it_expires(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	/* Not known here: taken, but nothing to act on. */
	report_of(bus, "HDMI-A-1", "earthquake");
	assert_int_equal(limit("max_bytes"), 24 * MIB);
	report_of(bus, "HDMI-A-1", "fullscreen-video");
	assert_int_equal(limit_of(1, "max_bytes"), 84 * MIB);
	EVENTUALLY(state_of_is(1, bus, "Reason", "announced"));
	/* The other cache is not that output's. */
	assert_int_equal(limit_of(0, "max_bytes"), 24 * MIB);
	assert_false(state_of_is(0, bus, "Reason", "announced"));
	/* Nothing flips, nobody else reports: it ends all the same. */
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	sd_bus_flush_close_unref(bus);
}

static void an_output_that_moves_takes_its_claim_along(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	report_of(bus, "DSI-1", "fullscreen-video");
	assert_int_equal(limit_of(0, "max_bytes"), 84 * MIB);
	assert_int_equal(limit_of(1, "max_bytes"), 24 * MIB);
	/* As much in all as before: there is room when it returns all the same. */
	report_of(bus, "HDMI-A-1", "fullscreen-video");
	assert_int_equal(limit_of(1, "max_bytes"), 84 * MIB);
	sd_bus_flush_close_unref(bus);
}

/* Of a compositor in a window of another, say; or a name that is no connector's at all. */
static void an_output_of_no_card_counts_for_all(void **state)
{
	static const char *const names[] = { "WL-1", "DSI-1/device", "..", "HDMI" };
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		report_of(bus, names[i], "fullscreen-video");
		assert_int_equal(limit("max_bytes"), 84 * MIB);
		EVENTUALLY(limit("max_bytes") == 24 * MIB);
	}
	sd_bus_flush_close_unref(bus);
}

/* Of a card without a cache: nobody's here. */
static void an_output_of_another_driver_counts_for_none(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	make_folder("%s", "card2", "");
	make_folder("%s-%s", "card2", "DP-1");
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	report_of(bus, "DP-1", "fullscreen-video");
	assert_int_equal(limit("max_bytes"), 24 * MIB);
	sd_bus_flush_close_unref(bus);
}

static void each_cache_follows_its_own_flips(void **state)
{
	(void)state;
	for (unsigned int i = 1; i <= 25; i++) {
		flips += 60;
		for (unsigned int j = 0; j < CARDS; j++)
			flip_once(j, histogram_bytes_bucket((j ? 64 : 16) * MIB),
				  histogram_depth_bucket(j ? 8 : 2), 60 * i);
		sleep_ms(100);
	}
	EVENTUALLY(limit_of(0, "max_bytes") == 16 * MIB);
	EVENTUALLY(limit_of(1, "max_bytes") == 64 * MIB);
}

static void what_is_set_on_one_cache_is_nothing_to_the_other(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	write_number_of(0, "max_bytes", 77 * MIB);
	EVENTUALLY(state_of_is(0, bus, "State", "external"));
	flip_for(2500);
	EVENTUALLY(limit_of(1, "max_bytes") == 24 * MIB);
	assert_true(state_of_is(1, bus, "State", "tuning"));
	assert_int_equal(limit_of(0, "max_bytes"), 77 * MIB);
	assert_int_equal(stop_service(SIGTERM), 0);
	assert_int_equal(limit_of(0, "max_bytes"), 77 * MIB);
	assert_int_equal(limit_of(1, "max_bytes"), 128 * MIB);
	sd_bus_flush_close_unref(bus);
}

static int changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	unsigned int *count = userdata;
	const char *interface = "";

	(void)error;
	sd_bus_message_read(message, "s", &interface);
	*count += !strcmp(interface, BUS_CACHE_INTERFACE);
	return 0;
}

static void changes_are_signalled_and_counters_are_not(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	unsigned int count = 0;

	(void)state;
	assert_true(sd_bus_match_signal(bus, NULL, BUS_NAME, BUS_CACHES_PATH "/card0",
					"org.freedesktop.DBus.Properties", "PropertiesChanged",
					changed, &count) >= 0);
	flip_for(4000);
	while (sd_bus_process(bus, NULL) > 0)
		;
	/* To shrunk, to fitting: not one for each of the forty polls. */
	assert_in_range(count, 1, 8);
	sd_bus_flush_close_unref(bus);
}

/* Counts changes of the property that is named before the count. */
struct signalled {
	const char *property;
	unsigned int count;
};

static int property_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct signalled *signalled = userdata;
	const char *interface, *property;

	(void)error;
	if (sd_bus_message_read(message, "s", &interface) > 0 &&
	    sd_bus_message_enter_container(message, 'a', "{sv}") > 0)
		while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
			sd_bus_message_read(message, "s", &property);
			signalled->count += !strcmp(property, signalled->property);
			sd_bus_message_skip(message, "v");
			sd_bus_message_exit_container(message);
		}
	return 0;
}

static void watch(sd_bus *bus, struct signalled *signalled)
{
	assert_true(sd_bus_match_signal(bus, NULL, BUS_NAME, BUS_PATH,
					"org.freedesktop.DBus.Properties", "PropertiesChanged",
					property_changed, signalled) >= 0);
}

/* As of now, and of what is on its way. */
static unsigned int heard(sd_bus *bus, const struct signalled *signalled)
{
	/* Signals come in order: whatever was sent before this answer is there. */
	hold_count(bus);
	while (sd_bus_process(bus, NULL) > 0)
		;
	return signalled->count;
}

static void holds_and_caches_that_come_and_go_are_signalled(void **state)
{
	struct signalled holds = { .property = "Holds" }, caches = { .property = "Caches" };
	sd_bus *bus = connect_client(&dbus), *holder = connect_client(&dbus);
	sd_bus_message *reply = NULL;
	char path[256], away[256];
	uint32_t cookie = 0;

	(void)state;
	watch(bus, &holds);
	watch(bus, &caches);
	assert_true(call(holder, "Hold", NULL, &reply, "ts", MIB, "x") >= 0);
	assert_true(sd_bus_message_read(reply, "u", &cookie) > 0);
	sd_bus_message_unref(reply);
	assert_int_equal(heard(bus, &holds), 1);
	assert_true(call(holder, "ReleaseHold", NULL, NULL, "u", cookie) >= 0);
	assert_int_equal(heard(bus, &holds), 2);
	assert_true(call(holder, "Hold", NULL, NULL, "ts", MIB, "x") >= 0);
	assert_int_equal(heard(bus, &holds), 3);
	sd_bus_close_unref(holder);
	EVENTUALLY(heard(bus, &holds) == 4);

	assert_int_equal(heard(bus, &caches), 0);
	snprintf(path, sizeof(path), "%s/class/drm/card1", root);
	snprintf(away, sizeof(away), "%s/gone", root);
	assert_int_equal(rename(path, away), 0);
	EVENTUALLY(heard(bus, &caches) == 1);
	assert_int_equal(rename(away, path), 0);
	EVENTUALLY(heard(bus, &caches) == 2);
	sd_bus_flush_close_unref(bus);
}

/* A hold that ends makes the limit smaller at once, if that is all that kept it. */
static void what_a_hold_kept_is_given_back_without_a_flip(void **state)
{
	sd_bus *bus = connect_client(&dbus), *holder = connect_client(&dbus);

	(void)state;
	/* Asleep, as far as it can be with files that do not signal. */
	fake_write(root, "etc/scanoutd.conf",
		   "[Tuner]\nMaxBytes=64M\n[Poll]\nIdleAfter=1\n"
		   "IntervalSec=100ms\nSlowIntervalSec=1h\n");
	kill(service_pid, SIGHUP);
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	sleep_ms(2500);
	for (unsigned int i = 0; i < 2; i++) {
		sd_bus_message *reply = NULL;
		uint32_t cookie = 0;

		assert_true(call(holder, "Hold", NULL, &reply, "ts", 48 * MIB, "x") >= 0);
		assert_true(sd_bus_message_read(reply, "u", &cookie) > 0);
		sd_bus_message_unref(reply);
		assert_int_equal(limit("max_bytes"), 48 * MIB);
		if (i)
			sd_bus_close_unref(holder);
		else
			assert_true(call(holder, "ReleaseHold", NULL, NULL, "u", cookie) >= 0);
		EVENTUALLY(limit("max_bytes") == 24 * MIB);
	}
	sd_bus_flush_close_unref(bus);
}

static void all_caches_are_objects(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	sd_bus_message *reply = NULL;
	const char *text = NULL;
	char **paths = NULL;

	(void)state;
	assert_true(sd_bus_call_method(bus, BUS_NAME, BUS_CACHES_PATH,
				       "org.freedesktop.DBus.Introspectable", "Introspect", NULL,
				       &reply, NULL) >= 0);
	assert_true(sd_bus_message_read(reply, "s", &text) > 0);
	assert_non_null(strstr(text, "<node name=\"card0\"/>"));
	assert_non_null(strstr(text, "<node name=\"card1\"/>"));
	sd_bus_message_unref(reply);
	reply = NULL;
	assert_true(sd_bus_get_property(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Caches",
					NULL, &reply, "ao") >= 0);
	assert_true(sd_bus_message_read_strv(reply, &paths) >= 0);
	assert_true(paths && paths[0] && paths[1] && !paths[2]);
	assert_string_not_equal(paths[0], paths[1]);
	for (unsigned int i = 0; i < CARDS; i++) {
		assert_int_equal(strncmp(paths[i], BUS_CACHES_PATH "/card",
					 strlen(BUS_CACHES_PATH "/card")),
				 0);
		free(paths[i]);
	}
	free(paths);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
}

static unsigned int outputs_shown(sd_bus *bus)
{
	sd_bus_message *reply = NULL;
	unsigned int count = 0;
	const char *name;
	uint64_t flips_told, missed, bytes;
	uint32_t refresh, planes, buffers;

	assert_true(sd_bus_get_property(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Outputs",
					NULL, &reply, "a(suttuut)") >= 0);
	sd_bus_message_enter_container(reply, 'a', "(suttuut)");
	while (sd_bus_message_read(reply, "(suttuut)", &name, &refresh, &flips_told, &missed,
				   &planes, &buffers, &bytes) > 0) {
		assert_string_equal(name, "DSI-1");
		assert_int_equal(refresh, 60000);
		assert_int_equal(flips_told, 61);
		assert_int_equal(missed, 2);
		assert_int_equal(planes, 3);
		assert_int_equal(buffers, 4);
		assert_int_equal(bytes, 5);
		count++;
	}
	sd_bus_message_unref(reply);
	return count;
}

static void what_is_reported_is_shown_until_it_is_old(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	assert_int_equal(outputs_shown(bus), 0);
	assert_true(call(bus, "Report", NULL, NULL, "a(sa{sv})", 1, "DSI-1", 6, "RefreshMilliHertz",
			 "u", 60000, "Flips", "t", UINT64_C(61), "Missed", "t", UINT64_C(2),
			 "Planes", "u", 3, "Buffers", "u", 4, "BufferBytes", "t",
			 UINT64_C(5)) >= 0);
	EVENTUALLY(outputs_shown(bus) == 1);
	EVENTUALLY(outputs_shown(bus) == 0);
	sd_bus_flush_close_unref(bus);
}

static uint64_t reported_flips(sd_bus *bus)
{
	sd_bus_message *reply = NULL;
	uint32_t refresh, planes, buffers;
	uint64_t told = 0, missed, bytes;
	const char *name;

	if (sd_bus_get_property(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Outputs", NULL,
				&reply, "a(suttuut)") >= 0 &&
	    sd_bus_message_enter_container(reply, 'a', "(suttuut)") > 0)
		sd_bus_message_read(reply, "(suttuut)", &name, &refresh, &told, &missed, &planes,
				    &buffers, &bytes);
	sd_bus_message_unref(reply);
	return told;
}

static void reports_are_told_once_a_second_at_most(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	uint64_t told, before = 0;
	unsigned int changes = 0;

	(void)state;
	for (uint64_t i = 1; i <= 10; i++) {
		assert_true(call(bus, "Report", NULL, NULL, "a(sa{sv})", 1, "DSI-1", 1, "Flips",
				 "t", i) >= 0);
		told = reported_flips(bus);
		changes += told != before;
		before = told;
		sleep_ms(250);
	}
	assert_in_range(changes, 2, 5);
	sd_bus_flush_close_unref(bus);
}

static void more_outputs_than_one_may_have_are_dropped(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	sd_bus_message *message = NULL, *reply = NULL;
	uint32_t taken = 0, dropped = 0;

	(void)state;
	assert_true(sd_bus_message_new_method_call(bus, &message, BUS_NAME, BUS_PATH,
						   BUS_MANAGER_INTERFACE, "Report") >= 0);
	assert_true(sd_bus_message_open_container(message, 'a', "(sa{sv})") >= 0);
	for (unsigned int i = 0; i < 40; i++)
		assert_true(append_output(message, "DSI-1", "u") >= 0);
	assert_true(sd_bus_message_close_container(message) >= 0);
	assert_true(sd_bus_call(bus, message, 0, NULL, &reply) >= 0);
	assert_true(sd_bus_message_read(reply, "uu", &taken, &dropped) > 0);
	assert_int_equal(taken, 16);
	assert_int_equal(dropped, 24);
	sd_bus_message_unref(message);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
}

static void a_foreign_number_of_entries_is_noticed_and_kept_over_a_reload(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	write_number_of(1, "max_entries", 77);
	EVENTUALLY(state_of_is(1, bus, "State", "external"));
	fake_write(root, "etc/scanoutd.conf", "[Tuner]\nMaxBytes=64M\n");
	kill(service_pid, SIGHUP);
	EVENTUALLY(limit_of(0, "max_bytes") == 64 * MIB);
	assert_true(state_of_is(1, bus, "State", "external"));
	assert_int_equal(limit_of(1, "max_bytes"), 128 * MIB);
	assert_int_equal(limit_of(1, "max_entries"), 77);
	sd_bus_flush_close_unref(bus);
}

static void no_entries_are_off_too(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	assert_int_equal(stop_service(SIGTERM), 0);
	write_number_of(1, "max_entries", 0);
	start_service();
	EVENTUALLY(state_of_is(1, bus, "State", "external"));
	EVENTUALLY(state_of_is(0, bus, "State", "tuning"));
	assert_int_equal(limit_of(1, "max_entries"), 0);
	sd_bus_flush_close_unref(bus);
}

/* What the service manager has been told, all of it, ends so. */
static void assert_told(int notify, const char *expected)
{
	char text[128] = "";
	ssize_t length = recv(notify, text, sizeof(text) - 1, 0);

	assert_true(length > 0);
	if (strncmp(text, expected, strlen(expected)))
		assert_string_equal(text, expected);
}

static void the_service_manager_is_told(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 10 };
	int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(stop_service(SIGTERM), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", root);
	assert_int_equal(bind(notify, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(notify, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	start_service();
	unsetenv("NOTIFY_SOCKET");
	assert_told(notify, "READY=1");
	kill(service_pid, SIGHUP);
	assert_told(notify, "RELOADING=1\nMONOTONIC_USEC=");
	assert_told(notify, "READY=1");
	assert_int_equal(stop_service(SIGTERM), 0);
	assert_told(notify, "STOPPING=1");
	close(notify);
}

/* Of all figures, the flips; 0 if it says nothing. */
static uint64_t told_flips(sd_bus *bus)
{
	sd_bus_message *reply = NULL;
	uint64_t value, told = 0;
	const char *name;

	if (sd_bus_get_property(bus, BUS_NAME, BUS_CACHES_PATH "/card0", BUS_CACHE_INTERFACE,
				"Figures", NULL, &reply, "a{st}") < 0 ||
	    sd_bus_message_enter_container(reply, 'a', "{st}") < 0)
		return 0;
	while (sd_bus_message_read(reply, "{st}", &name, &value) > 0)
		if (!strcmp(name, "flips"))
			told = value;
	sd_bus_message_unref(reply);
	return told;
}

/* Whoever asks as often as they like, and has the service look whenever they like. */
static void others_learn_of_flips_once_a_second_at_most(void **state)
{
	unsigned int signals = 0, changes = 0;
	sd_bus *bus = connect_client(&dbus);
	uint64_t told, before = 0;
	uint32_t cookie = 0;

	(void)state;
	assert_true(sd_bus_match_signal(bus, NULL, BUS_NAME, BUS_CACHES_PATH "/card0",
					"org.freedesktop.DBus.Properties", "PropertiesChanged",
					changed, &signals) >= 0);
	for (unsigned int i = 0; i < 16; i++) {
		sd_bus_message *reply = NULL;

		flip_for(200);
		if (i % 2) {
			assert_true(call(bus, "ReleaseHold", NULL, NULL, "u", cookie) >= 0);
		} else {
			assert_true(call(bus, "Hold", NULL, &reply, "ts", 60 * MIB, "test") >= 0);
			assert_true(sd_bus_message_read(reply, "u", &cookie) > 0);
			sd_bus_message_unref(reply);
		}
		told = told_flips(bus);
		changes += told != before;
		before = told;
	}
	while (sd_bus_process(bus, NULL) > 0)
		;
	/* It took three seconds, or a little more. */
	assert_in_range(changes, 2, 6);
	assert_in_range(signals, 1, 6);
	EVENTUALLY(told_flips(bus) == flips);
	sd_bus_flush_close_unref(bus);
}

static void a_cache_that_is_off_stays_off_until_resumed(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	assert_int_equal(stop_service(SIGTERM), 0);
	write_number("max_bytes", 0);
	start_service();
	EVENTUALLY(state_is(bus, "State", "external"));
	flip_for(1500);
	assert_int_equal(limit("max_bytes"), 0);
	assert_true(call(bus, "Resume", NULL, NULL, "s", "") >= 0);
	EVENTUALLY(limit("max_bytes") >= 8 * MIB);
	sd_bus_flush_close_unref(bus);
}

/* How many it has open. */
static unsigned int service_files(void)
{
	unsigned int count = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)service_pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void devices_come_and_go(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	char path[256], away[256];
	unsigned int files = service_files();

	(void)state;
	snprintf(path, sizeof(path), "%s/class/drm/card0", root);
	snprintf(away, sizeof(away), "%s/gone", root);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(rename(path, away), 0);
		EVENTUALLY(property_of(0, bus, "MaxBytes") == 0);
		assert_int_equal(property_of(1, bus, "MaxBytes"), 128 * MIB);
		assert_int_equal(rename(away, path), 0);
		EVENTUALLY(property(bus, "MaxBytes") == 128 * MIB);
	}
	assert_int_equal(service_files(), files);
	sd_bus_flush_close_unref(bus);
}

static void counters_that_go_back_do_no_harm(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	flip_for(500);
	write_number("flips", 3);
	for (unsigned int i = 0; i < CARDS; i++)
		fake_histogram(cache_dirs[i], "reuse_bytes", BYTES_BUCKETS, 16, 1);
	sleep_ms(500);
	flips = 3;
	flip_for(2500);
	assert_true(state_is(bus, "State", "tuning"));
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	sd_bus_flush_close_unref(bus);
}

static void a_reload_takes_a_new_budget_over(void **state)
{
	(void)state;
	fake_write(root, "etc/scanoutd.conf", "[Tuner]\nMaxBytes=64M\nMinBytes=oops\n");
	kill(service_pid, SIGHUP);
	EVENTUALLY(limit("max_bytes") == 64 * MIB);
}

static void disabling_it_leaves_the_budget_in_force(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	flip_for(2500);
	EVENTUALLY(limit("max_bytes") == 24 * MIB);
	fake_write(root, "etc/scanoutd.conf", "[Tuner]\nEnabled=no\n");
	kill(service_pid, SIGHUP);
	EVENTUALLY(state_is(bus, "State", "disabled"));
	assert_int_equal(limit("max_bytes"), 128 * MIB);
	sd_bus_flush_close_unref(bus);
}

static void other_users_need_a_session_or_polkit(void **state)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	pid_t pid;
	int status;

	(void)state;
	if (getuid())
		skip();
	pid = fork();
	if (!pid) {
		sd_bus *bus;
		int ret;

		if (setresuid(65534, 65534, 65534))
			_exit(9);
		bus = connect_client(&dbus);
		ret = call(bus, "Hold", &error, NULL, "ts", MIB, "nobody");
		if (ret >= 0 || !sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED))
			_exit(1);
		sd_bus_error_free(&error);
		ret = call(bus, "Report", &error, NULL, "a(sa{sv})", 0);
		if (ret >= 0 || !sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED))
			_exit(2);
		/* Reading is free. */
		_exit(property(bus, "MaxBytes") == 128 * MIB ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void a_second_instance_ends_at_once_and_touches_nothing(void **state)
{
	int status = 0;
	pid_t second;

	(void)state;
	/* Running beside the first, it would bring this within its range. */
	write_number("max_bytes", GIB);
	{
		sd_bus *bus = connect_client(&dbus);

		EVENTUALLY(state_is(bus, "State", "external"));
		sd_bus_flush_close_unref(bus);
	}
	second = spawn_service(SCANOUTD, root, dbus.address, -1);
	for (int i = 0; i < 40 && !waitpid(second, &status, WNOHANG); i++)
		sleep_ms(50);
	if (waitpid(second, &status, WNOHANG) >= 0) {
		end_program(second, SIGKILL);
		fail_msg("the second instance still runs");
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_int_equal(limit("max_bytes"), GIB);
	assert_int_equal(waitpid(service_pid, &status, WNOHANG), 0);
}

static void a_dry_run_does_not_do_what_it_is_told(void **state)
{
	char program[] = SCANOUTD, dry[] = "--dry-run", sysfs[128], config[128], address[192];
	char *argv[] = { program, dry, sysfs, config, address, NULL };
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	assert_int_equal(stop_service(SIGTERM), 0);
	write_number("max_bytes", 77 * MIB);
	snprintf(sysfs, sizeof(sysfs), "--sysfs-root=%s", root);
	snprintf(config, sizeof(config), "--config-root=%s", root);
	snprintf(address, sizeof(address), "--bus=%s", dbus.address);
	service_pid = spawn(argv, -1, -1);
	EVENTUALLY(state_is(bus, "State", "dry-run"));
	assert_true(call(bus, "SetLimits", NULL, NULL, "sa{st}", "card0", 1, "max_bytes",
			 64 * MIB) < 0);
	assert_true(call(bus, "Trim", NULL, NULL, "st", "card0", 5 * MIB) < 0);
	assert_true(call(bus, "Hold", NULL, NULL, "ts", 96 * MIB, "x") >= 0);
	assert_int_equal(limit("max_bytes"), 77 * MIB);
	assert_int_equal(limit("trim"), 0);
	sd_bus_flush_close_unref(bus);
}

static void limits_are_set_by_the_service_all_or_none(void **state)
{
	sd_bus *bus = connect_client(&dbus);
	sd_bus_error error = SD_BUS_ERROR_NULL;

	(void)state;
	assert_true(call(bus, "SetLimits", &error, NULL, "sa{st}", "card0", 2, "max_bytes",
			 64 * MIB, "max_entries", UINT64_C(65537)) < 0);
	assert_string_equal(error.message, "max_entries=65537: accepted is 0 (off) to 65536");
	sd_bus_error_free(&error);
	assert_true(call(bus, "SetLimits", &error, NULL, "sa{st}", "", 2, "max_bytes", 64 * MIB,
			 "max_byte", 1) < 0);
	assert_non_null(strstr(error.message, "accepted are max_bytes"));
	sd_bus_error_free(&error);
	assert_true(call(bus, "SetLimits", &error, NULL, "sa{st}", "", 1, "max_bytes", 64 * MIB) <
		    0);
	assert_string_equal(error.message, "there are several caches: say which");
	sd_bus_error_free(&error);
	assert_true(call(bus, "SetLimits", &error, NULL, "sa{st}", "card9", 1, "max_bytes",
			 64 * MIB) < 0);
	assert_non_null(strstr(error.message, "card9"));
	sd_bus_error_free(&error);
	assert_true(call(bus, "SetLimits", &error, NULL, "sa{st}", "", 1, "max_bytes", 64 * MIB) <
		    0);
	assert_non_null(strstr(error.message, "say which"));
	sd_bus_error_free(&error);
	assert_int_equal(limit("max_bytes"), 128 * MIB);
	assert_int_equal(limit("max_entries"), 32);
	assert_true(state_is(bus, "State", "tuning"));

	assert_true(call(bus, "SetLimits", NULL, NULL, "sa{st}", "card0", 2, "max_bytes", 64 * MIB,
			 "max_entries", UINT64_C(99)) >= 0);
	assert_int_equal(limit_of(0, "max_bytes"), 64 * MIB);
	assert_int_equal(limit_of(0, "max_entries"), 99);
	/* They are somebody's, from when the call returns. */
	assert_true(state_of_is(0, bus, "State", "external"));
	assert_int_equal(limit_of(1, "max_bytes"), 128 * MIB);
	assert_true(state_of_is(1, bus, "State", "tuning"));
	assert_true(call(bus, "Trim", NULL, NULL, "st", "card0", 5 * MIB) >= 0);
	assert_int_equal(limit_of(0, "trim"), 5 * MIB);
	sd_bus_flush_close_unref(bus);
}

/* polkit, which says yes to those who may be asked, after it has asked them. */
static int check_authorization(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *kind, *key, *name, *action;
	uint32_t flags = 0;

	(void)userdata, (void)error;
	if (sd_bus_message_read(message, "(sa{sv})sa{ss}u", &kind, 1, &key, "s", &name, &action, 0,
				&flags) < 0)
		return -EINVAL;
	return sd_bus_reply_method_return(message, "(bba{ss})", flags & 1, !(flags & 1), 0);
}

static const sd_bus_vtable polkit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", check_authorization,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

/* Never returns. */
static void be_polkit(int ready)
{
	sd_bus *bus;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (try_connect(&dbus, &bus) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
				     "org.freedesktop.PolicyKit1.Authority", polkit_vtable,
				     NULL) < 0 ||
	    sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0) < 0 ||
	    write(ready, "", 1) != 1)
		_exit(1);
	while (sd_bus_process(bus, NULL) > 0 || sd_bus_wait(bus, UINT64_MAX) >= 0)
		;
	_exit(0);
}

/* The status that scanoutctl ends with as another user, with this in place of a terminal. */
static int ctl_as_nobody(int terminal, const char *const *words)
{
	char sysfs[128], bus[192];
	char *argv[10] = { "scanoutctl", sysfs, bus };
	/* Where it is, this user may not even look. */
	int program = open(SCANOUTCTL, O_RDONLY | O_CLOEXEC), status;
	pid_t pid;

	snprintf(sysfs, sizeof(sysfs), "--sysfs-root=%s", root);
	snprintf(bus, sizeof(bus), "--bus=%s", dbus.address);
	for (unsigned int i = 0; i < 6 && words[i]; i++)
		argv[3 + i] = (char *)(uintptr_t)words[i];
	assert_true(program >= 0);
	pid = fork();
	if (!pid) {
		dup2(terminal, 0);
		if (!setresuid(65534, 65534, 65534))
			fexecve(program, argv, environ);
		_exit(99);
	}
	close(program);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void who_is_at_a_terminal_is_asked_by_polkit(void **state)
{
	static const char *const commands[][6] = { { "hold", "--reason=x", "--", "true" },
						   { "resume" },
						   { "--cache=card0", "set", "max_bytes=64M",
						     "max_entries=99" },
						   { "--cache=card0", "trim", "4M" } };
	int ready[2], terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), other;
	pid_t polkit;
	char byte;

	(void)state;
	if (getuid())
		skip();
	assert_true(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal));
	other = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(other >= 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	polkit = fork();
	if (!polkit)
		be_polkit(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(ctl_as_nobody(ready[0], commands[i]), 1);
		assert_int_equal(limit_of(0, "max_bytes"), i < 3 ? 128 * MIB : 64 * MIB);
		assert_int_equal(limit_of(0, "trim"), 0);
		assert_int_equal(ctl_as_nobody(other, commands[i]), 0);
	}
	assert_int_equal(limit_of(0, "max_bytes"), 64 * MIB);
	assert_int_equal(limit_of(0, "max_entries"), 99);
	assert_int_equal(limit_of(0, "trim"), 4 * MIB);
	end_program(polkit, SIGKILL);
	close(ready[0]);
	close(ready[1]);
	close(other);
	close(terminal);
}

#define RUNNING(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUNNING(shrinks_to_what_is_reused_and_says_so),
		RUNNING(leaves_the_whole_budget_behind),
		RUNNING(a_kill_leaves_a_valid_bound_to_resume_from),
		RUNNING(a_foreign_write_makes_it_stand_down_until_resumed),
		RUNNING(what_was_set_by_others_is_left_behind_untouched),
		RUNNING(what_others_set_outlives_the_service),
		RUNNING(what_was_set_while_it_was_stopped_is_left_alone),
		RUNNING(what_was_set_while_disabled_is_left_alone),
		RUNNING(enabling_never_switches_the_cache_on),
		RUNNING(a_hold_raises_the_limit_and_goes_with_its_owner),
		RUNNING(releasing_needs_the_right_cookie),
		RUNNING(holds_are_capped_in_size_and_number),
		RUNNING(a_flood_is_turned_away_and_others_are_served),
		RUNNING(reports_raise_the_limit_and_bad_parts_are_dropped),
		RUNNING(an_announced_video_has_room_when_report_returns_until_it_expires),
		RUNNING(an_output_that_moves_takes_its_claim_along),
		RUNNING(an_output_of_no_card_counts_for_all),
		RUNNING(an_output_of_another_driver_counts_for_none),
		RUNNING(each_cache_follows_its_own_flips),
		RUNNING(what_is_set_on_one_cache_is_nothing_to_the_other),
		RUNNING(changes_are_signalled_and_counters_are_not),
		RUNNING(holds_and_caches_that_come_and_go_are_signalled),
		RUNNING(what_a_hold_kept_is_given_back_without_a_flip),
		RUNNING(all_caches_are_objects),
		RUNNING(what_is_reported_is_shown_until_it_is_old),
		RUNNING(reports_are_told_once_a_second_at_most),
		RUNNING(more_outputs_than_one_may_have_are_dropped),
		RUNNING(a_foreign_number_of_entries_is_noticed_and_kept_over_a_reload),
		RUNNING(no_entries_are_off_too),
		RUNNING(the_service_manager_is_told),
		RUNNING(others_learn_of_flips_once_a_second_at_most),
		RUNNING(a_cache_that_is_off_stays_off_until_resumed),
		RUNNING(devices_come_and_go),
		RUNNING(counters_that_go_back_do_no_harm),
		RUNNING(a_reload_takes_a_new_budget_over),
		RUNNING(disabling_it_leaves_the_budget_in_force),
		RUNNING(other_users_need_a_session_or_polkit),
		RUNNING(a_second_instance_ends_at_once_and_touches_nothing),
		RUNNING(a_dry_run_does_not_do_what_it_is_told),
		RUNNING(limits_are_set_by_the_service_all_or_none),
		RUNNING(who_is_at_a_terminal_is_asked_by_polkit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
