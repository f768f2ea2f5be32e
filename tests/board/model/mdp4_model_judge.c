// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge of stale translations: after an unmap, can the display still read what was there?
 *
 * The other judge (mdp4_model_scan.c) looks at page tables. Hardware does not, it has a TLB, and a
 * driver that forgets to invalidate it is not found out by any page table. So this one reads, with
 * a bus master in the display's own domain (mdp4_model_reader.c), some pages of every buffer:
 *
 *   once it is mapped     it must get the bytes of the pages that the driver asked to be mapped
 *   now and then          as long as the buffer is mapped: the same
 *   before it is unmapped the same; and now the TLB has the translation for certain
 *   after the unmap       it must fault
 *
 * "After" is when the driver may give the pages and the addresses to somebody else: when
 * msm_iommu_unmap() returns, or for an unmap that leaves invalidating for later, when the same task
 * has done that.
 *
 * Off until asked for, because it costs some register accesses for each page that it reads.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "mdp4_model.h"
#include "mdp4_model_judge.h"

/* More buffers than that at a time are counted, but not looked at */
#define SLOTS		1024
#define SAMPLES		4
#define LIVE_PERIOD	msecs_to_jiffies(10)
#define LIVE_AT_ONCE	4
/* A client may be drawing meanwhile */
#define ATTEMPTS	3
#define TOLD		8

enum slot_state {
	SLOT_FREE,
	SLOT_MAPPING,
	SLOT_LIVE,
	SLOT_UNMAPPING,
	SLOT_DEFERRED,
};

enum verdict {
	UNDECIDED,
	RIGHT,
	FAULTED,
	WRONG,
};

/**
 * struct judge_slot - a buffer's place in the display's address space
 */
struct judge_slot {
	enum slot_state state;
	u64 iova;
	u64 bytes;
	/** @task: who is unmapping it */
	struct task_struct *task;
	/** @warm: samples that were read right before the unmap began, as bits */
	unsigned int warm;
	/** @samples: where it is looked at */
	struct {
		u64 iova;
		phys_addr_t phys;
	} samples[SAMPLES];
};

/**
 * struct mdp4_judge - the judge
 */
struct mdp4_judge {
	struct mdp4_model *m;
	/** @mutex: serialises switching on and off, binding and unbinding */
	struct mutex mutex;
	bool on;
	struct mdp4_reader reader;
	struct delayed_work look;
	struct dentry *debugfs;

	/**
	 * @lock: guards everything down to @slots. What takes it may have interrupted anything as a
	 * breakpoint does, which lockdep cannot follow, and does not interrupt itself.
	 */
	arch_spinlock_t lock;
	/** @attached: the reader is in the display's domain */
	bool attached;
	u64 random;
	unsigned int told;
	/** @stats: what debugfs judge/ shows */
	struct {
		/** @operations: maps and unmaps of buffers */
		u64 operations;
		/** @sampled: of these, how many have at least one verdict */
		u64 sampled;
		/** @untracked: of these, how many were not looked at because the table was full */
		u64 untracked;
		/** @samples: verdicts, the sum of the next five */
		u64 samples;
		/** @live_ok: what is mapped could be read, and was right */
		u64 live_ok;
		/** @live_faulted: what is mapped could not be read */
		u64 live_faulted;
		/** @wrong_bytes: what is mapped has other bytes than the buffer, or other pages */
		u64 wrong_bytes;
		/** @dead_faulted: what is unmapped could not be read */
		u64 dead_faulted;
		/** @stale: what is unmapped could be read */
		u64 stale;
		/** @undecided: samples without a verdict: the bytes changed all the time */
		u64 undecided;
		/** @reused: unmapped places that were given away before they could be read */
		u64 reused;
	} stats;
	/** @slots_used: no slot is in use from here on */
	unsigned int slots_used;
	struct judge_slot slots[SLOTS];
};

static unsigned long judge_lock(struct mdp4_judge *j)
{
	unsigned long flags;

	local_irq_save(flags);
	arch_spin_lock(&j->lock);
	return flags;
}

static void judge_unlock(struct mdp4_judge *j, unsigned long flags)
{
	arch_spin_unlock(&j->lock);
	local_irq_restore(flags);
}

