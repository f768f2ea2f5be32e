// SPDX-License-Identifier: MIT
/*
 * When the service looks, and when it sleeps: with files that signal as the kernel's do, and a time
 * of its own.  Runs the manager within the test, with two caches.
 */
#include "cmocka_all.h"

#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fake_sysfs.h"
#include "limit.h"
#include "manager.h"
#include "units.h"

#define SECOND_US UINT64_C(1000000)
#define CARDS 2
#define POLL_MS 100
#define SLOW_MS 1000

static char root[64], cache_dirs[CARDS][128];
static struct manager manager;
static sd_event *event;
static uint64_t now_us, flips;

/*
 * A file that signals: what is open is a socket, which has POLLPRI while there are urgent bytes;
 * reading takes these away, and gives the text of the file.
 */
static struct {
	char path[192];
	int socket, file, peer;
} signalling[16];

static unsigned int signalling_count;

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_openat(int dir_fd, const char *name, int flags, ...);
int __wrap_openat64(int dir_fd, const char *name, int flags, ...);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset);
int __real_open64(const char *path, int flags, ...);
int __real_openat64(int dir_fd, const char *name, int flags, ...);
ssize_t __real_pread64(int fd, void *buffer, size_t size, off_t offset);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	assert_int_equal(clock, CLOCK_MONOTONIC);
	time->tv_sec = (time_t)(now_us / SECOND_US);
	time->tv_nsec = (long)(now_us % SECOND_US * 1000);
	return 0;
}

static void make_pair(int *one, int *other)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &length), 0);
	*one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*one, (struct sockaddr *)&address, length), 0);
	*other = accept(listening, NULL, NULL);
	assert_true(*other >= 0);
	close(listening);
}

static int open_signalling(int file, const char *path)
{
	struct timeval patience = { .tv_sec = 5 };

	assert_true(signalling_count < 16);
	make_pair(&signalling[signalling_count].socket, &signalling[signalling_count].peer);
	setsockopt(signalling[signalling_count].peer, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	signalling[signalling_count].file = file;
	snprintf(signalling[signalling_count].path, sizeof(signalling[0].path), "%s", path);
	return signalling[signalling_count++].socket;
}

int __wrap_open64(const char *path, int flags, ...)
{
	if (strstr(path, "pressure/memory"))
		return open_signalling(-1, path);
	return __real_open64(path, flags);
}

int __wrap_open(const char *path, int flags, ...)
{
	return __wrap_open64(path, flags);
}

int __wrap_openat64(int dir_fd, const char *name, int flags, ...)
{
	int fd = __real_openat64(dir_fd, name, flags);
	char link[64], path[192];
	ssize_t length;

	if (fd < 0 || (strcmp(name, "flips") && strcmp(name, "generation")))
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	assert_true(length > 0);
	path[length] = '\0';
	return open_signalling(fd, path);
}

int __wrap_openat(int dir_fd, const char *name, int flags, ...)
{
	return __wrap_openat64(dir_fd, name, flags);
}

ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset)
{
	char byte;

	for (unsigned int i = 0; i < signalling_count; i++) {
		if (fd != signalling[i].socket)
			continue;
		while (recv(fd, &byte, 1, MSG_OOB | MSG_DONTWAIT) > 0)
			;
		while (recv(fd, &byte, 1, MSG_DONTWAIT) > 0)
			;
		fd = signalling[i].file;
		break;
	}
	return __real_pread64(fd, buffer, size, offset);
}

ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset)
{
	return __wrap_pread64(fd, buffer, size, offset);
}

static int peer_of(const char *path)
{
	for (unsigned int i = signalling_count; i--;)
		if (!strcmp(signalling[i].path, path))
			return signalling[i].peer;
	fail_msg("%s was not opened", path);
	return -1;
}

