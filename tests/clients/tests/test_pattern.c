// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format.h"
#include "pattern.h"
#include "picture.h"

#define PAGE_BYTES 4096

static uint64_t page_hash(const uint8_t *page)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < PAGE_BYTES; i += 8) {
		uint64_t word;

		memcpy(&word, page + i, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void draws_the_same_twice(void **state)
{
	const struct pattern pattern = { .width = 640, .height = 360, .seed = 3, .number = 12 };
	uint32_t first[640], second[640];

	(void)state;
	for (uint32_t y = 0; y < 360; y++) {
		pattern_row(&pattern, y, first);
		pattern_row(&pattern, y, second);
		assert_memory_equal(first, second, sizeof(first));
	}
}

static void no_colour_leaves_its_byte(void **state)
{
	(void)state;
	for (uint32_t number = 0; number < 50; number++) {
		const struct pattern pattern = {
			.width = 64, .height = 48, .seed = 1, .number = number
		};
		uint32_t xrgb[64];

		for (uint32_t y = 0; y < 48; y++) {
			pattern_row(&pattern, y, xrgb);
			for (uint32_t x = 0; x < 64; x++)
				assert_int_equal(xrgb[x] >> 24, 0);
		}
	}
}

/* 200 panels as 200 buffers of `many` carry them, 200,000 pages. */
static void no_two_pages_of_any_buffers_are_equal(void **state)
{
	struct image_layout layout;
	size_t pages_each, count = 0;
	uint64_t *hashes;
	uint8_t *memory;

	(void)state;
	format_layout(format_from_name("XR24"), 1280, 800, &layout);
	pages_each = layout.size_bytes / PAGE_BYTES;
	memory = malloc(layout.size_bytes);
	hashes = calloc(200 * pages_each, sizeof(*hashes));
	assert_non_null(memory);
	assert_non_null(hashes);
	for (uint32_t number = 0; number < 200; number++) {
		const struct pattern pattern = {
			.width = 1280, .height = 800, .seed = 1, .number = number
		};

		assert_int_equal(picture_draw(&pattern, &layout, memory), 0);
		for (size_t page = 0; page < pages_each; page++)
			hashes[count++] = page_hash(memory + page * PAGE_BYTES);
	}
	qsort(hashes, count, sizeof(*hashes), compare);
	for (size_t i = 1; i < count; i++)
		assert_int_not_equal(hashes[i - 1], hashes[i]);
	free(hashes);
	free(memory);
}

static void every_size_and_number_stays_within_its_row(void **state)
{
	static const uint32_t numbers[] = { 0, 7, 42, 199, 4095, 9999999, UINT32_MAX };

	(void)state;
	for (uint32_t width = 1; width <= PATTERN_MAX_WIDTH; width = width * 2 + 1) {
		/* no slack: the sanitizers see one word too many */
		uint32_t *xrgb = calloc(width, sizeof(*xrgb));

		assert_non_null(xrgb);
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			for (uint32_t height = 1; height < 2048; height = height * 3 + 1) {
				const struct pattern pattern = { .width = width,
								 .height = height,
								 .seed = 1,
								 .number = numbers[i] };

				pattern_row(&pattern, 0, xrgb);
				pattern_row(&pattern, height / 2, xrgb);
				pattern_row(&pattern, height - 1, xrgb);
			}
		free(xrgb);
	}
}

static void seeds_give_different_pictures(void **state)
{
	struct pattern pattern = { .width = 64, .height = 64, .seed = 1 };
	uint32_t first[64], second[64];

	(void)state;
	pattern_row(&pattern, 5, first);
	pattern.seed = 2;
	pattern_row(&pattern, 5, second);
	assert_memory_not_equal(first, second, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_the_same_twice),
		cmocka_unit_test(no_colour_leaves_its_byte),
		cmocka_unit_test(no_two_pages_of_any_buffers_are_equal),
		cmocka_unit_test(every_size_and_number_stays_within_its_row),
		cmocka_unit_test(seeds_give_different_pictures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
