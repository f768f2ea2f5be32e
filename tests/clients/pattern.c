// SPDX-License-Identifier: MIT
#include "pattern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define NOISE_WORDS (2 * PATTERN_MAX_WIDTH)
#define NOISE_MASK 0x00030303u

/* 3 x 5 dots, one octal digit a line, the leftmost dot is the highest bit. */
static const uint16_t digit_font[10] = {
	075557, 026227, 071747, 071717, 055711, 074717, 074757, 071111, 075757, 075717,
};

#define DIGIT_LINES 5
#define DIGIT_DOTS 3
#define DIGIT_PITCH 4 /* dots from one digit to the next */

static uint32_t hash(uint32_t value)
{
	value ^= value >> 16;
	value *= 0x7feb352d;
	value ^= value >> 15;
	value *= 0x846ca68b;
	value ^= value >> 16;
	return value;
}

/*
 * Noise is drawn once and then read from a place that depends on the row: that is what makes it
 * cheap.
 */
static const uint32_t *noise(void)
{
	static uint32_t words[NOISE_WORDS];
	static bool filled;

	if (!filled) {
		for (uint32_t i = 0; i < NOISE_WORDS; i++)
			words[i] = hash(i + 1) & NOISE_MASK;
		filled = true;
	}
	return words;
}

static void fill_gradient(const struct pattern *pattern, uint32_t y, uint32_t *xrgb)
{
	uint32_t tint = hash(pattern->seed ^ hash(pattern->number)) & 0x003f3f3f;
	uint32_t green = y * 191 / pattern->height;
	uint32_t row = tint + (green << 8);
	/* 16.16 steps: red rises from left to right, blue falls; no sum leaves its byte */
	uint32_t step = (127u << 16) / pattern->width;
	uint32_t ramp = 0;

	for (uint32_t x = 0; x < pattern->width; x++, ramp += step) {
		uint32_t red = ramp >> 16;

		xrgb[x] = row + (red << 16) + (127 - red);
	}
}

static void invert_bar(const struct pattern *pattern, uint32_t *xrgb)
{
	uint32_t width = pattern->width / 32 + 1;
	uint32_t first = pattern->number * width * 2 % pattern->width;

	for (uint32_t x = first; x < first + width && x < pattern->width; x++)
		xrgb[x] ^= 0x007f7f7f;
}

static void draw_digits(const struct pattern *pattern, uint32_t y, uint32_t *xrgb)
{
	char text[12];
	uint32_t length = (uint32_t)snprintf(text, sizeof(text), "%u", pattern->number);
	uint32_t dots = length * DIGIT_PITCH - 1;
	/*
	 * near the upper edge, where an overlay in the middle of the panel leaves them to be seen
	 */
	uint32_t scale = pattern->height / 20, top = scale / 4;
	uint32_t left, line;

	if (dots * scale > pattern->width)
		scale = pattern->width / dots;
	if (!scale)
		return;
	left = (pattern->width - dots * scale) / 2;
	if (y < top || y >= top + DIGIT_LINES * scale)
		return;
	line = (y - top) / scale;
	for (uint32_t i = 0; i < length; i++) {
		uint32_t bits = digit_font[text[i] - '0'] >>
				(DIGIT_DOTS * (DIGIT_LINES - 1 - line));

		for (uint32_t dot = 0; dot < DIGIT_DOTS; dot++) {
			uint32_t first = left + (i * DIGIT_PITCH + dot) * scale;

			if (!(bits & (1u << (DIGIT_DOTS - 1 - dot))))
				continue;
			for (uint32_t x = first; x < first + scale; x++)
				xrgb[x] = 0x00fcfcfc;
		}
	}
}

static void add_noise(const struct pattern *pattern, uint32_t y, uint32_t *xrgb)
{
	/* an odd stride over a power of two: no two rows of a buffer read from the same place */
	uint32_t place = (hash(pattern->seed ^ hash(pattern->number)) >> 8) + y * 1597;
	const uint32_t *words = noise() + place % PATTERN_MAX_WIDTH;

	for (uint32_t x = 0; x < pattern->width; x++)
		xrgb[x] ^= words[x];
}

void pattern_row(const struct pattern *pattern, uint32_t y, uint32_t *xrgb)
{
	fill_gradient(pattern, y, xrgb);
	invert_bar(pattern, xrgb);
	draw_digits(pattern, y, xrgb);
	add_noise(pattern, y, xrgb);
}
