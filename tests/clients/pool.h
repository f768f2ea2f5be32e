/* SPDX-License-Identifier: MIT */
#ifndef POOL_H
#define POOL_H

#include "buffer.h"

/*
 * Buffers of one kind. Which exist at a time is up to the mode; all that do are destroyed together.
 */
struct pool {
	struct drm_device *device;
	enum exporter exporter;
	struct image_layout layout;
	size_t buffer_bytes;
	uint32_t seed;
	struct buffer *buffers;
	unsigned int count;
	/** @created: over all time */
	uint64_t created;
};

/* What the handle's lifetime is to be, once a buffer has its framebuffer. */
enum handle_policy {
	HANDLE_KEPT,
	HANDLE_CLOSED,
	HANDLE_AND_DMABUF_CLOSED,
};

/*
 * All 0, or -1 after one line on stderr. The first wants device to buffer_bytes and seed filled in.
 */
int pool_init(struct pool *pool, unsigned int count);
/* Memory and picture in slot @index, @number printed on it; no framebuffer. */
int pool_create_memory(struct pool *pool, unsigned int index, uint32_t number);
/* The same with a framebuffer, then the policy. */
int pool_create_buffer(struct pool *pool, unsigned int index, uint32_t number,
		       enum handle_policy policy);
void pool_destroy(struct pool *pool);

#endif
