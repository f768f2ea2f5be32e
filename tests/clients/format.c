// SPDX-License-Identifier: MIT
#include "format.h"

#include <string.h>

#include <drm_fourcc.h>

/* The pitch the msm driver itself gives 32-bit dumb buffers: a multiple of 32 pixels. */
#define PITCH_ALIGN_BYTES 128

/* clang-format off */
#define RGB_BYTES(code, bpp, r, g, b, has_alpha)                                                   \
	{ .fourcc = DRM_FORMAT_##code, .family = FORMAT_RGB_BYTES, .planes = 1,                    \
	  .bytes_per_pixel = bpp, .horizontal = 1, .vertical = 1, .position = { r, g, b },         \
	  .alpha = has_alpha }
#define RGB_565(code, red_is_high)                                                                 \
	{ .fourcc = DRM_FORMAT_##code, .family = FORMAT_RGB_565, .planes = 1,                      \
	  .bytes_per_pixel = 2, .horizontal = 1, .vertical = 1, .position = { red_is_high } }
#define YUV_PACKED(code, y, cb, cr)                                                                \
	{ .fourcc = DRM_FORMAT_##code, .family = FORMAT_YUV_PACKED, .planes = 1,                   \
	  .bytes_per_pixel = 2, .horizontal = 2, .vertical = 1, .position = { y, cb, cr } }
#define YUV_PLANAR(code, n, v, swapped)                                                            \
	{ .fourcc = DRM_FORMAT_##code, .family = FORMAT_YUV_PLANAR, .planes = n,                   \
	  .bytes_per_pixel = 1, .horizontal = 2, .vertical = v, .chroma_swapped = swapped }
/* clang-format on */

static const struct pixel_format formats[] = {
	RGB_BYTES(XRGB8888, 4, 2, 1, 0, false),
	RGB_BYTES(ARGB8888, 4, 2, 1, 0, true),
	RGB_BYTES(XBGR8888, 4, 0, 1, 2, false),
	RGB_BYTES(ABGR8888, 4, 0, 1, 2, true),
	RGB_BYTES(RGB888, 3, 2, 1, 0, false),
	RGB_BYTES(BGR888, 3, 0, 1, 2, false),
	RGB_565(RGB565, true),
	RGB_565(BGR565, false),
	YUV_PACKED(YUYV, 0, 1, 3),
	YUV_PACKED(YVYU, 0, 3, 1),
	YUV_PACKED(UYVY, 1, 0, 2),
	YUV_PACKED(VYUY, 1, 2, 0),
	YUV_PLANAR(NV12, 2, 2, false),
	YUV_PLANAR(NV21, 2, 2, true),
	YUV_PLANAR(NV16, 2, 1, false),
	YUV_PLANAR(NV61, 2, 1, true),
	YUV_PLANAR(YUV420, 3, 2, false),
	YUV_PLANAR(YVU420, 3, 2, true),
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct pixel_format *format_from_fourcc(uint32_t fourcc)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (formats[i].fourcc == fourcc)
			return &formats[i];
	return NULL;
}

const struct pixel_format *format_from_name(const char *name)
{
	if (strlen(name) != 4)
		return NULL;
	return format_from_fourcc(fourcc_code(name[0], name[1], name[2], name[3]));
}

void format_name(uint32_t fourcc, char name[5])
{
	for (int i = 0; i < 4; i++)
		name[i] = (char)((fourcc >> (8 * i)) & 0xff);
	name[4] = '\0';
}

const char *format_names(void)
{
	static char names[FORMATS * 5];

	for (size_t i = 0; i < FORMATS; i++) {
		format_name(formats[i].fourcc, names + 5 * i);
		names[5 * i + 4] = i + 1 < FORMATS ? ' ' : '\0';
	}
	return names;
}

bool format_is_yuv(const struct pixel_format *format)
{
	return format->family == FORMAT_YUV_PACKED || format->family == FORMAT_YUV_PLANAR;
}

static uint32_t align_pitch(uint32_t bytes)
{
	return (bytes + PITCH_ALIGN_BYTES - 1) / PITCH_ALIGN_BYTES * PITCH_ALIGN_BYTES;
}

static uint32_t divide_up(uint32_t value, uint32_t by)
{
	return (value + by - 1) / by;
}

