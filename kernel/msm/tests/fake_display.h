/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A display that exists only as bookkeeping: what is mapped, what the TLB may
 * still hold, what time it is, and what the cache has asked to be called for.
 */

#ifndef __FAKE_DISPLAY_H__
#define __FAKE_DISPLAY_H__

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <kunit/test.h>

#include "../msm_scanout.h"
#include "../msm_scanout_cache.h"

#define FAKE_WINDOW_START	MSM_SCANOUT_WINDOW_START
#define FAKE_WINDOW_BYTES	MSM_SCANOUT_WINDOW_BYTES
#define FAKE_MAX_BUFFERS	1024
#define FAKE_MAX_ENDS		1024

/**
 * struct fake_range - one range in the fake page table
 */
struct fake_range {
	/** @link: on &fake_display.ranges */
	struct list_head link;
	/** @entry: for which it was mapped */
	struct msm_scanout_entry *entry;
	/** @start: first address */
	u64 start;
	/** @end: address after the last, granule included */
	u64 end;
	/** @stale_for: who unmapped it, but has not flushed the TLB yet */
	struct task_struct *stale_for;
};

/**
 * struct fake_buffer - one buffer that may be shown
 */
struct fake_buffer {
	/** @entry: what the cache knows of it */
	struct msm_scanout_entry entry;
	/** @display: on which it is shown */
	struct fake_display *display;
	/** @index: in &fake_display.buffer */
	unsigned int index;
	/** @holds: references that the cache holds, at most one */
	atomic_t holds;
	/** @wanted: by somebody else than the cache */
	bool wanted;
	/** @kept: the memory is not given back when it is freed */
	bool kept;
};

/**
 * struct fake_display - the display
 */
struct fake_display {
	/** @cache: under test */
	struct msm_scanout_cache cache;
	/** @ops: what it calls; a test may take optional ones away */
	struct msm_scanout_cache_ops ops;
	/** @test: the running test */
	struct kunit *test;

	/** @buffer: all buffers, NULL where one was freed */
	struct fake_buffer *buffer[FAKE_MAX_BUFFERS];
	/** @buffers: number of places used in @buffer */
	unsigned int buffers;

	/** @lock: protects @ranges, @violation and the counts of calls */
	spinlock_t lock;
	/** @ranges: what is mapped, or may still be in the TLB */
	struct list_head ranges;
	/** @maps: successful calls of map */
	u64 maps;
	/** @unmaps: calls of unmap */
	u64 unmaps;
	/** @flushes: calls of flush */
	u64 flushes;
	/** @complaints: kinds of those that the kernel had before the test */
	unsigned int complaints;
	/** @allocated: by the core, before the test */
	int allocated;
	/** @violations: things that must not happen, and did */
	unsigned int violations;
	/** @violation: the first of them */
	char violation[160];

	/** @now_ns: the time */
	u64 now_ns;
	/** @real_clock: use the kernel's clock instead of @now_ns */
	bool real_clock;
	/** @threads: more than one thread uses it */
	bool threads;
	/** @map_takes_ns: how much time passes in map */
	u64 map_takes_ns;
	/** @unmap_takes_ns: how much time passes in unmap */
	u64 unmap_takes_ns;
	/** @map_error: what map returns, 0 to have it succeed */
	int map_error;
	/** @map_fails_for: who can map only half of a buffer */
	struct task_struct *map_fails_for;

	/** @reap_due: kick_reap was called since the last reap */
	bool reap_due;
	/** @release_due: kick_release was called since the last release */
	bool release_due;
	/** @expire_at_ns: when arm wants expire to be called, or U64_MAX */
	u64 expire_at_ns;
	/** @drained: nothing may be asked for any more */
	bool drained;
	/** @wake: optional; called when one of the above three changes */
	void (*wake)(struct fake_display *display);
	/** @released: optional; called after a reference was given back */
	void (*released)(struct fake_buffer *buffer);

	/** @gated: hold the next unmap up */
	bool gated;
	/** @at_gate: completed by an unmap that was held up */
	struct completion at_gate;
	/** @gate: lets it go on */
	struct completion gate;

	/** @end: the first mappings that ended: whose, and why; under the cache lock */
	struct {
		struct msm_scanout_entry *entry;
		enum msm_scanout_reason reason;
	} end[FAKE_MAX_ENDS];
	/** @ends: how many ended */
	unsigned int ends;
	/** @log_ends: keep @end; off where buffers are freed meanwhile */
	bool log_ends;

	/** @snap: for who needs one, and is alone */
	struct msm_scanout_snapshot snap;
};

struct fake_display *fake_display_new(struct kunit *test, u64 window_bytes);
void fake_display_free(struct fake_display *display);
void fake_display_begin(struct fake_display *display, struct kunit *test, u64 window_bytes);
void fake_display_end(struct fake_display *display);
void fake_drain(struct fake_display *display);
void fake_violation(struct fake_display *display, const char *fmt, ...) __printf(2, 3);

struct fake_buffer *fake_buffer_new(struct fake_display *display, u64 bytes,
				    bool may_linger);
void fake_buffer_begin(struct fake_display *display, struct fake_buffer *buffer, u64 bytes,
		       bool may_linger);
void fake_buffer_free(struct fake_buffer *buffer);
unsigned int fake_mapped(struct fake_display *display, struct msm_scanout_entry *entry);
bool fake_mapped_at(struct fake_display *display, struct msm_scanout_entry *entry, u64 iova);

u64 fake_show(struct fake_display *display, unsigned int index);
void fake_hide(struct fake_display *display, unsigned int index);
void fake_flip(struct fake_display *display, unsigned int index);
void fake_reap(struct fake_display *display);
void fake_release(struct fake_display *display);
void fake_advance(struct fake_display *display, u64 ns);
void fake_limit(struct fake_display *display, enum msm_scanout_limit which,
		u64 value);
const char *fake_sums_wrong(const struct msm_scanout_snapshot *snap);
const char *fake_wrong(struct fake_display *display);
void fake_check(struct fake_display *display);

const char *fake_states(struct fake_display *display);
const char *fake_idle_order(struct fake_display *display);

#endif /* __FAKE_DISPLAY_H__ */
