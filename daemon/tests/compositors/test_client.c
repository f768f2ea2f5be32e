// SPDX-License-Identifier: MIT
/*
 * What the library for compositors promises: it never blocks, allocates nothing, wakes nobody
 * without need, and tells what it was told, whatever happens to the bus and to scanoutd.
 *
 * The clock and the timer are the test's, so that a minute takes milliseconds; the bus is real.
 */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "bus.h"
#include "scanout-report.h"
#include "test_client_bus.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define FRAME_NS (NS_PER_S / 60)
/* Longer than any test takes: one that blocks ends here. */
#define WATCHDOG_S 120
/* For what will come on any machine, and for what will not come at all. */
#define PATIENCE_MS 2000
#define NO_PATIENCE_MS 2

static struct test_bus bus;
static struct scanout_report *report;
static uint64_t now_ns;	 /* the test's clock */
static uint64_t wake_ns; /* its timer; 0: stopped */
static int bus_fd;	 /* the library's connection */
static bool expecting;	 /* something was written, and nothing was read since */
static int patience_ms;	 /* how long what is read may take to come, in real time */

static struct {
	unsigned int allocations;
	unsigned int calls; /* of the kernel, timer included */
	unsigned int receives;
	unsigned int blocking; /* that could have waited */
	unsigned int wakeups;  /* by the timer */
} count;

/*
 * What the library calls
 */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__wrap_calloc(size_t number, size_t size);
int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *timer,
			   struct itimerspec *old);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __real_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);

void *__wrap_malloc(size_t size)
{
	count.allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
	count.allocations++;
	return __real_calloc(number, size);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	assert_int_equal(clock, CLOCK_MONOTONIC);
	time->tv_sec = (time_t)(now_ns / NS_PER_S);
	time->tv_nsec = (long)(now_ns % NS_PER_S);
	return 0;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *timer,
			   struct itimerspec *old)
{
	(void)fd, (void)old;
	count.calls++;
	assert_int_equal(flags, TFD_TIMER_ABSTIME);
	assert_int_equal(timer->it_interval.tv_sec, 0);
	assert_int_equal(timer->it_interval.tv_nsec, 0);
	wake_ns = (uint64_t)timer->it_value.tv_sec * NS_PER_S + (uint64_t)timer->it_value.tv_nsec;
	return 0;
}

int __wrap_socket(int domain, int type, int protocol)
{
	count.calls++;
	count.blocking += !(type & SOCK_NONBLOCK);
	bus_fd = __real_socket(domain, type, protocol);
	expecting = false;
	return bus_fd;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
	count.calls++;
	count.blocking += !(flags & MSG_DONTWAIT) || !(flags & MSG_NOSIGNAL);
	expecting = true;
	return __real_send(fd, bytes, size, flags);
}

ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
	ssize_t got = __real_recv(fd, bytes, size, flags);

	count.calls++;
	count.receives++;
	count.blocking += !(flags & MSG_DONTWAIT);
	expecting = expecting && got <= 0;
	return got;
}

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
	count.calls++;
	/* The test's own pipes may. */
	if (fd == scanout_report_fd(report))
		count.blocking += !(fcntl(fd, F_GETFL) & O_NONBLOCK);
	return __real_read(fd, bytes, size);
}

/*
 * Time
 */

/* Do what the loop of a compositor would do, if the timer has fired. */
static bool loop_once(void)
{
	unsigned int allocated = count.allocations;

	if (!wake_ns || wake_ns > now_ns)
		return false;
	count.wakeups++;
	/* Bus and service are processes: let them do what they do within the test's second. */
	if (expecting) {
		struct pollfd readable = { .fd = bus_fd, .events = POLLIN };

		poll(&readable, 1, patience_ms);
	}
	wake_ns = 0;
	scanout_report_dispatch(report);
	assert_int_equal(count.allocations, allocated);
	return true;
}

/* Let time pass without flips. */
static void pass(uint64_t ns)
{
	uint64_t until_ns = now_ns + ns;

	while (wake_ns && wake_ns <= until_ns) {
		if (wake_ns > now_ns)
			now_ns = wake_ns;
		loop_once();
	}
	now_ns = until_ns;
}

