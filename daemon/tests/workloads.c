// SPDX-License-Identifier: MIT
#include "workloads.h"

#include <errno.h>
#include <string.h>

#define VBLANK_US 16667
#define CLIENTS_MAX 16
/* Of TRANSIENT: so many flips after a buffer left the screen it is freed. */
#define TRANSIENT_KEPT 3
#define NO_BUFFER UINT32_MAX

/* A client with its buffers. */
struct client {
	bool exists;
	struct stream stream; /* what it flips; its pool as it turned out */
	uint32_t base;	      /* number of its first buffer */
	uint32_t buffers;     /* of its pool, or pools */
	uint32_t queue[POOL_MAX];
	unsigned int step;
	uint32_t current; /* or NO_BUFFER */
	uint32_t left[TRANSIENT_KEPT];
};

struct player {
	struct trace *trace;
	const struct workload *workload;
	uint64_t seed;
	uint64_t now_us;
	uint32_t fresh;
	/* those that keep their buffers by their number, then those of the scene */
	struct client clients[CLIENTS_MAX + STREAMS_MAX];
};

static uint64_t next_random(uint64_t *seed)
{
	/* xorshift64* */
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717) >> 33;
}

/* @mean, give or take as much as @share of it. */
static uint64_t about(struct player *player, uint64_t mean, double share)
{
	double random = (double)(next_random(&player->seed) % 10001) / 10000;

	return (uint64_t)((double)mean * (1 + share * (2 * random - 1)) + 0.5);
}

static uint32_t rotate(struct client *client, unsigned int which)
{
	unsigned int pool = client->stream.pool;
	uint32_t buffer = client->queue[which];

	memmove(&client->queue[which], &client->queue[which + 1],
		(pool - which - 1) * sizeof(client->queue[0]));
	client->queue[pool - 1] = buffer;
	return buffer;
}

static uint32_t choose(struct player *player, struct client *client)
{
	const struct stream *stream = &client->stream;
	unsigned int step = client->step++;

	switch (stream->pattern) {
	case ONESHOT:
	case TRANSIENT:
		return player->fresh++;
	case SOMETIMES_ONESHOT:
		if (next_random(&player->seed) % 10 == 0)
			return player->fresh++;
		break;
	case QUEUE:
		return rotate(client, next_random(&player->seed) % 10 < 3);
	case REORDER:
		return rotate(client, (unsigned int)(next_random(&player->seed) % 3));
	case SWITCH:
		return client->base + step / stream->dwell % 4 * stream->pool + step % stream->pool;
	default:
		break;
	}
	return rotate(client, 0);
}

/* What left the screen some flips ago is freed by its owner. */
static int free_transient(struct player *player, struct client *client, uint32_t left)
{
	uint32_t oldest = client->left[0];

	memmove(&client->left[0], &client->left[1], sizeof(client->left) - sizeof(client->left[0]));
	client->left[TRANSIENT_KEPT - 1] = left;
	return oldest == NO_BUFFER ? 0 : trace_buffer_freed(player->trace, player->now_us, oldest);
}

static int leave(struct player *player, struct client *client)
{
	uint32_t buffer = client->current;

	client->current = NO_BUFFER;
	if (buffer == NO_BUFFER)
		return 0;
	if (trace_idle(player->trace, player->now_us, buffer))
		return -ENOMEM;
	return client->stream.pattern == TRANSIENT ? free_transient(player, client, buffer) : 0;
}

/* One commit: everything new is there before anything old goes. */
static int commit(struct player *player, unsigned int output, uint64_t vblank, bool busy)
{
	uint32_t next[CLIENTS_MAX + STREAMS_MAX];
	bool flips[CLIENTS_MAX + STREAMS_MAX] = { false };

	for (unsigned int i = 0; i < CLIENTS_MAX + STREAMS_MAX; i++) {
		struct client *client = &player->clients[i];
		const struct stream *stream = &client->stream;

		if (!client->exists || !stream->pattern || stream->output != output ||
		    vblank % stream->vblanks || (stream->bursts && !busy))
			continue;
		next[i] = choose(player, client);
		flips[i] = next[i] != client->current;
		if (flips[i] && trace_use(player->trace, player->now_us, next[i], stream->bytes))
			return -ENOMEM;
	}
	for (unsigned int i = 0; i < CLIENTS_MAX + STREAMS_MAX; i++) {
		if (!flips[i])
			continue;
		if (leave(player, &player->clients[i]))
			return -ENOMEM;
		player->clients[i].current = next[i];
	}
	return 0;
}