static void signal_file(unsigned int card, const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", cache_dirs[card], name);
	assert_int_equal(send(peer_of(path), "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
}

static void put(unsigned int card, const char *name, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 "\n", number);
	fake_write(cache_dirs[card], name, text);
}

static uint64_t limit(unsigned int card, const char *name)
{
	char path[192], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", cache_dirs[card], name);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	return strtoull(text, NULL, 10);
}

static struct managed *managed_of(unsigned int card)
{
	struct managed *managed = manager_find_cache(&manager, card ? "card1" : "card0");

	assert_non_null(managed);
	return managed;
}

/* A second's flips, of two buffers that take turns. */
static void flip(unsigned int card, bool signalled)
{
	put(card, "active_bytes", 8 * MIB);
	put(card, "active_entries", 1);
	flips += 60;
	fake_histogram(cache_dirs[card], "reuse_bytes", BYTES_BUCKETS,
		       histogram_bytes_bucket(16 * MIB), (unsigned int)flips);
	fake_histogram(cache_dirs[card], "reuse_depth", DEPTH_BUCKETS, histogram_depth_bucket(2),
		       (unsigned int)flips);
	put(card, "flips", flips);
	if (signalled)
		signal_file(card, "flips");
}

/* Look now, after so much time. */
static void look_after(uint64_t us)
{
	now_us += us;
	manager_reconsider(&manager);
}

/* When it will look next, in real time; 0 for not by itself. */
static uint64_t next_look_ms(void)
{
	uint64_t next_us, loop_us;
	int enabled;

	assert_true(sd_event_source_get_enabled(manager.poll_source, &enabled) >= 0);
	if (enabled == SD_EVENT_OFF)
		return 0;
	assert_true(sd_event_source_get_time(manager.poll_source, &next_us) >= 0);
	assert_true(sd_event_now(event, CLOCK_MONOTONIC, &loop_us) >= 0);
	return next_us > loop_us ? (next_us - loop_us + 999) / 1000 : 1;
}

static bool polls_fast(void)
{
	uint64_t ms = next_look_ms();

	return ms && ms <= POLL_MS;
}

/* Whatever has been signalled, and nothing that a clock says. */
static void take_signals(void)
{
	sd_event_source_set_enabled(manager.poll_source, SD_EVENT_OFF);
	while (sd_event_run(event, 100000) > 0)
		sd_event_source_set_enabled(manager.poll_source, SD_EVENT_OFF);
	manager_schedule(&manager);
}

static void fall_asleep(void)
{
	look_after(3 * SECOND_US);
	for (unsigned int i = 0; i < 3; i++)
		look_after(SECOND_US);
	assert_true(managed_of(0)->idle && managed_of(1)->idle);
	assert_int_equal(next_look_ms(), 0);
}

static void forget_signalling(void)
{
	while (signalling_count) {
		signalling_count--;
		close(signalling[signalling_count].peer);
		if (signalling[signalling_count].file >= 0)
			close(signalling[signalling_count].file);
	}
}

static int start(bool dry_run)
{
	struct manager_options options = {
		.config_root = root,
		.sysfs_root = root,
		.pressure_file = "/proc/pressure/memory",
		.bus_address = "none",
		.dry_run = dry_run,
	};

	forget_signalling();
	memset(&manager, 0, sizeof(manager));
	return manager_start(&manager, event, &options);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/scanout-manager-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (unsigned int i = 0; i < CARDS; i++) {
		snprintf(cache_dirs[i], sizeof(cache_dirs[i]),
			 "%s/class/drm/card%u/device/scanout_cache", root, i);
		for (char *slash = cache_dirs[i] + strlen(root) + 1; (slash = strchr(slash, '/'));
		     slash++) {
			*slash = '\0';
			mkdir(cache_dirs[i], 0755);
			*slash = '/';
		}
		mkdir(cache_dirs[i], 0755);
		fake_fill(cache_dirs[i]);
	}
	mkdir(strcat(strcpy((char[96]){ 0 }, root), "/etc"), 0755);
	fake_write(root, "etc/scanoutd.conf",
		   "[Poll]\nIntervalSec=100ms\nSlowIntervalSec=1\nIdleAfter=3\n"
		   "[Tuner]\nDecayPercent=50\n");
	now_us = 1000 * SECOND_US;
	flips = 0;
	if (sd_event_new(&event) < 0 || start(false))
		return -1;
	sd_event_run(event, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	manager_stop(&manager);
	sd_event_unref(event);
	forget_signalling();
	fake_remove(root);
	return 0;
}

static void sleeps_after_a_pause_and_wakes_at_the_signal_of_each(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		look_after(SECOND_US / 10);
	/* A flip now would not be the first after a pause of the kernel's. */
	assert_true(polls_fast());
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t wakeups;

		fall_asleep();
		wakeups = manager.wakeups;
		take_signals();
		assert_int_equal(manager.wakeups, wakeups);
		flip(i % 2, true);
		take_signals();
		assert_true(manager.wakeups > wakeups);
		assert_true(polls_fast());
		assert_int_equal(managed_of(0)->idle, i % 2);
		assert_int_equal(managed_of(1)->idle, !(i % 2));
		/* Awake, it polls, and no flip wakes it. */
		look_after(SECOND_US / 10);
		wakeups = manager.wakeups;
		flip(i % 2, true);
		take_signals();
		assert_int_equal(manager.wakeups, wakeups);
	}
}

static void stays_awake_while_it_flips_now_and_then(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		flip(0, true);
		look_after(SECOND_US / 2);
		for (unsigned int j = 0; j < 5; j++)
			look_after(SECOND_US / 5);
		assert_false(managed_of(0)->idle);
	}
	assert_true(managed_of(1)->idle);
	assert_true(polls_fast());
}

