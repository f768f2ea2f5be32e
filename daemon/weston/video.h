/* SPDX-License-Identifier: MIT */
/*
 * Clients whose buffers are about to be scanned out.
 *
 * A player that goes to fullscreen hands over buffers that are not in shared memory, for a surface
 * that is as large as an output.  Weston shows such a surface on a plane as soon as it can, and
 * from then on every buffer of the player's pool needs a mapping.  The player has made all of them
 * by then, so how many there are can be counted before the first is shown.
 */
#ifndef VIDEO_H
#define VIDEO_H

#include <libweston/libweston.h>

struct video;

/* On @output, @buffers of @bytes_each or a little less are about to be shown. */
typedef void (*video_fn)(void *userdata, struct weston_output *output, uint32_t buffers,
			 uint64_t bytes_each);

/* NULL: no memory. */
struct video *video_watch(struct weston_compositor *compositor, video_fn coming, void *userdata);

/* Before the compositor goes. */
void video_unwatch(struct video *video);

#endif
