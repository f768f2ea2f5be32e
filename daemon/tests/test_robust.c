// SPDX-License-Identifier: MIT
/*
 * The service when things fail around it: it is killed at random points, files cannot be read or
 * written, devices vanish, time jumps, nobody takes its messages.  The limits are always valid, and
 * when it is over it goes on.
 *
 * SCANOUTD_TEST_KILLS and SCANOUTD_TEST_SEED say how often it is killed, and where.
 */
#include "test_robust.h"

#include "config.h"

#define DEFAULT_KILLS 200
#define DEFAULT_SEED 1
/* About as many calls as are made by a start, four polls, and writing what they decide. */
#define CALLS 640
/* What a limit needs to follow at most, in rounds of 50 ms, on a machine that is busy. */
#define ROUNDS 400

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

/* xorshift64*, so that a seed is the same everywhere. */
static uint64_t random_below(uint64_t *state, uint64_t bound)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * UINT64_C(2685821657736338717) >> 33) % bound;
}

static int setup(void **state)
{
	(void)state;
	make_tree();
	/* A poll is as long as a second of evidence. */
	page->speed = 10;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (service_pid)
		stop_service(SIGKILL);
	remove_tree();
	return 0;
}

/* Flip until the limit is what is wanted then. */
static bool follows(unsigned int bucket)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		flip(bucket);
		sleep_ms(50);
		limits_are_within_range();
		if (follows_now(bucket))
			return true;
	}
	return false;
}

/* Down and up again, as it should be. */
static void tunes(void)
{
	assert_true(service_runs());
	assert_true(follows(NEAR_BUCKET));
	assert_true(follows(FAR_BUCKET));
	assert_true(service_runs());
}

static void killed_at_any_point_it_leaves_valid_limits(void **state)
{
	uint64_t kills = number_from("SCANOUTD_TEST_KILLS", DEFAULT_KILLS);
	uint64_t seed = number_from("SCANOUTD_TEST_SEED", DEFAULT_SEED), random = seed;
	uint64_t by_call = 0, written;

	(void)state;
	assert_true(seed > 0);
	for (uint64_t i = 0; i < kills; i++) {
		/* Half of them at a call, half at a time. */
		bool at_call = random_below(&random, 2);
		uint64_t until = now_ms() + 1 + random_below(&random, at_call ? 2000 : 700);

		page->calls = 0;
		page->kill_at = at_call ? 1 + random_below(&random, CALLS) : 0;
		start_service("none", -1);
		while (now_ms() < until && service_runs()) {
			/* Each time there is a reason to change a limit, in one direction. */
			flip(i % 2 ? NEAR_BUCKET : FAR_BUCKET);
			sleep_ms(10);
			limits_are_within_range();
		}
		if (at_call && page->calls >= page->kill_at)
			by_call++;
		if (service_pid)
			stop_service(SIGKILL);
		limits_are_within_range();
	}

	written = page->limits_written;
	print_message("killed %" PRIu64 " times (seed %" PRIu64 "), %" PRIu64
		      " of them at a chosen call; %" PRIu64 " limits were written meanwhile\n",
		      kills, seed, by_call, written);
	/* Or nothing was interrupted. */
	assert_true(written > kills / 20);
	assert_true(by_call > kills / 8);
	page->kill_at = 0;
	start_service("none", -1);
	tunes();
}

static void unreadable_files_change_nothing(void **state)
{
	uint64_t before, written;

	(void)state;
	start_service("none", -1);
	tunes();
	page->read_errno = EIO;
	sleep_ms(300);
	before = limit("max_bytes");
	written = page->limits_written;
	for (unsigned int i = 0; i < 10; i++) {
		flip(NEAR_BUCKET);
		sleep_ms(100);
		assert_int_equal(limit("max_bytes"), before);
	}
	assert_int_equal(page->limits_written, written);
	page->read_errno = 0;
	tunes();
}

