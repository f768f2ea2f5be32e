// SPDX-License-Identifier: MIT
#include "workloads.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define FULL_HD (1920 * 1080 * 4)
#define FULL_HD_VIDEO (1920 * 1088 * 3 / 2)
#define PHONE (1080 * 2400 * 4)
#define UHD (3840 * 2160 * 4)
#define UHD_VIDEO (3840 * 2176 * 3 / 2)
#define CURSOR (64 * 64 * 4)

#define POOL_MAX 32
#define STREAMS_MAX 5
#define VBLANK_US 16667

/* How a client chooses the next of its buffers. */
enum pattern {
	END,
	CYCLE,		   /* in turn */
	QUEUE,		   /* in turn, sometimes the next but one */
	REORDER,	   /* as a decoder with B frames: any of the next three */
	ONESHOT,	   /* a new buffer every time */
	SOMETIMES_ONESHOT, /* in turn, one in ten is new */
	SWITCH,		   /* four applications of a pool each, the next one every @dwell flips */
};

struct stream {
	enum pattern pattern;
	unsigned int pool;
	unsigned int vblanks; /* per flip */
	uint64_t bytes;
	unsigned int dwell;
};

struct workload {
	const char *name;
	struct stream streams[STREAMS_MAX];
};

static const struct workload workloads[] = {
	{ "desktop, 3 buffers", { { CYCLE, 3, 1, FULL_HD, 0 } } },
	{ "3 planes of 4",
	  { { CYCLE, 4, 1, FULL_HD, 0 },
	    { CYCLE, 4, 1, FULL_HD_VIDEO, 0 },
	    { CYCLE, 4, 1, FULL_HD_VIDEO, 0 } } },
	{ "desktop, video pool of 20",
	  { { CYCLE, 3, 1, FULL_HD, 0 }, { CYCLE, 20, 2, FULL_HD_VIDEO, 0 } } },
	{ "desktop, video reordered",
	  { { QUEUE, 3, 1, FULL_HD, 0 }, { REORDER, 16, 2, FULL_HD_VIDEO, 0 } } },
	{ "2 outputs, video, cursor",
	  { { CYCLE, 3, 1, FULL_HD, 0 },
	    { CYCLE, 4, 1, FULL_HD, 0 },
	    { CYCLE, 24, 2, FULL_HD_VIDEO, 0 },
	    { CYCLE, 2, 3, CURSOR, 0 } } },
	{ "4 applications in turn", { { SWITCH, 3, 1, FULL_HD, 90 } } },
	{ "desktop, a tenth one-shot",
	  { { SOMETIMES_ONESHOT, 3, 1, FULL_HD, 0 }, { CYCLE, 4, 1, FULL_HD, 0 } } },
	{ "desktop, one-shot stream",
	  { { CYCLE, 3, 1, FULL_HD, 0 }, { ONESHOT, 0, 2, FULL_HD_VIDEO, 0 } } },
	{ "phone, applications", { { SWITCH, 3, 1, PHONE, 600 } } },
	{ "dual 4K, 4K video",
	  { { CYCLE, 3, 1, UHD, 0 }, { CYCLE, 3, 1, UHD, 0 }, { CYCLE, 12, 2, UHD_VIDEO, 0 } } },
};

#define WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

/* The last one: all the others, one after the other, as a day on one machine. */
static const char day[] = "all of these in turn";

const char *workload_name(unsigned int index)
{
	return index < WORKLOADS ? workloads[index].name : index == WORKLOADS ? day : NULL;
}

static uint64_t next_random(uint64_t *seed)
{
	/* xorshift64* */
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717) >> 33;
}

struct running {
	uint32_t base; /* number of the first buffer of the pool */
	uint32_t queue[POOL_MAX];
	unsigned int step;
	uint32_t current;
	bool on;
};

static uint32_t rotate(struct running *running, unsigned int pool, unsigned int which)
{
	uint32_t buffer = running->queue[which];

	memmove(&running->queue[which], &running->queue[which + 1],
		(pool - which - 1) * sizeof(running->queue[0]));
	running->queue[pool - 1] = buffer;
	return buffer;
}

static uint32_t choose(const struct stream *stream, struct running *running, uint64_t *seed,
		       uint32_t *fresh)
{
	unsigned int step = running->step++;

	switch (stream->pattern) {
	case ONESHOT:
		return (*fresh)++;
	case SOMETIMES_ONESHOT:
		if (next_random(seed) % 10 == 0)
			return (*fresh)++;
		break;
	case QUEUE:
		return rotate(running, stream->pool, next_random(seed) % 10 < 3);
	case REORDER:
		return rotate(running, stream->pool, (unsigned int)(next_random(seed) % 3));
	case SWITCH:
		return running->base + step / stream->dwell % 4 * stream->pool +
		       step % stream->pool;
	default:
		break;
	}
	return rotate(running, stream->pool, 0);
}

static int run(const struct workload *workload, uint64_t *seed, uint64_t begin_us,
	       unsigned int seconds, struct trace *trace)
{
	struct running running[STREAMS_MAX] = { 0 };
	uint32_t first = trace->buffers, fresh;
	uint64_t vblanks = (uint64_t)seconds * 1000000 / VBLANK_US, time_us = begin_us;

	fresh = first;
	for (unsigned int i = 0; workload->streams[i].pattern; i++) {
		running[i].base = fresh;
		for (unsigned int j = 0; j < POOL_MAX; j++)
			running[i].queue[j] = fresh + j;
		fresh += workload->streams[i].pool *
			 (workload->streams[i].pattern == SWITCH ? 4 : 1);
	}

	for (uint64_t vblank = 0; vblank < vblanks; vblank++) {
		time_us = begin_us + vblank * VBLANK_US;
		for (unsigned int i = 0; workload->streams[i].pattern; i++) {
			const struct stream *stream = &workload->streams[i];
			uint32_t next;

			if (vblank % stream->vblanks)
				continue;
			next = choose(stream, &running[i], seed, &fresh);
			if (running[i].on && next == running[i].current)
				continue;
			if (trace_use(trace, time_us, next, stream->bytes) ||
			    (running[i].on && trace_idle(trace, time_us, running[i].current)))
				return -ENOMEM;
			running[i].current = next;
			running[i].on = true;
		}
	}
	for (uint32_t i = first; i < trace->buffers; i++)
		if (trace_buffer_freed(trace, time_us, i))
			return -ENOMEM;
	return 0;
}

int workload_make(unsigned int index, uint64_t seed, unsigned int seconds, struct trace *trace)
{
	int ret = 0;

	memset(trace, 0, sizeof(*trace));
	seed = seed * UINT64_C(0x9e3779b97f4a7c15) + index + 1;
	if (index < WORKLOADS)
		return run(&workloads[index], &seed, 0, seconds, trace);
	for (unsigned int i = 0; i < WORKLOADS && !ret; i++)
		ret = run(&workloads[i], &seed, (uint64_t)i * seconds * 1000000, seconds, trace);
	return ret;
}
