// SPDX-License-Identifier: MIT
/*
 * What scanoutd costs: the real program, on a simulated sysfs with four outputs that flip at 60 Hz,
 * and with four compositors that report once a second on a bus of its own.  Prints its share of a
 * core, its memory beside a program that does nothing (load_baseline.c), allocations and wakeups.
 *
 *	load --minutes 10	all figures; fails if one misses its goal
 *	load --short		half a minute; only counts are judged, no times
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "bus.h"
#include "fake_sysfs.h"

#define COMPOSITORS 4
#define FLIPS_PER_SECOND (4 * 60)
#define ATTEMPTS 8
/* Until limits have come to rest; and until it sleeps after the last flip. */
#define SETTLE_S 5
#define FALL_ASLEEP_S 8
/* The goals. */
#define MOST_CPU_PERCENT 0.05
#define MOST_MEMORY_KIB (3 * 1024)

struct program {
	pid_t pid;
	clockid_t clock;
	uint64_t *allocations;
};

struct usage {
	uint64_t cpu_ns;
	uint64_t allocations;
	uint64_t wakeups;
};

static char root[64], cache_dir[128], address[256];
static struct program bus_program, service, baseline;
static uint64_t seconds;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	fputs("load: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static void stop(struct program *program)
{
	if (program->pid > 0) {
		kill(program->pid, SIGTERM);
		waitpid(program->pid, NULL, 0);
	}
	program->pid = 0;
}

static void clean_up(void)
{
	stop(&service);
	stop(&baseline);
	stop(&bus_program);
	if (root[0])
		fake_remove(root);
}

/* With its allocations counted in a file named after it, if @count. */
static void spawn(struct program *program, const char *name, char **argv, int output, bool count)
{
	char path[128];
	int fd = -1;

	snprintf(path, sizeof(path), "%s/%s.count", root, name);
	if (count) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, sizeof(uint64_t)))
			fail("%s: %s", path, strerror(errno));
		program->allocations = mmap(NULL, sizeof(uint64_t), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
		if (program->allocations == MAP_FAILED)
			fail("%s: %s", path, strerror(errno));
	}
	program->pid = fork();
	if (!program->pid) {
		if (output >= 0)
			dup2(output, STDOUT_FILENO);
		if (count) {
			setenv("LD_PRELOAD", LOAD_COUNT, 1);
			setenv("LOAD_COUNT", path, 1);
		}
		execvp(argv[0], argv);
		_exit(127);
	}
	if (program->pid < 0 || clock_getcpuclockid(program->pid, &program->clock))
		fail("starting %s: %s", argv[0], strerror(errno));
}

static void make_sysfs(void)
{
	char path[160];

	strcpy(root, "/tmp/scanout-load-XXXXXX");
	if (!mkdtemp(root))
		fail("%s: %s", root, strerror(errno));
	snprintf(cache_dir, sizeof(cache_dir), "%s/class/drm/card0/device/scanout_cache", root);
	snprintf(path, sizeof(path), "%s/", cache_dir);
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	fake_fill(cache_dir);
	snprintf(path, sizeof(path), "%s/etc", root);
	mkdir(path, 0755);
}

static void start_bus(void)
{
	char option[128];
	char *argv[] = { "dbus-daemon", option, "--nofork", "--print-address=1", NULL };
	ssize_t length;
	int pipes[2];

	snprintf(option, sizeof(option), "--config-file=%s/bus.conf", root);
	fake_write(root, "bus.conf",
		   "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>"
		   "<auth>EXTERNAL</auth><policy context='default'><allow own='*'/>"
		   "<allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>"
		   "</policy></busconfig>");
	if (pipe2(pipes, O_CLOEXEC))
		fail("pipe: %s", strerror(errno));
	spawn(&bus_program, "bus", argv, pipes[1], false);
	close(pipes[1]);
	length = read(pipes[0], address, sizeof(address) - 1);
	close(pipes[0]);
	if (length < 2)
		fail("dbus-daemon did not start; it comes with the package dbus-daemon");
	address[length - 1] = '\0';
}

