// SPDX-License-Identifier: MIT
#include "pool.h"

#include <stdlib.h>

#include "complain.h"

int pool_init(struct pool *pool, unsigned int count)
{
	pool->buffers = calloc(count, sizeof(*pool->buffers));
	if (!pool->buffers) {
		complain("no memory for a pool of %u buffers", count);
		return -1;
	}
	pool->count = count;
	return 0;
}

int pool_create_memory(struct pool *pool, unsigned int index, uint32_t number)
{
	const struct pattern pattern = {
		.width = pool->layout.width,
		.height = pool->layout.height,
		.seed = pool->seed,
		.number = number,
	};

	pool->created++;
	return buffer_create(&pool->buffers[index], pool->device, pool->exporter, &pool->layout,
			     pool->buffer_bytes, &pattern);
}

int pool_create_buffer(struct pool *pool, unsigned int index, uint32_t number,
		       enum handle_policy policy)
{
	struct buffer *buffer = &pool->buffers[index];

	if (pool_create_memory(pool, index, number) || buffer_import(buffer) ||
	    buffer_add_fb(buffer, &buffer->fb_id))
		return -1;
	if (policy != HANDLE_KEPT && buffer_close_handle(buffer))
		return -1;
	if (policy == HANDLE_AND_DMABUF_CLOSED && buffer_close_dmabuf(buffer))
		return -1;
	return 0;
}

void pool_destroy(struct pool *pool)
{
	for (unsigned int i = 0; i < pool->count; i++)
		buffer_destroy(&pool->buffers[i]);
	free(pool->buffers);
	pool->buffers = NULL;
	pool->count = 0;
}
