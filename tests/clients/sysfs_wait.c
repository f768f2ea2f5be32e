/* SPDX-License-Identifier: MIT */
/*
 * sysfs-wait SECONDS FILE: wait until the kernel announces a change of a sysfs file, print its new
 * value; of a directory, until it tells inotify of one in it, and print which. Exit status 0, or 1
 * if none was announced in time, 2 for an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_value(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	if (length < 0)
		return -1;
	text[length] = '\0';
	return 0;
}

static int watch_directory(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC);

	if (fd >= 0 && inotify_add_watch(fd, path, IN_MODIFY) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int read_event(int fd, char *text, size_t size)
{
	union {
		struct inotify_event event;
		char bytes[512];
	} buffer;

	if (read(fd, &buffer, sizeof(buffer)) < 0)
		return -1;
	snprintf(text, size, "%s\n", buffer.event.len ? buffer.event.name : "");
	return 0;
}

int main(int argc, char **argv)
{
	struct pollfd file = { .events = POLLPRI };
	bool directory;
	struct stat st;
	char text[256];
	char *end;
	long seconds;
	int ready;

	seconds = argc == 3 ? strtol(argv[1], &end, 10) : 0;
	if (argc != 3 || *end || seconds < 1 || seconds > 3600) {
		fputs("usage: sysfs-wait SECONDS FILE, with SECONDS from 1 to 3600\n", stderr);
		return 2;
	}
	directory = !stat(argv[2], &st) && S_ISDIR(st.st_mode);
	if (directory)
		file.events = POLLIN;
	file.fd = directory ? watch_directory(argv[2]) : open(argv[2], O_RDONLY | O_CLOEXEC);
	/* Only changes after a read are announced. */
	if (file.fd < 0 || (!directory && read_value(file.fd, text, sizeof(text)))) {
		fprintf(stderr, "sysfs-wait: %s: %s\n", argv[2], strerror(errno));
		return 2;
	}
	puts("waiting");
	fflush(stdout);
	ready = poll(&file, 1, (int)seconds * 1000);
	if (ready < 0 ||
	    (ready && (directory ? read_event : read_value)(file.fd, text, sizeof(text)))) {
		fprintf(stderr, "sysfs-wait: %s: %s\n", argv[2], strerror(errno));
		return 2;
	}
	if (!ready)
		return 1;
	fputs(text, stdout);
	return 0;
}
