// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format.h"

#define WIDTH 8

static const char all_names[][5] = {
	"XR24", "AR24", "XB24", "AB24", "RG24", "BG24", "RG16", "BG16", "YUYV",
	"YVYU", "UYVY", "VYUY", "NV12", "NV21", "NV16", "NV61", "YU12", "YV12",
};

#define NAMES (sizeof(all_names) / sizeof(all_names[0]))

/* One row through memory and back: what the panel shows of @xrgb in format @name. */
static void round_trip(const char *name, const uint32_t *xrgb, uint8_t planes[3][512], uint8_t *rgb)
{
	struct image_layout layout;
	uint8_t *rows[FORMAT_MAX_PLANES] = { planes[0], planes[1], planes[2] };

	format_layout(format_from_name(name), WIDTH, 2, &layout);
	memset(planes, 0xee, 3 * 512);
	format_pack_row(&layout, 0, xrgb, rows);
	format_unpack_row(&layout, (const uint8_t *const *)rows, WIDTH, rgb);
}

static void names_and_codes_agree(void **state)
{
	char name[5];

	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		const struct pixel_format *format = format_from_name(all_names[i]);

		assert_non_null(format);
		format_name(format->fourcc, name);
		assert_string_equal(name, all_names[i]);
		assert_ptr_equal(format_from_fourcc(format->fourcc), format);
		assert_non_null(strstr(format_names(), name));
	}
	assert_null(format_from_name("XR2"));
	assert_null(format_from_name("XR240"));
	assert_null(format_from_name("P010"));
}

static void full_colour_formats_lose_nothing(void **state)
{
	static const char *const names[] = { "XR24", "AR24", "XB24", "AB24", "RG24", "BG24" };
	uint32_t xrgb[WIDTH];
	uint8_t planes[3][512], rgb[3 * WIDTH];

	(void)state;
	for (uint32_t x = 0; x < WIDTH; x++)
		xrgb[x] = 0x010203 * (x * 9 + 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		round_trip(names[i], xrgb, planes, rgb);
		for (uint32_t x = 0; x < WIDTH; x++) {
			assert_int_equal(rgb[3 * x], (xrgb[x] >> 16) & 0xff);
			assert_int_equal(rgb[3 * x + 1], (xrgb[x] >> 8) & 0xff);
			assert_int_equal(rgb[3 * x + 2], xrgb[x] & 0xff);
		}
	}
}

static void bytes_lie_where_drm_fourcc_h_says(void **state)
{
	const uint32_t xrgb[WIDTH] = { 0x112233, 0x445566 };
	const uint8_t xr24[8] = { 0x33, 0x22, 0x11, 0, 0x66, 0x55, 0x44, 0 };
	const uint8_t ab24[8] = { 0x11, 0x22, 0x33, 0xff, 0x44, 0x55, 0x66, 0xff };
	const uint8_t rg24[6] = { 0x33, 0x22, 0x11, 0x66, 0x55, 0x44 };
	/* 0x112233: r 00010, g 001000, b 00110 */
	const uint8_t rg16[2] = { 0x06, 0x11 };
	uint8_t planes[3][512], rgb[3 * WIDTH];

	(void)state;
	round_trip("XR24", xrgb, planes, rgb);
	assert_memory_equal(planes[0], xr24, sizeof(xr24));
	round_trip("AB24", xrgb, planes, rgb);
	assert_memory_equal(planes[0], ab24, sizeof(ab24));
	round_trip("RG24", xrgb, planes, rgb);
	assert_memory_equal(planes[0], rg24, sizeof(rg24));
	round_trip("RG16", xrgb, planes, rgb);
	assert_memory_equal(planes[0], rg16, sizeof(rg16));
}

