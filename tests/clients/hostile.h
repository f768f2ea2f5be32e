/* SPDX-License-Identifier: MIT */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "drm_device.h"
#include "format.h"

/*
 * Many processes that treat the display as badly as its interfaces allow, while one of them shows
 * frames of its own now and then and looks whether they come out right, and another one watches
 * the cache's bounds. The parent kills some of them all the time and starts others in their place.
 *
 * Half of the actors share the file that is master of the display, as processes do that got it
 * over a socket: they have the same handles and may set planes. The others have files of their own
 * and may do all but that. All of them have the same dma-bufs, some made beforehand, others sent
 * around.
 */

#define HOSTILE_ACTORS 8
#define HOSTILE_ACTOR_BUFFERS 10
#define HOSTILE_PLANES 8
#define HOSTILE_POOL 6

/* Everything anybody counts; the sums of all processes, dead ones included. */
#define HOSTILE_COUNTERS(X)       \
	X(actions)                \
	X(flips)                  \
	X(flips_refused)          \
	X(power_cycles)           \
	X(cursors)                \
	X(creates)                \
	X(imports)                \
	X(exports)                \
	X(closes)                 \
	X(madvises)               \
	X(framebuffers)           \
	X(refused)                \
	X(knobs)                  \
	X(pressure_bytes)         \
	X(kills)                  \
	X(frames_checked)         \
	X(frames_late)            \
	X(crc_mismatches)         \
	X(frames_refused)         \
	X(bound_samples)          \
	X(bound_violations)       \
	X(idle_bytes_peak)        \
	X(lingering_entries_peak) \
	X(quarantined_bytes_peak)

struct hostile_counters {
#define HOSTILE_MEMBER(name) _Atomic uint64_t name;
	HOSTILE_COUNTERS(HOSTILE_MEMBER)
#undef HOSTILE_MEMBER
};

/* A buffer of an actor by its names; 0 for none, -1 for no dma-buf. */
struct hostile_buffer {
	uint32_t handle, fb_id;
	uint32_t width, height;
	int dmabuf_fd;
	/** @private: made by this driver, known to nobody else, and never advised about */
	bool private;
};

struct hostile_actor {
	pid_t pid;
	/** @generation: how many had this place before */
	unsigned int generation;
	struct hostile_buffer buffers[HOSTILE_ACTOR_BUFFERS];
};

/* In memory that all processes share. */
struct hostile_shared {
	struct hostile_counters counters;
	/** @gate: the display is wanted by who checks frames: leave it alone */
	atomic_bool gate;
	/**
	 * @actors: a dead actor's names in the master's file are there still, so who takes its
	 * place has to know them
	 */
	struct hostile_actor actors[HOSTILE_ACTORS];
};

struct hostile_options {
	const char *device;
	double seconds;
	uint64_t seed;
	bool cursor;
	bool kill;
	bool pressure;
};

struct hostile {
	struct hostile_options options;
	/** @master: the file that is master of the display, shared by processes */
	struct drm_device master;
	struct drm_plane_ids planes[HOSTILE_PLANES];
	unsigned int plane_count;
	struct hostile_shared *shared;
	/** @display_lock: a file that is locked shared around flips, exclusively around checks */
	int display_lock;
	/** @mailbox: dma-bufs on their way from any process to any other */
	int mailbox[2];
	/** @pool: dma-bufs that all processes have, with pictures that must stay */
	int pool[HOSTILE_POOL];
	struct image_layout pool_layout;
	/** @has_cache: there are limits to play with */
	bool has_cache;
};

/* Processes: they return only when there is nothing for them to do. */
void hostile_act(struct hostile *hostile, unsigned int number, bool master);
void hostile_check_frames(struct hostile *hostile, uint64_t seed);
void hostile_turn_knobs(struct hostile *hostile, uint64_t seed);
void hostile_press(struct hostile *hostile, uint64_t seed);
void hostile_watch_bounds(struct hostile *hostile);

/* hostile_display.c: 0 or -errno, and nothing on stderr, refusals are part of the game. */
int hostile_find_planes(struct hostile *hostile);
int hostile_lock_display(struct hostile *hostile, bool exclusively);
void hostile_unlock_display(struct hostile *hostile);

#define HOSTILE_CACHE "/sys/class/drm/card0/device/scanout_cache"
#define HOSTILE_DEBUG "/sys/kernel/debug/dri/0"

static inline void hostile_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline void hostile_peak(_Atomic uint64_t *counter, uint64_t value)
{
	uint64_t old = atomic_load(counter);

	while (value > old && !atomic_compare_exchange_weak(counter, &old, value))
		;
}

/* The next of a sequence that the seed determines (splitmix64). */
static inline uint64_t hostile_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline uint32_t hostile_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(hostile_random(state) % bound);
}

#endif
