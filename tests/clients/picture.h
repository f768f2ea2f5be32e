/* SPDX-License-Identifier: MIT */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

#include "format.h"
#include "pattern.h"

/*
 * From pattern to pixels, both ways: into a buffer, and through the mixer to the panel. Both draw
 * the same rows with the same packing, so the checksum expected of the panel depends on what the
 * buffer was meant to hold and on nothing that the kernel did with it.
 */

/*
 * What one plane shows: @pattern in @layout, its top left corner at (@x, @y) of the panel, not
 * scaled.
 */
struct picture_layer {
	struct pattern pattern;
	const struct image_layout *layout;
	uint32_t x, y;
};

/*
 * Draws into mapped memory that begins where the layout's offsets count from. -1 and errno =
 * ENOMEM.
 */
int picture_draw(const struct pattern *pattern, const struct image_layout *layout, void *memory);

/*
 * The checksum of a panel of @width x @height that shows @layers over black, the last one
 * uppermost, all of them opaque: CRC-32 over the rows, three bytes r, g, b for a pixel. -1 and
 * errno = ENOMEM.
 */
int picture_panel_crc(uint32_t width, uint32_t height, const struct picture_layer *layers,
		      unsigned int layer_count, uint32_t *crc);

#endif
