/* SPDX-License-Identifier: MIT */
#ifndef EXPORTER_H
#define EXPORTER_H

#include <stddef.h>
#include <stdint.h>

#include "options.h"

/*
 * Where memory comes from. Native memory is a GEM object of the display's own driver and has a
 * handle; foreign memory belongs to somebody else and comes as a dma-buf, as from a decoder or a
 * camera.
 */
struct memory {
	enum exporter exporter;
	/** @size_bytes: in: wanted, a multiple of the page size; out: allocated */
	size_t size_bytes;
	uint32_t handle; /* native, else 0 */
	int dmabuf_fd;	 /* foreign, else -1 */
};

/* 0, or -1 after one line on stderr. @drm_fd is only used for native memory. */
int exporter_allocate(int drm_fd, struct memory *memory);
/* MAP_FAILED after one line on stderr. Unmap with exporter_unmap(): it also ends the CPU access. */
void *exporter_map(int drm_fd, const struct memory *memory);
int exporter_unmap(const struct memory *memory, void *address);

#endif
