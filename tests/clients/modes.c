// SPDX-License-Identifier: MIT
#include "modes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <msm_drm.h>
#include <xf86drmMode.h>

#include "clock.h"
#include "complain.h"

#define CURSOR_CHANGES_EVERY 4 /* frames */
#define CURSOR_ALONE_NS (2 * NS_PER_S / 60)

/* Which buffer of the ring frame @number shows. */
static unsigned int ring_index(const struct options *options, unsigned int number)
{
	if (options->sequence)
		return options->sequence[number % options->sequence_length];
	return number % options->buffers;
}

static void show_own_fb(struct pool *pool, unsigned int index, struct shown *shown)
{
	struct buffer *buffer = &pool->buffers[index];

	*shown = (struct shown){ .buffer = buffer, .fb_id = buffer->fb_id };
}

static bool is_foreign(const struct pool *pool)
{
	return pool->exporter != EXPORTER_DUMB && pool->exporter != EXPORTER_MSM;
}

static int create_all(struct mode_state *state, struct pool *pool, enum handle_policy policy)
{
	for (unsigned int i = 0; i < pool->count; i++) {
		if (pool_create_buffer(pool, i, i, policy))
			return -1;
		state->imports += is_foreign(pool);
	}
	return 0;
}

static enum handle_policy foreign_policy(const struct options *options)
{
	if (options->keep_handles)
		return HANDLE_KEPT;
	return options->close_fds ? HANDLE_AND_DMABUF_CLOSED : HANDLE_CLOSED;
}

/* dumb, and what foreign, multi and cursor have in common with it */

static int ring_show(struct mode_state *state, unsigned int number, struct frame *frame)
{
	show_own_fb(&state->primary, ring_index(state->options, number), &frame->primary);
	return 0;
}

static int dumb_start(struct mode_state *state)
{
	return create_all(state, &state->primary, HANDLE_KEPT);
}

/* A purged object stays useless for ever: what the kernel took is replaced, not refilled. */
static int dumb_show(struct mode_state *state, unsigned int number, struct frame *frame)
{
	unsigned int index = ring_index(state->options, number);
	struct buffer *buffer = &state->primary.buffers[index];
	bool retained = true;

	if (state->options->madvise_idle && buffer_madvise(buffer, MSM_MADV_WILLNEED, &retained))
		return -1;
	if (!retained) {
		state->purged++;
		buffer_destroy(buffer);
		if (pool_create_buffer(&state->primary, index, index, HANDLE_KEPT))
			return -1;
	}
	return ring_show(state, number, frame);
}

static int dumb_hide(struct mode_state *state, const struct shown *old)
{
	bool retained;

	if (!state->options->madvise_idle)
		return 0;
	return buffer_madvise(old->buffer, MSM_MADV_DONTNEED, &retained);
}

static int foreign_start(struct mode_state *state)
{
	return create_all(state, &state->primary, foreign_policy(state->options));
}

/* reimport */

static int reimport_start(struct mode_state *state)
{
	for (unsigned int i = 0; i < state->primary.count; i++)
		if (pool_create_memory(&state->primary, i, i))
			return -1;
	return 0;
}

static int reimport_show(struct mode_state *state, unsigned int number, struct frame *frame)
{
	struct buffer *buffer = &state->primary.buffers[ring_index(state->options, number)];

	frame->primary.buffer = buffer;
	if (buffer_import(buffer))
		return -1;
	state->imports++;
	return buffer_add_fb(buffer, &frame->primary.fb_id);
}

static int reimport_hide(struct mode_state *state, const struct shown *old)
{
	if (buffer_remove_fb(state->device, old->fb_id))
		return -1;
	return buffer_close_handle(old->buffer);
}

static int reimport_finish(struct mode_state *state, const struct frame *last)
{
	return last->primary.buffer ? reimport_hide(state, &last->primary) : 0;
}

/* churn: two slots take turns, one on screen and one on its way there */

static int churn_show(struct mode_state *state, unsigned int number, struct frame *frame)
{
	struct pool *pool = &state->primary;

	state->imports += is_foreign(pool);
	if (pool_create_buffer(pool, number % 2, number, HANDLE_KEPT))
		return -1;
	show_own_fb(pool, number % 2, &frame->primary);
	return 0;
}

static int churn_hide(struct mode_state *state, const struct shown *old)
{
	(void)state;
	buffer_destroy(old->buffer);
	return 0;
}

/* many: created one by one, so that the first is on screen before the last is drawn */

static int many_show(struct mode_state *state, unsigned int number, struct frame *frame)
{
	struct pool *pool = &state->primary;

	state->imports += is_foreign(pool);
	if (pool_create_buffer(pool, number, number, foreign_policy(state->options)))
		return -1;
	show_own_fb(pool, number, &frame->primary);
	return 0;
}

/* multi */

