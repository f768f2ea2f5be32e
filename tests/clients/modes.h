/* SPDX-License-Identifier: MIT */
#ifndef MODES_H
#define MODES_H

#include <stdint.h>

#include "options.h"
#include "pool.h"

/*
 * What the kinds of programs do with their buffers. A mode decides which framebuffers frame N shows
 * and what becomes of those that left the screen; when to ask, to flip and to look is the session's
 * business.
 */

/*
 * What one plane shows, and where. @fb_id is not always the buffer's own: reimport has a new one
 * every frame, and a legacy cursor has none.
 */
struct shown {
	struct buffer *buffer;
	uint32_t fb_id;
	uint32_t x, y;
};

struct frame {
	struct shown primary;
	struct shown overlay; /* or the cursor; buffer NULL without one */
};

struct mode_state {
	const struct options *options;
	struct drm_device *device;
	struct pool primary;
	struct pool overlay; /* multi; for the mode cursor its image */
	uint32_t overlay_x, overlay_y;
	/** @imports: dma-bufs given a handle; @purged: buffers whose pages the kernel took */
	uint64_t imports, purged;
};

struct mode_ops {
	/* All 0, or -1 after one line on stderr. All but show are optional. */

	/** @start: the pools are set up, nothing is on screen */
	int (*start)(struct mode_state *state);
	/** @show: what frame @number is to show; the one before is on screen */
	int (*show)(struct mode_state *state, unsigned int number, struct frame *frame);
	/** @hide: the framebuffer @old of the primary plane has left the screen */
	int (*hide)(struct mode_state *state, const struct shown *old);
	/** @finish: flipping is over; @last may still be on screen */
	int (*finish)(struct mode_state *state, const struct frame *last);
};

const struct mode_ops *mode_ops(enum flip_mode mode);

/* After how many flips every buffer of the ring was on screen once. */
unsigned int mode_lap_flips(const struct options *options);

#endif
