// SPDX-License-Identifier: MIT
/*
 * The smallest compositor that flips: every output in a colour that changes with every frame.
 * Shows how wlroots-report.c is used, and tests it:
 *
 *	WLR_BACKENDS=headless WLR_RENDERER=pixman wlroots-example FRAMES
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <wayland-server-core.h>
#include <wlr/backend.h>
#include <wlr/render/allocator.h>
#include <wlr/render/wlr_renderer.h>
#include <wlr/types/wlr_output.h>
#include <wlr/util/log.h>
#include <wlr/version.h>

#include "wlroots-report.h"

struct compositor {
	struct wl_display *display;
	struct wlr_backend *backend;
	struct wlr_renderer *renderer;
	struct wlr_allocator *allocator;
	struct wlroots_report *report;
	struct wl_listener new_output;
	unsigned int frames_left;
};

struct screen {
	struct compositor *compositor;
	struct wlr_output *output;
	struct wl_listener frame;
	struct wl_listener destroy;
	float shade;
};

#if WLR_VERSION_NUM < (16 << 8)
static void show(struct screen *screen, const float colour[4])
{
	struct wlr_output *output = screen->output;

	if (!wlr_output_attach_render(output, NULL))
		return;
	wlr_renderer_begin(output->renderer, (uint32_t)output->width, (uint32_t)output->height);
	wlr_renderer_clear(output->renderer, colour);
	wlr_renderer_end(output->renderer);
	wlr_output_commit(output);
}

static void enable(struct wlr_output *output)
{
	wlr_output_enable(output, true);
	wlr_output_commit(output);
}
#else
#include <wlr/render/pass.h>

static void show(struct screen *screen, const float colour[4])
{
	struct wlr_output *output = screen->output;
	struct wlr_render_rect_options all = {
		.box = { .width = output->width, .height = output->height },
		.color = { .r = colour[0], .g = colour[1], .b = colour[2], .a = colour[3] },
	};
	struct wlr_output_state state;
	struct wlr_render_pass *pass;

	wlr_output_state_init(&state);
	pass = wlr_output_begin_render_pass(output, &state, NULL, NULL);
	if (pass) {
		wlr_render_pass_add_rect(pass, &all);
		if (wlr_render_pass_submit(pass))
			wlr_output_commit_state(output, &state);
	}
	wlr_output_state_finish(&state);
}

static void enable(struct wlr_output *output)
{
	struct wlr_output_state state;

	wlr_output_state_init(&state);
	wlr_output_state_set_enabled(&state, true);
	wlr_output_commit_state(output, &state);
	wlr_output_state_finish(&state);
}
#endif

static void frame(struct wl_listener *listener, void *data)
{
	struct screen *screen = wl_container_of(listener, screen, frame);
	struct compositor *compositor = screen->compositor;
	const float colour[4] = { screen->shade, screen->shade, screen->shade, 1 };

	(void)data;
	if (!compositor->frames_left--) {
		compositor->frames_left = 0;
		wl_display_terminate(compositor->display);
		return;
	}
	screen->shade = screen->shade < 1 ? screen->shade + 1.0f / 64 : 0;
	show(screen, colour);
}

static void output_gone(struct wl_listener *listener, void *data)
{
	struct screen *screen = wl_container_of(listener, screen, destroy);

	(void)data;
	wl_list_remove(&screen->frame.link);
	wl_list_remove(&screen->destroy.link);
	free(screen);
}

static void new_output(struct wl_listener *listener, void *data)
{
	struct compositor *compositor = wl_container_of(listener, compositor, new_output);
	struct wlr_output *output = data;
	struct screen *screen = calloc(1, sizeof(*screen));

	if (!screen)
		return;
	wlr_output_init_render(output, compositor->allocator, compositor->renderer);
	screen->compositor = compositor;
	screen->output = output;
	screen->frame.notify = frame;
	wl_signal_add(&output->events.frame, &screen->frame);
	screen->destroy.notify = output_gone;
	wl_signal_add(&output->events.destroy, &screen->destroy);
	wlroots_report_output(compositor->report, output);
	enable(output);
	wlr_output_schedule_frame(output);
}

int main(int argc, char *argv[])
{
	struct compositor compositor = { 0 };
	struct wlr_session *session = NULL;
	char *end = NULL;
	int ret = EXIT_FAILURE;

	if (argc == 2)
		compositor.frames_left = (unsigned int)strtoul(argv[1], &end, 10);
	if (!compositor.frames_left || *end) {
		fprintf(stderr, "usage: wlroots-example FRAMES\n");
		return 2;
	}
	wlr_log_init(WLR_ERROR, NULL);
	compositor.display = wl_display_create();
#if WLR_VERSION_NUM < (16 << 8)
	compositor.backend = wlr_backend_autocreate(compositor.display);
	if (compositor.backend)
		session = wlr_backend_get_session(compositor.backend);
#else
	compositor.backend =
		wlr_backend_autocreate(wl_display_get_event_loop(compositor.display), &session);
#endif
	if (!compositor.backend) {
		fprintf(stderr,
			"wlroots-example: no backend; WLR_BACKENDS=headless needs nothing\n");
		goto no_backend;
	}
	compositor.renderer = wlr_renderer_autocreate(compositor.backend);
	if (!compositor.renderer) {
		fprintf(stderr,
			"wlroots-example: no renderer; WLR_RENDERER=pixman needs nothing\n");
		goto no_renderer;
	}
	compositor.allocator = wlr_allocator_autocreate(compositor.backend, compositor.renderer);
	if (!compositor.allocator) {
		fprintf(stderr, "wlroots-example: no allocator\n");
		goto no_allocator;
	}
	compositor.report = wlroots_report_new(wl_display_get_event_loop(compositor.display));
	wlroots_report_session(compositor.report, session);
	compositor.new_output.notify = new_output;
	wl_signal_add(&compositor.backend->events.new_output, &compositor.new_output);
	if (wlr_backend_start(compositor.backend)) {
		wl_display_run(compositor.display);
		ret = EXIT_SUCCESS;
	}
	wlroots_report_free(compositor.report);
	wlr_allocator_destroy(compositor.allocator);
no_allocator:
	wlr_renderer_destroy(compositor.renderer);
no_renderer:
	wlr_backend_destroy(compositor.backend);
no_backend:
	wl_display_destroy(compositor.display);
	return ret;
}