/* Sixty flips a second, on up to three outputs. */
static void flip(unsigned int frames, struct scanout_report_output *first,
		 struct scanout_report_output *second, struct scanout_report_output *third)
{
	for (unsigned int i = 0; i < frames; i++) {
		pass(FRAME_NS);
		scanout_report_note_flip(first, 1, now_ns, 0);
		scanout_report_note_flip(second, 1 + i % 3, now_ns, i % 2);
		scanout_report_note_flip(third, 0, now_ns, 2);
	}
}

static struct scanout_report_stats stats(void)
{
	struct scanout_report_stats now = { .size = sizeof(now) };

	scanout_report_get_stats(report, &now);
	return now;
}

/* Until the service has heard all that was sent to it. */
static void settle(void)
{
	for (int i = 0; i < PATIENCE_MS && bus.told->reports < stats().reports; i++)
		sleep_ms(1);
	assert_int_equal(bus.told->reports, stats().reports);
}

/* Flip until it is so, for ten minutes of the test's time at most. */
#define FLIP_UNTIL(_output, _condition)                           \
	do {                                                      \
		for (int _i = 0; _i < 600 && !(_condition); _i++) \
			flip(60, _output, NULL, NULL);            \
		assert_true(_condition);                          \
	} while (0)

static void start_report(const char *address)
{
	struct scanout_report_options options = { sizeof(options), address };

	wake_ns = 0;
	report = scanout_report_new(&options);
	assert_non_null(report);
	memset(&count, 0, sizeof(count));
}

static int setup(void **state)
{
	(void)state;
	alarm(WATCHDOG_S);
	now_ns = 1000 * NS_PER_S;
	patience_ms = PATIENCE_MS;
	test_bus_start(&bus);
	test_service_start(&bus);
	start_report(bus.dbus.address);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	/* Whatever happened in between. */
	assert_int_equal(count.blocking, 0);
	scanout_report_free(report);
	report = NULL;
	test_bus_stop(&bus);
	alarm(0);
	return 0;
}

/*
 * Figures
 */

static void every_flip_is_told_once(void **state)
{
	struct scanout_report_output *one, *two, *three;

	(void)state;
	one = scanout_report_add_output(report, "DSI-1", 60000);
	two = scanout_report_add_output(report, "HDMI-A-1", 59940);
	three = scanout_report_add_output(report, "DP-1", 0);
	flip(600, one, two, three);
	pass(2 * NS_PER_S);
	settle();

	assert_int_equal(bus.told->malformed, 0);
	assert_int_equal(bus.told->last_outputs, 3);
	assert_int_equal(test_told(&bus, "DSI-1")->flips, 600);
	assert_int_equal(test_told(&bus, "DSI-1")->missed, 0);
	assert_int_equal(test_told(&bus, "DSI-1")->refresh_mhz, 60000);
	assert_int_equal(test_told(&bus, "DSI-1")->planes, 1);
	assert_int_equal(test_told(&bus, "HDMI-A-1")->flips, 600);
	assert_int_equal(test_told(&bus, "HDMI-A-1")->missed, 300);
	assert_int_equal(test_told(&bus, "HDMI-A-1")->planes, 3);
	assert_int_equal(test_told(&bus, "DP-1")->missed, 1200);
	assert_int_equal(test_told(&bus, "DP-1")->planes, 0);
	/* Nobody said; it is seen. */
	assert_in_range(test_told(&bus, "DP-1")->refresh_mhz, 59900, 60100);
	assert_int_equal(stats().flips, 1800);
	assert_int_equal(stats().dropped_flips, 0);
	assert_string_equal(stats().error, "");
}

static void reports_come_once_a_second(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	for (int i = 0; i < 10; i++) {
		uint64_t before = stats().reports;
		unsigned int wakeups = count.wakeups;

		flip(60, output, NULL, NULL);
		assert_in_range(stats().reports - before, 0, 1);
		assert_in_range(count.wakeups - wakeups, 0, 1);
	}
	assert_in_range(stats().reports, 10, 14);
}

