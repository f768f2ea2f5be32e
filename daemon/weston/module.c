// SPDX-License-Identifier: MIT
/*
 * A module for Weston that tells scanoutd what is on the screen, and what is about to be.
 *
 *	[core]
 *	modules=scanout-report.so
 *
 * It listens, and changes nothing.  In particular it does not listen to an output's frame_signal:
 * the DRM backend renders every frame anew for whoever does.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libweston/libweston.h>
#include <libweston/version.h>
#include <libweston/weston-log.h>
#include <wayland-server-core.h>

#include "scanout-report.h"
#include "timeline.h"
#include "video.h"

#define TIMELINE_SCOPE "timeline"
/* Between idle and dark a shell fades out; look so often and so many times whether it did. */
#define DARK_LOOK_MS 500
#define DARK_LOOKS 20
/* What an output shows itself: Weston draws into two buffers with Pixman, up to four with GL. */
#define OWN_BUFFERS 3

#if WESTON_VERSION_MAJOR > 10
#define HAS_POWER_STATE 1
#else
#define HAS_POWER_STATE 0
#endif

struct module {
	struct weston_compositor *compositor;
	struct scanout_report *report;
	struct wl_event_source *report_source;
	struct wl_event_source *dark_timer;
	unsigned int dark_looks;
	bool dark; /* as of the last look */
	struct weston_log_subscriber *subscriber;
	FILE *file;
	struct timeline timeline;
	struct video *video;
	struct slot {
		struct weston_output *output; /* NULL: free */
		struct scanout_report_output *handle;
	} slots[SCANOUT_REPORT_OUTPUTS];
	struct wl_listener output_created;
	struct wl_listener output_destroyed;
	struct wl_listener output_resized;
	struct wl_listener idle;
	struct wl_listener wake;
	struct wl_listener session;
	struct wl_listener destroyed;
};

static struct slot *find(struct module *module, const struct weston_output *output)
{
	for (unsigned int i = 0; i < SCANOUT_REPORT_OUTPUTS; i++)
		if (module->slots[i].output == output)
			return &module->slots[i];
	return NULL;
}

static struct scanout_report_output *handle_of(struct module *module,
					       const struct weston_output *output)
{
	const struct slot *slot = output ? find(module, output) : NULL;

	return slot ? slot->handle : NULL;
}

static uint32_t refresh_of(const struct weston_output *output)
{
	return output->current_mode ? output->current_mode->refresh : 0;
}

/* What Weston's own buffers take, at most: 32 bits per pixel. */
static void announce_own(struct module *module, const struct weston_output *output)
{
	const struct weston_mode *mode = output->current_mode;
	uint64_t bytes = 0;

	if (mode && mode->width > 0 && mode->height > 0)
		bytes = (uint64_t)mode->width * (uint64_t)mode->height * 4;
	scanout_report_coming(module->report, handle_of(module, output),
			      SCANOUT_REPORT_OUTPUT_ADDED, bytes ? OWN_BUFFERS : 0, bytes);
}

static void add_output(struct module *module, struct weston_output *output)
{
	struct slot *slot = find(module, NULL);

	if (!slot || find(module, output))
		return;
	slot->handle = scanout_report_add_output(module->report, output->name, refresh_of(output));
	if (!slot->handle)
		return;
	slot->output = output;
	announce_own(module, output);
}

/*
 * Flips
 */

/* The primary plane and those that a view has to itself.  Later Westons do not say: 0. */
static uint32_t planes_of(struct module *module, const struct weston_output *output)
{
#if WESTON_VERSION_MAJOR <= 10
	const struct weston_view *view;
	uint32_t planes = 1;

	wl_list_for_each(view, &module->compositor->view_list,
			 link) if (view->output_mask & 1u << output->id && view->plane &&
				   view->plane != &module->compositor->primary_plane) planes++;
	return planes;
#else
	(void)module, (void)output;
	return 0;
#endif
}

static void flip(void *userdata, const char *name, uint64_t presented_ns, uint64_t after_ns)
{
	struct module *module = userdata;

	for (unsigned int i = 0; i < SCANOUT_REPORT_OUTPUTS; i++) {
		const struct slot *slot = &module->slots[i];

		if (!slot->output || strcmp(slot->output->name, name))
			continue;
		scanout_report_note_flip(slot->handle, planes_of(module, slot->output),
					 presented_ns,
					 timeline_missed(after_ns, refresh_of(slot->output)));
		return;
	}
}

static void video_coming(void *userdata, struct weston_output *output, uint32_t buffers,
			 uint64_t bytes_each)
{
	struct module *module = userdata;

	scanout_report_coming(module->report, handle_of(module, output),
			      SCANOUT_REPORT_FULLSCREEN_VIDEO, buffers, bytes_each);
}

/*
 * Dark and bright
 */

static bool is_dark(const struct module *module)
{
	const struct weston_output *output;

	if (module->compositor->state == WESTON_COMPOSITOR_SLEEPING)
		return true;
#if HAS_POWER_STATE
	wl_list_for_each(output, &module->compositor->output_list,
			 link) if (output->power_state == WESTON_OUTPUT_POWER_NORMAL) return false;
	return !wl_list_empty(&module->compositor->output_list);
#else
	(void)output;
	return false;
#endif
}

