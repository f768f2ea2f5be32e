/* SPDX-License-Identifier: MIT */
/*
 * sysfs-wait SECONDS FILE: wait until the kernel announces a change of a sysfs file, print its new
 * value. Exit status 0, or 1 if none was announced in time, 2 for an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_value(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	if (length < 0)
		return -1;
	text[length] = '\0';
	return 0;
}

int main(int argc, char **argv)
{
	struct pollfd file = { .events = POLLPRI };
	char text[256];
	char *end;
	long seconds;
	int ready;

	seconds = argc == 3 ? strtol(argv[1], &end, 10) : 0;
	if (argc != 3 || *end || seconds < 1 || seconds > 3600) {
		fputs("usage: sysfs-wait SECONDS FILE, with SECONDS from 1 to 3600\n", stderr);
		return 2;
	}
	file.fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	/* Only changes after a read are announced. */
	if (file.fd < 0 || read_value(file.fd, text, sizeof(text))) {
		fprintf(stderr, "sysfs-wait: %s: %s\n", argv[2], strerror(errno));
		return 2;
	}
	puts("waiting");
	fflush(stdout);
	ready = poll(&file, 1, (int)seconds * 1000);
	if (ready < 0 || (ready && read_value(file.fd, text, sizeof(text)))) {
		fprintf(stderr, "sysfs-wait: %s: %s\n", argv[2], strerror(errno));
		return 2;
	}
	if (!ready)
		return 1;
	fputs(text, stdout);
	return 0;
}
