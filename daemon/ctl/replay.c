// SPDX-License-Identifier: MIT
#include "replay.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "insertion.h"

/* As in the kernel: so many buffers that are not mapped any more are still recognised. */
#define GHOSTS 256
#define SECOND_US UINT64_C(1000000)
/* As the daemon: no decisions after so many seconds without a flip. */
#define IDLE_SECONDS 3
#define NEVER SIZE_MAX

enum state { UNKNOWN, ACTIVE, IDLE, GHOST };

struct buffer {
	enum state state;
	bool missed; /* when it was last looked up */
	uint64_t bytes;
	uint64_t idle_since_us;
	size_t next_use; /* while idle: index of the event, or NEVER */
};

struct model {
	const struct replay_options *options;
	struct replay_result *result;
	struct buffer *buffers;
	/* idle and ghost buffers, most recently idle last */
	uint32_t *stack;
	size_t stack_count;
	size_t ghosts;
	/* idle buffers only, next victim first, as the insertion policy has it */
	struct order order;
	struct insertion insertion;
	struct histograms reuse; /* of this second */
	uint64_t ended;		 /* in it, but not by a limit */
	uint64_t idle_timeout_ms;
	struct tuner tuner;
	uint64_t max_bytes;
	uint64_t max_entries;
	uint64_t active_bytes;
	uint64_t active_entries;
	uint64_t now_us;
	double idle_byte_us;
	unsigned int quiet_seconds;
};

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
		struct buffer *buffer = &model->buffers[model->stack[i]];

		if (buffer->state != GHOST)
			continue;
		buffer->state = UNKNOWN;
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

static struct insertion_limits limits_of(const struct model *model)
{
	return (struct insertion_limits){ model->max_bytes, model->max_entries, bytes_of, model };
}

static void set_insertion(struct model *model, enum cache_insertion policy)
{
	const struct insertion_limits limits = limits_of(model);

	insertion_set(&model->insertion, policy, &model->order, &limits);
}

static void evict(struct model *model, uint32_t number)
{
	struct buffer *buffer = &model->buffers[number];

	buffer->state = GHOST;
	order_remove(&model->order, number, buffer->bytes);
	if (++model->ghosts > GHOSTS)
		forget_oldest_ghost(model);
}

/* What has been idle for longest; the end of the stack is the most recent. */
static uint32_t oldest(const struct model *model)
{
	size_t i = 0;

	while (model->buffers[model->stack[i]].state != IDLE)
		i++;
	return model->stack[i];
}

/* The next in order, or for who knows, the one needed last. */
static uint32_t victim(const struct model *model)
{
	const struct order *order = &model->order;
	uint32_t worst = order->list[0];

	if (insertion_evicts_oldest(&model->insertion))
		return oldest(model);
	if (model->options->policy != REPLAY_BELADY)
		return worst;
	for (size_t i = 1; i < order->count; i++)
		if (model->buffers[order->list[i]].next_use > model->buffers[worst].next_use)
			worst = order->list[i];
	return worst;
}

static void enforce(struct model *model)
{
	while (model->order.bytes > model->max_bytes || model->order.count > model->max_entries)
		evict(model, victim(model));
}

static void use(struct model *model, struct replay_second *second, const struct trace_event *event)
{
	struct buffer *buffer = &model->buffers[event->buffer];
	uint64_t distance = event->bytes;
	size_t index;

	if (buffer->state == ACTIVE) {
		second->hits++;
		return;
	}
	second->hits += buffer->state == IDLE;
	second->misses += buffer->state != IDLE;
	buffer->missed = buffer->state != IDLE;
	insertion_lookup(&model->insertion, event->buffer, buffer->bytes);

	if (buffer->state == UNKNOWN) {
		model->reuse.bytes[BYTES_BUCKETS - 1]++;
		model->reuse.depth[DEPTH_BUCKETS - 1]++;
	} else {
		index = stack_find(model, event->buffer);
		for (size_t i = index + 1; i < model->stack_count; i++)
			distance += model->buffers[model->stack[i]].bytes;
		model->reuse.bytes[histogram_bytes_bucket(distance)]++;
		model->reuse.depth[histogram_depth_bucket(model->stack_count - index)]++;
		stack_remove(model, index);
		if (buffer->state == IDLE)
			order_remove(&model->order, event->buffer, buffer->bytes);
		else
			model->ghosts--;
	}
	buffer->state = ACTIVE;
	buffer->bytes = event->bytes;
	model->active_bytes += buffer->bytes;
	model->active_entries++;
}