/* Numbers that look random suffice, and the kernel's own may take locks */
static u64 next_random(struct mdp4_judge *j)
{
	j->random = j->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return j->random >> 32;
}

/*
 * Looking
 */

static bool peek(phys_addr_t phys, u64 *bytes)
{
	return pfn_valid(PHYS_PFN(phys)) &&
	       !copy_from_kernel_nofault(bytes, phys_to_virt(phys), sizeof(*bytes));
}

static enum verdict look_live(struct mdp4_judge *j, u64 iova, phys_addr_t phys)
{
	enum verdict verdict = UNDECIDED;
	u64 before, after, read;
	int ret, i;

	for (i = 0; i < ATTEMPTS; i++) {
		if (!peek(phys, &before))
			return UNDECIDED;
		ret = mdp4_reader_read(&j->reader, iova, &read);
		if (ret < 0)
			return UNDECIDED;
		if (ret)
			return FAULTED;
		if (!peek(phys, &after))
			return UNDECIDED;
		if (read == before || read == after)
			return iommu_iova_to_phys(j->reader.domain, iova) == phys ? RIGHT : WRONG;
		verdict = before == after ? WRONG : UNDECIDED;
	}
	return verdict;
}

static void tell(struct mdp4_judge *j, const char *what, u64 iova)
{
	if (j->told++ < TOLD)
		pr_err("judge: iova %#llx %s\n", iova, what);
}

static bool judge_live(struct mdp4_judge *j, const struct judge_slot *slot, unsigned int i)
{
	u64 iova = slot->samples[i].iova;
	enum verdict verdict;

	verdict = look_live(j, iova, slot->samples[i].phys);
	if (verdict == UNDECIDED) {
		j->stats.undecided++;
		return false;
	}
	j->stats.samples++;
	if (verdict == RIGHT) {
		j->stats.live_ok++;
		return true;
	}
	if (verdict == FAULTED) {
		j->stats.live_faulted++;
		tell(j, "is mapped, but reading it faulted", iova);
		return true;
	}
	j->stats.wrong_bytes++;
	tell(j, "is mapped, but is not the buffer's memory", iova);
	return true;
}

static bool judge_dead(struct mdp4_judge *j, u64 iova)
{
	u64 read;
	int ret;

	ret = mdp4_reader_read(&j->reader, iova, &read);
	if (ret < 0) {
		j->stats.undecided++;
		return false;
	}
	j->stats.samples++;
	if (ret) {
		j->stats.dead_faulted++;
	} else {
		j->stats.stale++;
		tell(j, "was unmapped, but can still be read", iova);
	}
	return true;
}

/*
 * Slots
 */

static struct judge_slot *find_slot(struct mdp4_judge *j, u64 iova, u64 bytes)
{
	unsigned int i;

	for (i = 0; i < j->slots_used; i++)
		if (j->slots[i].state == SLOT_LIVE && j->slots[i].iova == iova &&
		    j->slots[i].bytes == bytes)
			return &j->slots[i];
	return NULL;
}

/* Whether somebody else has, or is about to have, a part of a place */
static bool is_taken(struct mdp4_judge *j, const struct judge_slot *place)
{
	const struct judge_slot *s;
	unsigned int i;

	for (i = 0; i < j->slots_used; i++) {
		s = &j->slots[i];
		if ((s->state == SLOT_MAPPING || s->state == SLOT_LIVE) && s != place &&
		    s->iova < place->iova + place->bytes && place->iova < s->iova + s->bytes)
			return true;
	}
	return false;
}

static struct judge_slot *new_slot(struct mdp4_judge *j, u64 iova, u64 bytes)
{
	struct judge_slot *slot;
	unsigned int i;
	u64 page;

