// SPDX-License-Identifier: GPL-2.0-only
/*
 * One place decides what is a scanout fault and keeps the log.
 */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>

#include "mdp4_model.h"

const char * const mdp4_source_names[MDP4_SOURCES] = {
	[MDP4_VG1] = "VG1",
	[MDP4_VG2] = "VG2",
	[MDP4_RGB1] = "RGB1",
	[MDP4_RGB2] = "RGB2",
	[MDP4_CURSOR] = "CURSOR",
};

const char * const mdp4_fault_names[MDP4_FAULT_KINDS] = {
	[MDP4_FAULT_UNMAPPED] = "unmapped",
	[MDP4_FAULT_NO_DOMAIN] = "no-domain",
	[MDP4_FAULT_FREED] = "freed",
	[MDP4_FAULT_UNMAPPED_LIVE] = "unmapped-live",
	[MDP4_FAULT_POISONED] = "poisoned",
};

/*
 * The driver waits 50 ms for a flush, counted in jiffies, and rightly unmaps when that has passed.
 * On a machine whose CPUs are not always run this proves nothing about the driver if the vsync is
 * overdue, or if jiffies, having stood still, have just caught up: then 50 ms passed in no time.
 */
static bool driver_gave_up(struct mdp4_model *m)
{
	ktime_t now = ktime_get();
	s64 patience_ns = mdp4_patience_ns(m);
	s64 jiffies_ns = (s64)(get_jiffies_64() - m->vsync_jiffies) * TICK_NSEC;
	s64 jump_ns = jiffies_ns - ktime_to_ns(ktime_sub(now, m->vsync_at));

	return ktime_after(now, ktime_add_ns(m->vsync_due, patience_ns)) || jump_ns > patience_ns;
}

/**
 * mdp4_fault - the display cannot fetch a page that the shadow names
 * @m: the display, locked since the generation was last checked
 * @source: who reads
 * @iova: what
 * @kind: why not
 */
void mdp4_fault(struct mdp4_model *m, enum mdp4_source source, u64 iova,
		enum mdp4_fault_kind kind)
{
	lockdep_assert_held(&m->lock);

	if (kind != MDP4_FAULT_POISONED && driver_gave_up(m)) {
		m->stats.faults_discarded_late++;
		return;
	}
	m->stats.scanout_faults++;
	m->stats.faults_by_kind[kind]++;
	m->fault_log[m->fault_count++ % MDP4_FAULT_LOG] = (struct mdp4_fault) {
		.seq = m->seq,
		.iova = iova,
		.source = source,
		.kind = kind,
	};
}

/**
 * mdp4_unmap_begins - the driver is about to unmap: not what the running frame is read from?
 * @m: the display
 * @iova: of the buffer
 * @bytes: its size
 *
 * A walk begins with the frame. What is unmapped in the middle of one, and replaced before the
 * next, may be missed by both walks. It is called from a probe, where lockdep cannot follow.
 */
void mdp4_unmap_begins(struct mdp4_model *m, u64 iova, u64 bytes)
{
	struct mdp4_fetch fetch[MDP4_PLANES];
	unsigned int pipe;
	int i, n;

	lockdep_off();
	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		for (pipe = 0; pipe < MDP4_PIPES; pipe++) {
			if (!mdp4_pipe_stage(&m->shadow, pipe))
				continue;
			n = mdp4_pipe_fetches(&m->shadow.pipe[pipe], pipe, fetch);
			for (i = 0; i < n; i++)
				if (fetch[i].iova >= iova && fetch[i].iova < iova + bytes)
					mdp4_fault(m, pipe, fetch[i].iova,
						   MDP4_FAULT_UNMAPPED_LIVE);
		}
	}
	lockdep_on();
}
