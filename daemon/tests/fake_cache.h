/* SPDX-License-Identifier: MIT */
/*
 * A cache that behaves: the model of the kernel's cache behind a directory as sysfs has it.  A test
 * flips, has the figures written, lets the service look, and has its limits obeyed.
 */
#ifndef FAKE_CACHE_H
#define FAKE_CACHE_H

#include "model.h"

struct fake_cache {
	struct model model;
	char dir[128];
	uint64_t flips;
	uint64_t generation;
};

/* As ROOT/class/drm/NAME; buffers have numbers below @buffers. */
void fake_cache_open(struct fake_cache *fake, const char *root, const char *name, size_t buffers);
/* Which the kernel would show as @shown. */
void fake_cache_set_policy(struct fake_cache *fake, const char *shown, enum cache_policy policy);
void fake_cache_close(struct fake_cache *fake);

/* A client flips through @pool buffers from @first on, in turn. */
struct fake_stream {
	uint32_t first;
	uint32_t pool;
	uint64_t bytes;
	uint32_t flips;
};
void fake_cache_flip(struct fake_cache *fake, struct fake_stream *stream);

/* Its figures, for others to read; what others wrote. */
void fake_cache_publish(struct fake_cache *fake);
void fake_cache_obey(struct fake_cache *fake);

#endif
