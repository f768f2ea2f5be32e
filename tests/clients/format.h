/* SPDX-License-Identifier: MIT */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Pixel formats of the MDP4's pipes: how an image lies in memory, how a row of colours gets there,
 * and which colours the display makes of the bytes again. Rows go top to bottom: chroma that two
 * rows share is packed with the first of them.
 */

#define FORMAT_MAX_PLANES 3

enum format_family {
	FORMAT_RGB_BYTES, /* one byte for each of r, g, b */
	FORMAT_RGB_565,
	FORMAT_YUV_PACKED, /* two pixels in four bytes */
	FORMAT_YUV_PLANAR, /* luma, then one or two planes of chroma */
};

struct pixel_format {
	uint32_t fourcc;
	enum format_family family;
	/** @planes: planes in memory, each with its own offset and pitch */
	unsigned int planes;
	/** @bytes_per_pixel: of the first plane */
	unsigned int bytes_per_pixel;
	/** @horizontal, @vertical: chroma subsampling, 1 or 2 */
	unsigned int horizontal, vertical;
	/**
	 * @position: of red, green, blue in a pixel's bytes (or whether red is the upper field of
	 * 565); of y0, cb, cr in a packed pair; plane and byte of cb, cr in planar formats are
	 * derived from @chroma_swapped
	 */
	uint8_t position[3];
	/** @chroma_swapped: cr before cb (NV21, YV12) */
	bool chroma_swapped;
	/** @alpha: the fourth byte is alpha, and the mixer blends by it */
	bool alpha;
};

struct image_layout {
	const struct pixel_format *format;
	uint32_t width, height;
	uint32_t pitch_bytes[FORMAT_MAX_PLANES];
	uint32_t offset_bytes[FORMAT_MAX_PLANES];
	/** @size_bytes: of the whole image, all planes */
	size_t size_bytes;
};

/* NULL where the program does not know @fourcc. */
const struct pixel_format *format_from_fourcc(uint32_t fourcc);
/* Accepts a name as drm_fourcc.h spells it in four characters ("XR24"). */
const struct pixel_format *format_from_name(const char *name);
/* Space-separated names, for error messages. */
const char *format_names(void);
/* Writes the four characters and a NUL. */
void format_name(uint32_t fourcc, char name[5]);
bool format_is_yuv(const struct pixel_format *format);

/* Planes one after the other, every pitch a multiple of 128 bytes. */
void format_layout(const struct pixel_format *format, uint32_t width, uint32_t height,
		   struct image_layout *layout);

/*
 * @xrgb: width words 0x00rrggbb. @rows: where row @y begins in each plane; a chroma row is only
 * written when @y is its first luma row.
 */
void format_pack_row(const struct image_layout *layout, uint32_t y, const uint32_t *xrgb,
		     uint8_t *const rows[FORMAT_MAX_PLANES]);

/* The @count leftmost pixels of a row as the panel shows them, three bytes r, g, b each. */
void format_unpack_row(const struct image_layout *layout,
		       const uint8_t *const rows[FORMAT_MAX_PLANES], uint32_t count, uint8_t *rgb);

#endif