/* A second of flips: two desktops, a video and a cursor. */
static void flip(void)
{
	char text[32];

	seconds++;
	fake_histogram(cache_dir, "reuse_bytes", BYTES_BUCKETS, 24,
		       (unsigned int)(FLIPS_PER_SECOND * seconds));
	fake_histogram(cache_dir, "reuse_depth", DEPTH_BUCKETS, 6,
		       (unsigned int)(FLIPS_PER_SECOND * seconds));
	fake_write(cache_dir, "active_bytes", "24000000\n");
	fake_write(cache_dir, "active_entries", "4\n");
	fake_write(cache_dir, "idle_bytes", "60000000\n");
	fake_write(cache_dir, "idle_entries", "20\n");
	snprintf(text, sizeof(text), "%" PRIu64 "\n", FLIPS_PER_SECOND * seconds);
	fake_write(cache_dir, "hits", text);
	fake_write(cache_dir, "flips", text);
}

static int connect_compositor(sd_bus **bus)
{
	int ret = sd_bus_new(bus);

	if (ret >= 0)
		ret = sd_bus_set_address(*bus, address);
	if (ret >= 0)
		ret = sd_bus_set_bus_client(*bus, true);
	return ret < 0 ? ret : sd_bus_start(*bus);
}

static void report(sd_bus *bus, unsigned int number)
{
	sd_bus_message *reply = NULL;
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "HDMI-%u", number);
	ret = sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Report", NULL,
				 &reply, "a(sa{sv})", 1, name, 6, "RefreshMilliHertz", "u", 60000,
				 "Flips", "t", (uint64_t)60, "Missed", "t", (uint64_t)0, "Planes",
				 "u", 2, "Buffers", "u", 6, "BufferBytes", "t", (uint64_t)4000000);
	sd_bus_message_unref(reply);
	if (ret < 0)
		fail("Report: %s", strerror(-ret));
}

static void run(unsigned int for_s, sd_bus **compositors, bool flips)
{
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (for_s--) {
		if (flips)
			flip();
		for (unsigned int i = 0; compositors && i < COMPOSITORS; i++)
			report(compositors[i], i);
		next.tv_sec++;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL))
			;
	}
}

/* A number from a file of /proc. */
static uint64_t proc_number(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256];
	uint64_t number = 0;
	bool found = false;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	stream = fopen(path, "re");
	if (!stream)
		fail("%s: %s", path, strerror(errno));
	while (!found && fgets(line, sizeof(line), stream))
		if (!strncmp(line, key, strlen(key)))
			found = sscanf(line + strlen(key), "%" SCNu64, &number) == 1;
	fclose(stream);
	if (!found)
		fail("%s: there is no '%s' in it", path, key);
	return number;
}

static struct usage usage_of(const struct program *program)
{
	struct timespec cpu;

	if (clock_gettime(program->clock, &cpu))
		fail("processor time of %d: %s", (int)program->pid, strerror(errno));
	return (struct usage){
		.cpu_ns = (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec,
		.allocations = *program->allocations,
		.wakeups = proc_number(program->pid, "status", "voluntary_ctxt_switches:"),
	};
}

static struct usage since(struct usage before)
{
	struct usage now = usage_of(&service);

	return (struct usage){ now.cpu_ns - before.cpu_ns, now.allocations - before.allocations,
			       now.wakeups - before.wakeups };
}

static bool judge(const char *what, double value, double most, const char *unit)
{
	printf("%-52s %10.3f %-6s (<= %g) %s\n", what, value, unit, most,
	       value <= most ? "met" : "MISSED");
	return value <= most;
}

static bool judge_memory(bool all)
{
	static const char *const keys[] = { "Rss:", "Pss:", "Private_Dirty:" };
	bool met = true;

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t own = proc_number(service.pid, "smaps_rollup", keys[i]);
		uint64_t base = proc_number(baseline.pid, "smaps_rollup", keys[i]);

		printf("%-52s %10" PRIu64 " KiB    (baseline %" PRIu64 ")\n", keys[i], own, base);
		/* Not of a short run: what is shared with other programs differs. */
		if (!i && all)
			met = judge("resident, above the baseline", (double)own - (double)base,
				    MOST_MEMORY_KIB, "KiB");
	}
	return met;
}

