// SPDX-License-Identifier: MIT
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <msm_drm.h>
#include <xf86drm.h>

#include "clock.h"
#include "exporter.h"

#define CURSOR_SIZE 64
#define MAX_WIDTH 1280
#define MAX_HEIGHT 800

struct actor {
	struct hostile *hostile;
	struct hostile_actor *place;
	struct hostile_counters *counters;
	/** @fd: the master's file, or one's own */
	int fd;
	bool master;
	uint64_t random;
};

static uint32_t below(struct actor *actor, uint32_t bound)
{
	return hostile_below(&actor->random, bound);
}

static void result(struct actor *actor, _Atomic uint64_t *counter, int ret)
{
	hostile_count(ret ? &actor->counters->refused : counter, 1);
}

static struct hostile_buffer *any_buffer(struct actor *actor)
{
	return &actor->place->buffers[below(actor, HOSTILE_ACTOR_BUFFERS)];
}

/* Several places may have the same number: it was closed behind one's back, and given anew. */
static void end_privacy(struct actor *actor, uint32_t handle)
{
	for (unsigned int i = 0; i < HOSTILE_ACTOR_BUFFERS; i++)
		if (actor->place->buffers[i].handle == handle)
			actor->place->buffers[i].private = false;
}

static void close_handle(struct actor *actor, uint32_t handle)
{
	struct drm_gem_close request = { .handle = handle };

	end_privacy(actor, handle);
	result(actor, &actor->counters->closes, drmIoctl(actor->fd, DRM_IOCTL_GEM_CLOSE, &request));
}

static void drop(struct actor *actor, struct hostile_buffer *buffer)
{
	uint32_t fb_id;

	/* In any order: each name keeps the buffer alive without the others */
	if (buffer->handle && below(actor, 2)) {
		close_handle(actor, buffer->handle);
		buffer->handle = 0;
	}
	/*
	 * Forgotten before it is gone: who is killed in between leaves a framebuffer behind, and
	 * not a number that the next in this place removes when it is the one of a frame.
	 */
	fb_id = buffer->fb_id;
	buffer->fb_id = 0;
	if (fb_id)
		drmModeRmFB(actor->fd, fb_id);
	if (buffer->handle)
		close_handle(actor, buffer->handle);
	if (buffer->dmabuf_fd >= 0)
		close(buffer->dmabuf_fd);
	*buffer = (struct hostile_buffer){ .dmabuf_fd = -1 };
}

static void create(struct actor *actor, struct hostile_buffer *buffer)
{
	static const enum exporter exporters[] = { EXPORTER_DUMB, EXPORTER_MSM, EXPORTER_UDMABUF,
						   EXPORTER_UDMABUF };
	struct memory memory = { .exporter = exporters[below(actor, 4)] };

	drop(actor, buffer);
	/* From one page to the whole panel, and sometimes just what a slot of 2 MiB holds */
	buffer->width = below(actor, 4) ? 32 * (1 + below(actor, MAX_WIDTH / 32)) : 1024;
	buffer->height = below(actor, 4) ? 1 + below(actor, MAX_HEIGHT) : 512;
	memory.size_bytes = ((size_t)buffer->width * buffer->height * 4 + 4095) / 4096 * 4096;
	if (exporter_allocate(actor->fd, &memory)) {
		result(actor, &actor->counters->creates, -1);
		return;
	}
	buffer->private = memory.handle;
	buffer->handle = memory.handle;
	buffer->dmabuf_fd = memory.dmabuf_fd;
	result(actor, &actor->counters->creates, 0);
}

static void import(struct actor *actor, struct hostile_buffer *buffer)
{
	uint32_t handle;
	int ret;

	if (buffer->dmabuf_fd < 0)
		return;
	ret = drmPrimeFDToHandle(actor->fd, buffer->dmabuf_fd, &handle);
	result(actor, &actor->counters->imports, ret);
	if (!ret)
		buffer->handle = handle;
}

static void export(struct actor *actor, struct hostile_buffer *buffer)
{
	int fd;

	if (!buffer->handle || buffer->dmabuf_fd >= 0)
		return;
	if (drmPrimeHandleToFD(actor->fd, buffer->handle, DRM_CLOEXEC | DRM_RDWR, &fd)) {
		result(actor, &actor->counters->exports, -1);
		return;
	}
	result(actor, &actor->counters->exports, 0);
	end_privacy(actor, buffer->handle);
	buffer->dmabuf_fd = fd;
}

/* One of those that all have; a picture in it must stay, but its handle may be treated badly. */
static void take_from_pool(struct actor *actor, struct hostile_buffer *buffer)
{
	drop(actor, buffer);
	buffer->dmabuf_fd = dup(actor->hostile->pool[below(actor, HOSTILE_POOL)]);
	buffer->width = actor->hostile->pool_layout.width;
	buffer->height = actor->hostile->pool_layout.height;
	import(actor, buffer);
}

struct parcel {
	uint32_t width, height;
};

