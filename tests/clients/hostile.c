// SPDX-License-Identifier: MIT
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drm_fourcc.h>

#include "clock.h"
#include "complain.h"
#include "exporter.h"
#include "json.h"
#include "picture.h"

/* Beside the actors: who checks frames, turns knobs, presses memory, watches. */
enum helper {
	HELPER_FRAMES,
	HELPER_WATCH,
	HELPER_KNOBS,
	HELPER_PRESSURE,
	HELPERS,
};

#define PLACES (HOSTILE_ACTORS + HELPERS)
#define LIFE_MS 1500
#define STATUS_CRC 2
#define STATUS_BOUNDS 3

static const char usage[] =
	"usage: scanout-hostile [OPTION]...\n"
	"Mistreat the display from many processes at once, and check what it shows meanwhile.\n"
	"  --seconds N     how long (default 30)\n"
	"  --seed N        what the processes do follows from it (default 1)\n"
	"  --device PATH   (default /dev/dri/card0)\n"
	"  --no-cursor     leave the legacy cursor alone\n"
	"  --no-kill       kill nobody\n"
	"  --no-pressure   leave the memory alone\n"
	"Prints one JSON object. Status 0; 1 error; 2 wrong frames; 3 bounds exceeded.\n";

static int parse(int argc, char *argv[], struct hostile_options *options)
{
	static const struct option names[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ "device", required_argument, NULL, 'd' },
		{ "no-cursor", no_argument, NULL, 'c' },
		{ "no-kill", no_argument, NULL, 'k' },
		{ "no-pressure", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	char *end;
	int option;

	*options = (struct hostile_options){ .device = "/dev/dri/card0",
					     .seconds = 30,
					     .seed = 1,
					     .cursor = true,
					     .kill = true,
					     .pressure = true };
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 's':
			options->seconds = strtod(optarg, &end);
			if (*end || end == optarg || !(options->seconds > 0)) {
				complain("--seconds '%s': expected a number above 0", optarg);
				return -1;
			}
			break;
		case 'r':
			options->seed = strtoull(optarg, &end, 0);
			if (*end || end == optarg) {
				complain("--seed '%s': expected a whole number", optarg);
				return -1;
			}
			break;
		case 'd':
			options->device = optarg;
			break;
		case 'c':
			options->cursor = false;
			break;
		case 'k':
			options->kill = false;
			break;
		case 'p':
			options->pressure = false;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			return -1;
		}
	}
	if (optind < argc) {
		complain("'%s': expected options only", argv[optind]);
		return -1;
	}
	return 0;
}

static int make_pool(struct hostile *hostile)
{
	const struct drm_device *device = &hostile->master;

	format_layout(format_from_fourcc(DRM_FORMAT_XRGB8888), device->mode.hdisplay,
		      device->mode.vdisplay, &hostile->pool_layout);
	for (uint32_t i = 0; i < HOSTILE_POOL; i++) {
		const struct pattern pattern = { .width = device->mode.hdisplay,
						 .height = device->mode.vdisplay,
						 .seed = (uint32_t)hostile->options.seed,
						 .number = i };
		struct memory memory = {
			.exporter = EXPORTER_UDMABUF,
			.size_bytes = (hostile->pool_layout.size_bytes + 4095) / 4096 * 4096,
		};
		void *address;
		int ret;

		if (exporter_allocate(device->fd, &memory))
			return -1;
		hostile->pool[i] = memory.dmabuf_fd;
		address = exporter_map(device->fd, &memory);
		if (address == MAP_FAILED)
			return -1;
		ret = picture_draw(&pattern, &hostile->pool_layout, address);
		if (exporter_unmap(&memory, address) || ret)
			return -1;
	}
	return 0;
}

static int set_up(struct hostile *hostile)
{
	if (drm_device_open(&hostile->master, hostile->options.device, true) ||
	    hostile_find_planes(hostile) || make_pool(hostile))
		return -1;
	hostile->has_cache = !access(HOSTILE_CACHE "/max_bytes", W_OK);
	hostile->display_lock = memfd_create("display-lock", MFD_CLOEXEC);
	hostile->shared = mmap(NULL, sizeof(*hostile->shared), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (hostile->display_lock < 0 || hostile->shared == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, hostile->mailbox)) {
		complain("setting up: %s", strerror(errno));
		return -1;
	}
	for (unsigned int i = 0; i < HOSTILE_ACTORS; i++)
		for (unsigned int j = 0; j < HOSTILE_ACTOR_BUFFERS; j++)
			hostile->shared->actors[i].buffers[j].dmabuf_fd = -1;
	return 0;
}

