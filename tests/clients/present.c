// SPDX-License-Identifier: MIT
#include "present.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <xf86drm.h>

#include "clock.h"
#include "complain.h"

#define EVENT_TIMEOUT_NS (3 * NS_PER_S)
#define EBUSY_PAUSE_NS NS_PER_MS

void presenter_init(struct presenter *presenter, struct drm_device *device, enum flip_api api)
{
	*presenter = (struct presenter){ .device = device, .api = api };
}

void presenter_fini(struct presenter *presenter)
{
	if (presenter->mode_blob)
		drmModeDestroyPropertyBlob(presenter->device->fd, presenter->mode_blob);
	presenter->mode_blob = 0;
}

static enum present_result failed(const char *what)
{
	const char *hint = "";

	if (errno == EACCES || errno == EPERM)
		hint = " (another program is master of the display: is a compositor running?)";
	complain("%s: %s%s", what, strerror(errno), hint);
	return PRESENT_FAILED;
}

/* Negative errno of a failed libdrm call, whichever of its two conventions the call follows. */
static int error_of(int ret)
{
	return ret == -1 ? -errno : ret;
}

static void add_plane(drmModeAtomicReq *request, const struct drm_device *device,
		      const struct drm_plane_ids *plane, const struct plane_update *update)
{
	drmModeAtomicAddProperty(request, plane->id, plane->fb_id, update->fb_id);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_id, device->crtc_id);
	drmModeAtomicAddProperty(request, plane->id, plane->src_x, 0);
	drmModeAtomicAddProperty(request, plane->id, plane->src_y, 0);
	drmModeAtomicAddProperty(request, plane->id, plane->src_w, (uint64_t)update->width << 16);
	drmModeAtomicAddProperty(request, plane->id, plane->src_h, (uint64_t)update->height << 16);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_x, update->x);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_y, update->y);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_w, update->width);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_h, update->height);
}

static void remove_plane(drmModeAtomicReq *request, const struct drm_plane_ids *plane)
{
	if (!plane->id)
		return;
	drmModeAtomicAddProperty(request, plane->id, plane->fb_id, 0);
	drmModeAtomicAddProperty(request, plane->id, plane->crtc_id, 0);
}

/* The scene's planes; libdrm reports a request that ran out of memory when it is committed. */
static drmModeAtomicReq *scene_request(const struct presenter *presenter, const struct scene *scene)
{
	struct drm_device *device = presenter->device;
	drmModeAtomicReq *request = drmModeAtomicAlloc();

	if (!request)
		return NULL;
	if (scene->primary.fb_id)
		add_plane(request, device, &device->primary, &scene->primary);
	if (scene->overlay.fb_id)
		add_plane(request, device, &device->overlay, &scene->overlay);
	return request;
}

static void add_output(drmModeAtomicReq *request, const struct drm_device *device, uint32_t blob)
{
	drmModeAtomicAddProperty(request, device->connector_id, device->connector_crtc_id,
				 blob ? device->crtc_id : 0);
	drmModeAtomicAddProperty(request, device->crtc_id, device->crtc_mode_id, blob);
	drmModeAtomicAddProperty(request, device->crtc_id, device->crtc_active, blob != 0);
}

/* Without an event, and only back when it is done. */
static enum present_result commit_modeset(struct presenter *presenter, drmModeAtomicReq *request,
					  const char *what)
{
	int ret = drmModeAtomicCommit(presenter->device->fd, request, DRM_MODE_ATOMIC_ALLOW_MODESET,
				      NULL);

	drmModeAtomicFree(request);
	errno = -error_of(ret);
	return ret ? failed(what) : PRESENT_OK;
}

static enum present_result legacy_overlay(const struct presenter *presenter,
					  const struct plane_update *update)
{
	const struct drm_device *device = presenter->device;
	int ret = drmModeSetPlane(device->fd, device->overlay.id, device->crtc_id, update->fb_id, 0,
				  (int32_t)update->x, (int32_t)update->y, update->width,
				  update->height, 0, 0, update->width << 16, update->height << 16);

	errno = -error_of(ret);
	return ret ? failed("DRM_IOCTL_MODE_SETPLANE") : PRESENT_OK;
}

enum present_result present_modeset(struct presenter *presenter, const struct scene *scene)
{
	struct drm_device *device = presenter->device;
	drmModeAtomicReq *request;
	int ret;

	if (presenter->api == API_LEGACY) {
		ret = drmModeSetCrtc(device->fd, device->crtc_id, scene->primary.fb_id, 0, 0,
				     &device->connector_id, 1, &device->mode);
		errno = -error_of(ret);
		if (ret)
			return failed("DRM_IOCTL_MODE_SETCRTC");
		return scene->overlay.fb_id ? legacy_overlay(presenter, &scene->overlay) :
					      PRESENT_OK;
	}
	if (!presenter->mode_blob &&
	    drmModeCreatePropertyBlob(device->fd, &device->mode, sizeof(device->mode),
				      &presenter->mode_blob))
		return failed("DRM_IOCTL_MODE_CREATEPROPBLOB");
	request = scene_request(presenter, scene);
	if (!request)
		return failed("atomic request");
	add_output(request, device, presenter->mode_blob);
	return commit_modeset(presenter, request, "setting the mode by DRM_IOCTL_MODE_ATOMIC");
}

