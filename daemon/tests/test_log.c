// SPDX-License-Identifier: MIT
/* Messages have a budget: whoever provokes them does not fill the disk. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static uint64_t now_s = 1;
static char said[65536];

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	assert_int_equal(clock, CLOCK_MONOTONIC);
	*time = (struct timespec){ .tv_sec = (time_t)now_s };
	return 0;
}

/* Say something so many times; returns the lines that came of it, which are in @said. */
static unsigned int say(int priority, enum log_kind kind, unsigned int times)
{
	char path[] = "/tmp/scanout-log-XXXXXX";
	int err = dup(2), fd = mkstemp(path);
	unsigned int lines = 0;
	ssize_t length;

	assert_true(err >= 0 && fd >= 0);
	unlink(path);
	dup2(fd, 2);
	for (unsigned int i = 0; i < times; i++)
		log_line(priority, kind, "card0", "line %u", i);
	dup2(err, 2);
	close(err);
	length = pread(fd, said, sizeof(said) - 1, 0);
	assert_true(length >= 0);
	close(fd);
	said[length] = '\0';
	for (const char *c = said; *c; c++)
		lines += *c == '\n';
	return lines;
}

static int setup(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_INFO);
	/* Long enough for every budget to be whole again. */
	now_s += 3600;
	for (enum log_kind kind = 0; kind < LOG_KINDS; kind++)
		say(LOG_ERR, kind, 1);
	now_s += 3600;
	return 0;
}

static void a_line_names_its_cache(void **state)
{
	(void)state;
	assert_int_equal(say(LOG_INFO, LOG_DECISION, 1), 1);
	assert_string_equal(said, "scanoutd: card0: line 0\n");
}

static void each_kind_of_message_has_a_budget_of_its_own(void **state)
{
	unsigned int burst = say(LOG_INFO, LOG_CONFIG, 1000);

	(void)state;
	assert_in_range(burst, 10, 30);
	assert_int_equal(say(LOG_INFO, LOG_CONFIG, 1), 0);
	assert_int_equal(say(LOG_INFO, LOG_CLAIM, 1000), burst);
	/* Not as much again after a moment, but all of it after a while. */
	now_s += 6;
	assert_in_range(say(LOG_INFO, LOG_CLAIM, 1000), 2, 4);
	now_s += 3600;
	assert_int_equal(say(LOG_INFO, LOG_CLAIM, 1000), burst + 1);
}

static void what_was_left_out_is_counted_and_said_once(void **state)
{
	unsigned int burst = say(LOG_INFO, LOG_EXTERNAL, 100);
	char expected[64];

	(void)state;
	now_s += 3600;
	assert_int_equal(say(LOG_INFO, LOG_EXTERNAL, 1), 2);
	snprintf(expected, sizeof(expected), "card0: %u messages like the next", 100 - burst);
	assert_non_null(strstr(said, expected));
	assert_int_equal(say(LOG_INFO, LOG_EXTERNAL, 1), 1);
}

static void what_is_for_debugging_is_said_when_wanted(void **state)
{
	(void)state;
	assert_int_equal(say(LOG_DEBUG, LOG_SERVICE, 3), 0);
	log_set_level(LOG_DEBUG);
	assert_int_equal(say(LOG_DEBUG, LOG_SERVICE, 3), 3);
	log_set_level(LOG_WARNING);
	assert_int_equal(say(LOG_INFO, LOG_SERVICE, 3), 0);
	assert_int_equal(say(LOG_WARNING, LOG_SERVICE, 3), 3);
}

#define FRESH(_test) cmocka_unit_test_setup(_test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_line_names_its_cache),
		FRESH(each_kind_of_message_has_a_budget_of_its_own),
		FRESH(what_was_left_out_is_counted_and_said_once),
		FRESH(what_is_for_debugging_is_said_when_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