void format_layout(const struct pixel_format *format, uint32_t width, uint32_t height,
		   struct image_layout *layout)
{
	uint32_t chroma_width = divide_up(width, format->horizontal);
	uint32_t chroma_height = divide_up(height, format->vertical);
	uint32_t end;

	*layout = (struct image_layout){ .format = format, .width = width, .height = height };
	layout->pitch_bytes[0] = align_pitch(width * format->bytes_per_pixel);
	end = layout->pitch_bytes[0] * height;
	for (unsigned int plane = 1; plane < format->planes; plane++) {
		uint32_t bytes_per_sample = format->planes == 2 ? 2 : 1;

		layout->offset_bytes[plane] = end;
		layout->pitch_bytes[plane] = align_pitch(chroma_width * bytes_per_sample);
		end += layout->pitch_bytes[plane] * chroma_height;
	}
	layout->size_bytes = end;
}

/* BT.601, studio range: any deterministic choice would do, this one looks right on the panel. */
static uint8_t luma(uint32_t xrgb)
{
	uint32_t r = (xrgb >> 16) & 0xff, g = (xrgb >> 8) & 0xff, b = xrgb & 0xff;

	return (uint8_t)(((66 * r + 129 * g + 25 * b + 128) >> 8) + 16);
}

/* The constant is 128.5 in 8.8 fixed point: it keeps the sum positive. */
static uint8_t chroma_blue(uint32_t xrgb)
{
	int r = (int)((xrgb >> 16) & 0xff), g = (int)((xrgb >> 8) & 0xff), b = (int)(xrgb & 0xff);

	return (uint8_t)((-38 * r - 74 * g + 112 * b + 32896) >> 8);
}

static uint8_t chroma_red(uint32_t xrgb)
{
	int r = (int)((xrgb >> 16) & 0xff), g = (int)((xrgb >> 8) & 0xff), b = (int)(xrgb & 0xff);

	return (uint8_t)((112 * r - 94 * g - 18 * b + 32896) >> 8);
}

static void pack_rgb_bytes(const struct pixel_format *format, uint32_t width, const uint32_t *xrgb,
			   uint8_t *row)
{
	if (format->fourcc == DRM_FORMAT_XRGB8888) {
		memcpy(row, xrgb, (size_t)width * 4);
		return;
	}
	for (uint32_t x = 0; x < width; x++, row += format->bytes_per_pixel) {
		row[format->position[0]] = (uint8_t)(xrgb[x] >> 16);
		row[format->position[1]] = (uint8_t)(xrgb[x] >> 8);
		row[format->position[2]] = (uint8_t)xrgb[x];
		if (format->bytes_per_pixel == 4)
			row[3] = 0xff;
	}
}

static void pack_rgb_565(const struct pixel_format *format, uint32_t width, const uint32_t *xrgb,
			 uint8_t *row)
{
	for (uint32_t x = 0; x < width; x++) {
		uint32_t r = (xrgb[x] >> 19) & 0x1f, g = (xrgb[x] >> 10) & 0x3f;
		uint32_t b = (xrgb[x] >> 3) & 0x1f;
		uint32_t word = format->position[0] ? r << 11 | g << 5 | b : b << 11 | g << 5 | r;

		row[2 * x] = (uint8_t)word;
		row[2 * x + 1] = (uint8_t)(word >> 8);
	}
}

static void pack_yuv_packed(const struct pixel_format *format, uint32_t width, const uint32_t *xrgb,
			    uint8_t *row)
{
	for (uint32_t x = 0; x < width; x += 2, row += 4) {
		row[format->position[0]] = luma(xrgb[x]);
		row[format->position[0] + 2] = luma(xrgb[x + 1 < width ? x + 1 : x]);
		row[format->position[1]] = chroma_blue(xrgb[x]);
		row[format->position[2]] = chroma_red(xrgb[x]);
	}
}

static void pack_chroma_planar(const struct pixel_format *format, uint32_t width,
			       const uint32_t *xrgb, uint8_t *const rows[])
{
	for (uint32_t x = 0; x < width; x += 2) {
		uint8_t first = format->chroma_swapped ? chroma_red(xrgb[x]) : chroma_blue(xrgb[x]);
		uint8_t second = format->chroma_swapped ? chroma_blue(xrgb[x]) :
							  chroma_red(xrgb[x]);

		if (format->planes == 2) {
			rows[1][x] = first;
			rows[1][x + 1] = second;
		} else {
			rows[1][x / 2] = first;
			rows[2][x / 2] = second;
		}
	}
}

