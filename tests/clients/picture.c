// SPDX-License-Identifier: MIT
#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include "crc32.h"

/* One layer's row on its way to the panel. */
struct layer_row {
	uint32_t *xrgb;
	uint8_t *planes[FORMAT_MAX_PLANES];
};

int picture_draw(const struct pattern *pattern, const struct image_layout *layout, void *memory)
{
	uint32_t *xrgb = calloc(layout->width, sizeof(*xrgb));

	if (!xrgb)
		return -1;
	for (uint32_t y = 0; y < layout->height; y++) {
		uint8_t *rows[FORMAT_MAX_PLANES];

		for (unsigned int plane = 0; plane < FORMAT_MAX_PLANES; plane++) {
			uint32_t line = plane ? y / layout->format->vertical : y;

			rows[plane] = (uint8_t *)memory + layout->offset_bytes[plane] +
				      (size_t)line * layout->pitch_bytes[plane];
		}
		pattern_row(pattern, y, xrgb);
		format_pack_row(layout, y, xrgb, rows);
	}
	free(xrgb);
	return 0;
}

static void layer_row_free(struct layer_row *row)
{
	free(row->xrgb);
	for (unsigned int plane = 0; plane < FORMAT_MAX_PLANES; plane++)
		free(row->planes[plane]);
}

static int layer_row_alloc(const struct image_layout *layout, struct layer_row *row)
{
	memset(row, 0, sizeof(*row));
	row->xrgb = calloc(layout->width, sizeof(*row->xrgb));
	if (!row->xrgb)
		return -1;
	for (unsigned int plane = 0; plane < layout->format->planes; plane++) {
		row->planes[plane] = calloc(1, layout->pitch_bytes[plane]);
		if (!row->planes[plane])
			return -1;
	}
	return 0;
}

static void show_row(const struct picture_layer *layer, struct layer_row *row, uint32_t y,
		     uint32_t panel_width, uint8_t *rgb)
{
	const struct image_layout *layout = layer->layout;
	uint32_t count = layout->width;

	if (y < layer->y || y - layer->y >= layout->height || layer->x >= panel_width)
		return;
	if (count > panel_width - layer->x)
		count = panel_width - layer->x;
	pattern_row(&layer->pattern, y - layer->y, row->xrgb);
	format_pack_row(layout, y - layer->y, row->xrgb, row->planes);
	format_unpack_row(layout, (const uint8_t *const *)row->planes, count, rgb + 3 * layer->x);
}

int picture_panel_crc(uint32_t width, uint32_t height, const struct picture_layer *layers,
		      unsigned int layer_count, uint32_t *crc)
{
	struct layer_row *rows = calloc(layer_count + 1, sizeof(*rows));
	uint8_t *rgb = calloc(width, 3);
	int ret = rows && rgb ? 0 : -1;

	for (unsigned int i = 0; !ret && i < layer_count; i++)
		ret = layer_row_alloc(layers[i].layout, &rows[i]);

	*crc = 0;
	for (uint32_t y = 0; !ret && y < height; y++) {
		memset(rgb, 0, (size_t)width * 3);
		for (unsigned int i = 0; i < layer_count; i++)
			show_row(&layers[i], &rows[i], y, width, rgb);
		*crc = crc32_update(*crc, rgb, (size_t)width * 3);
	}

	for (unsigned int i = 0; rows && i < layer_count; i++)
		layer_row_free(&rows[i]);
	free(rows);
	free(rgb);
	return ret;
}
