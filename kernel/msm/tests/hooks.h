/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the tests take part in what the core does: core.c includes this before
 * the core, so that its own calls of the kernel come by here.
 *
 * Without an actor (see actors.h) and without an armed fault, which is how most
 * tests run, everything is as it is in the driver.
 */

#ifndef __HOOKS_H__
#define __HOOKS_H__

#include <linux/atomic.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <drm/drm_mm.h>

#include "../msm_scanout_cache.h"

/**
 * enum hook_fault - what can be made to fail
 * @HOOK_ALLOC: an allocation by the core
 * @HOOK_SLOT: looking for a slot in the window
 * @HOOK_MAP: the display's map, before it did anything
 * @HOOK_SHORT_MAP: the same, after it mapped half of the buffer
 * @HOOK_FAULTS: their number
 */
enum hook_fault {
	HOOK_ALLOC,
	HOOK_SLOT,
	HOOK_MAP,
	HOOK_SHORT_MAP,
	HOOK_FAULTS,
};

void hook_faults_arm(enum hook_fault kind, unsigned int first, unsigned int last);
unsigned int hook_faults_disarm(enum hook_fault kind);
bool hook_fails(enum hook_fault kind);

/** hook_mutant: which mistake the core makes, see tests/kunit/mutants */
extern int hook_mutant;
/** hook_work: members of lists that the core looked at; for a test that is alone */
extern u64 hook_work;

/* In actors.c */
bool hook_in_actor(void);
void hook_point(const char *at);
void hook_section(void);
void hook_wake(void);

/**
 * struct hook_wait - somebody waits
 */
struct hook_wait {
	/** @head: for this */
	struct wait_queue_head *head;
	/** @entry: on it, unless it is an actor who waits */
	struct wait_queue_entry entry;
};

void hook_wait_begin(struct hook_wait *wait, struct wait_queue_head *head);
void hook_wait_sleep(struct hook_wait *wait);
void hook_wait_end(struct hook_wait *wait);

/** hook_allocated: what the core has allocated and not given back */
extern atomic_t hook_allocated;

static inline void *hook_alloc(size_t size)
{
	void *memory = hook_fails(HOOK_ALLOC) ? NULL : kzalloc(size, GFP_KERNEL);

	if (memory)
		atomic_inc(&hook_allocated);

	return memory;
}

static inline void hook_free(const void *memory)
{
	if (memory)
		atomic_dec(&hook_allocated);
	kfree(memory);
}

static inline int hook_insert_node(struct drm_mm *mm, struct drm_mm_node *node, u64 size,
				   u64 alignment, unsigned long color,
				   enum drm_mm_insert_mode mode)
{
	if (hook_fails(HOOK_SLOT))
		return -ENOSPC;

	return drm_mm_insert_node_generic(mm, node, size, alignment, color, mode);
}

#ifdef HOOK_THE_CORE

#undef kzalloc_obj
#define kzalloc_obj(P, ...) \
	((typeof(P) *)hook_alloc(sizeof(P)))

#define kfree hook_free

#define drm_mm_insert_node_generic hook_insert_node

/* Actors take turns at critical sections. */
#define spin_lock(lock) \
	do { \
		hook_section(); \
		(spin_lock)(lock); \
	} while (0)

/* They must sleep where the others can see it. */
#undef wait_event
#define wait_event(wq_head, condition) \
	do { \
		struct hook_wait __wait; \
		hook_wait_begin(&__wait, &(wq_head)); \
		while (!(condition)) \
			hook_wait_sleep(&__wait); \
		hook_wait_end(&__wait); \
	} while (0)

#undef wake_up_all
#define wake_up_all(wq_head) \
	do { \
		hook_wake(); \
		__wake_up(wq_head, TASK_NORMAL, 0, NULL); \
	} while (0)

/* Each look at a member of a list is a unit of work. */
#undef list_entry
#define list_entry(ptr, type, member) \
	(hook_work++, container_of(ptr, type, member))

#endif /* HOOK_THE_CORE */

#endif /* __HOOKS_H__ */
