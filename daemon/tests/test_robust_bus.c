// SPDX-License-Identifier: MIT
/*
 * The service and its clients: a bus that is restarted or hangs, compositors that flood or lie,
 * holds by the thousand.  No limit leaves its range, nobody else is starved, no memory is eaten.
 */
#include "test_robust.h"

#include <systemd/sd-bus.h>

#include "authority.h"
#include "bus.h"

#define FLOOD 100000
#define FLOOD_FIRST 20000
/* Memory that many clients may cost, and a flood after a first one: ten bytes a message. */
#define GROWTH_BYTES (8 * MIB)
#define FLOOD_BYTES MIB
#define NOBODY 65534
/* What a call of another client may take meanwhile, on a machine that is busy. */
#define PATIENCE_MS 10000

static struct bus_daemon dbus;

static bool served(void)
{
	static const char *const paths[] = { BUS_CACHES_PATH "/card0", BUS_CACHES_PATH "/card1" };
	sd_bus *bus = connect_client(&dbus);
	bool all = true;

	for (unsigned int i = 0; i < CACHES; i++) {
		uint64_t value = 0;

		all = sd_bus_get_property_trivial(bus, BUS_NAME, paths[i], BUS_CACHE_INTERFACE,
						  "MaxBytes", NULL, 't', &value) >= 0 &&
		      value && all;
	}
	sd_bus_flush_close_unref(bus);
	return all;
}

static int hold(sd_bus *bus, uint64_t bytes)
{
	return sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Hold", NULL,
				  NULL, "ts", bytes, "test");
}

static uint64_t service_memory_bytes(void)
{
	char path[64];
	unsigned long long size, resident = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)service_pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%llu %llu", &size, &resident), 2);
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Follow what is flipped, once in each direction. */
static void tunes(void)
{
	static const unsigned int buckets[] = { NEAR_BUCKET, FAR_BUCKET };

	for (unsigned int i = 0; i < 2; i++) {
		bool there = false;

		for (unsigned int j = 0; j < 400 && !there; j++) {
			flip(buckets[i]);
			sleep_ms(50);
			limits_are_within_range();
			there = follows_now(buckets[i]);
		}
		assert_true(there);
	}
	assert_true(service_runs());
}

static int setup(void **state)
{
	(void)state;
	make_tree();
	page->speed = 10;
	/* So that memory that was given back is not kept to look for mistakes. */
	setenv("ASAN_OPTIONS", "quarantine_size_mb=1:malloc_context_size=4", 1);
	start_bus(&dbus, root);
	start_service(dbus.address, -1);
	EVENTUALLY(served());
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (service_pid)
		stop_service(SIGKILL);
	stop_bus(&dbus, SIGKILL);
	remove_tree();
	return 0;
}

static void a_bus_that_is_restarted_is_found_again(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		sd_bus *bus = connect_client(&dbus);

		assert_true(hold(bus, 64 * MIB) >= 0);
		stop_bus(&dbus, i % 2 ? SIGTERM : SIGKILL);
		tunes();
		/* Its claims went with it: the limit went below what was held. */
		start_bus(&dbus, root);
		EVENTUALLY(served());
		sd_bus_close_unref(bus);
		bus = connect_client(&dbus);
		assert_int_equal(hold_count(bus), 0);
		sd_bus_flush_close_unref(bus);
	}
}

/* The number in ":1.7", the name that the bus gave. */
static unsigned long number_of(sd_bus *bus)
{
	const char *name = NULL;

	if (sd_bus_get_unique_name(bus, &name) < 0 || strncmp(name, ":1.", 3))
		return 0;
	return strtoul(name + 3, NULL, 10);
}

static int resume(sd_bus *bus, sd_bus_error *error)
{
	return sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Resume", error,
				  NULL, "s", "");
}

