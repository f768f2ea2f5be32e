// SPDX-License-Identifier: MIT
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xf86drm.h>

#include "clock.h"
#include "complain.h"
#include "kernel_file.h"
#include "picture.h"

/*
 * Now and then the display is ours: the dma-bufs that all processes have, which some of them
 * import, advise the kernel to forget, and close all the time, must show what was drawn into them.
 * As a player does, each frame is an import of its own whose handle goes at once.
 */

#define FRAME_CRC "/sys/kernel/debug/mdp4_model/frame_crc"
#define MODEL_PIPES "/sys/kernel/debug/mdp4_model/pipes"
#define FRAMES_AT_ONCE 4
#define PAUSE_MAX_MS 1500
/* The driver waits 50 ms for a frame, which a machine that stands still does not keep */
#define SETTLE_NS (5000 * NS_PER_MS)
#define TOLD_MISMATCHES 5

struct checker {
	struct hostile *hostile;
	uint32_t mode_blob;
	uint32_t crc[HOSTILE_POOL];
	/** @fb_id: on screen, 0 at first */
	uint32_t fb_id;
};

/*
 * Actors close any handle of this file. What got the number of ours before it was made a
 * framebuffer would be shown in the frame's place, and rightly so.
 */
static bool is_frame(const struct checker *checker, uint32_t fb_id, unsigned int number)
{
	int fd = checker->hostile->master.fd, dmabuf_fd = -1;
	drmModeFB2 *fb = drmModeGetFB2(fd, fb_id);
	struct drm_gem_close request = { 0 };
	struct stat is, should_be;
	bool same = false;

	if (!fb)
		return false;
	request.handle = fb->handles[0];
	drmModeFreeFB2(fb);
	if (!drmPrimeHandleToFD(fd, request.handle, DRM_CLOEXEC, &dmabuf_fd)) {
		same = !fstat(dmabuf_fd, &is) &&
		       !fstat(checker->hostile->pool[number], &should_be) &&
		       is.st_ino == should_be.st_ino;
		close(dmabuf_fd);
	}
	drmIoctl(fd, DRM_IOCTL_GEM_CLOSE, &request);
	return same;
}

static int add_framebuffer(struct checker *checker, unsigned int number, uint32_t *fb_id)
{
	const struct image_layout *layout = &checker->hostile->pool_layout;
	int fd = checker->hostile->master.fd;
	uint32_t handles[4] = { 0 }, pitches[4] = { layout->pitch_bytes[0] }, offsets[4] = { 0 };
	struct drm_gem_close close_request = { 0 };
	int ret;

	if (drmPrimeFDToHandle(fd, checker->hostile->pool[number], &handles[0]))
		return -errno;
	ret = drmModeAddFB2(fd, layout->width, layout->height, layout->format->fourcc, handles,
			    pitches, offsets, fb_id, 0);
	/* It may be an actor's handle as well, or closed by one already */
	close_request.handle = handles[0];
	drmIoctl(fd, DRM_IOCTL_GEM_CLOSE, &close_request);
	if (ret || is_frame(checker, *fb_id, number))
		return ret;
	drmModeRmFB(fd, *fb_id);
	return -ESTALE;
}

static void add_primary(drmModeAtomicReq *request, const struct drm_device *device, uint32_t fb_id)
{
	const struct drm_plane_ids *plane = &device->primary;
	uint64_t width = device->mode.hdisplay, height = device->mode.vdisplay;

	drmModeAtomicAddProperty(request, plane->id, plane->fb_id, fb_id);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_id, device->crtc_id);
	drmModeAtomicAddProperty(request, plane->id, plane->src_x, 0);
	drmModeAtomicAddProperty(request, plane->id, plane->src_y, 0);
	drmModeAtomicAddProperty(request, plane->id, plane->src_w, width << 16);
	drmModeAtomicAddProperty(request, plane->id, plane->src_h, height << 16);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_x, 0);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_y, 0);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_w, width);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_h, height);
}

