/* SPDX-License-Identifier: MIT */
/*
 * Synthetic traces.  A workload is a script of scenes, a scene a set of streams that flip at the
 * same time.  Made from a seed: the same one makes the same trace.
 */
#ifndef WORKLOADS_H
#define WORKLOADS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

#define FULL_HD (1920 * 1080 * 4)
#define FULL_HD_VIDEO (1920 * 1088 * 3 / 2)
#define PHONE (1080 * 2400 * 4)
#define UHD (3840 * 2160 * 4)
#define UHD_VIDEO (3840 * 2176 * 3 / 2)
#define CURSOR (64 * 64 * 4)

#define POOL_MAX 32
#define STREAMS_MAX 6
#define SCENES_MAX 12

/* How a client chooses the next of its buffers. */
enum pattern {
	END,
	CYCLE,		   /* in turn */
	QUEUE,		   /* in turn, sometimes the next but one */
	REORDER,	   /* as a decoder with B frames: any of the next three */
	ONESHOT,	   /* a new buffer every time, all kept until the scene ends */
	SOMETIMES_ONESHOT, /* in turn, one in ten is new and kept likewise */
	TRANSIENT,	   /* a new buffer every time, freed three flips after it left */
	SWITCH,		   /* four applications of a pool each, the next one every @dwell flips */
};

struct stream {
	enum pattern pattern;
	unsigned int pool;
	unsigned int vblanks; /* per flip */
	uint64_t bytes;
	unsigned int dwell;
	/* Outputs commit one after the other, the planes of one at the same time. */
	unsigned int output;
	/* Whose buffers they are: 0 frees them when the scene ends, others keep them. */
	unsigned int client;
	/* Flips only while somebody uses the machine. */
	bool bursts;
};

struct scene {
	unsigned int seconds;
	struct stream streams[STREAMS_MAX]; /* none: all outputs are off */
	/* Clients that end when it begins, as bits. */
	unsigned int closes;
	/* For how long streams with bursts flip and rest, on average. */
	unsigned int burst_ms;
	unsigned int rest_ms;
};

struct workload {
	const char *name;
	struct scene scenes[SCENES_MAX]; /* as far as they have seconds */
	/* Times and pools differ from seed to seed, by up to a half and a quarter. */
	bool varies;
};

/* The workloads of the simulations that the policy was chosen by, and all in turn. */
extern const struct workload research_workloads[];
/* What people do with machines: what is on the screen changes, rests and goes off. */
extern const struct workload session_workloads[];
/* Both end with a workload without a name. */

/* Returns 0 or -ENOMEM. */
int workload_make(const struct workload *workload, uint64_t seed, struct trace *trace);

#endif