/* Another user, who connects until the bus gives him the name that root had on the last one. */
static void be_called(unsigned long number)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *bus = NULL;
	unsigned long own = 0;
	int ret;

	if (setresuid(NOBODY, NOBODY, NOBODY))
		_exit(9);
	while (own < number) {
		sd_bus_close_unref(bus);
		if (try_connect(&dbus, &bus) < 0)
			_exit(8);
		own = number_of(bus);
	}
	if (own != number)
		_exit(7);
	ret = resume(bus, &error);
	_exit(ret < 0 && sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED) ? 0 : 1);
}

static void nobody_inherits_root_from_an_earlier_bus(void **state)
{
	unsigned long number = 0;
	sd_bus *bus = NULL;
	pid_t pid;
	int status;

	(void)state;
	if (getuid())
		skip();
	/* More than the service and this test take on the next bus, until there is time. */
	while (number < 1000) {
		sd_bus_close_unref(bus);
		bus = connect_client(&dbus);
		number = number_of(bus);
	}
	assert_true(resume(bus, NULL) >= 0);
	stop_bus(&dbus, SIGTERM);
	start_bus(&dbus, root);
	EVENTUALLY(served());
	sd_bus_close_unref(bus);

	pid = fork();
	if (!pid)
		be_called(number);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	/* And root is still root. */
	bus = connect_client(&dbus);
	assert_true(resume(bus, NULL) >= 0);
	sd_bus_flush_close_unref(bus);
}