static void claims_are_heard_while_asleep(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		for (unsigned int card = 0; card < CARDS; card++) {
			put(card, "idle_bytes", 100 * MIB);
			put(card, "idle_entries", 12);
			flip(card, true);
		}
		look_after(SECOND_US);
	}
	assert_true(limit(0, "max_bytes") < 32 * MIB && limit(1, "max_bytes") < 32 * MIB);
	fall_asleep();
	assert_true(claims_hold(&manager.claims, &manager.config, ":1.1", 0, 96 * MIB, "") > 0);
	manager_reconsider(&manager);
	assert_int_equal(limit(0, "max_bytes"), 96 * MIB);
	assert_int_equal(limit(1, "max_bytes"), 96 * MIB);
}

/* Flips after a pause that no signal came with: how many until there is no trust? */
static void a_kernel_that_does_not_signal_is_polled(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		look_after(3 * SECOND_US);
		/* After two that are missed comes one that is not. */
		flip(0, i % 3 == 2);
		look_after(SECOND_US);
		assert_true(managed_of(0)->signals_flips);
	}
	for (unsigned int i = 0; i < 3; i++) {
		look_after(3 * SECOND_US);
		flip(0, false);
		look_after(SECOND_US);
	}
	assert_false(managed_of(0)->signals_flips);
	assert_true(managed_of(1)->signals_flips);
	for (unsigned int i = 0; i < 4; i++)
		look_after(SECOND_US);
	/* It sleeps, too, but only for so long. */
	assert_true(managed_of(0)->idle);
	assert_in_range(next_look_ms(), POLL_MS + 1, SLOW_MS);
	flip(1, true);
	look_after(SECOND_US);
	/* What is slow does not slow the other. */
	assert_true(polls_fast());
}

static void what_cannot_be_read_is_read_slowly_and_then_as_before(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		assert_true(polls_fast());
		for (unsigned int card = 0; card < CARDS; card++)
			fake_write(cache_dirs[card], "hits", "odd\n");
		look_after(SECOND_US / 10);
	}
	assert_in_range(next_look_ms(), POLL_MS + 1, SLOW_MS);
	put(1, "hits", 0);
	look_after(SECOND_US);
	assert_true(polls_fast());
	/* One is still odd, and does not count again as new. */
	assert_int_equal(managed_of(1)->read_errors, 0);
	assert_int_equal(managed_of(0)->read_errors, 6);
}

static void a_dry_run_changes_nothing_whatever_happens(void **state)
{
	(void)state;
	manager_stop(&manager);
	put(0, "max_bytes", 77 * MIB);
	put(1, "max_bytes", 77 * MIB);
	assert_int_equal(start(true), 0);
	assert_true(claims_hold(&manager.claims, &manager.config, ":1.1", 0, 96 * MIB, "") > 0);
	for (unsigned int i = 0; i < 10; i++) {
		flip(0, true);
		look_after(SECOND_US);
		/* It says what it would do, and to whatever others set. */
		assert_int_equal(managed_of(0)->decision.max_bytes, 96 * MIB);
		assert_int_equal(limit(0, "max_bytes"), (77 + i) * MIB);
		assert_int_equal(limit(1, "max_bytes"), 77 * MIB);
		assert_int_equal(managed_of(0)->state, MANAGED_DRY_RUN);
		put(0, "max_bytes", (78 + i) * MIB);
	}
	manager_stop(&manager);
	assert_int_equal(limit(0, "max_bytes"), 87 * MIB);
	assert_int_equal(limit(1, "max_bytes"), 77 * MIB);
	assert_int_equal(start(false), 0);
}

