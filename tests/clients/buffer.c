// SPDX-License-Identifier: MIT
#include "buffer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <msm_drm.h>
#include <xf86drm.h>

#include "complain.h"
#include "exporter.h"
#include "picture.h"

static int draw(int drm_fd, const struct memory *memory, const struct image_layout *layout,
		const struct pattern *pattern)
{
	void *address = exporter_map(drm_fd, memory);
	int ret;

	if (address == MAP_FAILED)
		return -1;
	ret = picture_draw(pattern, layout, address);
	if (ret)
		complain("drawing buffer %u: no memory", pattern->number);
	/*
	 * the mapping must not outlive this: it would keep the object alive behind the modes' backs
	 */
	if (exporter_unmap(memory, address))
		ret = -1;
	return ret;
}

int buffer_create(struct buffer *buffer, struct drm_device *device, enum exporter exporter,
		  const struct image_layout *layout, size_t size_bytes,
		  const struct pattern *pattern)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	struct memory memory = {
		.exporter = exporter,
		.size_bytes = (size_bytes + page_bytes - 1) / page_bytes * page_bytes,
	};

	*buffer = (struct buffer){
		.device = device,
		.exporter = exporter,
		.layout = *layout,
		.pattern = *pattern,
		.dmabuf_fd = -1,
	};
	if (exporter_allocate(device->fd, &memory))
		return -1;
	buffer->size_bytes = memory.size_bytes;
	buffer->handle = memory.handle;
	buffer->handle_users = memory.handle ? 1 : 0;
	buffer->dmabuf_fd = memory.dmabuf_fd;
	if (draw(device->fd, &memory, layout, pattern)) {
		buffer_destroy(buffer);
		return -1;
	}
	return 0;
}

int buffer_import(struct buffer *buffer)
{
	uint32_t handle;

	if (buffer->dmabuf_fd < 0)
		return 0;
	if (drmPrimeFDToHandle(buffer->device->fd, buffer->dmabuf_fd, &handle)) {
		complain("DRM_IOCTL_PRIME_FD_TO_HANDLE of buffer %u: %s", buffer->pattern.number,
			 strerror(errno));
		return -1;
	}
	buffer->handle = handle;
	buffer->handle_users++;
	return 0;
}

int buffer_close_handle(struct buffer *buffer)
{
	struct drm_gem_close request = { .handle = buffer->handle };

	if (--buffer->handle_users)
		return 0;
	buffer->handle = 0;
	if (drmIoctl(buffer->device->fd, DRM_IOCTL_GEM_CLOSE, &request)) {
		complain("DRM_IOCTL_GEM_CLOSE of handle %u: %s", request.handle, strerror(errno));
		return -1;
	}
	return 0;
}

int buffer_close_dmabuf(struct buffer *buffer)
{
	int fd = buffer->dmabuf_fd;

	buffer->dmabuf_fd = -1;
	if (fd >= 0 && close(fd)) {
		complain("closing dma-buf %d: %s", fd, strerror(errno));
		return -1;
	}
	return 0;
}

int buffer_add_fb(struct buffer *buffer, uint32_t *fb_id)
{
	const struct image_layout *layout = &buffer->layout;
	uint32_t handles[4] = { 0 }, pitches[4] = { 0 }, offsets[4] = { 0 };

	for (unsigned int plane = 0; plane < layout->format->planes; plane++) {
		handles[plane] = buffer->handle;
		pitches[plane] = layout->pitch_bytes[plane];
		offsets[plane] = layout->offset_bytes[plane];
	}
	if (drmModeAddFB2(buffer->device->fd, layout->width, layout->height, layout->format->fourcc,
			  handles, pitches, offsets, fb_id, 0)) {
		char name[5];

		format_name(layout->format->fourcc, name);
		complain("DRM_IOCTL_MODE_ADDFB2 of buffer %u (%ux%u %s): %s",
			 buffer->pattern.number, layout->width, layout->height, name,
			 strerror(errno));
		return -1;
	}
	return 0;
}

int buffer_remove_fb(struct drm_device *device, uint32_t fb_id)
{
	if (drmModeRmFB(device->fd, fb_id)) {
		complain("DRM_IOCTL_MODE_RMFB of framebuffer %u: %s", fb_id, strerror(errno));
		return -1;
	}
	return 0;
}

int buffer_madvise(struct buffer *buffer, uint32_t advice, bool *retained)
{
	struct drm_msm_gem_madvise request = { .handle = buffer->handle, .madv = advice };

	if (drmIoctl(buffer->device->fd, DRM_IOCTL_MSM_GEM_MADVISE, &request)) {
		complain("DRM_IOCTL_MSM_GEM_MADVISE of buffer %u: %s", buffer->pattern.number,
			 strerror(errno));
		return -1;
	}
	*retained = request.retained;
	return 0;
}

void buffer_destroy(struct buffer *buffer)
{
	if (!buffer->device)
		return;
	if (buffer->fb_id)
		buffer_remove_fb(buffer->device, buffer->fb_id);
	buffer->fb_id = 0;
	if (buffer->handle) {
		buffer->handle_users = 1;
		buffer_close_handle(buffer);
	}
	buffer_close_dmabuf(buffer);
	buffer->device = NULL;
}