static void yuv_orders_differ_only_in_place(void **state)
{
	uint32_t xrgb[WIDTH];
	uint8_t yuyv[3][512], other[3][512], rgb[3 * WIDTH], same[3 * WIDTH];

	(void)state;
	for (uint32_t x = 0; x < WIDTH; x++)
		xrgb[x] = 0x302010 + x * 0x050709;
	round_trip("YUYV", xrgb, yuyv, rgb);

	for (size_t i = 8; i < NAMES; i++) {
		round_trip(all_names[i], xrgb, other, same);
		assert_memory_equal(rgb, same, sizeof(rgb));
	}
	round_trip("UYVY", xrgb, other, same);
	for (size_t x = 0; x < 2 * WIDTH; x++)
		assert_int_equal(other[0][x], yuyv[0][x ^ 1]);
	round_trip("NV12", xrgb, other, same);
	assert_int_equal(other[0][3], yuyv[0][6]);
	assert_int_equal(other[1][2], yuyv[0][5]);
	assert_int_equal(other[1][3], yuyv[0][7]);
	round_trip("NV21", xrgb, other, same);
	assert_int_equal(other[1][2], yuyv[0][7]);
	round_trip("YV12", xrgb, other, same);
	assert_int_equal(other[1][1], yuyv[0][7]);
	assert_int_equal(other[2][1], yuyv[0][5]);
}

static void yuv_greys_and_limits_are_the_matrix_of_the_driver(void **state)
{
	struct image_layout layout;
	/* y0 cb y1 cr: black, white, one step above black, and far out of range */
	const uint8_t row[16] = { 16,  128, 235, 128, 17,  128, 0,   128,
				  255, 255, 0,	 255, 126, 90,	126, 240 };
	const uint8_t *const rows[FORMAT_MAX_PLANES] = { row };
	const uint8_t expected[24] = {
		0,   0,	  0,   254, 254, 254, 1,   1,  1,  0,	0,  0,
		255, 125, 255, 184, 0,	 237, 255, 51, 51, 255, 51, 51,
	};
	uint8_t rgb[24];

	(void)state;
	format_layout(format_from_name("YUYV"), WIDTH, 1, &layout);
	format_unpack_row(&layout, rows, WIDTH, rgb);
	assert_memory_equal(rgb, expected, sizeof(expected));
}

static void layouts_do_not_overlap_and_hold_every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		struct image_layout layout;
		const struct pixel_format *format = format_from_name(all_names[i]);
		size_t end;

		format_layout(format, 1280, 800, &layout);
		assert_int_equal(layout.offset_bytes[0], 0);
		assert_true(layout.pitch_bytes[0] >= 1280 * format->bytes_per_pixel);
		end = (size_t)layout.pitch_bytes[0] * 800;
		for (unsigned int plane = 1; plane < format->planes; plane++) {
			assert_int_equal(layout.offset_bytes[plane], end);
			end += (size_t)layout.pitch_bytes[plane] * 800 / format->vertical;
		}
		assert_int_equal(layout.size_bytes, end);
	}
}

static void shared_chroma_is_written_once(void **state)
{
	struct image_layout layout;
	uint8_t luma[512], chroma[512], before[512];
	uint8_t *const rows[FORMAT_MAX_PLANES] = { luma, chroma };
	uint32_t xrgb[WIDTH];

	(void)state;
	format_layout(format_from_name("NV12"), WIDTH, 4, &layout);
	memset(xrgb, 0x7f, sizeof(xrgb));
	format_pack_row(&layout, 2, xrgb, rows);
	memcpy(before, chroma, sizeof(before));
	for (size_t x = 0; x < WIDTH; x++)
		xrgb[x] = 0xff0000;
	format_pack_row(&layout, 3, xrgb, rows);
	assert_memory_equal(chroma, before, WIDTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_codes_agree),
		cmocka_unit_test(full_colour_formats_lose_nothing),
		cmocka_unit_test(bytes_lie_where_drm_fourcc_h_says),
		cmocka_unit_test(yuv_orders_differ_only_in_place),
		cmocka_unit_test(yuv_greys_and_limits_are_the_matrix_of_the_driver),
		cmocka_unit_test(layouts_do_not_overlap_and_hold_every_row),
		cmocka_unit_test(shared_chroma_is_written_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