static void nothing_wakes_the_loop_while_nothing_flips(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	unsigned int wakeups;

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	pass(2 * NS_PER_S);
	wakeups = count.wakeups;
	assert_int_equal(wake_ns, 0);
	pass(3600 * NS_PER_S);
	assert_int_equal(count.wakeups, wakeups);
	/* And it goes on afterwards. */
	flip(120, output, NULL, NULL);
	assert_true(count.wakeups > wakeups);
}

static void buffers_are_told_until_changed(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);

	(void)state;
	scanout_report_set_buffers(output, 12, 3133440);
	flip(180, output, NULL, NULL);
	pass(2 * NS_PER_S);
	settle();
	assert_int_equal(test_told(&bus, "DSI-1")->buffers, 12);
	assert_int_equal(test_told(&bus, "DSI-1")->buffer_bytes, 3133440);
	scanout_report_set_buffers(output, 0, 0);
	/* Told although nothing flips. */
	pass(3 * NS_PER_S);
	settle();
	assert_int_equal(test_told(&bus, "DSI-1")->buffers, 0);
}

static void odd_names_do_not_end_the_connection(void **state)
{
	static const char invalid[] = "\xff\xfe\n";
	char longest[256];
	struct scanout_report_output *one, *two, *three;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	one = scanout_report_add_output(report, invalid, 60000);
	two = scanout_report_add_output(report, longest, 60000);
	three = scanout_report_add_output(report, "", 60000);
	flip(300, one, two, three);
	pass(2 * NS_PER_S);
	settle();
	assert_int_equal(stats().connections, 1);
	assert_int_equal(bus.told->malformed, 0);
	assert_int_equal(test_told(&bus, "???")->flips, 300);
	assert_int_equal(test_told(&bus, "?")->flips, 300);
	longest[63] = '\0';
	assert_int_equal(test_told(&bus, longest)->flips, 300);
}

static void the_seventeenth_output_is_refused_and_harmless(void **state)
{
	struct scanout_report_output *outputs[SCANOUT_REPORT_OUTPUTS];
	char name[64];

	(void)state;
	for (int i = 0; i < SCANOUT_REPORT_OUTPUTS; i++) {
		/* The longest names and every key: it fits. */
		snprintf(name, sizeof(name), "%063d", i);
		outputs[i] = scanout_report_add_output(report, name, 60000);
		assert_non_null(outputs[i]);
		scanout_report_set_buffers(outputs[i], UINT32_MAX, UINT64_MAX);
		scanout_report_note_flip(outputs[i], UINT32_MAX, now_ns, UINT32_MAX);
		scanout_report_coming(report, outputs[i], SCANOUT_REPORT_FULLSCREEN_VIDEO,
				      UINT32_MAX, UINT64_MAX);
	}
	assert_null(scanout_report_add_output(report, "one more", 60000));
	scanout_report_note_flip(NULL, 1, now_ns, 0);
	scanout_report_set_buffers(NULL, 1, 1);
	scanout_report_set_refresh(NULL, 1);
	scanout_report_remove_output(NULL);
	FLIP_UNTIL(outputs[0], bus.told->reports > 0);
	assert_int_equal(bus.told->malformed, 0);
	assert_int_equal(bus.told->last_outputs, SCANOUT_REPORT_OUTPUTS);
	snprintf(name, sizeof(name), "%063d", 15);
	assert_int_equal(test_told(&bus, name)->event_buffers, UINT32_MAX);
	assert_true(test_told(&bus, name)->buffer_bytes == UINT64_MAX);

	/* A slot is free once its output is gone. */
	scanout_report_remove_output(outputs[3]);
	assert_non_null(scanout_report_add_output(report, "one more", 60000));
}

/*
 * Events
 */

static void events_are_told_at_once_with_their_sizes(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	uint64_t announced_ns;

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	announced_ns = now_ns;
	scanout_report_coming(report, output, SCANOUT_REPORT_FULLSCREEN_VIDEO, 12, 3133440);
	assert_true(loop_once());
	settle();
	assert_int_equal(now_ns, announced_ns);
	assert_string_equal(test_told(&bus, "DSI-1")->event, "fullscreen-video");
	assert_int_equal(test_told(&bus, "DSI-1")->event_buffers, 12);
	assert_int_equal(test_told(&bus, "DSI-1")->event_bytes, 3133440);

	/* Said for as long as it counts, then not any more. */
	flip(60 * 3, output, NULL, NULL);
	settle();
	assert_string_equal(test_told(&bus, "DSI-1")->event, "fullscreen-video");
	flip(60 * 4, output, NULL, NULL);
	settle();
	assert_string_equal(test_told(&bus, "DSI-1")->event, "");
	assert_int_equal(test_told(&bus, "DSI-1")->events, 1);
}

