// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge: after every vsync, can the display fetch every page of what it shows?
 *
 * A walk goes through the fetched rows in order and looks each page up once, in pieces of
 * WALK_CHUNK pages under the model's lock, checking first that the generation is still the one
 * the walk began with. So a page that is missing is missing while it is live, see
 * mdp4_model_domain.c; and the vsync interrupt is held up by no more than one piece.
 *
 * A walk that outlives its frame goes on if the next vsync changed nothing (that vsync has no
 * walk of its own and counts as skipped), otherwise it ends as an underwalk.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>

#include "mdp4_model.h"

#define WALK_CHUNK	64

/**
 * struct mdp4_scan - state of the walk under way
 */
struct mdp4_scan {
	struct mdp4_model *m;
	/** @gen: of the shadow that @fetch is from */
	u64 gen;
	struct mdp4_fetch fetch[MDP4_PIPES * MDP4_PLANES];
	unsigned int fetches;
	/** @wanted: value of walks_wanted that this walk is for */
	u64 wanted;
	/** @said_gen: the last generation whose faults the kernel log was told of */
	u64 said_gen;
};

/* The pages of a fetch, in order, each once */
struct page_cursor {
	const struct mdp4_fetch *f;
	u32 row;
	u64 pfn;
	u64 last_pfn;
};

static void row_pages(struct page_cursor *c)
{
	u64 start = c->f->iova + (u64)c->row * c->f->stride_bytes;
	u64 first = start >> PAGE_SHIFT;

	/* Rows that share a page follow each other, unless the stride is 0: then all do */
	c->pfn = c->row ? max(first, c->last_pfn + 1) : first;
	c->last_pfn = max(c->row ? c->last_pfn : 0,
			  (start + c->f->row_bytes - 1) >> PAGE_SHIFT);
}

static bool next_page(struct page_cursor *c, u64 *iova)
{
	while (c->pfn > c->last_pfn) {
		if (++c->row >= c->f->rows)
			return false;
		row_pages(c);
	}
	*iova = c->pfn++ << PAGE_SHIFT;
	return true;
}

static bool scan_fetch(struct mdp4_scan *s, struct iommu_domain *domain,
		       const struct mdp4_fetch *f)
{
	struct page_cursor c = { .f = f };
	struct mdp4_model *m = s->m;
	enum mdp4_fault_kind kind;
	unsigned int n;
	u64 iova;

	row_pages(&c);
	for (;;) {
		scoped_guard(raw_spinlock_irqsave, &m->lock) {
			if (m->gen != s->gen)
				return false;
			for (n = 0; n < WALK_CHUNK; n++) {
				if (!next_page(&c, &iova))
					return true;
				m->stats.scanned_pages++;
				if (!mdp4_translate(m, domain, iova, &kind))
					mdp4_fault(m, f->source, iova, kind);
			}
		}
		cond_resched();
	}
}

/*
 * The cursor's registers change without a vsync and its old buffer may be unmapped right after,
 * so a page counts as missing only if the registers still name it after the lookup.
 */
static bool scan_cursor(struct mdp4_scan *s, struct iommu_domain *domain)
{
	struct mdp4_fetch f, again;
	struct mdp4_model *m = s->m;
	enum mdp4_fault_kind kind;
	struct page_cursor c;
	u64 iova;

	guard(raw_spinlock_irqsave)(&m->lock);
	if (m->gen != s->gen)
		return false;
	if (!mdp4_cursor_fetch(m, &f))
		return true;
	c = (struct page_cursor) { .f = &f };
	row_pages(&c);
	while (next_page(&c, &iova)) {
		m->stats.scanned_pages++;
		if (mdp4_translate(m, domain, iova, &kind))
			continue;
		/* The lookup before the second look at the registers */
		smp_rmb();
		if (mdp4_cursor_fetch(m, &again) && again.iova == f.iova)
			mdp4_fault(m, MDP4_CURSOR, iova, kind);
	}
	return true;
}

