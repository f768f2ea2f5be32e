// SPDX-License-Identifier: MIT
#include "workloads.h"

/*
 * What people do with machines.  Clients keep their buffers while they are not shown, as players
 * that are paused and applications in the background do; screens rest and go off.
 */

/* Clients that keep their buffers. */
enum { SHELL = 1, APP, BROWSER, PLAYER, SECOND, OTHER_SHELL, CAMERA, CLUSTER, REAR };

#define OFF(_seconds)               \
	{                           \
		.seconds = _seconds \
	}

const struct workload session_workloads[] = {
	{
		/* Typing and scrolling, a film in a window, paused, gone on; then it is late. */
		.name = "laptop",
		.varies = true,
		.scenes = {
			{ .seconds = 60, .burst_ms = 6000, .rest_ms = 3000,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, true },
				       { CYCLE, 2, 1, CURSOR, 0, 0, 0, true } } },
			{ .seconds = 120, .burst_ms = 6000, .rest_ms = 6000,
			  .streams = { { QUEUE, 3, 1, FULL_HD, 0, 0, SHELL, false },
				       { REORDER, 20, 2, FULL_HD_VIDEO, 0, 0, PLAYER, false } } },
			{ .seconds = 40, .burst_ms = 5000, .rest_ms = 4000,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, true } } },
			{ .seconds = 90,
			  .streams = { { REORDER, 20, 2, FULL_HD_VIDEO, 0, 0, PLAYER, false } } },
			OFF(120),
			{ .seconds = 45, .closes = 1 << PLAYER, .burst_ms = 6000, .rest_ms = 3000,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, true } } },
			OFF(60),
		},
	},
	{
		/* Applications, each with an animation as it opens; a film; off between. */
		.name = "phone",
		.varies = true,
		.scenes = {
			{ .seconds = 15, .burst_ms = 2000, .rest_ms = 1000,
			  .streams = { { CYCLE, 3, 1, PHONE, 0, 0, SHELL, true } } },
			{ .seconds = 2,
			  .streams = { { CYCLE, 3, 1, PHONE, 0, 0, SHELL, false },
				       { TRANSIENT, 0, 1, PHONE, 0, 0, 0, false } } },
			{ .seconds = 60, .burst_ms = 3000, .rest_ms = 2000,
			  .streams = { { CYCLE, 3, 1, PHONE, 0, 0, APP, true } } },
			OFF(60),
			{ .seconds = 20, .burst_ms = 2000, .rest_ms = 1000,
			  .streams = { { CYCLE, 3, 1, PHONE, 0, 0, SHELL, true } } },
			{ .seconds = 60, .burst_ms = 4000, .rest_ms = 2000,
			  .streams = { { CYCLE, 3, 1, PHONE, 0, 0, BROWSER, true } } },
			{ .seconds = 90,
			  .streams = { { CYCLE, 12, 2, FULL_HD_VIDEO, 0, 0, PLAYER, false },
				       { CYCLE, 2, 60, PHONE, 0, 0, BROWSER, false } } },
			{ .seconds = 40, .closes = 1 << PLAYER, .burst_ms = 3000, .rest_ms = 2000,
			  .streams = { { CYCLE, 3, 1, PHONE, 0, 0, APP, true } } },
			{ .seconds = 40,
			  .streams = { { CYCLE, 6, 2, FULL_HD_VIDEO, 0, 0, CAMERA, false },
				       { CYCLE, 3, 6, PHONE, 0, 0, APP, false } } },
			OFF(90),
		},
	},
	{
		/* Films one after the other, each with a pool of its own. */
		.name = "kiosk",
		.varies = true,
		.scenes = {
			{ .seconds = 40,
			  .streams = { { CYCLE, 12, 2, FULL_HD_VIDEO, 0, 0, 0, false } } },
			{ .seconds = 40,
			  .streams = { { REORDER, 24, 2, FULL_HD_VIDEO, 0, 0, 0, false } } },
			{ .seconds = 20,
			  .streams = { { CYCLE, 2, 30, FULL_HD, 0, 0, 0, false } } },
			{ .seconds = 40,
			  .streams = { { REORDER, 16, 1, FULL_HD_VIDEO, 0, 0, 0, false } } },
			{ .seconds = 40,
			  .streams = { { CYCLE, 20, 2, FULL_HD_VIDEO, 0, 0, 0, false } } },
		},
	},
	{
		/* Instruments all the time, a map, and the rear camera now and then. */
		.name = "car",
		.varies = true,
		.scenes = {
			{ .seconds = 10,
			  .streams = { { CYCLE, 3, 1, 1920 * 720 * 4, 0, 0, CLUSTER, false },
				       { CYCLE, 6, 2, 1280 * 960 * 2, 0, 1, REAR, false } } },
			{ .seconds = 120,
			  .streams = { { CYCLE, 3, 1, 1920 * 720 * 4, 0, 0, CLUSTER, false },
				       { CYCLE, 3, 2, 1920 * 720 * 4, 0, 1, APP, false } } },
			{ .seconds = 12,
			  .streams = { { CYCLE, 3, 1, 1920 * 720 * 4, 0, 0, CLUSTER, false },
				       { CYCLE, 6, 2, 1280 * 960 * 2, 0, 1, REAR, false } } },
			{ .seconds = 60,
			  .streams = { { CYCLE, 3, 1, 1920 * 720 * 4, 0, 0, CLUSTER, false },
				       { CYCLE, 3, 2, 1920 * 720 * 4, 0, 1, APP, false } } },
			OFF(60),
		},
	},
	{
		/* A window is resized, again and again: new buffers for every size. */
		.name = "resizing windows",
		.varies = true,
		.scenes = {
			{ .seconds = 20,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, false } } },
			{ .seconds = 15,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, false },
				       { TRANSIENT, 0, 1, FULL_HD, 0, 0, 0, false } } },
			{ .seconds = 20, .burst_ms = 4000, .rest_ms = 3000,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, true } } },
			{ .seconds = 15,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, false },
				       { TRANSIENT, 0, 1, FULL_HD, 0, 0, 0, false } } },
		},
	},
	{
		/* Another session on another terminal, and back. */
		.name = "switching terminals",
		.varies = true,
		.scenes = {
			{ .seconds = 40,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, false },
				       { CYCLE, 16, 2, FULL_HD_VIDEO, 0, 0, PLAYER, false } } },
			{ .seconds = 40, .burst_ms = 5000, .rest_ms = 3000,
			  .streams = { { CYCLE, 2, 1, FULL_HD, 0, 0, OTHER_SHELL, true } } },
			{ .seconds = 40,
			  .streams = { { CYCLE, 3, 1, FULL_HD, 0, 0, SHELL, false },
				       { CYCLE, 16, 2, FULL_HD_VIDEO, 0, 0, PLAYER, false } } },
		},
	},
	{
		/* More than the budget holds, whoever decides; then one output goes off. */
		.name = "two 4K outputs, 4K film",
		.varies = true,
		.scenes = {
			{ .seconds = 60,
			  .streams = { { CYCLE, 3, 1, UHD, 0, 0, SHELL, false },
				       { CYCLE, 12, 2, UHD_VIDEO, 0, 0, PLAYER, false },
				       { CYCLE, 3, 1, UHD, 0, 1, SECOND, false } } },
			{ .seconds = 60,
			  .streams = { { CYCLE, 3, 1, UHD, 0, 0, SHELL, false } } },
			OFF(30),
		},
	},
	{ 0 },
};