	for (i = 0; i < SLOTS && j->slots[i].state != SLOT_FREE; i++)
		;
	if (i == SLOTS || !bytes || iova + bytes > BIT_ULL(32)) {
		j->stats.untracked++;
		return NULL;
	}
	j->slots_used = max(j->slots_used, i + 1);
	slot = &j->slots[i];
	*slot = (struct judge_slot) { .iova = iova, .bytes = bytes };
	for (i = 0; i < SAMPLES; i++) {
		/* The first and the last page, where mistakes of one are made, and some between */
		page = i == 0 ? 0 : i == 1 ? (bytes - 1) >> PAGE_SHIFT :
					     next_random(j) % ((bytes - 1) / PAGE_SIZE + 1);
		slot->samples[i].iova = iova + (page << PAGE_SHIFT) +
					(next_random(j) % PAGE_SIZE & ~7ULL);
	}
	return slot;
}

static void free_slot(struct mdp4_judge *j, struct judge_slot *slot)
{
	slot->state = SLOT_FREE;
	slot->task = NULL;
	while (j->slots_used && j->slots[j->slots_used - 1].state == SLOT_FREE)
		j->slots_used--;
}

/* A place that is mapped or unmapped other than as a whole is not followed any further */
static void forget_overlapping(struct mdp4_judge *j, u64 iova, u64 bytes)
{
	struct judge_slot *s;
	unsigned int i;

	for (i = j->slots_used; i--;) {
		s = &j->slots[i];
		if (s->state == SLOT_LIVE && s->iova < iova + bytes && iova < s->iova + s->bytes)
			free_slot(j, s);
	}
}

static void find_pages(struct judge_slot *slot, struct sg_table *sgt)
{
	struct scatterlist *sg;
	u64 at = slot->iova;
	unsigned int i, k;

	for_each_sgtable_sg(sgt, sg, i) {
		for (k = 0; k < SAMPLES; k++)
			if (slot->samples[k].iova >= at && slot->samples[k].iova < at + sg->length)
				slot->samples[k].phys = sg_phys(sg) + slot->samples[k].iova - at;
		at += sg->length;
	}
}

/*
 * What the driver does
 */

/**
 * mdp4_judge_map_begin - a buffer is about to be mapped
 * @j: the judge
 * @iova: where
 * @bytes: and how much of it
 * @sgt: its pages
 *
 * Return: for mdp4_judge_map_end().
 */
int mdp4_judge_map_begin(struct mdp4_judge *j, u64 iova, u64 bytes, struct sg_table *sgt)
{
	unsigned long flags = judge_lock(j);
	int ret = MDP4_JUDGE_NO_SLOT;
	struct judge_slot *slot;

	if (j->attached) {
		j->stats.operations++;
		forget_overlapping(j, iova, bytes);
		slot = new_slot(j, iova, bytes);
		if (slot) {
			slot->state = SLOT_MAPPING;
			find_pages(slot, sgt);
			ret = slot - j->slots;
		}
	}
	judge_unlock(j, flags);
	return ret;
}

/**
 * mdp4_judge_map_end - and now it is
 * @j: the judge
 * @nr: from mdp4_judge_map_begin()
 * @mapped: or it is not, there was an error
 */
void mdp4_judge_map_end(struct mdp4_judge *j, int nr, bool mapped)
{
	struct judge_slot *slot = &j->slots[nr];
	unsigned long flags = judge_lock(j);
	bool sampled = false;
	unsigned int i;

	if (!j->attached || slot->state != SLOT_MAPPING) {
		judge_unlock(j, flags);
		return;
	}
	if (mapped) {
		slot->state = SLOT_LIVE;
		for (i = 0; i < SAMPLES; i++)
			sampled |= judge_live(j, slot, i);
		j->stats.sampled += sampled;
	} else {
		j->stats.operations--;
		free_slot(j, slot);
	}
	judge_unlock(j, flags);
}

/**
 * mdp4_judge_unmap_begin - a buffer is about to be unmapped
 * @j: the judge
 * @iova: where it is
 * @bytes: its size
 *
 * Return: for mdp4_judge_unmap_end() or mdp4_judge_unmap_deferred().
 */
