/* SPDX-License-Identifier: MIT */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drm_device.h"
#include "format.h"
#include "options.h"
#include "pattern.h"

/*
 * One buffer and the three names it can have: a dma-buf, a GEM handle, a framebuffer. Which of them
 * exist, and for how long, is what the modes differ in; a name that is gone is 0 (-1 for the
 * dma-buf). The memory lives as long as any of them, so dropping the last one is what frees it.
 */
struct buffer {
	struct drm_device *device;
	enum exporter exporter;
	struct image_layout layout;
	struct pattern pattern;
	size_t size_bytes;
	int dmabuf_fd;
	uint32_t handle;
	/**
	 * @handle_users: imports not yet given back. The kernel answers a second import of a
	 * dma-buf whose handle is still open with the same handle, uncounted, and one close ends
	 * it.
	 */
	unsigned int handle_users;
	uint32_t fb_id;
};

/* All of them: 0, or -1 after one line on stderr. */

/* Memory with its picture drawn: a GEM handle for dumb and msm, a dma-buf for udmabuf and heap. */
int buffer_create(struct buffer *buffer, struct drm_device *device, enum exporter exporter,
		  const struct image_layout *layout, size_t size_bytes,
		  const struct pattern *pattern);
/* Gives a buffer with a dma-buf a GEM handle; a native buffer has one already. */
int buffer_import(struct buffer *buffer);
/* The handle's last user closes it. */
int buffer_close_handle(struct buffer *buffer);
int buffer_close_dmabuf(struct buffer *buffer);
int buffer_add_fb(struct buffer *buffer, uint32_t *fb_id);
int buffer_remove_fb(struct drm_device *device, uint32_t fb_id);
/* MSM_MADV_DONTNEED or, with @retained saying whether the pages survived, MSM_MADV_WILLNEED. */
int buffer_madvise(struct buffer *buffer, uint32_t advice, bool *retained);
/* Drops every name that is left. Harmless on a zeroed buffer. */
void buffer_destroy(struct buffer *buffer);

#endif
