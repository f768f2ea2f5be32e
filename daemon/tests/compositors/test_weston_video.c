// SPDX-License-Identifier: MIT
/*
 * Which surfaces are announced as a video, and with how many buffers.  Weston's structures are
 * filled in by hand, clients and their buffers are libwayland's own.
 */
#include "cmocka_all.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libweston/version.h>
#include <wayland-server.h>

#include "video.h"

static struct wl_display *display;
static struct wl_client *client;
static int client_fd;
static struct weston_compositor compositor;
static struct weston_output screen, wall;
static struct video *video;

static unsigned int announced;
static struct weston_output *announced_on;
static uint32_t announced_buffers;
static uint64_t announced_bytes;

/* The buffer that is in shared memory, as libwayland-server has it. */
static struct wl_resource *shared;

struct wl_shm_buffer *__wrap_wl_shm_buffer_get(struct wl_resource *resource);
struct wl_shm_buffer *__wrap_wl_shm_buffer_get(struct wl_resource *resource)
{
	return resource == shared ? (struct wl_shm_buffer *)(void *)resource : NULL;
}

static void coming(void *userdata, struct weston_output *output, uint32_t buffers,
		   uint64_t bytes_each)
{
	assert_ptr_equal(userdata, &compositor);
	announced++;
	announced_on = output;
	announced_buffers = buffers;
	announced_bytes = bytes_each;
}

