// SPDX-License-Identifier: MIT
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As in the kernel: so many buffers that are not mapped any more are still recognised. */
#define GHOSTS 256

int model_init(struct model *model, size_t buffers)
{
	memset(model, 0, sizeof(*model));
	model->buffers = calloc(buffers ? buffers : 1, sizeof(*model->buffers));
	model->stack = calloc(buffers ? buffers : 1, sizeof(*model->stack));
	if (model->buffers && model->stack && !order_init(&model->idle, buffers) &&
	    !policy_init(&model->policy, buffers))
		return 0;
	model_release(model);
	return -ENOMEM;
}

void model_release(struct model *model)
{
	policy_release(&model->policy);
	order_release(&model->idle);
	free(model->stack);
	free(model->buffers);
	model->stack = NULL;
	model->buffers = NULL;
}

static void stack_remove(struct model *model, size_t index)
{
	memmove(&model->stack[index], &model->stack[index + 1],
		(model->stack_count - index - 1) * sizeof(*model->stack));
	model->stack_count--;
}

static size_t stack_find(const struct model *model, uint32_t buffer)
{
	size_t i = model->stack_count;

	while (i-- && model->stack[i] != buffer)
		;
	return i;
}

static void forget_oldest_ghost(struct model *model)
{
	for (size_t i = 0; i < model->stack_count; i++) {
		struct model_buffer *buffer = &model->buffers[model->stack[i]];

		if (buffer->state != MODEL_GHOST)
			continue;
		buffer->state = MODEL_UNKNOWN;
		stack_remove(model, i);
		model->ghosts--;
		return;
	}
}

static uint64_t bytes_of(const void *context, uint32_t buffer)
{
	const struct model *model = context;

	return model->buffers[buffer].bytes;
}

static struct policy_limits limits_of(const struct model *model)
{
	return (struct policy_limits){ model->max_bytes, model->max_entries, bytes_of, model };
}

static void evict(struct model *model, uint32_t number)
{
	struct model_buffer *buffer = &model->buffers[number];

	buffer->state = MODEL_GHOST;
	order_remove(&model->idle, number, buffer->bytes);
	if (++model->ghosts > GHOSTS)
		forget_oldest_ghost(model);
}

/* What has been idle for longest; the end of the stack is the most recent. */
static uint32_t oldest(const struct model *model)
{
	size_t i = 0;

	while (model->buffers[model->stack[i]].state != MODEL_IDLE)
		i++;
	return model->stack[i];
}

/* The next in order, or for who knows, the one needed last. */
static uint32_t victim(const struct model *model)
{
	const struct order *order = &model->idle;
	uint32_t worst = order->list[0];

	if (policy_evicts_oldest(&model->policy))
		return oldest(model);
	for (size_t i = 1; model->knows_future && i < order->count; i++)
		if (model->buffers[order->list[i]].next_use > model->buffers[worst].next_use)
			worst = order->list[i];
	return worst;
}

static void enforce(struct model *model)
{
	while (model->idle.bytes > model->max_bytes || model->idle.count > model->max_entries) {
		evict(model, victim(model));
		model->evictions++;
	}
}

void model_use(struct model *model, uint32_t number, uint64_t bytes)
{
	struct model_buffer *buffer = &model->buffers[number];
	uint64_t distance = bytes;
	size_t index;

	if (buffer->state == MODEL_ACTIVE) {
		model->hits++;
		return;
	}
	if (buffer->state == MODEL_IDLE)
		model->hits++;
	else
		model->misses++;
	policy_lookup(&model->policy, number, buffer->bytes);

	if (buffer->state == MODEL_UNKNOWN) {
		model->reuse.bytes[BYTES_BUCKETS - 1]++;
		model->reuse.depth[DEPTH_BUCKETS - 1]++;
	} else {
		index = stack_find(model, number);
		for (size_t i = index + 1; i < model->stack_count; i++)
			distance += model->buffers[model->stack[i]].bytes;
		model->reuse.bytes[histogram_bytes_bucket(distance)]++;
		model->reuse.depth[histogram_depth_bucket(model->stack_count - index)]++;
		stack_remove(model, index);
		if (buffer->state == MODEL_IDLE)
			order_remove(&model->idle, number, buffer->bytes);
		else
			model->ghosts--;
	}
	buffer->state = MODEL_ACTIVE;
	buffer->bytes = bytes;
	model->active_bytes += buffer->bytes;
	model->active_entries++;
}

void model_leave(struct model *model, uint32_t number, size_t next_use)
{
	struct model_buffer *buffer = &model->buffers[number];
	const struct policy_limits limits = limits_of(model);

	if (buffer->state != MODEL_ACTIVE)
		return;
	model->active_bytes -= buffer->bytes;
	model->active_entries--;
	buffer->state = MODEL_IDLE;
	buffer->idle_since_us = model->now_us;
	buffer->next_use = next_use;
	model->stack[model->stack_count++] = number;
	policy_insert(&model->policy, &model->idle, number, buffer->bytes);
	policy_idle(&model->policy, number, &limits);
	/* Who knows the future keeps nothing in vain. */
	if (model->knows_future && next_use == MODEL_NEVER)
		evict(model, number);
	enforce(model);
}

void model_free(struct model *model, uint32_t number)
{
	struct model_buffer *buffer = &model->buffers[number];

	if (buffer->state == MODEL_IDLE)
		order_remove(&model->idle, number, buffer->bytes);
	policy_gone(&model->policy, number, buffer->bytes);
	model->ghosts -= buffer->state == MODEL_GHOST;
	if (buffer->state == MODEL_IDLE || buffer->state == MODEL_GHOST)
		stack_remove(model, stack_find(model, number));
	if (buffer->state == MODEL_ACTIVE) {
		model->active_bytes -= buffer->bytes;
		model->active_entries--;
	}
	buffer->state = MODEL_UNKNOWN;
}

/* It would have ended under any policy. */
static void end(struct model *model, uint32_t number)
{
	policy_forget(&model->policy, number, model->buffers[number].bytes);
	evict(model, number);
}

void model_expire(struct model *model)
{
	uint64_t timeout_us = model->idle_timeout_ms * 1000;

	for (size_t i = 0; timeout_us && i < model->stack_count; i++) {
		const struct model_buffer *buffer = &model->buffers[model->stack[i]];
		size_t before = model->stack_count;

		if (buffer->state != MODEL_IDLE ||
		    model->now_us - buffer->idle_since_us < timeout_us)
			continue;
		end(model, model->stack[i]);
		model->evictions_age++;
		i -= before - model->stack_count;
	}
}

void model_set_limits(struct model *model, uint64_t max_bytes, uint64_t max_entries)
{
	model->max_bytes = max_bytes;
	model->max_entries = max_entries;
	enforce(model);
}

void model_set_policy(struct model *model, enum cache_policy policy)
{
	const struct policy_limits limits = limits_of(model);

	policy_set(&model->policy, policy, &model->idle, &limits);
}

void model_trim(struct model *model, uint64_t idle_bytes)
{
	while (model->idle.bytes > idle_bytes) {
		end(model, victim(model));
		model->evictions++;
	}
}