static void events_for_all_outputs_make_one_report(void **state)
{
	uint64_t before;

	(void)state;
	scanout_report_add_output(report, "DSI-1", 60000);
	scanout_report_add_output(report, "DP-1", 60000);
	pass(30 * NS_PER_S);
	before = stats().reports;
	scanout_report_coming(report, NULL, SCANOUT_REPORT_VT_SWITCH, 0, 0);
	pass(30 * NS_PER_S);
	settle();
	assert_int_equal(stats().reports, before + 1);
	assert_string_equal(test_told(&bus, "DSI-1")->event, "vt-switch");
	assert_string_equal(test_told(&bus, "DP-1")->event, "vt-switch");
}

static void a_burst_of_events_is_told_as_fast_as_scanoutd_takes_it(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	uint64_t before;

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	pass(10 * NS_PER_S);
	before = stats().reports;
	for (int i = 0; i < 1000; i++) {
		scanout_report_coming(report, output, SCANOUT_REPORT_FULLSCREEN_VIDEO, 3, 4096);
		pass(2 * NS_PER_MS);
	}
	/* Two seconds. */
	assert_in_range(stats().reports - before, 4, 6);
	assert_true(stats().dropped_events > 900);
	pass(10 * NS_PER_S);
	assert_string_equal(stats().error, "");
}

static void an_output_that_is_off_is_forgotten_until_it_flips(void **state)
{
	struct scanout_report_output *one = scanout_report_add_output(report, "DSI-1", 60000);
	struct scanout_report_output *two = scanout_report_add_output(report, "DP-1", 60000);

	(void)state;
	flip(180, one, two, NULL);
	scanout_report_coming(report, two, SCANOUT_REPORT_OUTPUT_OFF, 0, 0);
	flip(60, one, NULL, NULL);
	settle();
	assert_string_equal(test_told(&bus, "DP-1")->event, "output-off");
	flip(60 * 8, one, NULL, NULL);
	settle();
	assert_int_equal(bus.told->last_outputs, 1);
	flip(120, one, two, NULL);
	settle();
	assert_int_equal(bus.told->last_outputs, 2);
	assert_string_equal(test_told(&bus, "DP-1")->event, "");
}

static void a_removed_output_says_so_once(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	unsigned int reports;

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	scanout_report_remove_output(output);
	pass(2 * NS_PER_S);
	settle();
	assert_string_equal(test_told(&bus, "DSI-1")->event, "output-off");
	reports = bus.told->reports;
	pass(60 * NS_PER_S);
	assert_int_equal(bus.told->reports, reports);

	/* One that is back before that was told is there, not off. */
	output = scanout_report_add_output(report, "DSI-1", 60000);
	scanout_report_remove_output(output);
	output = scanout_report_add_output(report, "DSI-1", 60000);
	pass(NS_PER_S);
	settle();
	assert_true(bus.told->reports > reports);
	assert_string_equal(test_told(&bus, "DSI-1")->event, "");
	assert_int_equal(bus.told->last_outputs, 1);
}

static void outputs_come_and_go_for_ever(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 3 * SCANOUT_REPORT_OUTPUTS; i++) {
		struct scanout_report_output *output;

		snprintf(name, sizeof(name), "DP-%d", i);
		output = scanout_report_add_output(report, name, 60000);
		assert_non_null(output);
		FLIP_UNTIL(output, bus.told->reports > 0);
		scanout_report_remove_output(output);
		/* Told, and too old to be told again. */
		pass(10 * NS_PER_S);
		settle();
		assert_string_equal(test_told(&bus, name)->event, "output-off");
		/* All that is remembered of them. */
		bus.told->output_count = 0;
		memset(bus.told->outputs, 0, sizeof(bus.told->outputs));
	}
}