/* One of two that started without a bus ends when there is one, with the limits as they were. */
static void of_two_that_wait_for_the_bus_one_ends_and_hands_nothing_back(void **state)
{
	pid_t both[2], ended;
	uint64_t written;
	int status;

	(void)state;
	stop_service(SIGKILL);
	stop_bus(&dbus, SIGKILL);
	put_number("max_bytes", 24 * MIB);
	/* Nothing that one of them would set, and the other take for somebody's. */
	put_number("max_entries", CEILING_ENTRIES);
	for (unsigned int i = 0; i < 2; i++) {
		start_service(dbus.address, -1);
		both[i] = service_pid;
	}
	sleep_ms(500);
	written = page->limits_written;
	assert_int_equal(waitpid(-1, &status, WNOHANG), 0);
	start_bus(&dbus, root);
	for (unsigned int i = 0; i < 1000; i++) {
		ended = waitpid(both[0], &status, WNOHANG) ?: waitpid(both[1], &status, WNOHANG);
		if (ended)
			break;
		sleep_ms(20);
	}
	service_pid = both[!ended || ended == both[0]];
	if (!ended)
		end_program(both[0], SIGKILL);
	assert_true(ended > 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_int_equal(page->limits_written, written);
	assert_int_equal(limit("max_bytes"), 24 * MIB);
	EVENTUALLY(served());
	tunes();
}

static void a_bus_that_hangs_does_not_stop_the_tuning(void **state)
{
	(void)state;
	kill(dbus.pid, SIGSTOP);
	tunes();
	kill(dbus.pid, SIGCONT);
	EVENTUALLY(served());
	/* One that comes up and hangs at once, before it has answered anything. */
	stop_bus(&dbus, SIGKILL);
	start_bus(&dbus, root);
	kill(dbus.pid, SIGSTOP);
	tunes();
	kill(dbus.pid, SIGCONT);
	EVENTUALLY(served());
}

static void it_starts_without_a_bus_and_finds_it_later(void **state)
{
	(void)state;
	stop_service(SIGKILL);
	stop_bus(&dbus, SIGKILL);
	start_service(dbus.address, -1);
	tunes();
	start_bus(&dbus, root);
	EVENTUALLY(served());
}

/* One output with one value, of any type: returns how many were taken, or an error. */
static int report(sd_bus *bus, const char *key, char type, uint64_t number)
{
	const char signature[] = { type, '\0' };
	sd_bus_message *message = NULL, *reply = NULL;
	uint32_t taken = 0, dropped = 0, half = (uint32_t)number;
	int ret = sd_bus_message_new_method_call(bus, &message, BUS_NAME, BUS_PATH,
						 BUS_MANAGER_INTERFACE, "Report");

	assert_true(ret >= 0);
	assert_true(sd_bus_message_open_container(message, 'a', "(sa{sv})") >= 0);
	assert_true(sd_bus_message_open_container(message, 'r', "sa{sv}") >= 0);
	assert_true(sd_bus_message_append(message, "s", "DSI-1") >= 0);
	assert_true(sd_bus_message_open_container(message, 'a', "{sv}") >= 0);
	/* All of them large, but for the one that is tried. */
	if (strcmp(key, "Buffers"))
		assert_true(sd_bus_message_append(message, "{sv}", "Buffers", "u", 100000) >= 0);
	if (strcmp(key, "BufferBytes"))
		assert_true(sd_bus_message_append(message, "{sv}", "BufferBytes", "t", GIB) >= 0);
	assert_true(sd_bus_message_open_container(message, 'e', "sv") >= 0);
	assert_true(sd_bus_message_append(message, "s", key) >= 0);
	assert_true(sd_bus_message_open_container(message, 'v', signature) >= 0);
	if (type == 's')
		ret = sd_bus_message_append(message, "s", "many");
	else if (type == 'd')
		ret = sd_bus_message_append(message, "d", -1.5);
	else
		ret = sd_bus_message_append_basic(message, type,
						  type == 't' || type == 'x' ? (void *)&number :
									       (void *)&half);
	assert_true(ret >= 0);
	for (unsigned int i = 0; i < 5; i++)
		assert_true(sd_bus_message_close_container(message) >= 0);
	ret = sd_bus_call(bus, message, 0, NULL, &reply);
	if (ret >= 0)
		ret = sd_bus_message_read(reply, "uu", &taken, &dropped);
	assert_true(ret < 0 || taken + dropped == 1);
	sd_bus_message_unref(message);
	sd_bus_message_unref(reply);
	return ret < 0 ? ret : (int)taken;
}

static void lies_of_compositors_stay_within_the_range(void **state)
{
	static const char *const keys[] = {
		"RefreshMilliHertz", "Flips",	     "Missed",	   "Planes", "Buffers",
		"BufferBytes",	     "EventBuffers", "EventBytes", "Event",  "Unknown"
	};
	static const uint64_t numbers[] = { 0, 1, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX };
	static const char types[] = "utxidsb";
	unsigned int told = 0, dropped = 0;
	sd_bus *bus;

	(void)state;
	fake_write(root, "etc/scanoutd.conf",
		   "[Poll]\nIntervalSec=100ms\n[Bus]\nCallsPerSecond=1000\nCallsBurst=1000\n");
	kill(service_pid, SIGHUP);
	sleep_ms(500);
	bus = connect_client(&dbus);
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
			for (const char *type = types; *type; type++) {
				int taken = report(bus, keys[k], *type,
						   *type == 'b' ? numbers[n] % 2 : numbers[n]);

				assert_true(taken >= 0);
				told++;
				dropped += !taken;
				limits_are_within_range();
			}
		}
	}
	print_message("%u lies told, %u of them dropped\n", told, dropped);
	assert_true(dropped > told / 4);
	/* They are believed as far as the range goes, and hold_max_bytes. */
	assert_true(report(bus, "Planes", 'u', 0) == 1);
	EVENTUALLY(limit("max_bytes") == CEILING_BYTES);
	sd_bus_flush_close_unref(bus);
	fake_write(root, "etc/scanoutd.conf",
		   "[Poll]\nIntervalSec=100ms\n[Tuner]\nDecayPercent=10\n");
	kill(service_pid, SIGHUP);
	tunes();
}

