// SPDX-License-Identifier: GPL-2.0-only

#include <linux/moduleparam.h>
#include <linux/spinlock.h>

#include "hooks.h"

/* Only a core that tests/kunit/mutants has compiled mistakes into looks at it. */
int hook_mutant;
module_param_named(mutant, hook_mutant, int, 0444);
MODULE_PARM_DESC(mutant, "number of the mistake that the core makes (default 0: none)");

/**
 * struct faults - which calls of one kind fail
 */
struct faults {
	/** @armed: count and fail */
	bool armed;
	/** @seen: calls since it was armed */
	unsigned int seen;
	/** @first: first call to fail, counted from 0 */
	unsigned int first;
	/** @last: last call to fail */
	unsigned int last;
};

u64 hook_work;
atomic_t hook_allocated;

static struct faults faults[HOOK_FAULTS];
static DEFINE_SPINLOCK(faults_lock);

/* Have calls @first to @last, counted from 0, fail. */
void hook_faults_arm(enum hook_fault kind, unsigned int first, unsigned int last)
{
	spin_lock(&faults_lock);
	faults[kind] = (struct faults) { .armed = true, .first = first, .last = last };
	spin_unlock(&faults_lock);
}

/* Returns how many calls there were. */
unsigned int hook_faults_disarm(enum hook_fault kind)
{
	unsigned int seen;

	spin_lock(&faults_lock);
	seen = faults[kind].seen;
	faults[kind].armed = false;
	spin_unlock(&faults_lock);

	return seen;
}

bool hook_fails(enum hook_fault kind)
{
	struct faults *f = &faults[kind];
	bool fails = false;

	if (!READ_ONCE(f->armed))
		return false;

	spin_lock(&faults_lock);
	if (f->armed) {
		fails = f->seen >= f->first && f->seen <= f->last;
		f->seen++;
	}
	spin_unlock(&faults_lock);

	return fails;
}