int mdp4_judge_unmap_begin(struct mdp4_judge *j, u64 iova, u64 bytes)
{
	int ret = MDP4_JUDGE_NO_SLOT;
	struct judge_slot *slot;
	unsigned long flags;
	unsigned int i;

	mdp4_unmap_begins(j->m, iova, bytes);

	flags = judge_lock(j);
	if (!j->attached)
		goto out;
	j->stats.operations++;
	slot = find_slot(j, iova, bytes);
	if (!slot) {
		/* From before we began to look */
		forget_overlapping(j, iova, bytes);
		slot = new_slot(j, iova, bytes);
		if (!slot)
			goto out;
		for (i = 0; i < SAMPLES; i++)
			slot->samples[i].phys = iommu_iova_to_phys(j->reader.domain,
								   slot->samples[i].iova);
	}
	slot->warm = 0;
	for (i = 0; i < SAMPLES; i++)
		if (slot->samples[i].phys && judge_live(j, slot, i))
			slot->warm |= BIT(i);
	slot->state = SLOT_UNMAPPING;
	slot->task = current;
	ret = slot - j->slots;
out:
	judge_unlock(j, flags);
	return ret;
}

static void judge_gone(struct mdp4_judge *j, struct judge_slot *slot)
{
	bool sampled = false;
	unsigned int i;

	if (is_taken(j, slot)) {
		j->stats.reused++;
	} else {
		for (i = 0; i < SAMPLES; i++)
			if (slot->warm & BIT(i))
				sampled |= judge_dead(j, slot->samples[i].iova);
		j->stats.sampled += sampled;
	}
	free_slot(j, slot);
}

/**
 * mdp4_judge_unmap_end - and now it is gone
 * @j: the judge
 * @nr: from mdp4_judge_unmap_begin()
 */
void mdp4_judge_unmap_end(struct mdp4_judge *j, int nr)
{
	unsigned long flags = judge_lock(j);

	if (j->attached && j->slots[nr].state == SLOT_UNMAPPING)
		judge_gone(j, &j->slots[nr]);
	judge_unlock(j, flags);
}

/**
 * mdp4_judge_unmap_deferred - it is gone from the page tables, the TLB may still have it
 * @j: the judge
 * @nr: from mdp4_judge_unmap_begin()
 */
void mdp4_judge_unmap_deferred(struct mdp4_judge *j, int nr)
{
	unsigned long flags = judge_lock(j);

	if (j->attached && j->slots[nr].state == SLOT_UNMAPPING)
		j->slots[nr].state = SLOT_DEFERRED;
	judge_unlock(j, flags);
}

/**
 * mdp4_judge_flushed - what the running task has unmapped is gone
 * @j: the judge
 */
void mdp4_judge_flushed(struct mdp4_judge *j)
{
	unsigned long flags = judge_lock(j);
	unsigned int i;

	for (i = j->attached ? j->slots_used : 0; i--;)
		if (j->slots[i].state == SLOT_DEFERRED && j->slots[i].task == current)
			judge_gone(j, &j->slots[i]);
	judge_unlock(j, flags);
}

static void look(struct work_struct *work)
{
	struct mdp4_judge *j = container_of(work, struct mdp4_judge, look.work);
	unsigned int i, nr;
	unsigned long flags;

	for (i = 0; i < LIVE_AT_ONCE; i++) {
		flags = judge_lock(j);
		nr = j->slots_used ? next_random(j) % j->slots_used : 0;
		if (j->attached && j->slots[nr].state == SLOT_LIVE)
			judge_live(j, &j->slots[nr], next_random(j) % SAMPLES);
		judge_unlock(j, flags);
	}
	schedule_delayed_work(&j->look, LIVE_PERIOD);
}

/*
 * Coming and going
 */

static int take_domain(struct iommu_domain *domain, void *data)
{
	*(struct iommu_domain **)data = domain;
	return 0;
}

/**
 * mdp4_judge_bound - the driver is there
 * @j: the judge
 *
 * The display's device is locked, so the driver cannot go and free its domain meanwhile.
 */
void mdp4_judge_bound(struct mdp4_judge *j)
{
	struct iommu_domain *domain = NULL;
	unsigned long flags;

	guard(mutex)(&j->mutex);
	if (!j->on || j->attached)
		return;
	mdp4_with_domain(j->m, take_domain, &domain);
	if (!domain || mdp4_reader_attach(&j->reader, domain))
		return;
	flags = judge_lock(j);
	j->attached = true;
	judge_unlock(j, flags);
}