static void an_output_that_flips_again_is_on_again(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	scanout_report_coming(report, output, SCANOUT_REPORT_OUTPUT_OFF, 0, 0);
	pass(NS_PER_S);
	settle();
	assert_string_equal(test_told(&bus, "DSI-1")->event, "output-off");
	/* Before that is forgotten by itself. */
	flip(120, output, NULL, NULL);
	settle();
	assert_string_equal(test_told(&bus, "DSI-1")->event, "");
}

static void two_flips_at_once_are_no_rate(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 0);

	(void)state;
	scanout_report_note_flip(output, 1, now_ns, 0);
	scanout_report_note_flip(output, 1, now_ns + NS_PER_MS / 2, 0);
	pass(3 * NS_PER_S);
	settle();
	assert_int_equal(test_told(&bus, "DSI-1")->flips, 2);
	assert_int_equal(test_told(&bus, "DSI-1")->refresh_mhz, 0);
}

/*
 * Trouble
 */

static void a_stopped_bus_blocks_nobody(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	unsigned int allocated, wakeups;

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	allocated = count.allocations;
	wakeups = count.wakeups;
	patience_ms = NO_PATIENCE_MS;
	kill(bus.dbus.pid, SIGSTOP);
	/* Nearly an hour; more than the socket can hold, so it is written to while it is full, too.
	 */
	for (int i = 0; i < 10000; i++) {
		flip(20, output, NULL, NULL);
		if (!(i % 100))
			scanout_report_coming(report, output, SCANOUT_REPORT_FULLSCREEN_VIDEO, 9,
					      4096);
	}
	assert_int_equal(count.allocations, allocated);
	/* Once a second, once for each event, and some for greetings. */
	assert_in_range(count.wakeups - wakeups, 400, 3334 + 100 * 6 + 3334 / 32 * 16);
	assert_true(stats().dropped_flips > 0);
	assert_string_not_equal(stats().error, "");
	kill(bus.dbus.pid, SIGCONT);
	patience_ms = PATIENCE_MS;
	{
		uint64_t answers = stats().answers;

		FLIP_UNTIL(output, stats().answers > answers);
	}
}

static void noting_a_flip_makes_no_system_call(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	unsigned int calls;

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	pass(10 * NS_PER_S);
	calls = count.calls;
	for (int i = 0; i < 10000; i++)
		scanout_report_note_flip(output, 1, now_ns + (uint64_t)i, 0);
	/* The first starts the timer. */
	assert_int_equal(count.calls, calls + 1);
}

static void an_absent_service_is_asked_less_often(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	uint64_t before;

	(void)state;
	test_service_kill(&bus);
	flip(60 * 30, output, NULL, NULL);
	assert_string_equal(stats().error, "org.freedesktop.DBus.Error.NameHasNoOwner");
	before = stats().reports;
	flip(60 * 80, output, NULL, NULL);
	assert_in_range(stats().reports - before, 9, 11);
	assert_int_equal(stats().answers, 0);
	assert_int_equal(stats().connections, 1);

	test_service_start(&bus);
	FLIP_UNTIL(output, stats().answers > 0);
	before = stats().reports;
	flip(60 * 20, output, NULL, NULL);
	assert_in_range(stats().reports - before, 19, 21);
}

static void a_service_that_never_answers_costs_one_question(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);

	(void)state;
	patience_ms = NO_PATIENCE_MS;
	bus.told->mute = true;
	flip(60 * 300, output, NULL, NULL);
	settle();
	/* It is told nevertheless, but less often. */
	assert_in_range(bus.told->reports, 30, 60);
	/* The bus counts what is not answered: no more than one a minute. */
	assert_in_range(bus.told->questions, 1, 6);
	assert_int_equal(stats().answers, 0);
	assert_int_equal(stats().connections, 1);
	assert_int_equal(test_told(&bus, "DSI-1")->flips + stats().dropped_flips >= 60 * 290, 1);
}

static void a_service_that_refuses_is_asked_less_often(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);

	(void)state;
	bus.told->refuse = true;
	flip(60 * 120, output, NULL, NULL);
	assert_in_range(bus.told->reports, 14, 25);
	assert_string_equal(stats().error, SD_BUS_ERROR_ACCESS_DENIED);
	bus.told->refuse = false;
	FLIP_UNTIL(output, stats().answers > 0);
}