static int setup(void **state)
{
	int ends[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	display = wl_display_create();
	client = wl_client_create(display, ends[0]);
	client_fd = ends[1];
	memset(&compositor, 0, sizeof(compositor));
	wl_signal_init(&compositor.create_surface_signal);
	wl_list_init(&compositor.output_list);
	screen = (struct weston_output){ .width = 1280, .height = 800 };
	wall = (struct weston_output){ .width = 3840, .height = 2160 };
	wl_list_insert(&compositor.output_list, &screen.link);
	wl_list_insert(&compositor.output_list, &wall.link);
	announced = 0;
	shared = NULL;
	video = video_watch(&compositor, coming, &compositor);
	return video && client ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	video_unwatch(video);
	wl_client_destroy(client);
	wl_display_destroy(display);
	close(client_fd);
	return 0;
}

static struct weston_surface *new_surface(void)
{
	struct weston_surface *surface = calloc(1, sizeof(*surface));

	assert_non_null(surface);
	surface->compositor = &compositor;
	surface->resource = wl_resource_create(client, &wl_surface_interface, 1, 0);
	wl_signal_init(&surface->commit_signal);
	wl_signal_init(&surface->destroy_signal);
	wl_signal_emit(&compositor.create_surface_signal, surface);
	return surface;
}

static void end_surface(struct weston_surface *surface)
{
	wl_signal_emit(&surface->destroy_signal, surface);
	free(surface);
}

static struct weston_buffer new_buffer(int32_t width, int32_t height)
{
	struct weston_buffer buffer = { .width = width, .height = height };

	buffer.resource = wl_resource_create(client, &wl_buffer_interface, 1, 0);
#if WESTON_VERSION_MAJOR > 10
	buffer.type = WESTON_BUFFER_DMABUF;
	buffer.stride = width * 4;
#endif
	return buffer;
}

static void commit(struct weston_surface *surface, struct weston_buffer *buffer)
{
	surface->buffer_ref.buffer = buffer;
	surface->width = buffer ? buffer->width : 0;
	surface->height = buffer ? buffer->height : 0;
	wl_signal_emit(&surface->commit_signal, surface);
}

static void the_whole_pool_is_announced_before_the_second_frame(void **state)
{
	struct weston_surface *surface = new_surface();
	struct weston_buffer pool[12];

	(void)state;
	for (int i = 0; i < 12; i++)
		pool[i] = new_buffer(1280, 800);
	surface->output = &screen;
	commit(surface, &pool[0]);
	assert_int_equal(announced, 1);
	assert_ptr_equal(announced_on, &screen);
	assert_int_equal(announced_buffers, 12);
	assert_int_equal(announced_bytes, 1280 * 800 * 4);
	/* Once, however long it plays. */
	for (int i = 0; i < 100; i++)
		commit(surface, &pool[i % 12]);
	assert_int_equal(announced, 1);
	end_surface(surface);
}

static void it_is_announced_again_when_it_comes_back(void **state)
{
	struct weston_surface *surface = new_surface();
	struct weston_buffer large = new_buffer(1280, 800), small = new_buffer(640, 400);

	(void)state;
	surface->output = &screen;
	commit(surface, &large);
	commit(surface, &small);
	assert_int_equal(announced, 1);
	commit(surface, &large);
	assert_int_equal(announced, 2);
	commit(surface, NULL);
	commit(surface, &large);
	assert_int_equal(announced, 3);
	end_surface(surface);
}

static void windows_are_no_video(void **state)
{
	struct weston_surface *surface = new_surface();
	struct weston_buffer buffer = new_buffer(1279, 800);

	(void)state;
	surface->output = &screen;
	commit(surface, &buffer);
	/* As large as the small screen, but on the wall. */
	buffer.width = 1280;
	surface->output = &wall;
	commit(surface, &buffer);
	assert_int_equal(announced, 0);
	end_surface(surface);
}

static void without_an_output_yet_it_is_the_one_that_it_fills(void **state)
{
	struct weston_surface *surface = new_surface();
	struct weston_buffer buffer = new_buffer(1280, 800);

	(void)state;
	commit(surface, &buffer);
	assert_int_equal(announced, 1);
	assert_ptr_equal(announced_on, &screen);
	end_surface(surface);
}

/* A colour, with Weston 14; shared memory; and a buffer that is gone already. */
static void what_cannot_be_scanned_out_is_no_video(void **state)
{
	struct weston_surface *surface = new_surface();
	struct weston_buffer buffer = new_buffer(1280, 800);

	(void)state;
	surface->output = &screen;
	commit(surface, NULL);
#if WESTON_VERSION_MAJOR > 10
	buffer.type = WESTON_BUFFER_SOLID;
	commit(surface, &buffer);
	buffer.type = WESTON_BUFFER_SHM;
	commit(surface, &buffer);
#endif
	shared = buffer.resource;
	commit(surface, &buffer);
	buffer.resource = NULL;
	commit(surface, &buffer);
	assert_int_equal(announced, 0);
	end_surface(surface);
}

static void sizes_are_never_too_small(void **state)
{
	struct weston_surface *surface = new_surface();
	struct weston_buffer buffer = new_buffer(1280, 800);

	(void)state;
	surface->output = &screen;
#if WESTON_VERSION_MAJOR > 10
	/* NV12: a byte of luma, half a byte of chroma. */
	buffer.stride = 1280;
	commit(surface, &buffer);
	assert_int_equal(announced_bytes, 1280 * 800 * 3 / 2);
#else
	commit(surface, &buffer);
	assert_true(announced_bytes >= 1280 * 800 * 3 / 2);
#endif
	end_surface(surface);
}

static void a_client_with_very_many_objects_is_not_counted_for_ever(void **state)
{
	struct weston_surface *surface = new_surface();
	struct weston_buffer buffer = new_buffer(1280, 800);

	(void)state;
	for (int i = 0; i < 20000; i++)
		assert_non_null(wl_resource_create(client, &wl_buffer_interface, 1, 0));
	surface->output = &screen;
	commit(surface, &buffer);
	assert_int_equal(announced, 1);
	assert_in_range(announced_buffers, 4000, 4096);
	end_surface(surface);
}

static void surfaces_may_outlive_the_watching(void **state)
{
	struct weston_surface *surface = new_surface();
	struct weston_buffer buffer = new_buffer(1280, 800);

	(void)state;
	video_unwatch(video);
	surface->output = &screen;
	commit(surface, &buffer);
	assert_int_equal(announced, 0);
	end_surface(surface);
	video = video_watch(&compositor, coming, &compositor);
	assert_non_null(video);
}

#define WATCHED(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCHED(the_whole_pool_is_announced_before_the_second_frame),
		WATCHED(it_is_announced_again_when_it_comes_back),
		WATCHED(windows_are_no_video),
		WATCHED(without_an_output_yet_it_is_the_one_that_it_fills),
		WATCHED(what_cannot_be_scanned_out_is_no_video),
		WATCHED(sizes_are_never_too_small),
		WATCHED(a_client_with_very_many_objects_is_not_counted_for_ever),
		WATCHED(surfaces_may_outlive_the_watching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
