// SPDX-License-Identifier: MIT
#include "workloads.h"

/*
 * The workloads by whose simulation the policy was chosen, with the sizes such buffers have.  Each
 * exercises one pattern without end; nothing rests, and nothing is left behind.
 */

#define MINUTE 60

#define DESKTOP                                      \
	{                                            \
		CYCLE, 3, 1, FULL_HD, 0, 0, 0, false \
	}
#define PLANES                                                                                    \
	{ CYCLE, 4, 1, FULL_HD, 0, 0, 0, false }, { CYCLE, 4, 1, FULL_HD_VIDEO, 0, 0, 0, false }, \
	{                                                                                         \
		CYCLE, 4, 1, FULL_HD_VIDEO, 0, 0, 0, false                                        \
	}
#define VIDEO                                               \
	DESKTOP,                                            \
	{                                                   \
		CYCLE, 20, 2, FULL_HD_VIDEO, 0, 0, 0, false \
	}
#define REORDERED                                             \
	{ QUEUE, 3, 1, FULL_HD, 0, 0, 0, false },             \
	{                                                     \
		REORDER, 16, 2, FULL_HD_VIDEO, 0, 0, 0, false \
	}
#define TWO_OUTPUTS                                              \
	DESKTOP, { CYCLE, 4, 1, FULL_HD, 0, 1, 0, false },       \
		{ CYCLE, 24, 2, FULL_HD_VIDEO, 0, 0, 0, false }, \
	{                                                        \
		CYCLE, 2, 3, CURSOR, 0, 0, 0, false              \
	}
#define APPLICATIONS                                   \
	{                                              \
		SWITCH, 3, 1, FULL_HD, 90, 0, 0, false \
	}
#define TENTH                                                 \
	{ SOMETIMES_ONESHOT, 3, 1, FULL_HD, 0, 0, 0, false }, \
	{                                                     \
		CYCLE, 4, 1, FULL_HD, 0, 0, 0, false          \
	}
#define STREAM                                               \
	DESKTOP,                                             \
	{                                                    \
		ONESHOT, 0, 2, FULL_HD_VIDEO, 0, 0, 0, false \
	}

#define FOR_A_MINUTE(...)                                     \
	{                                                     \
		.seconds = MINUTE, .streams = { __VA_ARGS__ } \
	}
#define WORKLOAD(_name, ...)                                           \
	{                                                              \
		.name = _name, .scenes = { FOR_A_MINUTE(__VA_ARGS__) } \
	}

const struct workload research_workloads[] = {
	WORKLOAD("desktop, 3 buffers", DESKTOP),
	WORKLOAD("3 planes of 4", PLANES),
	WORKLOAD("desktop, video pool of 20", VIDEO),
	WORKLOAD("desktop, video reordered", REORDERED),
	WORKLOAD("2 outputs, video, cursor", TWO_OUTPUTS),
	WORKLOAD("4 applications in turn", APPLICATIONS),
	WORKLOAD("desktop, a tenth one-shot", TENTH),
	WORKLOAD("desktop, one-shot stream", STREAM),
	{
		.name = "all of these in turn",
		.scenes = { FOR_A_MINUTE(DESKTOP), FOR_A_MINUTE(VIDEO), FOR_A_MINUTE(STREAM),
			    FOR_A_MINUTE(TWO_OUTPUTS), FOR_A_MINUTE(APPLICATIONS),
			    FOR_A_MINUTE(REORDERED), FOR_A_MINUTE(PLANES), FOR_A_MINUTE(TENTH),
			    FOR_A_MINUTE(DESKTOP) },
	},
	{ 0 },
};