void format_pack_row(const struct image_layout *layout, uint32_t y, const uint32_t *xrgb,
		     uint8_t *const rows[FORMAT_MAX_PLANES])
{
	const struct pixel_format *format = layout->format;

	switch (format->family) {
	case FORMAT_RGB_BYTES:
		pack_rgb_bytes(format, layout->width, xrgb, rows[0]);
		break;
	case FORMAT_RGB_565:
		pack_rgb_565(format, layout->width, xrgb, rows[0]);
		break;
	case FORMAT_YUV_PACKED:
		pack_yuv_packed(format, layout->width, xrgb, rows[0]);
		break;
	case FORMAT_YUV_PLANAR:
		for (uint32_t x = 0; x < layout->width; x++)
			rows[0][x] = luma(xrgb[x]);
		if (y % format->vertical == 0)
			pack_chroma_planar(format, layout->width, xrgb, rows);
		break;
	}
}

static uint8_t clamp_byte(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/*
 * The matrix that the msm driver programs into every YUV pipe (csc_convert[CSC_YUV2RGB] in
 * mdp_format.c): s4.9 coefficients, biases -16 and -128, results cut to a byte.
 */
static void yuv_to_rgb(int y, int cb, int cr, uint8_t *rgb)
{
	y -= 16;
	cb -= 128;
	cr -= 128;
	rgb[0] = clamp_byte((0x254 * y + 0x331 * cr) >> 9);
	rgb[1] = clamp_byte((0x254 * y - 0xc9 * cb - 0x1a0 * cr) >> 9);
	rgb[2] = clamp_byte((0x254 * y + 0x409 * cb) >> 9);
}

static void unpack_rgb_565(const struct pixel_format *format, const uint8_t *row, uint32_t count,
			   uint8_t *rgb)
{
	for (uint32_t x = 0; x < count; x++, rgb += 3) {
		uint32_t word = (uint32_t)row[2 * x] | (uint32_t)row[2 * x + 1] << 8;
		uint32_t high = word >> 11, middle = (word >> 5) & 0x3f, low = word & 0x1f;
		uint32_t r = format->position[0] ? high : low, b = format->position[0] ? low : high;

		rgb[0] = (uint8_t)(r << 3 | r >> 2);
		rgb[1] = (uint8_t)(middle << 2 | middle >> 4);
		rgb[2] = (uint8_t)(b << 3 | b >> 2);
	}
}

static void unpack_yuv_planar(const struct pixel_format *format, const uint8_t *const rows[],
			      uint32_t count, uint8_t *rgb)
{
	for (uint32_t x = 0; x < count; x++, rgb += 3) {
		uint32_t pair = x / 2;
		uint8_t first = format->planes == 2 ? rows[1][2 * pair] : rows[1][pair];
		uint8_t second = format->planes == 2 ? rows[1][2 * pair + 1] : rows[2][pair];

		if (format->chroma_swapped)
			yuv_to_rgb(rows[0][x], second, first, rgb);
		else
			yuv_to_rgb(rows[0][x], first, second, rgb);
	}
}

void format_unpack_row(const struct image_layout *layout,
		       const uint8_t *const rows[FORMAT_MAX_PLANES], uint32_t count, uint8_t *rgb)
{
	const struct pixel_format *format = layout->format;
	const uint8_t *row = rows[0];

	switch (format->family) {
	case FORMAT_RGB_BYTES:
		for (uint32_t x = 0; x < count; x++, rgb += 3, row += format->bytes_per_pixel) {
			rgb[0] = row[format->position[0]];
			rgb[1] = row[format->position[1]];
			rgb[2] = row[format->position[2]];
		}
		break;
	case FORMAT_RGB_565:
		unpack_rgb_565(format, row, count, rgb);
		break;
	case FORMAT_YUV_PACKED:
		for (uint32_t x = 0; x < count; x++, rgb += 3) {
			const uint8_t *pair = row + x / 2 * 4;

			yuv_to_rgb(pair[format->position[0] + (x & 1) * 2],
				   pair[format->position[1]], pair[format->position[2]], rgb);
		}
		break;
	case FORMAT_YUV_PLANAR:
		unpack_yuv_planar(format, rows, count, rgb);
		break;
	}
}
