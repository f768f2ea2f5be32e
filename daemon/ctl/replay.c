// SPDX-License-Identifier: MIT
#include "replay.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define SECOND_US UINT64_C(1000000)
/* As the daemon: no decisions after so many seconds without a flip. */
#define IDLE_SECONDS 3

struct player {
	const struct replay_options *options;
	struct replay_result *result;
	struct model model;
	struct tuner tuner;
	/* figures at the end of the previous second */
	struct histograms reuse;
	uint64_t hits;
	uint64_t misses;
	double idle_byte_us;
	unsigned int quiet_seconds;
};

static void tune(struct player *player, const struct replay_second *second)
{
	struct model *model = &player->model;
	struct tuner_sample sample = {
		.elapsed_ms = 1000,
		.limit_bytes = model->max_bytes,
		.limit_entries = model->max_entries,
		.active_bytes = model->active_bytes,
		.active_entries = model->active_entries,
		.idle_bytes = model->idle.bytes,
		.idle_entries = model->idle.count,
	};
	struct tuner_decision decision;

	histograms_subtract(&sample.reuse, &model->reuse, &player->reuse);
	player->reuse = model->reuse;
	player->quiet_seconds = second->hits + second->misses ? 0 : player->quiet_seconds + 1;
	if (player->quiet_seconds > IDLE_SECONDS)
		return;
	decision = tuner_tick(&player->tuner, &player->options->tuner, &sample);
	player->result->changes += decision.action != TUNER_KEEP;
	model_set_limits(model, decision.max_bytes, decision.max_entries);
}

static void end_second(struct player *player, struct replay_second *second)
{
	second->hits = player->model.hits - player->hits;
	second->misses = player->model.misses - player->misses;
	player->hits = player->model.hits;
	player->misses = player->model.misses;
}

/* Time passes, as far as @until_us; at the end of each second there is something to do. */
static void pass(struct player *player, uint64_t until_us)
{
	struct replay_result *result = player->result;
	struct model *model = &player->model;

	while (model->now_us < until_us) {
		uint64_t end_us = (model->now_us / SECOND_US + 1) * SECOND_US;
		uint64_t next_us = end_us < until_us ? end_us : until_us;
		struct replay_second *second = &result->seconds[model->now_us / SECOND_US];

		player->idle_byte_us +=
			(double)model->idle.bytes * (double)(next_us - model->now_us);
		second->max_bytes = model->max_bytes;
		second->idle_bytes = model->idle.bytes;
		model->now_us = next_us;
		if (next_us < end_us)
			break;
		end_second(player, second);
		model_expire(model);
		if (player->options->policy == REPLAY_TUNED)
			tune(player, second);
	}
}

/* For each event that ends a use, the index of the next use of the same buffer. */
static size_t *find_next_uses(const struct trace *trace)
{
	size_t *next = malloc(trace->count * sizeof(*next));
	size_t *upcoming = malloc(trace->buffers * sizeof(*upcoming));

	if (next && upcoming) {
		for (size_t i = 0; i < trace->buffers; i++)
			upcoming[i] = MODEL_NEVER;
		for (size_t i = trace->count; i--;) {
			const struct trace_event *event = &trace->events[i];

			next[i] = upcoming[event->buffer];
			if (event->kind == TRACE_USE)
				upcoming[event->buffer] = i;
			else if (event->kind == TRACE_FREE)
				upcoming[event->buffer] = MODEL_NEVER;
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
	struct player player = { .options = options, .result = result };
	struct model *model = &player.model;
	size_t *next_uses = find_next_uses(trace);

	memset(result, 0, sizeof(*result));
	result->second_count = length_us / SECOND_US + 1;
	result->seconds = calloc(result->second_count, sizeof(*result->seconds));
	if (model_init(model, trace->buffers) || !next_uses || !result->seconds) {
		model_release(model);
		free(next_uses);
		replay_release(result);
		return -ENOMEM;
	}
	model->idle_timeout_ms = options->idle_timeout_ms;
	model->knows_future = options->policy == REPLAY_BELADY;
	model_set_limits(model, options->max_bytes, options->max_entries);
	if (options->policy == REPLAY_ADAPTIVE || options->policy == REPLAY_TUNED)
		model_set_policy(model, CACHE_POLICY_ADAPTIVE);

	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_event *event = &trace->events[i];

		pass(&player, event->time_us - begin_us);
		if (event->kind == TRACE_USE)
			model_use(model, event->buffer, event->bytes);
		else if (event->kind == TRACE_IDLE)
			model_leave(model, event->buffer, next_uses[i]);
		else
			model_free(model, event->buffer);
		if (model->idle.bytes > result->peak_idle_bytes)
			result->peak_idle_bytes = model->idle.bytes;
	}
	pass(&player, length_us);
	end_second(&player, &result->seconds[result->second_count - 1]);
	result->hits = model->hits;
	result->misses = model->misses;
	result->mean_idle_bytes = player.idle_byte_us / (double)length_us;
	model_release(model);
	free(next_uses);
	return 0;
}

void replay_release(struct replay_result *result)
{
	free(result->seconds);
	result->seconds = NULL;
}

const char *replay_policy_name(enum replay_policy policy)
{
	static const char *const names[] = {
		[REPLAY_LRU] = "lru",
		[REPLAY_ADAPTIVE] = "adaptive",
		[REPLAY_TUNED] = "tuned",
		[REPLAY_BELADY] = "belady",
	};

	return names[policy];
}