/* @count reports as fast as the bus takes them; nobody waits for answers. */
static void flood(unsigned int count)
{
	sd_bus *bus = connect_client(&dbus);

	for (unsigned int i = 0; i < count; i++) {
		sd_bus_message *message = NULL;

		if (sd_bus_message_new_method_call(bus, &message, BUS_NAME, BUS_PATH,
						   BUS_MANAGER_INTERFACE, "Report") < 0 ||
		    sd_bus_message_append(message, "a(sa{sv})", 1, "DSI-1", 2, "Buffers", "u",
					  UINT32_MAX, "BufferBytes", "t", UINT64_MAX - i) < 0 ||
		    sd_bus_message_set_expect_reply(message, false) < 0 ||
		    sd_bus_send(bus, message, NULL) < 0 || sd_bus_flush(bus) < 0)
			_exit(1);
		sd_bus_message_unref(message);
	}
	sd_bus_flush_close_unref(bus);
	_exit(0);
}

/* The slowest of calls, each of a client of its own, made until @pid ends. */
static uint64_t slowest_call_ms(pid_t pid, unsigned int *calls, int *status)
{
	uint64_t slowest = 0;

	for (*calls = 0; !waitpid(pid, status, WNOHANG); ++*calls) {
		uint64_t begin = now_ms(), took;

		flip(*calls / 10 % 2 ? NEAR_BUCKET : FAR_BUCKET);
		assert_true(served());
		took = now_ms() - begin;
		slowest = took > slowest ? took : slowest;
		limits_are_within_range();
		sleep_ms(20);
	}
	return slowest;
}

static void flood_and_watch(unsigned int count)
{
	uint64_t begin = now_ms(), slowest, before;
	unsigned int calls;
	int status;
	pid_t pid;

	before = service_memory_bytes();
	pid = fork();
	if (!pid)
		flood(count);
	slowest = slowest_call_ms(pid, &calls, &status);
	assert_int_equal(status, 0);
	print_message("%u reports in %" PRIu64 " ms; of %u calls of others meanwhile the slowest "
		      "took %" PRIu64 " ms; memory %" PRIu64 " -> %" PRIu64 " KiB\n",
		      count, now_ms() - begin, calls, slowest, before / KIB,
		      service_memory_bytes() / KIB);
	assert_true(calls > 0);
	assert_true(slowest < PATIENCE_MS);
}

static void a_flood_moves_nothing_and_starves_nobody(void **state)
{
	uint64_t before;

	(void)state;
	flood_and_watch(FLOOD_FIRST);
	before = service_memory_bytes();
	flood_and_watch(FLOOD);
	assert_true(service_memory_bytes() < before + FLOOD_BYTES);
	/* The last report is over after five seconds of the service's time. */
	tunes();
}

static void thousands_of_holds_are_counted_per_user(void **state)
{
	sd_bus *clients[200], *bus = connect_client(&dbus);
	unsigned int asked = 0, got = 0;
	uint64_t before = service_memory_bytes();

	(void)state;
	for (unsigned int i = 0; i < 200; i++)
		clients[i] = connect_client(&dbus);
	for (unsigned int round = 0; round < 25; round++) {
		for (unsigned int i = 0; i < 200; i++) {
			got += hold(clients[i], round % 2 ? 128 * MIB : UINT64_MAX) >= 0;
			asked++;
		}
		limits_are_within_range();
		assert_in_range(hold_count(bus), 0, 8);
	}
	print_message("%u holds asked for by 200 clients of a user, %u granted; memory %" PRIu64
		      " -> %" PRIu64 " KiB\n",
		      asked, got, before / KIB, service_memory_bytes() / KIB);
	assert_int_equal(got, 8);
	assert_true(service_memory_bytes() < before + GROWTH_BYTES);
	for (unsigned int i = 0; i < 200; i++)
		sd_bus_flush_close_unref(clients[i]);
	EVENTUALLY(hold_count(bus) == 0);
	sd_bus_flush_close_unref(bus);
	tunes();
}

