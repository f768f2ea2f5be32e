/* SPDX-License-Identifier: MIT */
#ifndef PRESENT_H
#define PRESENT_H

#include <stdbool.h>
#include <stdint.h>

#include "drm_device.h"
#include "options.h"

/*
 * Putting framebuffers on planes, by the atomic or by the legacy API, and waiting for the display
 * to say that it shows them. One flip is under way at a time.
 */

/* A framebuffer, all of it, not scaled, at (@x, @y). @fb_id 0: leave the plane as it is. */
struct plane_update {
	uint32_t fb_id;
	uint32_t x, y, width, height;
};

struct scene {
	struct plane_update primary;
	struct plane_update overlay;
};

struct flip_event {
	uint32_t sequence;
	/** @time_ns: of the vblank, CLOCK_MONOTONIC */
	uint64_t time_ns;
};

struct presenter {
	struct drm_device *device;
	enum flip_api api;
	uint32_t mode_blob;
	bool pending;
	struct flip_event event;
	/** @ebusy_retries: flips refused because the one before had not quite ended */
	uint64_t ebusy_retries;
};

enum present_result {
	PRESENT_OK,
	PRESENT_FAILED,	 /* one line on stderr says what */
	PRESENT_TIMEOUT, /* likewise; the flip's event did not come within 3 s */
};

void presenter_init(struct presenter *presenter, struct drm_device *device, enum flip_api api);
void presenter_fini(struct presenter *presenter);

/* Sets the mode with the scene in it; returns when it is done. */
enum present_result present_modeset(struct presenter *presenter, const struct scene *scene);

/*
 * Asks for a flip and returns. @ioctl_ns: how long the call that was accepted took. A legacy
 * overlay is set before, by a call of its own that blocks and is not in @ioctl_ns. The primary's
 * framebuffer may be the one on screen already; with the legacy API it cannot be left out.
 */
enum present_result present_flip(struct presenter *presenter, const struct scene *scene,
				 uint64_t *ioctl_ns);
/* Until that flip's event came. */
enum present_result present_wait(struct presenter *presenter, struct flip_event *event);

/* The display off and on again, its planes as they are. */
enum present_result present_power(struct presenter *presenter, bool on);
/* Off, planes and all. */
enum present_result present_disable(struct presenter *presenter);

#endif