static int scan_all(struct iommu_domain *domain, void *data)
{
	struct mdp4_scan *s = data;
	unsigned int i;

	for (i = 0; i < s->fetches; i++)
		if (!scan_fetch(s, domain, &s->fetch[i]))
			return 0;
	return scan_cursor(s, domain);
}

static void begin_walk(struct mdp4_scan *s)
{
	struct mdp4_model *m = s->m;
	unsigned int i;

	guard(raw_spinlock_irqsave)(&m->lock);
	/* Several vsyncs at once: one walk for the last, the others go without */
	m->stats.walks_skipped += m->walks_wanted - s->wanted - 1;
	m->stats.walks_started++;
	s->wanted = m->walks_wanted;
	s->gen = m->gen;
	s->fetches = 0;
	for (i = 0; i < MDP4_PIPES; i++)
		if (mdp4_pipe_stage(&m->shadow, i))
			s->fetches += mdp4_pipe_fetches(&m->shadow.pipe[i], i,
							&s->fetch[s->fetches]);
}

static void end_walk(struct mdp4_scan *s, bool complete, u64 ns)
{
	struct mdp4_model *m = s->m;

	guard(raw_spinlock_irqsave)(&m->lock);
	if (!complete) {
		m->stats.underwalks++;
		return;
	}
	m->stats.walks_completed++;
	m->stats.walk_sum_ns += ns;
	m->stats.walk_max_ns = max(m->stats.walk_max_ns, ns);
}

/* The kernel log hears of faults once a frame, and not from under the lock */
static void say_faults(struct mdp4_scan *s, u64 count_before)
{
	struct mdp4_model *m = s->m;
	struct mdp4_fault last;
	u64 count;

	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		count = m->fault_count - min(count_before, m->fault_count);
		if (!count || s->said_gen == s->gen)
			return;
		last = m->fault_log[(m->fault_count - 1) % MDP4_FAULT_LOG];
	}
	s->said_gen = s->gen;
	pr_err_ratelimited("scanout faults: %llu pages, last: seq %llu %s iova %#llx %s\n", count,
			   last.seq, mdp4_source_names[last.source], last.iova,
			   mdp4_fault_names[last.kind]);
}

static int walker(void *data)
{
	struct mdp4_scan *s = data;
	struct mdp4_model *m = s->m;

	while (!kthread_should_stop()) {
		u64 faults_before;
		ktime_t start;
		bool complete;

		wait_event_idle(m->walk_wq, kthread_should_stop() ||
				READ_ONCE(m->walks_wanted) != s->wanted);
		if (kthread_should_stop())
			break;
		faults_before = READ_ONCE(m->fault_count);
		begin_walk(s);
		start = ktime_get();
		complete = mdp4_with_domain(m, scan_all, s);
		end_walk(s, complete, ktime_to_ns(ktime_sub(ktime_get(), start)));
		say_faults(s, faults_before);
	}
	return 0;
}

/**
 * mdp4_scan_start - start the judge
 * @m: the display
 *
 * Return: 0 or a negative error.
 */
int mdp4_scan_start(struct mdp4_model *m)
{
	struct mdp4_scan *s = kzalloc_obj(*s);
	struct task_struct *task;

	if (!s)
		return -ENOMEM;
	s->m = m;
	task = kthread_run(walker, s, "mdp4_walker");
	if (IS_ERR(task)) {
		kfree(s);
		return PTR_ERR(task);
	}
	/*
	 * A millisecond or two a frame, and worth nothing if it comes too late: ahead of everything
	 * ordinary, behind every other real-time thread.
	 */
	sched_set_fifo_low(task);
	m->scan = s;
	m->walker = task;
	return 0;
}

/**
 * mdp4_scan_stop - stop the judge
 * @m: the display
 */
void mdp4_scan_stop(struct mdp4_model *m)
{
	kthread_stop(m->walker);
	kfree(m->scan);
}