/* A new connection is not a way around what a user may call. */
static void clients_that_come_and_go_share_what_a_user_may(void **state)
{
	uint64_t begin = now_ms(), before = 0, seconds;
	unsigned int admitted = 0;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		sd_bus *bus = connect_client(&dbus);
		sd_bus_error error = SD_BUS_ERROR_NULL;

		/* Admitted calls are told that there is no such hold. */
		assert_true(sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
					       "ReleaseHold", &error, NULL, "u", 0) < 0);
		admitted += !sd_bus_error_has_name(&error, SD_BUS_ERROR_LIMITS_EXCEEDED);
		sd_bus_error_free(&error);
		sd_bus_flush_close_unref(bus);
		if (i == 500)
			before = service_memory_bytes();
	}
	/* The service's seconds, which are ten to one of ours. */
	seconds = (now_ms() - begin) / 100 + 1;
	print_message("1000 clients called in %" PRIu64 " s of the service's, %u were admitted\n",
		      seconds, admitted);
	assert_true(admitted > 0 && admitted <= 40 + 8 * seconds);
	assert_true(service_memory_bytes() < before + GROWTH_BYTES);
	tunes();
}

/* What polkit does when it is asked. */
enum polkit { ABSENT, YES, NO, CHALLENGE, FAILS, REFUSES, NOTHING };

static enum polkit polkit_does;

static int check_authorization(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)userdata;
	switch (polkit_does) {
	case FAILS:
		return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, "it fails");
	case REFUSES:
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "you may not ask");
	case NOTHING:
		return 1;
	default:
		return sd_bus_reply_method_return(message, "(bba{ss})", polkit_does == YES,
						  polkit_does == CHALLENGE, 0);
	}
}

static const sd_bus_vtable authority_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", check_authorization,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static pid_t start_polkit(enum polkit what)
{
	int ready[2];
	sd_bus *bus;
	char byte;
	pid_t pid;

	polkit_does = what;
	if (what == ABSENT)
		return 0;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		if (try_connect(&dbus, &bus) < 0 ||
		    sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
					     "org.freedesktop.PolicyKit1.Authority",
					     authority_vtable, NULL) < 0 ||
		    sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		while (sd_bus_process(bus, NULL) > 0 || sd_bus_wait(bus, UINT64_MAX) >= 0)
			;
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* Run it as another user; returns what it returns, 0 to 255. */
static int as_nobody(int (*what)(sd_bus *bus))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		sd_bus *bus;

		if (setresuid(NOBODY, NOBODY, NOBODY) || try_connect(&dbus, &bus) < 0)
			_exit(255);
		_exit(what(bus));
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

enum { MAY_HOLD = 1, MAY_RESUME = 2, MAY_REPORT = 4 };

static int what_it_may(sd_bus *bus)
{
	int may = hold(bus, MIB) >= 0 ? MAY_HOLD : 0;

	if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Resume", NULL, NULL,
			       "s", "") >= 0)
		may |= MAY_RESUME;
	if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Report", NULL, NULL,
			       "a(sa{sv})", 0) >= 0)
		may |= MAY_REPORT;
	return may;
}

static void only_without_polkit_the_session_decides(void **state)
{
	static const struct {
		enum polkit polkit;
		bool active;
		int may;
	} cases[] = {
		{ ABSENT, false, 0 },
		{ ABSENT, true, MAY_HOLD | MAY_REPORT },
		{ YES, false, MAY_HOLD | MAY_RESUME },
		{ NO, true, MAY_REPORT },
		{ CHALLENGE, true, MAY_REPORT },
		/* It is there, and has not allowed anything. */
		{ FAILS, true, MAY_REPORT },
		{ REFUSES, true, MAY_REPORT },
	};

	(void)state;
	if (getuid())
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t polkit = start_polkit(cases[i].polkit);

		page->active_uid = cases[i].active ? NOBODY : 0;
		assert_int_equal(as_nobody(what_it_may), cases[i].may);
		end_program(polkit, SIGKILL);
	}
}

