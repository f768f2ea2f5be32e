/* SPDX-License-Identifier: MIT */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdint.h>

/*
 * The picture a buffer carries: a gradient tinted by the buffer's number, the number in large
 * digits, and a bar whose place moves with the number. On top, the two low bits of every channel
 * carry noise that depends on seed, number and row, so that no two pages of all buffers are equal:
 * a page shown in another's place changes the frame's checksum.
 *
 * A picture is a pure function of its four parameters. Whoever needs its bytes again (to say what
 * the panel must show) draws it again instead of reading a buffer back.
 */

#define PATTERN_MAX_WIDTH 4096

struct pattern {
	uint32_t width, height;
	/** @seed: one for each run and plane */
	uint32_t seed;
	/** @number: of the buffer, printed on it */
	uint32_t number;
};

/* Row @y as width words 0x00rrggbb; width is at most PATTERN_MAX_WIDTH. */
void pattern_row(const struct pattern *pattern, uint32_t y, uint32_t *xrgb);

#endif