static void a_restarted_service_is_told_again(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);

	(void)state;
	for (int i = 0; i < 3; i++) {
		uint64_t answers = stats().answers;

		FLIP_UNTIL(output, stats().answers > answers);
		test_service_kill(&bus);
		flip(60 * 5, output, NULL, NULL);
		test_service_start(&bus);
	}
	assert_int_equal(stats().connections, 1);
}

static void a_bus_that_was_away_is_found_again(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	uint64_t flips;

	(void)state;
	for (unsigned int i = 1; i <= 3; i++) {
		uint64_t answers = stats().answers;

		FLIP_UNTIL(output, stats().answers > answers);
		assert_int_equal(stats().connections, i);
		test_service_kill(&bus);
		test_bus_kill(&bus);
		flip(60 * 60, output, NULL, NULL);
		assert_int_equal(stats().connections, i);
		assert_non_null(strstr(stats().error, "bus"));
		test_bus_restart(&bus);
		test_service_start(&bus);
	}
	/* What is told is what happened lately. */
	flips = test_told(&bus, "DSI-1")->flips;
	FLIP_UNTIL(output, test_told(&bus, "DSI-1")->flips > flips);
	assert_in_range(test_told(&bus, "DSI-1")->flips - flips, 1, 60 * 15);
	assert_true(stats().dropped_flips > 60 * 100);
}

static void events_that_could_not_be_told_in_time_are_dropped(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);

	(void)state;
	patience_ms = NO_PATIENCE_MS;
	test_service_kill(&bus);
	test_bus_kill(&bus);
	pass(60 * NS_PER_S);
	scanout_report_coming(report, output, SCANOUT_REPORT_FULLSCREEN_VIDEO, 12, 4096);
	pass(60 * NS_PER_S);
	assert_int_equal(stats().dropped_events, 1);
	/* Nor does it keep the loop busy. */
	assert_int_equal(wake_ns, 0);
	test_bus_restart(&bus);
	test_service_start(&bus);
	patience_ms = PATIENCE_MS;
	FLIP_UNTIL(output, bus.told->reports > 1);
	assert_string_equal(test_told(&bus, "DSI-1")->event, "");
}

/* A message to the library's own connection, with so many bytes. */
static void send_to_us(sd_bus *client, size_t bytes)
{
	sd_bus_message *message = NULL;
	void *space;

	assert_true(sd_bus_message_new_signal(client, &message, "/x", "x.y", "Z") >= 0);
	assert_true(sd_bus_message_set_destination(message, bus.told->sender) >= 0);
	assert_true(sd_bus_message_append_array_space(message, 'y', bytes, &space) >= 0);
	memset(space, 'x', bytes);
	assert_true(sd_bus_send(client, message, NULL) >= 0);
	sd_bus_message_unref(message);
}

static void a_flood_wakes_nobody_and_stops_no_report(void **state)
{
	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
	sd_bus *flooder = connect_client(&bus.dbus);
	unsigned int wakeups, receives;
	uint64_t reports;

	(void)state;
	FLIP_UNTIL(output, stats().answers > 1);
	reports = stats().reports;
	wakeups = count.wakeups;
	receives = count.receives;
	for (int i = 0; i < 500; i++)
		send_to_us(flooder, i % 10 ? 100 : 60000);
	assert_true(sd_bus_flush(flooder) >= 0);
	flip(60 * 20, output, NULL, NULL);
	settle();
	assert_in_range(stats().reports - reports, 19, 21);
	assert_in_range(count.wakeups - wakeups, 19, 21);
	assert_true(count.receives - receives <= 21 * 32);
	assert_true(count.receives - receives > 21 * 2);
	assert_int_equal(stats().connections, 1);
	/* It comes to an end, and answers are heard again. */
	reports = stats().answers;
	FLIP_UNTIL(output, stats().answers > reports + 1);
	assert_int_equal(test_told(&bus, "DSI-1")->events, 0);
	sd_bus_flush_close_unref(flooder);
}

