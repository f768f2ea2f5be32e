// SPDX-License-Identifier: GPL-2.0-only
/*
 * One place decides what is a scanout fault and keeps the log.
 */
#include <linux/kernel.h>

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
	[MDP4_FAULT_POISONED] = "poisoned",
};

/*
 * The driver gives up waiting for a flush after 50 ms and for the panel to stop after 100 ms, and
 * rightly unmaps then. If it is this machine that was too slow for a vsync, that proves nothing.
 */
static bool vsync_overdue(struct mdp4_model *m)
{
	return ktime_after(ktime_get(), ktime_add_ns(m->vsync_due, 2 * mdp4_period_ns(m)));
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

	if (kind != MDP4_FAULT_POISONED && vsync_overdue(m)) {
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