static int multi_start(struct mode_state *state)
{
	enum handle_policy policy = is_foreign(&state->primary) ? HANDLE_CLOSED : HANDLE_KEPT;

	if (create_all(state, &state->primary, policy))
		return -1;
	return create_all(state, &state->overlay, policy);
}

static int multi_show(struct mode_state *state, unsigned int number, struct frame *frame)
{
	const struct options *options = state->options;

	show_own_fb(&state->primary, number / options->primary_every % options->buffers,
		    &frame->primary);
	show_own_fb(&state->overlay, number / options->overlay_every % options->overlay_buffers,
		    &frame->overlay);
	frame->overlay.x = state->overlay_x;
	frame->overlay.y = state->overlay_y;
	return 0;
}

/* cursor */

static int cursor_start(struct mode_state *state)
{
	return create_all(state, &state->primary,
			  is_foreign(&state->primary) ? HANDLE_CLOSED : HANDLE_KEPT);
}

/*
 * A new image whose names all go as soon as the kernel has it: nothing but the cursor keeps it
 * then. What it looks like stays known.
 */
static int change_cursor(struct mode_state *state, unsigned int image)
{
	const struct drm_device *device = state->device;
	struct pool *images = &state->overlay;
	struct buffer *buffer = &images->buffers[0];
	int ret;

	if (pool_create_memory(images, 0, image) || buffer_import(buffer))
		return -1;
	state->imports += is_foreign(images);
	ret = drmModeSetCursor(device->fd, device->crtc_id, buffer->handle, images->layout.width,
			       images->layout.height);
	if (ret)
		complain("DRM_IOCTL_MODE_CURSOR: %s", strerror(ret == -1 ? errno : -ret));
	buffer_destroy(buffer);
	return ret ? -1 : 0;
}

/*
 * The cursor is set before the flip, and both are on screen with it. The mode set is left alone:
 * the driver takes cursors for a CRTC that is running.
 */
static int cursor_show(struct mode_state *state, unsigned int number, struct frame *frame)
{
	const struct drm_device *device = state->device;
	struct shown *cursor = &frame->overlay;
	int ret;

	ring_show(state, number, frame);
	if (!number)
		return 0;
	*cursor = (struct shown){
		.buffer = &state->overlay.buffers[0],
		.x = number * 8 % device->mode.hdisplay,
		.y = number * 4 % device->mode.vdisplay,
	};
	if (number % CURSOR_CHANGES_EVERY == 1) {
		if (change_cursor(state, number / CURSOR_CHANGES_EVERY))
			return -1;
		/* A driver that shows it without a flip gets the time to. */
		clock_sleep_ns(CURSOR_ALONE_NS);
	}
	ret = drmModeMoveCursor(device->fd, device->crtc_id, (int)cursor->x, (int)cursor->y);
	if (ret)
		complain("moving the cursor: %s", strerror(ret == -1 ? errno : -ret));
	return ret ? -1 : 0;
}

static int cursor_finish(struct mode_state *state, const struct frame *last)
{
	int ret = drmModeSetCursor(state->device->fd, state->device->crtc_id, 0, 0, 0);

	(void)last;
	if (ret)
		complain("taking the cursor away: %s", strerror(ret == -1 ? errno : -ret));
	return ret ? -1 : 0;
}

const struct mode_ops *mode_ops(enum flip_mode mode)
{
	static const struct mode_ops ops[] = {
		[MODE_DUMB] = { .start = dumb_start, .show = dumb_show, .hide = dumb_hide },
		[MODE_FOREIGN] = { .start = foreign_start, .show = ring_show },
		[MODE_REIMPORT] = { .start = reimport_start,
				    .show = reimport_show,
				    .hide = reimport_hide,
				    .finish = reimport_finish },
		[MODE_CHURN] = { .show = churn_show, .hide = churn_hide },
		[MODE_MANY] = { .show = many_show },
		[MODE_MULTI] = { .start = multi_start, .show = multi_show },
		[MODE_CURSOR] = { .start = cursor_start,
				  .show = cursor_show,
				  .finish = cursor_finish },
	};

	return &ops[mode];
}

/* The first frame of a script by which each of its buffers was shown. */
static unsigned int sequence_lap_flips(const struct options *options)
{
	unsigned int lap = 0;

	for (unsigned int i = 1; i < options->sequence_length; i++) {
		bool seen = false;

		for (unsigned int j = 0; j < i && !seen; j++)
			seen = options->sequence[j] == options->sequence[i];
		if (!seen)
			lap = i;
	}
	return lap;
}

unsigned int mode_lap_flips(const struct options *options)
{
	unsigned int primary = options->buffers - 1, overlay;

	if (options->sequence)
		return sequence_lap_flips(options);
	if (options->mode != MODE_MULTI)
		return primary;
	primary *= options->primary_every;
	overlay = (options->overlay_buffers - 1) * options->overlay_every;
	return primary > overlay ? primary : overlay;
}
