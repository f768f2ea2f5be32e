/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Short texts from and to files of the kernel: each 0, or -1 after one line on stderr. */

/* One read; the text ends with a NUL. @hint: what to do when the file cannot be opened, or NULL. */
int kernel_file_read(const char *path, char *text, size_t size, const char *hint);
/* A file of one decimal number. */
int kernel_file_read_number(const char *path, uint64_t *number);
/* The display model's "SEQ CRC32HEX" of what the panel shows now. */
int kernel_file_read_frame_crc(const char *path, uint64_t *sequence, uint32_t *crc);
/* MemAvailable of /proc/meminfo. */
int kernel_file_read_available_bytes(uint64_t *available_bytes);
/* The whole file, to stderr. */
int kernel_file_show(const char *path);
/* Puts @text into the kernel's trace. */
int kernel_file_mark_trace(const char *text);

#endif