static void detach(struct mdp4_judge *j)
{
	unsigned long flags;

	lockdep_assert_held(&j->mutex);

	flags = judge_lock(j);
	j->attached = false;
	j->slots_used = 0;
	memset(j->slots, 0, sizeof(j->slots));
	judge_unlock(j, flags);
	mdp4_reader_detach(&j->reader);
}

/**
 * mdp4_judge_unbinding - the driver is about to go, and to free its domain
 * @j: the judge
 */
void mdp4_judge_unbinding(struct mdp4_judge *j)
{
	guard(mutex)(&j->mutex);
	detach(j);
}

static int switch_on(struct mdp4_judge *j)
{
	unsigned long flags;
	int ret;

	scoped_guard(mutex, &j->mutex) {
		if (j->on)
			return 0;
		ret = mdp4_reader_find(&j->reader);
		if (ret)
			return ret;
		flags = judge_lock(j);
		memset(&j->stats, 0, sizeof(j->stats));
		j->told = 0;
		judge_unlock(j, flags);
		j->on = true;
	}
	mdp4_judge_bound(j);
	ret = mdp4_hooks_enable(true);
	schedule_delayed_work(&j->look, LIVE_PERIOD);
	return ret;
}

static void switch_off(struct mdp4_judge *j)
{
	mdp4_hooks_enable(false);
	cancel_delayed_work_sync(&j->look);
	guard(mutex)(&j->mutex);
	detach(j);
	mdp4_reader_release(&j->reader);
	j->on = false;
}

static int enable_get(void *data, u64 *value)
{
	struct mdp4_judge *j = data;

	*value = READ_ONCE(j->on);
	return 0;
}

static int enable_set(void *data, u64 value)
{
	struct mdp4_judge *j = data;
	int ret = 0;

	if (value > 1)
		return -ERANGE;
	guard(device)(j->m->dev);
	if (value)
		ret = switch_on(j);
	if (!value || ret)
		switch_off(j);
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(enable_fops, enable_get, enable_set, "%llu\n");

static int missed_get(void *data, u64 *value)
{
	*value = mdp4_hooks_missed();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(missed_fops, missed_get, NULL, "%llu\n");

/**
 * mdp4_judge_debugfs - make the judge's files
 * @m: the display
 */
void mdp4_judge_debugfs(struct mdp4_model *m)
{
	struct dentry *dir = debugfs_create_dir("judge", m->debugfs);
	struct mdp4_judge *j = m->judge;

	debugfs_create_file("enable", 0600, dir, j, &enable_fops);
	debugfs_create_file("missed", 0400, dir, j, &missed_fops);
#define COUNTER(name)	debugfs_create_u64(#name, 0444, dir, &j->stats.name)
	COUNTER(operations);
	COUNTER(sampled);
	COUNTER(untracked);
	COUNTER(samples);
	COUNTER(live_ok);
	COUNTER(live_faulted);
	COUNTER(wrong_bytes);
	COUNTER(dead_faulted);
	COUNTER(stale);
	COUNTER(undecided);
	COUNTER(reused);
#undef COUNTER
}

/**
 * mdp4_judge_init - set up the judge, switched off
 * @m: the display
 *
 * Return: 0 or a negative error.
 */
int mdp4_judge_init(struct mdp4_model *m)
{
	struct mdp4_judge *j = vzalloc(sizeof(*j));
	int ret;

	if (!j)
		return -ENOMEM;
	j->m = m;
	mutex_init(&j->mutex);
	j->lock = (arch_spinlock_t)__ARCH_SPIN_LOCK_UNLOCKED;
	INIT_DELAYED_WORK(&j->look, look);
	ret = mdp4_hooks_init(j, m->dev);
	if (ret) {
		vfree(j);
		return ret;
	}
	m->judge = j;
	return 0;
}

/**
 * mdp4_judge_exit - stop judging
 * @m: the display, which no driver has any more
 */
void mdp4_judge_exit(struct mdp4_model *m)
{
	switch_off(m->judge);
	mdp4_hooks_exit();
	vfree(m->judge);
}