union control {
	char data[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void send_away(struct actor *actor, const struct hostile_buffer *buffer)
{
	struct parcel parcel = { .width = buffer->width, .height = buffer->height };
	struct iovec iov = { .iov_base = &parcel, .iov_len = sizeof(parcel) };
	union control control = { 0 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.data,
				  .msg_controllen = sizeof(control.data) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (buffer->dmabuf_fd < 0)
		return;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &buffer->dmabuf_fd, sizeof(int));
	sendmsg(actor->hostile->mailbox[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void receive(struct actor *actor, struct hostile_buffer *buffer)
{
	struct parcel parcel;
	struct iovec iov = { .iov_base = &parcel, .iov_len = sizeof(parcel) };
	union control control = { 0 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.data,
				  .msg_controllen = sizeof(control.data) };
	struct cmsghdr *header;

	drop(actor, buffer);
	if (recvmsg(actor->hostile->mailbox[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) !=
	    sizeof(parcel))
		return;
	header = CMSG_FIRSTHDR(&message);
	if (!header)
		return;
	memcpy(&buffer->dmabuf_fd, CMSG_DATA(header), sizeof(int));
	buffer->width = parcel.width;
	buffer->height = parcel.height;
	import(actor, buffer);
}

static void advise(struct actor *actor, const struct hostile_buffer *buffer)
{
	struct drm_msm_gem_madvise request = {
		.handle = buffer->handle,
		.madv = below(actor, 2) ? MSM_MADV_DONTNEED : MSM_MADV_WILLNEED,
	};

	end_privacy(actor, buffer->handle);
	if (buffer->handle)
		result(actor, &actor->counters->madvises,
		       drmIoctl(actor->fd, DRM_IOCTL_MSM_GEM_MADVISE, &request));
}

/*
 * Through a mapping, which keeps the buffer alive meanwhile. Nobody else may know the buffer, and
 * it may not be purgeable: touching a purgeable one gives a signal, as it should, and makes
 * upstream's driver warn, as if that were the kernel's mistake.
 */
static void scribble(struct actor *actor, const struct hostile_buffer *buffer)
{
	struct drm_mode_map_dumb request = { .handle = buffer->handle };
	size_t size_bytes = (size_t)buffer->width * buffer->height * 4;
	uint8_t *address;

	if (actor->master || !buffer->private || !buffer->handle ||
	    drmIoctl(actor->fd, DRM_IOCTL_MODE_MAP_DUMB, &request))
		return;
	address = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, actor->fd,
		       (off_t)request.offset);
	if (address == MAP_FAILED)
		return;
	for (unsigned int i = 0; i < 8; i++)
		address[hostile_random(&actor->random) % size_bytes] ^= 0xff;
	munmap(address, size_bytes);
}

static void add_framebuffer(struct actor *actor, struct hostile_buffer *buffer)
{
	uint32_t handles[4] = { buffer->handle }, pitches[4] = { buffer->width * 4 };
	uint32_t offsets[4] = { 0 }, fb_id;
	int ret;

	if (!buffer->handle || buffer->fb_id)
		return;
	ret = drmModeAddFB2(actor->fd, buffer->width, buffer->height, DRM_FORMAT_XRGB8888, handles,
			    pitches, offsets, &fb_id, 0);
	result(actor, &actor->counters->framebuffers, ret);
	if (ret)
		return;
	buffer->fb_id = fb_id;
	/* As wlroots and kmssink do: from here on the framebuffer is the only name */
	if (below(actor, 2)) {
		close_handle(actor, buffer->handle);
		buffer->handle = 0;
	}
}

static void add_plane(struct actor *actor, drmModeAtomicReq *request,
		      const struct drm_plane_ids *plane, const struct hostile_buffer *buffer)
{
	uint32_t panel_width = actor->hostile->master.mode.hdisplay;
	uint32_t panel_height = actor->hostile->master.mode.vdisplay;
	uint32_t width, height, src_x, src_y;

	if (!buffer->fb_id) {
		drmModeAtomicAddProperty(request, plane->id, plane->fb_id, 0);
		drmModeAtomicAddProperty(request, plane->id, plane->crtc_id, 0);
		return;
	}
	width = 8 + below(actor, buffer->width);
	height = 8 + below(actor, buffer->height);
	width = width < buffer->width ? width : buffer->width;
	height = height < buffer->height ? height : buffer->height;
	src_x = below(actor, buffer->width - width + 1);
	src_y = below(actor, buffer->height - height + 1);
	drmModeAtomicAddProperty(request, plane->id, plane->fb_id, buffer->fb_id);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_id,
				 actor->hostile->master.crtc_id);
	drmModeAtomicAddProperty(request, plane->id, plane->src_x, (uint64_t)src_x << 16);
	drmModeAtomicAddProperty(request, plane->id, plane->src_y, (uint64_t)src_y << 16);
	drmModeAtomicAddProperty(request, plane->id, plane->src_w, (uint64_t)width << 16);
	drmModeAtomicAddProperty(request, plane->id, plane->src_h, (uint64_t)height << 16);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_x,
				 below(actor, panel_width > width ? panel_width - width + 1 : 1));
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_y,
				 below(actor,
				       panel_height > height ? panel_height - height + 1 : 1));
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_w, width);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_h, height);
}

