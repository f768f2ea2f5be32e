// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crc32.h"
#include "picture.h"

#define PANEL_WIDTH 96
#define PANEL_HEIGHT 64

static const char *const formats[] = { "XR24", "RG24", "RG16", "YUYV", "NV12", "YV12" };

/* The panel the long way: out of the drawn memory of each layer, as the display would fetch it. */
static uint32_t crc_of_memory(const struct picture_layer *layers, unsigned int count)
{
	static uint8_t panel[PANEL_HEIGHT][PANEL_WIDTH][3];

	memset(panel, 0, sizeof(panel));
	for (unsigned int i = 0; i < count; i++) {
		const struct image_layout *layout = layers[i].layout;
		uint8_t *memory = malloc(layout->size_bytes);
		uint8_t *rgb = malloc(3 * layout->width);

		assert_non_null(memory);
		assert_non_null(rgb);
		assert_int_equal(picture_draw(&layers[i].pattern, layout, memory), 0);
		for (uint32_t y = 0; y < layout->height; y++) {
			const uint8_t *rows[FORMAT_MAX_PLANES] = {
				memory + y * layout->pitch_bytes[0],
				memory + layout->offset_bytes[1] +
					y / layout->format->vertical * layout->pitch_bytes[1],
				memory + layout->offset_bytes[2] +
					y / layout->format->vertical * layout->pitch_bytes[2],
			};

			format_unpack_row(layout, rows, layout->width, rgb);
			for (uint32_t x = 0; x < layout->width; x++)
				if (layers[i].x + x < PANEL_WIDTH && layers[i].y + y < PANEL_HEIGHT)
					memcpy(panel[layers[i].y + y][layers[i].x + x], rgb + 3 * x,
					       3);
		}
		free(rgb);
		free(memory);
	}
	return crc32_update(0, panel, sizeof(panel));
}

static void check(const struct picture_layer *layers, unsigned int count)
{
	uint32_t crc;

	assert_int_equal(picture_panel_crc(PANEL_WIDTH, PANEL_HEIGHT, layers, count, &crc), 0);
	assert_int_equal(crc, crc_of_memory(layers, count));
}

static void expected_crc_is_that_of_the_drawn_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct image_layout layout;
		const struct picture_layer layer = {
			.pattern = { .width = PANEL_WIDTH, .height = PANEL_HEIGHT, .number = 5 },
			.layout = &layout,
		};

		format_layout(format_from_name(formats[i]), PANEL_WIDTH, PANEL_HEIGHT, &layout);
		check(&layer, 1);
	}
}

static void overlays_cover_and_are_cut_at_the_edge(void **state)
{
	static const uint32_t places[][2] = {
		{ 0, 0 }, { 20, 10 }, { 80, 50 }, { 95, 63 }, { 96, 0 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
			struct image_layout below, above;
			const struct picture_layer layers[] = {
				{ .pattern = { .width = PANEL_WIDTH,
					       .height = PANEL_HEIGHT,
					       .number = 1 },
				  .layout = &below },
				{ .pattern = { .width = 40, .height = 30, .seed = 9, .number = 2 },
				  .layout = &above,
				  .x = places[j][0],
				  .y = places[j][1] },
			};

			format_layout(format_from_name("XR24"), PANEL_WIDTH, PANEL_HEIGHT, &below);
			format_layout(format_from_name(formats[i]), 40, 30, &above);
			check(layers, 2);
		}
	}
}

static void what_no_plane_covers_is_black(void **state)
{
	static const uint8_t black[PANEL_HEIGHT][PANEL_WIDTH][3];
	struct image_layout layout;
	const struct picture_layer layer = {
		.pattern = { .width = PANEL_WIDTH, .height = 20, .number = 3 },
		.layout = &layout,
	};
	uint32_t crc;

	(void)state;
	format_layout(format_from_name("XR24"), PANEL_WIDTH, 20, &layout);
	check(&layer, 1);
	assert_int_equal(picture_panel_crc(PANEL_WIDTH, PANEL_HEIGHT, NULL, 0, &crc), 0);
	assert_int_equal(crc, crc32_update(0, black, sizeof(black)));
}

static void a_swapped_page_changes_the_crc(void **state)
{
	struct image_layout layout;
	const struct pattern pattern = { .width = 1280, .height = 64, .number = 1 };
	uint8_t *memory, page[4096];
	uint32_t crc;

	(void)state;
	format_layout(format_from_name("XR24"), 1280, 64, &layout);
	memory = malloc(layout.size_bytes);
	assert_non_null(memory);
	assert_int_equal(picture_draw(&pattern, &layout, memory), 0);
	crc = crc32_update(0, memory, layout.size_bytes);
	for (size_t i = 0; i + 1 < layout.size_bytes / 4096; i++) {
		memcpy(page, memory + i * 4096, 4096);
		memcpy(memory + i * 4096, memory + (i + 1) * 4096, 4096);
		memcpy(memory + (i + 1) * 4096, page, 4096);
		assert_int_not_equal(crc32_update(0, memory, layout.size_bytes), crc);
		memcpy(memory + (i + 1) * 4096, memory + i * 4096, 4096);
		memcpy(memory + i * 4096, page, 4096);
	}
	assert_int_equal(crc32_update(0, memory, layout.size_bytes), crc);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expected_crc_is_that_of_the_drawn_memory),
		cmocka_unit_test(overlays_cover_and_are_cut_at_the_edge),
		cmocka_unit_test(what_no_plane_covers_is_black),
		cmocka_unit_test(a_swapped_page_changes_the_crc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