static int look_for_dark(void *userdata)
{
	struct module *module = userdata;
	bool dark = is_dark(module);

	if (dark && !module->dark)
		scanout_report_coming(module->report, NULL, SCANOUT_REPORT_OUTPUT_OFF, 0, 0);
	module->dark = dark;
	if (!dark && module->dark_looks) {
		module->dark_looks--;
		wl_event_source_timer_update(module->dark_timer, DARK_LOOK_MS);
	}
	return 0;
}

/* Nobody touched anything for long: outputs will be switched off, if the shell does that. */
static void idle(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, idle);

	(void)data;
	module->dark_looks = DARK_LOOKS;
	wl_event_source_timer_update(module->dark_timer, DARK_LOOK_MS);
}

static void wake(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, wake);

	(void)data;
	wl_event_source_timer_update(module->dark_timer, 0);
	if (!module->dark)
		return;
	module->dark = false;
	for (unsigned int i = 0; i < SCANOUT_REPORT_OUTPUTS; i++)
		if (module->slots[i].output)
			announce_own(module, module->slots[i].output);
}

/*
 * Events
 */

static void output_created(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, output_created);

	add_output(module, data);
}

static void output_destroyed(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, output_destroyed);
	struct slot *slot = find(module, data);

	if (!slot)
		return;
	scanout_report_remove_output(slot->handle);
	*slot = (struct slot){ 0 };
}

static void output_resized(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, output_resized);
	const struct weston_output *output = data;

	scanout_report_set_refresh(handle_of(module, output), refresh_of(output));
}

/* Both ways: whoever comes onto the screen has buffers that were not shown for long. */
static void session(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, session);

	(void)data;
	scanout_report_coming(module->report, NULL, SCANOUT_REPORT_VT_SWITCH, 0, 0);
}

static int dispatch(int fd, uint32_t mask, void *userdata)
{
	struct module *module = userdata;

	(void)fd, (void)mask;
	scanout_report_dispatch(module->report);
	return 0;
}

/*
 * Life
 */

static void stop(struct module *module)
{
	if (module->subscriber)
		weston_log_subscriber_destroy(module->subscriber);
	if (module->file)
		fclose(module->file);
	video_unwatch(module->video);
	if (module->dark_timer)
		wl_event_source_remove(module->dark_timer);
	if (module->report_source)
		wl_event_source_remove(module->report_source);
	scanout_report_free(module->report);
	free(module);
}

static void destroyed(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, destroyed);
	struct scanout_report_stats stats = { .size = sizeof(stats) };

	(void)data;
	scanout_report_get_stats(module->report, &stats);
	weston_log("scanout-report: %" PRIu64 " flips, %" PRIu64 " reports, %" PRIu64
		   " of them answered%s%s\n",
		   stats.flips, stats.reports, stats.answers,
		   stats.error[0] ? "; last problem: " : "", stats.error);
	wl_list_remove(&module->output_created.link);
	wl_list_remove(&module->output_destroyed.link);
	wl_list_remove(&module->output_resized.link);
	wl_list_remove(&module->idle.link);
	wl_list_remove(&module->wake.link);
	wl_list_remove(&module->session.link);
	wl_list_remove(&module->destroyed.link);
	stop(module);
}

static void listen(struct wl_signal *signal, struct wl_listener *listener, wl_notify_func_t notify)
{
	listener->notify = notify;
	wl_signal_add(signal, listener);
}

/* Something is missing: Weston runs on without us. */
static int start(struct module *module)
{
	struct weston_compositor *compositor = module->compositor;
	struct wl_event_loop *loop = wl_display_get_event_loop(compositor->wl_display);

	module->report = scanout_report_new(NULL);
	if (!module->report)
		return -errno;
	module->report_source = wl_event_loop_add_fd(loop, scanout_report_fd(module->report),
						     WL_EVENT_READABLE, dispatch, module);
	module->dark_timer = wl_event_loop_add_timer(loop, look_for_dark, module);
	module->video = video_watch(compositor, video_coming, module);
	module->timeline.flip = flip;
	module->timeline.userdata = module;
	module->file = timeline_open(&module->timeline);
	if (!module->report_source || !module->dark_timer || !module->video || !module->file)
		return -ENOMEM;
	module->subscriber = weston_log_subscriber_create_log(module->file);
	return module->subscriber ? 0 : -ENOMEM;
}

__attribute__((visibility("default"))) int wet_module_init(struct weston_compositor *compositor,
							   int *argc, char *argv[]);

int wet_module_init(struct weston_compositor *compositor, int *argc, char *argv[])
{
	struct module *module = calloc(1, sizeof(*module));
	struct weston_output *output;
	int ret;

	(void)argc, (void)argv;
	if (!module) {
		weston_log("scanout-report: no memory; nothing is reported\n");
		return 0;
	}
	module->compositor = compositor;
	ret = start(module);
	if (ret) {
		weston_log("scanout-report: %s; nothing is reported\n", strerror(-ret));
		stop(module);
		return 0;
	}

	listen(&compositor->output_created_signal, &module->output_created, output_created);
	listen(&compositor->output_destroyed_signal, &module->output_destroyed, output_destroyed);
	listen(&compositor->output_resized_signal, &module->output_resized, output_resized);
	listen(&compositor->idle_signal, &module->idle, idle);
	listen(&compositor->wake_signal, &module->wake, wake);
	listen(&compositor->session_signal, &module->session, session);
	listen(&compositor->destroy_signal, &module->destroyed, destroyed);
	wl_list_for_each(output, &compositor->output_list, link) add_output(module, output);
	weston_log_subscribe(compositor->weston_log_ctx, module->subscriber, TIMELINE_SCOPE);
	return 0;
}
