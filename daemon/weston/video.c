// SPDX-License-Identifier: MIT
#include "video.h"

#include <stdlib.h>
#include <string.h>

#include <libweston/version.h>
#include <wayland-server-core.h>

/* A client may have any number of objects; so many are looked at, once per video. */
#define MAX_LOOKS 4096

struct video {
	struct weston_compositor *compositor;
	struct wl_listener surface_created;
	struct wl_list surfaces; /* struct watched::link */
	video_fn coming;
	void *userdata;
};

/* A surface, which may be a video's or become one. */
struct watched {
	struct video *video;
	struct wl_list link;
	struct weston_surface *surface;
	struct wl_listener committed;
	struct wl_listener destroyed;
	/* Is as large as an output, and its buffers can be scanned out. */
	bool large;
};

/* Buffers that the display could read: not in shared memory, and not just a colour. */
static bool is_scannable(const struct weston_buffer *buffer)
{
	if (!buffer->resource || wl_shm_buffer_get(buffer->resource))
		return false;
#if WESTON_VERSION_MAJOR > 10
	return buffer->type == WESTON_BUFFER_DMABUF ||
	       buffer->type == WESTON_BUFFER_RENDERER_OPAQUE;
#else
	return true;
#endif
}

/*
 * Weston keeps to itself how large a dma-buf is, and of which format.  After version 10 it says how
 * long the first plane's lines are; short ones are taken for luma, with half as much chroma beside
 * it.  This may be too much, never too little.
 */
static uint64_t buffer_bytes(const struct weston_buffer *buffer)
{
	uint64_t width = (uint64_t)buffer->width, height = (uint64_t)buffer->height;

#if WESTON_VERSION_MAJOR > 10
	if (buffer->stride > 0) {
		uint64_t stride = (uint64_t)buffer->stride;

		return stride * height + (stride < 3 * width ? stride * height / 2 : 0);
	}
#endif
	return width * height * 4;
}

struct count {
	uint32_t buffers;
	unsigned int looks;
};

static enum wl_iterator_result count_buffer(struct wl_resource *resource, void *userdata)
{
	struct count *count = userdata;

	if (!strcmp(wl_resource_get_class(resource), "wl_buffer") && !wl_shm_buffer_get(resource))
		count->buffers++;
	return ++count->looks < MAX_LOOKS ? WL_ITERATOR_CONTINUE : WL_ITERATOR_STOP;
}

static uint32_t buffers_of(struct wl_client *client)
{
	struct count count = { 0 };

	wl_client_for_each_resource(client, count_buffer, &count);
	return count.buffers;
}

static bool covers(const struct weston_surface *surface, const struct weston_output *output)
{
	return output->width > 0 && surface->width >= output->width &&
	       surface->height >= output->height;
}

/* The output that the surface fills.  It may not have been assigned to one yet. */
static struct weston_output *filled_output(const struct weston_surface *surface)
{
	struct weston_output *output;

	if (surface->output)
		return covers(surface, surface->output) ? surface->output : NULL;
	wl_list_for_each(output, &surface->compositor->output_list,
			 link) if (covers(surface, output)) return output;
	return NULL;
}

static void committed(struct wl_listener *listener, void *data)
{
	struct watched *watched = wl_container_of(listener, watched, committed);
	struct weston_surface *surface = watched->surface;
	const struct weston_buffer *buffer = surface->buffer_ref.buffer;
	struct weston_output *output = NULL;

	(void)data;
	if (buffer && surface->resource && is_scannable(buffer))
		output = filled_output(surface);
	if (output && !watched->large)
		watched->video->coming(watched->video->userdata, output,
				       buffers_of(wl_resource_get_client(surface->resource)),
				       buffer_bytes(buffer));
	watched->large = output;
}

static void forget(struct watched *watched)
{
	wl_list_remove(&watched->committed.link);
	wl_list_remove(&watched->destroyed.link);
	wl_list_remove(&watched->link);
	free(watched);
}

static void surface_destroyed(struct wl_listener *listener, void *data)
{
	struct watched *watched = wl_container_of(listener, watched, destroyed);

	(void)data;
	forget(watched);
}

static void surface_created(struct wl_listener *listener, void *data)
{
	struct video *video = wl_container_of(listener, video, surface_created);
	struct weston_surface *surface = data;
	struct watched *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return;
	watched->video = video;
	watched->surface = surface;
	watched->committed.notify = committed;
	watched->destroyed.notify = surface_destroyed;
	wl_signal_add(&surface->commit_signal, &watched->committed);
	wl_signal_add(&surface->destroy_signal, &watched->destroyed);
	wl_list_insert(&video->surfaces, &watched->link);
}

struct video *video_watch(struct weston_compositor *compositor, video_fn coming, void *userdata)
{
	struct video *video = calloc(1, sizeof(*video));

	if (!video)
		return NULL;
	video->compositor = compositor;
	video->coming = coming;
	video->userdata = userdata;
	wl_list_init(&video->surfaces);
	video->surface_created.notify = surface_created;
	wl_signal_add(&compositor->create_surface_signal, &video->surface_created);
	return video;
}

void video_unwatch(struct video *video)
{
	struct watched *watched, *next;

	if (!video)
		return;
	wl_list_for_each_safe(watched, next, &video->surfaces, link) forget(watched);
	wl_list_remove(&video->surface_created.link);
	free(video);
}
