// SPDX-License-Identifier: MIT
/* Linked in with --wrap: see test_robust_kernel.h. */
#include "test_robust_kernel.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Both names of each: which one is called depends on how large offsets are. */
int __wrap_openat(int dir_fd, const char *name, int flags, ...);
int __wrap_openat64(int dir_fd, const char *name, int flags, ...);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_write(int fd, const void *buffer, size_t size);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_sd_uid_get_seats(uid_t uid, int require_active, char ***seats);

int __real_openat(int dir_fd, const char *name, int flags, ...);
ssize_t __real_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __real_write(int fd, const void *buffer, size_t size);
int __real_clock_gettime(clockid_t clock, struct timespec *time);

static struct robust_page *page(void)
{
	static struct robust_page *shared;
	const char *path = getenv(ROBUST_PAGE);
	int fd;

	if (shared)
		return shared;
	fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || shared == MAP_FAILED)
		abort();
	close(fd);
	return shared;
}

/* The end may come before and after each of the calls. */
static void maybe_die(void)
{
	if (atomic_fetch_add(&page()->calls, 1) + 1 == page()->kill_at)
		kill(getpid(), SIGKILL);
}

static int fail(int error)
{
	errno = error;
	return -1;
}

int __wrap_openat(int dir_fd, const char *name, int flags, ...)
{
	int fd;

	maybe_die();
	if ((flags & O_ACCMODE) != O_RDONLY && page()->open_errno)
		return fail(page()->open_errno);
	/* The kernel's files have nothing to truncate. */
	fd = __real_openat(dir_fd, name, flags & ~O_TRUNC);
	maybe_die();
	return fd;
}

int __wrap_openat64(int dir_fd, const char *name, int flags, ...)
{
	return __wrap_openat(dir_fd, name, flags);
}

ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset)
{
	ssize_t ret;

	maybe_die();
	if (page()->read_errno)
		return fail(page()->read_errno);
	ret = __real_pread(fd, buffer, size, offset);
	maybe_die();
	return ret;
}

ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset)
{
	return __wrap_pread(fd, buffer, size, offset);
}

ssize_t __wrap_write(int fd, const void *buffer, size_t size)
{
	const char *text = buffer;
	char number[ROBUST_NUMBER_BYTES + 1];
	ssize_t ret;

	if (!size || !isdigit((unsigned char)text[0]))
		return __real_write(fd, buffer, size);
	maybe_die();
	if (page()->write_errno)
		return fail(page()->write_errno);
	snprintf(number, sizeof(number), ROBUST_NUMBER, (uint64_t)strtoull(text, NULL, 10));
	ret = pwrite(fd, number, ROBUST_NUMBER_BYTES, 0);
	atomic_fetch_add(&page()->limits_written, 1);
	maybe_die();
	return ret == ROBUST_NUMBER_BYTES ? (ssize_t)size : ret;
}

int __wrap_sd_uid_get_seats(uid_t uid, int require_active, char ***seats)
{
	(void)seats;
	return require_active && uid == page()->active_uid;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	static uint64_t first_us;
	uint64_t us, speed = page()->speed;
	int ret = __real_clock_gettime(clock, time);

	if (clock != CLOCK_MONOTONIC)
		atomic_fetch_add(&page()->other_clocks, 1);
	us = (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_nsec / 1000;
	if (!first_us)
		first_us = us;
	us += page()->ahead_us + (speed ? speed - 1 : 0) * (us - first_us);
	time->tv_sec = (time_t)(us / 1000000);
	time->tv_nsec = (long)(us % 1000000) * 1000;
	return ret;
}