static int submit(const struct presenter *presenter, const struct scene *scene,
		  drmModeAtomicReq *request)
{
	const struct drm_device *device = presenter->device;

	if (request)
		return error_of(drmModeAtomicCommit(
			device->fd, request, DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT,
			(void *)presenter));
	return error_of(drmModePageFlip(device->fd, device->crtc_id, scene->primary.fb_id,
					DRM_MODE_PAGE_FLIP_EVENT, (void *)presenter));
}

/*
 * The event is sent from the interrupt, the kernel's worker finishes a little later; a flip asked
 * for in between may be refused with EBUSY and is asked for again.
 */
enum present_result present_flip(struct presenter *presenter, const struct scene *scene,
				 uint64_t *ioctl_ns)
{
	uint64_t deadline_ns = clock_now_ns() + EVENT_TIMEOUT_NS;
	drmModeAtomicReq *request = NULL;
	int ret;

	if (presenter->api == API_ATOMIC) {
		request = scene_request(presenter, scene);
		if (!request)
			return failed("atomic request");
	} else if (scene->overlay.fb_id && legacy_overlay(presenter, &scene->overlay)) {
		return PRESENT_FAILED;
	}
	for (;;) {
		uint64_t start_ns = clock_now_ns();

		ret = submit(presenter, scene, request);
		*ioctl_ns = clock_now_ns() - start_ns;
		if (ret != -EBUSY || clock_now_ns() > deadline_ns)
			break;
		presenter->ebusy_retries++;
		clock_sleep_ns(EBUSY_PAUSE_NS);
	}
	if (request)
		drmModeAtomicFree(request);
	if (ret) {
		errno = -ret;
		return failed(request ? "flip by DRM_IOCTL_MODE_ATOMIC" :
					"flip by DRM_IOCTL_MODE_PAGE_FLIP");
	}
	presenter->pending = true;
	return PRESENT_OK;
}

static void on_flip_event(int fd, unsigned int sequence, unsigned int seconds,
			  unsigned int microseconds, unsigned int crtc_id, void *data)
{
	struct presenter *presenter = data;

	(void)fd;
	(void)crtc_id;
	presenter->pending = false;
	presenter->event = (struct flip_event){
		.sequence = sequence,
		.time_ns = seconds * NS_PER_S + microseconds * 1000ull,
	};
}

enum present_result present_wait(struct presenter *presenter, struct flip_event *event)
{
	drmEventContext context = { .version = 3, .page_flip_handler2 = on_flip_event };
	uint64_t deadline_ns = clock_now_ns() + EVENT_TIMEOUT_NS;
	struct pollfd waiting = { .fd = presenter->device->fd, .events = POLLIN };

	while (presenter->pending) {
		uint64_t now_ns = clock_now_ns();
		int ready;

		if (now_ns >= deadline_ns) {
			complain("%s: no event of the flip within %llu s", presenter->device->path,
				 EVENT_TIMEOUT_NS / NS_PER_S);
			return PRESENT_TIMEOUT;
		}
		ready = poll(&waiting, 1, (int)((deadline_ns - now_ns) / NS_PER_MS) + 1);
		if (ready < 0 && errno != EINTR)
			return failed("poll");
		if (ready > 0 && drmHandleEvent(presenter->device->fd, &context))
			return failed("reading events");
	}
	*event = presenter->event;
	return PRESENT_OK;
}

enum present_result present_power(struct presenter *presenter, bool on)
{
	struct drm_device *device = presenter->device;
	drmModeAtomicReq *request;
	int ret;

	if (presenter->api == API_LEGACY) {
		ret = drmModeConnectorSetProperty(device->fd, device->connector_id,
						  device->connector_dpms,
						  on ? DRM_MODE_DPMS_ON : DRM_MODE_DPMS_OFF);
		errno = -error_of(ret);
		return ret ? failed("setting DPMS") : PRESENT_OK;
	}
	request = drmModeAtomicAlloc();
	if (!request)
		return failed("atomic request");
	drmModeAtomicAddProperty(request, device->crtc_id, device->crtc_active, on);
	return commit_modeset(presenter, request,
			      on ? "switching the CRTC on by ACTIVE" :
				   "switching the CRTC off by ACTIVE");
}

enum present_result present_disable(struct presenter *presenter)
{
	struct drm_device *device = presenter->device;
	drmModeAtomicReq *request;
	int ret;

	if (presenter->api == API_LEGACY) {
		if (device->overlay.id) {
			ret = drmModeSetPlane(device->fd, device->overlay.id, 0, 0, 0, 0, 0, 0, 0,
					      0, 0, 0, 0);
			errno = -error_of(ret);
			if (ret)
				return failed("switching the overlay off");
		}
		ret = drmModeSetCrtc(device->fd, device->crtc_id, 0, 0, 0, NULL, 0, NULL);
		errno = -error_of(ret);
		return ret ? failed("switching the CRTC off") : PRESENT_OK;
	}
	request = drmModeAtomicAlloc();
	if (!request)
		return failed("atomic request");
	remove_plane(request, &device->primary);
	remove_plane(request, &device->overlay);
	add_output(request, device, 0);
	return commit_modeset(presenter, request, "switching the CRTC off");
}