static void stopped_before_it_looked_it_hands_back_all_the_same(void **state)
{
	(void)state;
	manager_stop(&manager);
	for (unsigned int i = 0; i < CARDS; i++) {
		put(i, "max_bytes", 24 * MIB);
		put(i, "max_entries", 32);
	}
	assert_int_equal(start(false), 0);
	manager_stop(&manager);
	for (unsigned int i = 0; i < CARDS; i++) {
		assert_int_equal(limit(i, "max_bytes"), 128 * MIB);
		assert_int_equal(limit(i, "max_entries"), 256);
	}
	assert_int_equal(start(false), 0);
}

static void evidence_is_of_what_is_new_and_ages_by_the_second(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		flip(0, true);
		look_after(SECOND_US);
	}
	assert_true(managed_of(0)->decision.evidence == 90);
	assert_true(managed_of(1)->decision.evidence == 0);
}

static void a_driver_that_is_loaded_anew_begins_anew(void **state)
{
	(void)state;
	flip(0, true);
	flip(1, true);
	look_after(SECOND_US);
	flips = 0;
	flip(0, true);
	put(0, "flips", 1);
	look_after(SECOND_US);
	assert_true(evidence_weight(&managed_of(0)->tuner.evidence) == 0);
	assert_true(evidence_weight(&managed_of(1)->tuner.evidence) == 60);
	flips = 60;
	flip(0, true);
	look_after(SECOND_US);
	assert_true(evidence_weight(&managed_of(0)->tuner.evidence) == 60);
}

static void who_writes_between_look_and_write_is_not_overwritten(void **state)
{
	struct managed *managed = managed_of(1);
	struct cache_snapshot snapshot = managed->last;

	(void)state;
	managed->decision = (struct tuner_decision){ .max_bytes = 64 * MIB, .max_entries = 64 };
	put(1, "max_bytes", 77 * MIB);
	assert_int_equal(limit_act(managed, &snapshot), 0);
	assert_int_equal(limit(1, "max_bytes"), 77 * MIB);
	assert_int_equal(limit(1, "max_entries"), 32);
	assert_int_equal(managed->state, MANAGED_EXTERNAL);
}

static void what_cannot_be_written_is_tried_again_in_a_minute_or_when_told(void **state)
{
	char path[192], away[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/max_bytes", cache_dirs[1]);
	snprintf(away, sizeof(away), "%s.away", path);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t bytes = (100 + i) * MIB;

		assert_int_equal(rename(path, away), 0);
		assert_int_equal(symlink("/dev/full", path), 0);
		assert_true(claims_hold(&manager.claims, &manager.config, ":1.1", 0, bytes, "") >
			    0);
		manager.config.tuner.max_bytes = bytes;
		manager_reconsider(&manager);
		assert_int_equal(limit(0, "max_bytes"), bytes);
		assert_int_equal(managed_of(1)->state, MANAGED_FAILED);
		unlink(path);
		assert_int_equal(rename(away, path), 0);
		for (unsigned int j = 0; j < 5; j++)
			look_after(10 * SECOND_US);
		assert_int_equal(managed_of(1)->state, MANAGED_FAILED);
		assert_int_not_equal(limit(1, "max_bytes"), bytes);
		if (i)
			assert_int_equal(manager_resume(&manager, "card1"), 0);
		else
			look_after(10 * SECOND_US);
		assert_int_equal(managed_of(1)->state, MANAGED_TUNING);
		assert_int_equal(limit(1, "max_bytes"), bytes);
	}
}

static void what_others_write_is_heard_of_at_once(void **state)
{
	(void)state;
	put(1, "max_entries", 77);
	put(1, "generation", 1);
	signal_file(1, "generation");
	take_signals();
	assert_int_equal(managed_of(1)->state, MANAGED_EXTERNAL);
	assert_int_equal(managed_of(0)->state, MANAGED_TUNING);
}

