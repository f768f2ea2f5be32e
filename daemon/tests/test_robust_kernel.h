/* SPDX-License-Identifier: MIT */
/*
 * A kernel that can be told to fail: scanoutd is linked with it in place of the functions it reads
 * and writes sysfs with, and asks the time with.  A page that the test shares with it says what
 * happens; its file is in the environment.
 */
#ifndef TEST_ROBUST_KERNEL_H
#define TEST_ROBUST_KERNEL_H

#include <stdatomic.h>
#include <stdint.h>

#define ROBUST_PAGE "SCANOUTD_TEST_PAGE"

/*
 * Limits are written, and tests write figures, in this form: as in the kernel a reader sees either
 * the old number or the new one, never part of it.
 */
#define ROBUST_NUMBER "%020" PRIu64 "\n"
#define ROBUST_NUMBER_BYTES 21

struct robust_page {
	/* Errors of all reads, of opening to write, and of all writes; 0 for none. */
	_Atomic int read_errno;
	_Atomic int open_errno;
	_Atomic int write_errno;
	/* CLOCK_MONOTONIC is ahead by that much, and runs so many times as fast (0: once). */
	_Atomic uint64_t ahead_us;
	_Atomic uint64_t speed;
	/* The program kills itself at this call of them all from now on; 0 for never. */
	_Atomic uint64_t kill_at;
	/* The user with an active session on a seat; 0 for none, as root needs none. */
	_Atomic uint32_t active_uid;
	/* What was seen */
	_Atomic uint64_t calls;
	_Atomic uint64_t limits_written;
	_Atomic uint64_t other_clocks;
};

#endif