static int count_turned_away(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	int *count = userdata;

	(void)error;
	*count += sd_bus_message_is_method_error(reply, SD_BUS_ERROR_LIMITS_EXCEEDED) > 0;
	return 0;
}

/* How many calls are turned away while so many others wait. */
static int ask_without_end(sd_bus *bus)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	int turned_away = 0;

	for (unsigned int i = 0; i < 2 * AUTHORITY_QUESTIONS_PER_USER; i++)
		if (sd_bus_call_method_async(bus, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
					     "Hold", count_turned_away, &turned_away, "ts", MIB,
					     "test") < 0)
			return 254;
	while (turned_away < AUTHORITY_QUESTIONS_PER_USER && now_ms() < until)
		if (!sd_bus_process(bus, NULL))
			sd_bus_wait(bus, 100000);
	return turned_away;
}

static void a_polkit_that_thinks_keeps_some_callers_waiting_not_all(void **state)
{
	pid_t polkit;

	(void)state;
	if (getuid())
		skip();
	polkit = start_polkit(NOTHING);
	assert_int_equal(as_nobody(ask_without_end), AUTHORITY_QUESTIONS_PER_USER);
	assert_true(served());
	end_program(polkit, SIGKILL);
}

/* More than may wait at a time, if what waited on the bus before still did. */
static void questions_go_with_the_bus_and_the_service(void **state)
{
	pid_t polkit;

	(void)state;
	if (getuid())
		skip();
	for (unsigned int i = 0; i <= AUTHORITY_QUESTIONS / AUTHORITY_QUESTIONS_PER_USER; i++) {
		polkit = start_polkit(NOTHING);
		assert_int_equal(as_nobody(ask_without_end), AUTHORITY_QUESTIONS_PER_USER);
		stop_bus(&dbus, SIGKILL);
		end_program(polkit, SIGKILL);
		/* So that callers may call again. */
		page->ahead_us += UINT64_C(60) * 1000000;
		start_bus(&dbus, root);
		EVENTUALLY(served());
	}
	polkit = start_polkit(NOTHING);
	assert_int_equal(as_nobody(ask_without_end), AUTHORITY_QUESTIONS_PER_USER);
	/* Sanitizers would say what it leaves behind. */
	assert_int_equal(stop_service(SIGTERM), 0);
	end_program(polkit, SIGKILL);
}

/* Returns 1 if one of the first holds could be released. */
static int release_of_others(sd_bus *bus)
{
	for (uint32_t cookie = 1; cookie <= 2; cookie++)
		if (sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
				       "ReleaseHold", NULL, NULL, "u", cookie) >= 0)
			return 1;
	return 0;
}

static void nobody_releases_the_holds_of_others(void **state)
{
	sd_bus *bus = connect_client(&dbus);

	(void)state;
	if (getuid())
		skip();
	assert_true(hold(bus, MIB) >= 0);
	assert_int_equal(as_nobody(release_of_others), 0);
	assert_int_equal(hold_count(bus), 1);
	sd_bus_flush_close_unref(bus);
}

#define ROBUST(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROBUST(a_bus_that_is_restarted_is_found_again),
		ROBUST(nobody_inherits_root_from_an_earlier_bus),
		ROBUST(of_two_that_wait_for_the_bus_one_ends_and_hands_nothing_back),
		ROBUST(a_bus_that_hangs_does_not_stop_the_tuning),
		ROBUST(it_starts_without_a_bus_and_finds_it_later),
		ROBUST(lies_of_compositors_stay_within_the_range),
		ROBUST(a_flood_moves_nothing_and_starves_nobody),
		ROBUST(thousands_of_holds_are_counted_per_user),
		ROBUST(clients_that_come_and_go_share_what_a_user_may),
		ROBUST(only_without_polkit_the_session_decides),
		ROBUST(a_polkit_that_thinks_keeps_some_callers_waiting_not_all),
		ROBUST(questions_go_with_the_bus_and_the_service),
		ROBUST(nobody_releases_the_holds_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
