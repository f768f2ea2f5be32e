/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: to take numbers and records out of the fuzzer's bytes, files to read
 * them from, and to say which promise was broken.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the code under test; that it is broken is a finding like a crash. */
#define FUZZ_REQUIRE(_condition, ...)                                                            \
	do {                                                                                     \
		if (!(_condition)) {                                                             \
			fprintf(stderr, "%s:%d: broken: %s: ", __FILE__, __LINE__, #_condition); \
			fprintf(stderr, __VA_ARGS__);                                            \
			fputc('\n', stderr);                                                     \
			abort();                                                                 \
		}                                                                                \
	} while (0)

struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

/* All of these give 0 when the input is at its end. */
static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->data++;
}

/* A number of any size: the ends of the ranges are as likely as what is in between. */
static inline uint64_t fuzz_number(struct fuzz_input *input)
{
	static const uint64_t ends[] = {
		0, 1, 2, INT64_MAX, UINT64_MAX, UINT64_MAX - 1, UINT32_MAX, UINT64_C(1) << 30
	};
	uint8_t kind = fuzz_byte(input);
	uint64_t number = 0;

	if (kind < sizeof(ends) / sizeof(ends[0]))
		return ends[kind];
	for (unsigned int i = 0; i <= kind % 8; i++)
		number = number << 8 | fuzz_byte(input);
	return number;
}

static inline uint64_t fuzz_number_within(struct fuzz_input *input, uint64_t min, uint64_t max)
{
	uint64_t number = fuzz_number(input);

	return max - min == UINT64_MAX ? number : min + number % (max - min + 1);
}

/*
 * Texts that belong to different files are told apart by a form feed and a letter before each.
 * Returns false at the end of the input; what stands before the first form feed is skipped.
 */
struct fuzz_text {
	char which;
	const char *bytes;
	size_t size;
};

static inline bool fuzz_next_text(struct fuzz_input *input, struct fuzz_text *text)
{
	const uint8_t *feed = input->size ? memchr(input->data, '\f', input->size) : NULL, *next;

	if (!feed || (size_t)(feed - input->data) + 2 > input->size)
		return false;
	input->size -= (size_t)(feed - input->data) + 2;
	input->data = feed + 2;
	text->which = (char)feed[1];
	text->bytes = (const char *)input->data;
	next = input->size ? memchr(input->data, '\f', input->size) : NULL;
	text->size = next ? (size_t)(next - input->data) : input->size;
	input->data += text->size;
	input->size -= text->size;
	return true;
}

/* A file of its own that is only in memory. */
static inline int fuzz_memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	FUZZ_REQUIRE(fd >= 0, "memfd_create(%s)", name);
	return fd;
}

static inline void fuzz_fill(int fd, const void *bytes, size_t size)
{
	FUZZ_REQUIRE(!ftruncate(fd, 0), "ftruncate()");
	FUZZ_REQUIRE(pwrite(fd, bytes, size, 0) == (ssize_t)size, "pwrite() of %zu bytes", size);
}

#endif