static void prefer_to_die(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) != 4)
		complain("/proc/self/oom_score_adj: %s", strerror(errno));
	close(fd);
}

/* Refusals are what actors are there for: nobody needs to read about them. */
static void be_quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
}

static void run_place(struct hostile *hostile, unsigned int place, uint64_t seed)
{
	if (place < HOSTILE_ACTORS) {
		prefer_to_die();
		be_quiet();
		hostile_act(hostile, place, place % 2 == 0);
		return;
	}
	switch ((enum helper)(place - HOSTILE_ACTORS)) {
	case HELPER_FRAMES:
		hostile_check_frames(hostile, seed);
		break;
	case HELPER_WATCH:
		if (hostile->has_cache)
			hostile_watch_bounds(hostile);
		break;
	case HELPER_KNOBS:
		hostile_turn_knobs(hostile, seed);
		break;
	case HELPER_PRESSURE:
		prefer_to_die();
		if (hostile->options.pressure)
			hostile_press(hostile, seed);
		break;
	case HELPERS:
		break;
	}
}

/* What does not run pauses until it is killed with the rest. */
static pid_t start(struct hostile *hostile, unsigned int place, uint64_t seed)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		complain("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		run_place(hostile, place, seed);
	for (;;)
		pause();
}

/* Starts all, and again those that ended, until time is up. */
static int supervise(struct hostile *hostile)
{
	uint64_t random = hostile->options.seed ^ 0x5eed, next_kill_ns = 0;
	uint64_t end_ns = clock_now_ns() + (uint64_t)(hostile->options.seconds * (double)NS_PER_S);
	pid_t pids[PLACES] = { 0 };
	int ret = 0;

	while (!ret && clock_now_ns() < end_ns) {
		pid_t dead = waitpid(-1, NULL, WNOHANG);

		for (unsigned int i = 0; i < PLACES; i++) {
			if (dead > 0 && pids[i] == dead) {
				pids[i] = 0;
				if (i < HOSTILE_ACTORS)
					hostile->shared->actors[i].generation++;
			}
			if (!pids[i])
				pids[i] = start(hostile, i, hostile_random(&random));
			if (pids[i] < 0)
				ret = -1;
		}
		if (hostile->options.kill && clock_now_ns() >= next_kill_ns) {
			unsigned int victim = hostile_below(&random, HOSTILE_ACTORS);

			if (next_kill_ns && pids[victim] > 0 && !kill(pids[victim], SIGKILL))
				hostile_count(&hostile->shared->counters.kills, 1);
			next_kill_ns =
				clock_now_ns() +
				hostile_below(&random, 2 * LIFE_MS / HOSTILE_ACTORS) * NS_PER_MS;
		}
		clock_sleep_ns(10 * NS_PER_MS);
	}
	for (unsigned int i = 0; i < PLACES; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	/* A legacy cursor outlives who set it, and its buffer with it */
	if (hostile->options.cursor &&
	    drmModeSetCursor(hostile->master.fd, hostile->master.crtc_id, 0, 0, 0)) {
		complain("taking the cursor away: %s", strerror(errno));
		ret = -1;
	}
	return ret;
}

static void report(const struct hostile *hostile)
{
	const struct hostile_counters *counters = &hostile->shared->counters;
	struct json json = { .out = stdout, .first = true };

	json_begin(&json, NULL, '{');
	json_number(&json, "seed", hostile->options.seed);
	json_number(&json, "seconds", (uint64_t)hostile->options.seconds);
#define REPORT(name) json_number(&json, #name, atomic_load(&counters->name));
	HOSTILE_COUNTERS(REPORT)
#undef REPORT
	json_end(&json, '}');
	putchar('\n');
}

int main(int argc, char *argv[])
{
	struct hostile hostile = { 0 };

	if (parse(argc, argv, &hostile.options) || set_up(&hostile) || supervise(&hostile))
		return 1;
	report(&hostile);
	if (atomic_load(&hostile.shared->counters.crc_mismatches))
		return STATUS_CRC;
	if (!atomic_load(&hostile.shared->counters.frames_checked)) {
		complain("no frame was checked");
		return 1;
	}
	return atomic_load(&hostile.shared->counters.bound_violations) ? STATUS_BOUNDS : 0;
}