static void begin_client(struct player *player, struct client *client, const struct stream *stream)
{
	if (client->exists) {
		unsigned int pool = client->stream.pool;

		client->stream = *stream;
		client->stream.pool = pool;
		return;
	}
	memset(client, 0, sizeof(*client));
	client->exists = true;
	client->stream = *stream;
	if (player->workload->varies && stream->pool > 4)
		client->stream.pool = (unsigned int)about(player, stream->pool, 0.25);
	client->current = NO_BUFFER;
	client->base = player->fresh;
	for (unsigned int i = 0; i < TRANSIENT_KEPT; i++)
		client->left[i] = NO_BUFFER;
	for (unsigned int i = 0; i < POOL_MAX; i++)
		client->queue[i] = client->base + i;
	client->buffers = client->stream.pool * (stream->pattern == SWITCH ? 4 : 1);
	player->fresh += client->buffers;
}

/* Frees its pool.  What it made in between is freed with the scene, see end_scene(). */
static int end_client(struct player *player, struct client *client)
{
	if (!client->exists)
		return 0;
	client->exists = false;
	for (uint32_t i = 0; i < client->buffers; i++)
		if (trace_buffer_freed(player->trace, player->now_us, client->base + i))
			return -ENOMEM;
	return 0;
}

static int begin_scene(struct player *player, const struct scene *scene)
{
	bool shown[CLIENTS_MAX] = { false };
	unsigned int anonymous = CLIENTS_MAX;

	for (unsigned int i = 0; i < STREAMS_MAX && scene->streams[i].pattern; i++) {
		unsigned int number = scene->streams[i].client;

		shown[number] = true;
		begin_client(player, &player->clients[number ? number : anonymous++],
			     &scene->streams[i]);
	}
	/* What is not shown any more leaves the screen; some of it ends. */
	for (unsigned int i = 1; i < CLIENTS_MAX; i++) {
		if (!player->clients[i].exists || shown[i])
			continue;
		if (leave(player, &player->clients[i]))
			return -ENOMEM;
		player->clients[i].stream.pattern = END;
		if (scene->closes >> i & 1 && end_client(player, &player->clients[i]))
			return -ENOMEM;
	}
	return 0;
}

static int end_scene(struct player *player, uint32_t first)
{
	for (unsigned int i = CLIENTS_MAX; i < CLIENTS_MAX + STREAMS_MAX; i++)
		if (end_client(player, &player->clients[i]))
			return -ENOMEM;
	/* Buffers that came in the scene and are of no pool. */
	for (uint32_t i = first; i < player->fresh; i++) {
		bool kept = false;

		for (unsigned int j = 1; j < CLIENTS_MAX; j++) {
			const struct client *client = &player->clients[j];

			kept = kept || (client->exists && i >= client->base &&
					i < client->base + client->buffers);
		}
		if (!kept && trace_buffer_freed(player->trace, player->now_us, i))
			return -ENOMEM;
	}
	return 0;
}

static int play_scene(struct player *player, const struct scene *scene)
{
	bool varies = player->workload->varies;
	uint64_t seconds = varies ? about(player, scene->seconds, 0.5) : scene->seconds;
	uint64_t begin_us = player->now_us, end_us = begin_us + seconds * 1000000;
	uint64_t turn_us = begin_us;
	uint32_t first = player->fresh;
	bool busy = false;

	if (begin_scene(player, scene))
		return -ENOMEM;
	for (uint64_t vblank = 0; begin_us + vblank * VBLANK_US < end_us; vblank++) {
		player->now_us = begin_us + vblank * VBLANK_US;
		if (player->now_us >= turn_us) {
			busy = !busy || !scene->rest_ms;
			turn_us +=
				1000 * about(player, busy ? scene->burst_ms : scene->rest_ms, 0.5) +
				VBLANK_US;
		}
		for (unsigned int output = 0; output < STREAMS_MAX; output++)
			if (commit(player, output, vblank, busy))
				return -ENOMEM;
	}
	player->now_us = end_us;
	return end_scene(player, first);
}

int workload_make(const struct workload *workload, uint64_t seed, struct trace *trace)
{
	struct player player = {
		.trace = trace,
		.workload = workload,
		.seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1,
	};
	int ret = 0;

	memset(trace, 0, sizeof(*trace));
	for (unsigned int i = 0; i < SCENES_MAX && workload->scenes[i].seconds && !ret; i++)
		ret = play_scene(&player, &workload->scenes[i]);
	for (unsigned int i = 1; i < CLIENTS_MAX && !ret; i++)
		ret = end_client(&player, &player.clients[i]);
	if (ret)
		trace_release(trace);
	return ret;
}