static void a_device_that_goes_under_way_is_found_again(void **state)
{
	char path[256], away[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/class/drm/card0", root);
	snprintf(away, sizeof(away), "%s/gone", root);
	start_service("none", -1);
	for (unsigned int i = 0; i < 20; i++) {
		flip(i % 2 ? NEAR_BUCKET : FAR_BUCKET);
		sleep_ms(20 + 13 * i);
		page->read_errno = i % 3 ? ENODEV : 0;
		page->write_errno = i % 2 ? ENODEV : 0;
		sleep_ms(150);
		assert_int_equal(rename(path, away), 0);
		sleep_ms(7 * i);
		page->read_errno = 0;
		page->write_errno = 0;
		assert_int_equal(rename(away, path), 0);
		limits_are_within_range();
	}
	tunes();
}

/* @error is what the kernel answers; it is tried again after a minute. */
static void survives_failing_writes(_Atomic int *fault, int error)
{
	uint64_t before, written;

	start_service("none", -1);
	tunes();
	written = page->limits_written;
	*fault = error;
	before = limit("max_bytes");
	for (unsigned int i = 0; i < 20; i++) {
		flip(NEAR_BUCKET);
		sleep_ms(100);
		assert_int_equal(limit("max_bytes"), before);
	}
	assert_true(service_runs());
	assert_int_equal(page->limits_written, written);
	*fault = 0;
	page->ahead_us += 61 * UINT64_C(1000000);
	tunes();
}

static void read_only_sysfs_is_survived(void **state)
{
	(void)state;
	survives_failing_writes(&page->open_errno, EROFS);
}

static void writes_that_fail_are_survived(void **state)
{
	(void)state;
	survives_failing_writes(&page->write_errno, EIO);
}

static void jumps_of_time_do_no_harm(void **state)
{
	static const uint64_t jumps_s[] = { 1, 3600, 30 * 86400, UINT64_C(100) * 366 * 86400 };

	(void)state;
	start_service("none", -1);
	tunes();
	for (size_t i = 0; i < sizeof(jumps_s) / sizeof(jumps_s[0]); i++) {
		page->ahead_us += jumps_s[i] * 1000000;
		tunes();
	}
}

static void has_handed_back(void)
{
	assert_int_equal(stop_service(SIGTERM), 0);
	assert_int_equal(limit("max_bytes"), CEILING_BYTES);
	assert_int_equal(limit("max_entries"), CEILING_ENTRIES);
	/* Never the service's to change. */
	assert_int_equal(limit("idle_timeout_ms"), 10000);
	assert_int_equal(limit("import_linger_ms"), 1000);
}

static void every_knob_is_handed_back(void **state)
{
	(void)state;
	put_number("max_entries", FLOOR_ENTRIES);
	start_service("none", -1);
	assert_true(follows(NEAR_BUCKET));
	assert_true(limit("max_bytes") < CEILING_BYTES);
	has_handed_back();
}

static void after_a_write_that_failed_it_is_handed_back_too(void **state)
{
	(void)state;
	start_service("none", -1);
	assert_true(follows(NEAR_BUCKET));
	page->write_errno = EIO;
	for (unsigned int i = 0; i < 20; i++) {
		flip(FAR_BUCKET);
		sleep_ms(50);
	}
	page->write_errno = 0;
	has_handed_back();
}

static void being_stopped_for_a_while_does_no_harm(void **state)
{
	(void)state;
	start_service("none", -1);
	tunes();
	for (unsigned int i = 0; i < 3; i++) {
		kill(service_pid, SIGSTOP);
		for (unsigned int j = 0; j < 10; j++) {
			flip(j % 2 ? NEAR_BUCKET : FAR_BUCKET);
			sleep_ms(100);
		}
		kill(service_pid, SIGCONT);
		tunes();
	}
}

/*
 * A clock that is set, or that runs on while the machine is suspended, cannot make a difference: it
 * is never asked.
 */
static void only_the_clock_that_cannot_be_set_is_asked(void **state)
{
	(void)state;
	start_service("none", -1);
	tunes();
	assert_true(page->calls > 0);
	assert_int_equal(page->other_clocks, 0);
}

static void a_full_disk_for_its_messages_is_survived(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(full >= 0);
	start_service("none", full);
	close(full);
	tunes();
	assert_int_equal(stop_service(SIGTERM), 0);
	assert_int_equal(limit("max_bytes"), CEILING_BYTES);
}

static void readers_of_its_messages_may_go(void **state)
{
	int pipes[2];

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	start_service("none", pipes[1]);
	close(pipes[1]);
	close(pipes[0]);
	tunes();
	assert_int_equal(stop_service(SIGTERM), 0);
}

/* It thinks that stderr is the journal's, and nobody is there to take fields. */
static void a_journal_that_is_gone_is_survived(void **state)
{
	char path[128], stream[64];
	struct stat st;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/stderr", root);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	start_service("none", fd);
	unsetenv("JOURNAL_STREAM");
	close(fd);
	tunes();
	assert_int_equal(stop_service(SIGTERM), 0);
}

static void ignore(void *context, const char *text)
{
	(void)text;
	++*(unsigned int *)context;
}

/* What an editor leaves behind when the disk is full: the file, up to any byte. */
static void a_configuration_cut_off_anywhere_is_within_range(void **state)
{
	static const char text[] = "[Tuner]\nMinBytes=64M\nMaxBytes=448M\nMaxEntries=2000\n"
				   "CostPerMiB=50\n[Pressure]\n"
				   "StallSec=100ms\nWindowSec=10s\n[Bus]\nHoldMaxBytes=448M\n";
	char path[128], cut[sizeof(text)];
	unsigned int complaints = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/etc/scanoutd.conf", root);
	for (size_t length = 0; length < sizeof(text); length++) {
		struct config config = config_defaults;

		memcpy(cut, text, length);
		cut[length] = '\0';
		fake_write(root, "etc/scanoutd.conf", cut);
		assert_int_equal(config_read(&config, root, ignore, &complaints), 0);
		assert_in_range(config.tuner.min_bytes, MIB, config.tuner.max_bytes);
		assert_in_range(config.tuner.max_bytes, config.tuner.min_bytes, 448 * MIB);
		assert_in_range(config.tuner.max_entries, 1, 2000);
	}
	/* Such as "MinBytes=", and "MaxBytes=4" below the minimum. */
	assert_true(complaints > 0);
}

#define ROBUST(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROBUST(killed_at_any_point_it_leaves_valid_limits),
		ROBUST(unreadable_files_change_nothing),
		ROBUST(a_device_that_goes_under_way_is_found_again),
		ROBUST(read_only_sysfs_is_survived),
		ROBUST(writes_that_fail_are_survived),
		ROBUST(jumps_of_time_do_no_harm),
		ROBUST(every_knob_is_handed_back),
		ROBUST(after_a_write_that_failed_it_is_handed_back_too),
		ROBUST(being_stopped_for_a_while_does_no_harm),
		ROBUST(only_the_clock_that_cannot_be_set_is_asked),
		ROBUST(a_full_disk_for_its_messages_is_survived),
		ROBUST(readers_of_its_messages_may_go),
		ROBUST(a_journal_that_is_gone_is_survived),
		ROBUST(a_configuration_cut_off_anywhere_is_within_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