/* The frame alone on a display that is on; returns when it is shown. */
static int show(struct checker *checker, uint32_t fb_id, bool first)
{
	struct hostile *hostile = checker->hostile;
	const struct drm_device *device = &hostile->master;
	drmModeAtomicReq *request = drmModeAtomicAlloc();
	int ret;

	if (!request)
		return -ENOMEM;
	if (first) {
		drmModeAtomicAddProperty(request, device->connector_id, device->connector_crtc_id,
					 device->crtc_id);
		drmModeAtomicAddProperty(request, device->crtc_id, device->crtc_mode_id,
					 checker->mode_blob);
		drmModeAtomicAddProperty(request, device->crtc_id, device->crtc_active, 1);
		for (unsigned int i = 0; i < hostile->plane_count; i++) {
			const struct drm_plane_ids *plane = &hostile->planes[i];

			if (plane->id == device->primary.id)
				continue;
			drmModeAtomicAddProperty(request, plane->id, plane->fb_id, 0);
			drmModeAtomicAddProperty(request, plane->id, plane->crtc_id, 0);
		}
	}
	add_primary(request, device, fb_id);
	ret = drmModeAtomicCommit(device->fd, request, first ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0,
				  NULL);
	drmModeAtomicFree(request);
	return ret;
}

/* What is wrong stays wrong until the next flip: time tells it from what is late. */
static void look(struct checker *checker, unsigned int number)
{
	struct hostile_counters *counters = &checker->hostile->shared->counters;
	uint64_t deadline_ns = clock_now_ns() + SETTLE_NS, sequence;
	bool late = false;
	uint32_t shown;

	for (;;) {
		bool last = clock_now_ns() >= deadline_ns;

		if (kernel_file_read_frame_crc(FRAME_CRC, &sequence, &shown))
			return;
		if (shown == checker->crc[number] || last)
			break;
		late = true;
		clock_sleep_ns(20 * NS_PER_MS);
	}
	hostile_count(&counters->frames_checked, 1);
	if (shown == checker->crc[number]) {
		hostile_count(&counters->frames_late, late);
		return;
	}
	if (atomic_fetch_add(&counters->crc_mismatches, 1) < TOLD_MISMATCHES) {
		complain("buffer %u: the panel shows CRC %08" PRIx32 " (model's frame %" PRIu64
			 "), expected %08" PRIx32,
			 number, shown, sequence, checker->crc[number]);
		kernel_file_show(MODEL_PIPES);
		kernel_file_show(HOSTILE_DEBUG "/state");
	}
}

static void check_some(struct checker *checker, uint64_t *random)
{
	struct hostile *hostile = checker->hostile;
	bool first = true;

	if (hostile->options.cursor)
		drmModeSetCursor(hostile->master.fd, hostile->master.crtc_id, 0, 0, 0);
	for (unsigned int i = 0; i < FRAMES_AT_ONCE; i++) {
		unsigned int number = hostile_below(random, HOSTILE_POOL);
		uint32_t fb_id;

		if (add_framebuffer(checker, number, &fb_id)) {
			hostile_count(&hostile->shared->counters.frames_refused, 1);
			continue;
		}
		if (show(checker, fb_id, first)) {
			hostile_count(&hostile->shared->counters.frames_refused, 1);
			drmModeRmFB(hostile->master.fd, fb_id);
			continue;
		}
		look(checker, number);
		first = false;
		if (checker->fb_id)
			drmModeRmFB(hostile->master.fd, checker->fb_id);
		checker->fb_id = fb_id;
	}
}

static int prepare(struct checker *checker)
{
	struct hostile *hostile = checker->hostile;
	const struct drm_device *device = &hostile->master;

	for (uint32_t i = 0; i < HOSTILE_POOL; i++) {
		const struct picture_layer layer = {
			.pattern = { .width = hostile->pool_layout.width,
				     .height = hostile->pool_layout.height,
				     .seed = (uint32_t)hostile->options.seed,
				     .number = i },
			.layout = &hostile->pool_layout,
		};

		if (picture_panel_crc(device->mode.hdisplay, device->mode.vdisplay, &layer, 1,
				      &checker->crc[i]))
			return -1;
	}
	return drmModeCreatePropertyBlob(device->fd, &device->mode, sizeof(device->mode),
					 &checker->mode_blob);
}

void hostile_check_frames(struct hostile *hostile, uint64_t seed)
{
	struct checker checker = { .hostile = hostile };

	if (prepare(&checker)) {
		complain("cannot check frames: %s", strerror(errno));
		return;
	}
	for (;;) {
		atomic_store(&hostile->shared->gate, true);
		if (!hostile_lock_display(hostile, true)) {
			check_some(&checker, &seed);
			atomic_store(&hostile->shared->gate, false);
			hostile_unlock_display(hostile);
		}
		clock_sleep_ns(hostile_below(&seed, PAUSE_MAX_MS) * NS_PER_MS);
	}
}