static void flip(struct actor *actor)
{
	struct hostile *hostile = actor->hostile;
	drmModeAtomicReq *request = drmModeAtomicAlloc();
	uint32_t flags = below(actor, 3) ? 0 : DRM_MODE_ATOMIC_NONBLOCK;
	int ret;

	if (!request)
		return;
	for (unsigned int i = 0; i < hostile->plane_count; i++)
		if (!below(actor, 2))
			add_plane(actor, request, &hostile->planes[i], any_buffer(actor));
	if (!below(actor, 8))
		flags = DRM_MODE_ATOMIC_TEST_ONLY;
	ret = drmModeAtomicCommit(actor->fd, request, flags, NULL);
	hostile_count(ret ? &actor->counters->flips_refused : &actor->counters->flips, 1);
	drmModeAtomicFree(request);
}

static void power(struct actor *actor)
{
	struct drm_device *master = &actor->hostile->master;
	drmModeAtomicReq *request = drmModeAtomicAlloc();

	if (!request)
		return;
	drmModeAtomicAddProperty(request, master->crtc_id, master->crtc_active, below(actor, 2));
	result(actor, &actor->counters->power_cycles,
	       drmModeAtomicCommit(actor->fd, request, DRM_MODE_ATOMIC_ALLOW_MODESET, NULL));
	drmModeAtomicFree(request);
}

static void cursor(struct actor *actor)
{
	const struct hostile_buffer *buffer = any_buffer(actor);
	uint32_t crtc_id = actor->hostile->master.crtc_id;
	int ret;

	if (!actor->hostile->options.cursor)
		return;
	if (below(actor, 3))
		ret = drmModeMoveCursor(actor->fd, crtc_id, (int)below(actor, MAX_WIDTH),
					(int)below(actor, MAX_HEIGHT));
	else
		ret = drmModeSetCursor(actor->fd, crtc_id, below(actor, 4) ? buffer->handle : 0,
				       CURSOR_SIZE, CURSOR_SIZE);
	result(actor, &actor->counters->cursors, ret);
}

static void use_display(struct actor *actor)
{
	struct hostile *hostile = actor->hostile;
	uint32_t choice = below(actor, 32);

	if (atomic_load(&hostile->shared->gate) || hostile_lock_display(hostile, false)) {
		clock_sleep_ns(5 * NS_PER_MS);
		return;
	}
	if (!choice)
		power(actor);
	else if (choice < 6)
		cursor(actor);
	else
		flip(actor);
	hostile_unlock_display(hostile);
}

static void act(struct actor *actor)
{
	struct hostile_buffer *buffer = any_buffer(actor);

	hostile_count(&actor->counters->actions, 1);
	switch (below(actor, actor->master ? 24 : 16)) {
	case 0:
	case 1:
		create(actor, buffer);
		break;
	case 2:
	case 3:
		import(actor, buffer);
		break;
	case 4:
		export(actor, buffer);
		break;
	case 5:
	case 6:
		take_from_pool(actor, buffer);
		break;
	case 7:
		send_away(actor, buffer);
		break;
	case 8:
		receive(actor, buffer);
		break;
	case 9:
		advise(actor, buffer);
		break;
	case 10:
		scribble(actor, buffer);
		break;
	case 11:
		drop(actor, buffer);
		break;
	case 12:
		/* Somebody else's perhaps, or nobody's */
		close_handle(actor, 1 + below(actor, 2 * HOSTILE_ACTOR_BUFFERS));
		break;
	case 13:
	case 14:
	case 15:
		add_framebuffer(actor, buffer);
		break;
	default:
		use_display(actor);
	}
	if (!actor->master)
		clock_sleep_ns(below(actor, 4) * NS_PER_MS);
}

void hostile_act(struct hostile *hostile, unsigned int number, bool master)
{
	struct actor actor = {
		.hostile = hostile,
		.place = &hostile->shared->actors[number],
		.counters = &hostile->shared->counters,
		.fd = hostile->master.fd,
		.master = master,
	};
	struct drm_device own;

	actor.random = hostile->options.seed * HOSTILE_ACTORS + number +
		       ((uint64_t)actor.place->generation << 32);
	if (!master) {
		if (drm_device_open(&own, hostile->options.device, false))
			_exit(1);
		actor.fd = own.fd;
	}
	for (unsigned int i = 0; i < HOSTILE_ACTOR_BUFFERS; i++) {
		struct hostile_buffer *buffer = &actor.place->buffers[i];

		/* Its predecessor's: the dma-buf has gone with that, the file only if it was its
		 * own */
		buffer->dmabuf_fd = -1;
		if (master)
			drop(&actor, buffer);
		*buffer = (struct hostile_buffer){ .dmabuf_fd = -1 };
	}
	for (;;)
		act(&actor);
}