static void pressure_is_felt_by_all_caches_at_once(void **state)
{
	char trigger[64] = "";
	int memory = peer_of("/proc/pressure/memory");

	(void)state;
	assert_true(recv(memory, trigger, sizeof(trigger), 0) > 0);
	assert_string_equal(trigger, "some 150000 2000000");
	assert_true(claims_hold(&manager.claims, &manager.config, ":1.1", 0, 128 * MIB, ""));
	for (unsigned int i = 0; i < 3; i++) {
		flip(0, true);
		flip(1, true);
		look_after(SECOND_US);
	}
	fall_asleep();
	assert_int_equal(limit(0, "max_bytes"), 128 * MIB);
	assert_int_equal(send(memory, "!", 1, MSG_OOB), 1);
	/* Until it is read, it would be signalled again and again. */
	assert_true(sd_event_run(event, SECOND_US) > 0);
	assert_true(limit(0, "max_bytes") < 128 * MIB);
	assert_true(limit(1, "max_bytes") < 128 * MIB);
	/* Once is once. */
	assert_false(managed_of(0)->pressure || managed_of(1)->pressure);

	fake_write(root, "etc/scanoutd.conf", "[Pressure]\nStallSec=300ms\n");
	manager_reload(&manager);
	memset(trigger, 0, sizeof(trigger));
	assert_true(recv(peer_of("/proc/pressure/memory"), trigger, sizeof(trigger), 0) > 0);
	assert_string_equal(trigger, "some 300000 2000000");
	fake_write(root, "etc/scanoutd.conf", "[Pressure]\nEnabled=no\n");
	manager_reload(&manager);
	assert_null(manager.pressure_source);
}

/* What the service manager is told, up to now. */
static void assert_told(int notify, const char *expected)
{
	char text[512] = "";
	size_t used = 0;
	ssize_t length;

	while ((length = recv(notify, text + used, sizeof(text) - used - 2, MSG_DONTWAIT)) > 0) {
		used += (size_t)length;
		text[used++] = '\n';
		text[used] = '\0';
	}
	assert_string_equal(text, expected);
}

static void the_watchdog_is_fed_while_awake_and_rests_while_asleep(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", root);
	assert_int_equal(bind(notify, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	manager.watchdog_us = 8 * SECOND_US;
	look_after(SECOND_US / 10);
	assert_told(notify, "WATCHDOG=1\n");
	/* Not at every poll, but early enough. */
	look_after(SECOND_US / 10);
	assert_told(notify, "");
	flip(0, true);
	look_after(2 * SECOND_US);
	assert_told(notify, "WATCHDOG=1\n");
	for (unsigned int i = 0; i < 4; i++)
		look_after(SECOND_US);
	assert_told(notify, "WATCHDOG=1\nWATCHDOG_USEC=0\n");
	look_after(SECOND_US);
	assert_told(notify, "");
	flip(0, true);
	take_signals();
	assert_told(notify, "WATCHDOG_USEC=8000000\nWATCHDOG=1\n");
	unsetenv("NOTIFY_SOCKET");
	close(notify);
}

#define RUNNING(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUNNING(sleeps_after_a_pause_and_wakes_at_the_signal_of_each),
		RUNNING(stays_awake_while_it_flips_now_and_then),
		RUNNING(claims_are_heard_while_asleep),
		RUNNING(a_kernel_that_does_not_signal_is_polled),
		RUNNING(what_cannot_be_read_is_read_slowly_and_then_as_before),
		RUNNING(a_dry_run_changes_nothing_whatever_happens),
		RUNNING(stopped_before_it_looked_it_hands_back_all_the_same),
		RUNNING(evidence_is_of_what_is_new_and_ages_by_the_second),
		RUNNING(a_driver_that_is_loaded_anew_begins_anew),
		RUNNING(who_writes_between_look_and_write_is_not_overwritten),
		RUNNING(what_cannot_be_written_is_tried_again_in_a_minute_or_when_told),
		RUNNING(what_others_write_is_heard_of_at_once),
		RUNNING(pressure_is_felt_by_all_caches_at_once),
		RUNNING(the_watchdog_is_fed_while_awake_and_rests_while_asleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