static void leave(struct model *model, uint32_t number, size_t next_use)
{
	struct buffer *buffer = &model->buffers[number];
	const struct insertion_limits limits = limits_of(model);

	if (buffer->state != ACTIVE)
		return;
	model->active_bytes -= buffer->bytes;
	model->active_entries--;
	buffer->state = IDLE;
	buffer->idle_since_us = model->now_us;
	buffer->next_use = next_use;
	model->stack[model->stack_count++] = number;
	insertion_insert(&model->insertion, &model->order, number, buffer->bytes, buffer->missed);
	insertion_idle(&model->insertion, number, &limits);
	/* Who knows the future keeps nothing in vain. */
	if (model->options->policy == REPLAY_BELADY && next_use == NEVER)
		evict(model, number);
	enforce(model);
}

static void release(struct model *model, uint32_t number)
{
	struct buffer *buffer = &model->buffers[number];

	if (buffer->state == IDLE)
		order_remove(&model->order, number, buffer->bytes);
	insertion_gone(&model->insertion, number, buffer->bytes);
	model->ghosts -= buffer->state == GHOST;
	if (buffer->state == IDLE || buffer->state == GHOST)
		stack_remove(model, stack_find(model, number));
	if (buffer->state == ACTIVE) {
		model->active_bytes -= buffer->bytes;
		model->active_entries--;
	}
	buffer->state = UNKNOWN;
}

static void expire(struct model *model)
{
	uint64_t timeout_us = model->idle_timeout_ms * 1000;

	for (size_t i = 0; timeout_us && i < model->stack_count; i++) {
		struct buffer *buffer = &model->buffers[model->stack[i]];

		if (buffer->state == IDLE && model->now_us - buffer->idle_since_us >= timeout_us) {
			size_t before = model->stack_count;

			insertion_forget(&model->insertion, model->stack[i], buffer->bytes);
			evict(model, model->stack[i]);
			model->ended++;
			i -= before - model->stack_count;
		}
	}
}

static void tune(struct model *model, const struct replay_second *second)
{
	struct tuner_sample sample = {
		.elapsed_ms = 1000,
		.reuse = model->reuse,
		.hits = second->hits,
		.misses = second->misses,
		.ended = model->ended,
		.idle_timeout_ms = model->idle_timeout_ms,
		.limit_bytes = model->max_bytes,
		.limit_entries = model->max_entries,
		.active_bytes = model->active_bytes,
		.active_entries = model->active_entries,
		.idle_bytes = model->order.bytes,
		.idle_entries = model->order.count,
		.dip_offered = !model->options->only_lru,
		.dip_chosen = model->insertion.policy == CACHE_INSERTION_DIP,
	};
	struct tuner_decision decision;

	model->quiet_seconds = second->hits + second->misses ? 0 : model->quiet_seconds + 1;
	if (model->quiet_seconds > IDLE_SECONDS)
		return;
	decision = tuner_tick(&model->tuner, &model->options->tuner, &sample);
	model->result->changes += decision.action != TUNER_KEEP;
	model->max_bytes = decision.max_bytes;
	model->max_entries = decision.max_entries;
	model->idle_timeout_ms = decision.idle_timeout_ms;
	model->ended = 0;
	while (decision.trim && model->order.count) {
		uint32_t number = victim(model);

		insertion_forget(&model->insertion, number, model->buffers[number].bytes);
		evict(model, number);
		model->ended++;
	}
	if (!model->options->keeps_dip && decision.dip != sample.dip_chosen)
		set_insertion(model, decision.dip ? CACHE_INSERTION_DIP : CACHE_INSERTION_LRU);
	enforce(model);
}

