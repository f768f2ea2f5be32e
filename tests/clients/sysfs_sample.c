/* SPDX-License-Identifier: MIT */
/*
 * sysfs-sample PERIOD_MS FILE...: print the seconds since boot and the numbers in some files of
 * sysfs, one line each PERIOD_MS, until it is ended. Reads them without starting a program each
 * time, as a shell would, so that looking costs little. Exit status 1 when a file cannot be read
 * any more, 2 for wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define MOST_FILES 32

static int read_number(int fd, uint64_t *number)
{
	char text[64];
	char *end;
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	if (length <= 0)
		return length < 0 ? -errno : -ENODATA;
	text[length] = '\0';
	errno = 0;
	*number = strtoull(text, &end, 10);
	return end == text || errno ? -EINVAL : 0;
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int sample(char **names, const int *fds, int count)
{
	char line[MOST_FILES * 24 + 32];
	int64_t boot_ns = now_ns(CLOCK_BOOTTIME);
	size_t used = (size_t)snprintf(line, sizeof(line), "%" PRId64 ".%03" PRId64,
				       boot_ns / NS_PER_S, boot_ns % NS_PER_S / NS_PER_MS);

	for (int i = 0; i < count; i++) {
		uint64_t number = 0;
		int ret = read_number(fds[i], &number);

		if (ret) {
			fprintf(stderr, "sysfs-sample: %s: %s\n", names[i], strerror(-ret));
			return ret;
		}
		used += (size_t)snprintf(line + used, sizeof(line) - used, " %" PRIu64, number);
	}
	puts(line);
	return fflush(stdout) ? -errno : 0;
}

int main(int argc, char **argv)
{
	char *end = NULL;
	long period_ms = argc > 1 ? strtol(argv[1], &end, 10) : 0;
	int count = argc - 2, fds[MOST_FILES];
	int64_t next_ns;

	if (argc < 3 || *end || period_ms < 1 || period_ms > 60000 || count > MOST_FILES) {
		fprintf(stderr,
			"usage: sysfs-sample PERIOD_MS FILE..., with PERIOD_MS from 1 to 60000 and "
			"up to %d files\n",
			MOST_FILES);
		return 2;
	}
	for (int i = 0; i < count; i++) {
		fds[i] = open(argv[i + 2], O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0) {
			fprintf(stderr, "sysfs-sample: %s: %s\n", argv[i + 2], strerror(errno));
			return 2;
		}
	}

	next_ns = now_ns(CLOCK_MONOTONIC);
	while (!sample(argv + 2, fds, count)) {
		int64_t late_ns;
		struct timespec next;

		next_ns += period_ms * NS_PER_MS;
		/* After a standstill of the machine: no burst of samples that say all the same. */
		late_ns = now_ns(CLOCK_MONOTONIC) - next_ns;
		if (late_ns > 0)
			next_ns += late_ns;
		next.tv_sec = (time_t)(next_ns / NS_PER_S);
		next.tv_nsec = (long)(next_ns % NS_PER_S);
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
	}
	return 1;
}
