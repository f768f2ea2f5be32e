/* SPDX-License-Identifier: MIT */
#ifndef VERIFIER_H
#define VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "modes.h"

/*
 * Is the panel showing what it was asked to show? The display model says what it shows as a
 * checksum; the verifier works out which one that must be, once for each combination of buffers,
 * and compares.
 */
struct verifier {
	const char *frame_crc_path;
	uint32_t panel_width, panel_height;
	/**
	 * @settling: the display may be a little late with a part of the frame (a legacy cursor is)
	 */
	bool settling;
	/** @primary_count, @overlay_count: buffers of the rings, 0 where frames do not return */
	unsigned int primary_count, overlay_count;
	/** @known: one place for each combination of them */
	struct known_crc *known;
	uint64_t checked, mismatches;
};

struct known_crc {
	bool valid;
	uint32_t crc;
};

/* All 0, or -1 after one line on stderr; a mismatch is counted and told of, it is no error. */

/* Also makes sure that there is a checksum to read. */
int verifier_init(struct verifier *verifier);
void verifier_fini(struct verifier *verifier);
/* The checksum of a panel showing @frame: call it while nothing waits for the answer. */
int verifier_expect(struct verifier *verifier, const struct frame *frame, uint32_t *crc);
/*
 * One look, right after the flip's event: from then on the panel must show flip @number's frame.
 * Where @settling, as many as the next function has.
 */
int verifier_check(struct verifier *verifier, unsigned int number, uint32_t expected);
/* Gives the display half a second to show the frame: after a mode set, which has no event. */
int verifier_check_settled(struct verifier *verifier, unsigned int number, uint32_t expected);

#endif