/* Time passes, as far as @until_us; at the end of each second there is something to do. */
static void pass(struct model *model, uint64_t until_us)
{
	struct replay_result *result = model->result;

	while (model->now_us < until_us) {
		uint64_t end_us = (model->now_us / SECOND_US + 1) * SECOND_US;
		uint64_t next_us = end_us < until_us ? end_us : until_us;
		struct replay_second *second = &result->seconds[model->now_us / SECOND_US];

		model->idle_byte_us +=
			(double)model->order.bytes * (double)(next_us - model->now_us);
		second->max_bytes = model->max_bytes;
		second->idle_bytes = model->order.bytes;
		model->now_us = next_us;
		if (next_us < end_us)
			break;
		expire(model);
		if (model->options->policy == REPLAY_TUNED)
			tune(model, second);
		memset(&model->reuse, 0, sizeof(model->reuse));
	}
}

/* For each event that ends a use, the index of the next use of the same buffer. */
static size_t *find_next_uses(const struct trace *trace)
{
	size_t *next = malloc(trace->count * sizeof(*next));
	size_t *upcoming = malloc(trace->buffers * sizeof(*upcoming));

	if (next && upcoming) {
		for (size_t i = 0; i < trace->buffers; i++)
			upcoming[i] = NEVER;
		for (size_t i = trace->count; i--;) {
			const struct trace_event *event = &trace->events[i];

			next[i] = upcoming[event->buffer];
			if (event->kind == TRACE_USE)
				upcoming[event->buffer] = i;
			else if (event->kind == TRACE_FREE)
				upcoming[event->buffer] = NEVER;
		}
	} else {
		free(next);
		next = NULL;
	}
	free(upcoming);
	return next;
}

int replay(const struct trace *trace, const struct replay_options *options,
	   struct replay_result *result)
{
	uint64_t begin_us = trace->events[0].time_us;
	uint64_t length_us = trace->events[trace->count - 1].time_us - begin_us + 1;
	struct model model = {
		.options = options,
		.result = result,
		.max_bytes = options->max_bytes,
		.max_entries = options->max_entries,
		.idle_timeout_ms = options->idle_timeout_ms,
	};
	size_t *next_uses = find_next_uses(trace);
	int ret = 0;

	memset(result, 0, sizeof(*result));
	result->second_count = length_us / SECOND_US + 1;
	result->seconds = calloc(result->second_count, sizeof(*result->seconds));
	model.buffers = calloc(trace->buffers, sizeof(*model.buffers));
	model.stack = calloc(trace->buffers, sizeof(*model.stack));
	if (!next_uses || !result->seconds || !model.buffers || !model.stack ||
	    order_init(&model.order, trace->buffers) ||
	    insertion_init(&model.insertion, trace->buffers)) {
		ret = -ENOMEM;
		goto out;
	}
	if (options->policy == REPLAY_BIP)
		set_insertion(&model, CACHE_INSERTION_BIP);
	if (options->policy == REPLAY_DIP ||
	    (options->policy == REPLAY_TUNED && options->begins_with_dip))
		set_insertion(&model, CACHE_INSERTION_DIP);

	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_event *event = &trace->events[i];

		pass(&model, event->time_us - begin_us);
		if (event->kind == TRACE_USE)
			use(&model, &result->seconds[model.now_us / SECOND_US], event);
		else if (event->kind == TRACE_IDLE)
			leave(&model, event->buffer, next_uses[i]);
		else
			release(&model, event->buffer);
		if (model.order.bytes > result->peak_idle_bytes)
			result->peak_idle_bytes = model.order.bytes;
	}
	pass(&model, length_us);
	for (size_t i = 0; i < result->second_count; i++) {
		result->hits += result->seconds[i].hits;
		result->misses += result->seconds[i].misses;
	}
	result->mean_idle_bytes = model.idle_byte_us / (double)length_us;
out:
	insertion_release(&model.insertion);
	order_release(&model.order);
	free(model.stack);
	free(model.buffers);
	free(next_uses);
	if (ret)
		replay_release(result);
	return ret;
}

void replay_release(struct replay_result *result)
{
	free(result->seconds);
	result->seconds = NULL;
}

const char *replay_policy_name(enum replay_policy policy)
{
	static const char *const names[] = {
		[REPLAY_FIXED] = "fixed", [REPLAY_BIP] = "bip",	      [REPLAY_DIP] = "dip",
		[REPLAY_TUNED] = "tuned", [REPLAY_BELADY] = "belady",
	};

	return names[policy];
}
