/* SPDX-License-Identifier: MIT */
/*
 * What a compositor built with wlroots does to report to scanoutd.  To be copied: nothing in here
 * depends on the compositor, and wlroots 0.15 and 0.18 take it as it is.
 */
#ifndef WLROOTS_REPORT_H
#define WLROOTS_REPORT_H

#include <stdint.h>
#include <wayland-server-core.h>

struct wlr_buffer;
struct wlr_output;
struct wlr_session;
struct wlroots_report;

/* NULL if it cannot be had; everything below accepts that. */
struct wlroots_report *wlroots_report_new(struct wl_event_loop *loop);

/* After the outputs are gone, before the loop is. */
void wlroots_report_free(struct wlroots_report *report);

/* Once for each output, from the backend's new_output; ends by itself with the output. */
void wlroots_report_output(struct wlroots_report *report, struct wlr_output *output);

/* Once, with what the backend has; NULL, as without a session, is fine. */
void wlroots_report_session(struct wlroots_report *report, struct wlr_session *session);

/*
 * A client's surface is about to be scanned out on @output: when its view goes to fullscreen,
 * before the commit that shows it.  @buffer is what it shows first, @client whose it is.
 */
void wlroots_report_fullscreen(struct wlroots_report *report, struct wlr_output *output,
			       struct wl_client *client, const struct wlr_buffer *buffer);

#endif