static void addresses_of_other_kinds_are_refused(void **state)
{
	static const char *const bad[] = {
		"tcp:host=localhost", "unix:",	  "unix:tmpdir=/tmp", "unix:path=", "unix:path=%2",
		"unix:path=%zz",      "nonsense", "unix:path=/%00",   ";"
	};
	static const char *const good[] = { "unix:path=/x", "tcp:host=a;unix:path=/x",
					    "unix:guid=00,path=/x", "unix:abstract=/a%2fb,guid=1" };
	struct scanout_report_options options = { .size = sizeof(options) };
	char long_address[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		options.bus_address = bad[i];
		errno = 0;
		assert_null(scanout_report_new(&options));
		assert_int_equal(errno, EINVAL);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct scanout_report *other;

		options.bus_address = good[i];
		other = scanout_report_new(&options);
		assert_non_null(other);
		scanout_report_free(other);
	}
	snprintf(long_address, sizeof(long_address), "unix:path=/%0200d", 0);
	options.bus_address = long_address;
	assert_null(scanout_report_new(&options));
	scanout_report_free(NULL);
	scanout_report_dispatch(NULL);
	assert_int_equal(scanout_report_fd(NULL), -1);
}

/* Of programs that were built with an earlier or a later version of the header. */
static void structures_are_as_long_as_their_caller_says(void **state)
{
	struct {
		struct scanout_report_stats known;
		char later[16];
	} stats;
	struct {
		struct scanout_report_options known;
		char later[16];
	} options = { .known = { .bus_address = "unix:path=/x" } };
	const size_t sizes[] = { 0, sizeof(size_t), sizeof(options.known) - 1 };
	struct scanout_report *other;

	(void)state;
	for (size_t size = 0; size <= sizeof(stats); size++) {
		memset(&stats, 'x', sizeof(stats));
		stats.known.size = size;
		scanout_report_get_stats(NULL, &stats.known);
		for (size_t i = sizeof(size_t); i < sizeof(stats); i++)
			assert_int_equal(((char *)&stats)[i], i < size ? 0 : 'x');
		assert_int_equal(stats.known.size, size);
	}

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		options.known.size = sizes[i];
		errno = 0;
		assert_null(scanout_report_new(&options.known));
		assert_int_equal(errno, EINVAL);
	}
	options.known.size = sizeof(options);
	other = scanout_report_new(&options.known);
	assert_non_null(other);
	scanout_report_free(other);
	/* What this version does not have cannot be done. */
	options.later[15] = 1;
	errno = 0;
	assert_null(scanout_report_new(&options.known));
	assert_int_equal(errno, EINVAL);
}

#define WITH_BUS(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_are_as_long_as_their_caller_says),
		WITH_BUS(every_flip_is_told_once),
		WITH_BUS(reports_come_once_a_second),
		WITH_BUS(nothing_wakes_the_loop_while_nothing_flips),
		WITH_BUS(buffers_are_told_until_changed),
		WITH_BUS(odd_names_do_not_end_the_connection),
		WITH_BUS(the_seventeenth_output_is_refused_and_harmless),
		WITH_BUS(events_are_told_at_once_with_their_sizes),
		WITH_BUS(events_for_all_outputs_make_one_report),
		WITH_BUS(a_burst_of_events_is_told_as_fast_as_scanoutd_takes_it),
		WITH_BUS(an_output_that_is_off_is_forgotten_until_it_flips),
		WITH_BUS(a_removed_output_says_so_once),
		WITH_BUS(outputs_come_and_go_for_ever),
		WITH_BUS(an_output_that_flips_again_is_on_again),
		WITH_BUS(two_flips_at_once_are_no_rate),
		WITH_BUS(a_stopped_bus_blocks_nobody),
		WITH_BUS(noting_a_flip_makes_no_system_call),
		WITH_BUS(an_absent_service_is_asked_less_often),
		WITH_BUS(a_service_that_never_answers_costs_one_question),
		WITH_BUS(a_service_that_refuses_is_asked_less_often),
		WITH_BUS(a_restarted_service_is_told_again),
		WITH_BUS(a_bus_that_was_away_is_found_again),
		WITH_BUS(events_that_could_not_be_told_in_time_are_dropped),
		WITH_BUS(a_flood_wakes_nobody_and_stops_no_report),
		cmocka_unit_test(addresses_of_other_kinds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