static bool measure(unsigned int for_s, unsigned int quiet_s, bool all)
{
	sd_bus *compositors[COMPOSITORS];
	struct usage used;
	bool met = true;

	for (unsigned int i = 0; i < COMPOSITORS; i++)
		if (connect_compositor(&compositors[i]) < 0)
			fail("%s: a compositor cannot connect", address);
	run(SETTLE_S, compositors, true);

	/*
	 * A decision is announced on the bus, which allocates.  What allocates at every tick does
	 * so in every attempt.
	 */
	for (unsigned int attempt = 0; attempt < ATTEMPTS; attempt++) {
		used = usage_of(&service);
		run(quiet_s, NULL, true);
		used = since(used);
		if (!used.allocations)
			break;
	}
	met = judge("allocations a tick", (double)used.allocations / quiet_s, 0, "") && met;
	/* The reports of before time out in this time. */
	met = judge("wakeups a second, without reports", (double)used.wakeups / quiet_s, 1.5, "") &&
	      met;

	used = usage_of(&service);
	run(for_s, compositors, true);
	used = since(used);
	if (all)
		met = judge("share of a core, 4 outputs and 4 compositors",
			    (double)used.cpu_ns / for_s / 1e7, MOST_CPU_PERCENT, "%") &&
		      met;
	else
		printf("%-52s %10.3f %%\n", "share of a core, 4 outputs and 4 compositors",
		       (double)used.cpu_ns / for_s / 1e7);
	printf("%-52s %10.3f us\n", "a tick with its four reports",
	       (double)used.cpu_ns / for_s / 1e3);
	printf("%-52s %10.3f\n", "allocations a report, in libsystemd",
	       (double)used.allocations / for_s / COMPOSITORS);
	printf("%-52s %10.3f\n", "wakeups a second", (double)used.wakeups / for_s);
	met = judge_memory(all) && met;

	for (unsigned int i = 0; i < COMPOSITORS; i++)
		sd_bus_flush_close_unref(compositors[i]);
	run(FALL_ASLEEP_S, NULL, false);
	used = usage_of(&service);
	run(quiet_s, NULL, false);
	used = since(used);
	met = judge("wakeups while nothing flips", (double)used.wakeups, 0, "") && met;
	met = judge("allocations while nothing flips", (double)used.allocations, 0, "") && met;
	return met;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "minutes", required_argument, NULL, 'm' },
		{ "short", no_argument, NULL, 's' },
		{ 0 },
	};
	char sysfs[128], config[128], bus[300];
	char *service_argv[] = { SCANOUTD, sysfs, config, bus, NULL };
	char *baseline_argv[] = { LOAD_BASELINE, address, NULL };
	long minutes = 10;
	bool is_short = false;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		char *end;

		if (option == 's') {
			is_short = true;
			continue;
		}
		minutes = option == 'm' ? strtol(optarg, &end, 10) : 0;
		if (minutes < 1 || minutes > 1440 || *end) {
			fputs("usage: load [--minutes 1..1440 | --short]\n", stderr);
			return 2;
		}
	}

	atexit(clean_up);
	make_sysfs();
	start_bus();
	snprintf(sysfs, sizeof(sysfs), "--sysfs-root=%s", root);
	snprintf(config, sizeof(config), "--config-root=%s", root);
	snprintf(bus, sizeof(bus), "--bus=%s", address);
	spawn(&baseline, "baseline", baseline_argv, -1, true);
	spawn(&service, "service", service_argv, -1, true);
	run(2, NULL, false);
	if (is_short)
		return measure(5, 5, false) ? 0 : 1;
	return measure((unsigned int)minutes * 60, 20, true) ? 0 : 1;
}
