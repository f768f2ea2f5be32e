// SPDX-License-Identifier: GPL-2.0-only

#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/panic.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "fake_display.h"
#include "hooks.h"

/*
 * Anything that must not happen is noted here rather than expected on the spot:
 * this runs in any thread, some of it under locks.  fake_check() reports it.
 */
void fake_violation(struct fake_display *display, const char *fmt, ...)
{
	unsigned long flags;
	va_list args;

	spin_lock_irqsave(&display->lock, flags);
	if (!display->violations++) {
		va_start(args, fmt);
		vsnprintf(display->violation, sizeof(display->violation), fmt, args);
		va_end(args);
	}
	spin_unlock_irqrestore(&display->lock, flags);
}

static struct fake_display *to_display(struct msm_scanout_cache *cache)
{
	return container_of(cache, struct fake_display, cache);
}

static struct fake_buffer *to_buffer(struct msm_scanout_entry *entry)
{
	return container_of(entry, struct fake_buffer, entry);
}

/* What the cache must have reserved for a buffer of this size. */
static u64 granule(u64 bytes)
{
	return bytes >= MSM_SCANOUT_SLOT_MIN_BYTES ? MSM_SCANOUT_SLOT_BYTES :
						     PAGE_SIZE;
}

/* On the real clock, give others a chance to come in between, seldom a long one. */
static void time_passes(struct fake_display *display, u64 ns)
{
	u32 dice;

	if (!display->real_clock) {
		display->now_ns += ns;
		return;
	}

	dice = get_random_u32_below(512);
	if (!dice)
		usleep_range(10, 50);
	else
		udelay(dice % 8);
	cond_resched();
}

/*
 * The operations
 */

/* The display is out of page tables: what it has mapped is undone. */
static void undo_half_a_map(struct fake_display *display, struct fake_range *range)
{
	hook_point("half a map");

	spin_lock(&display->lock);
	list_del(&range->link);
	display->maps--;
	spin_unlock(&display->lock);
	kfree(range);
}

static int fake_map(struct msm_scanout_cache *cache,
		    struct msm_scanout_entry *entry, u64 iova)
{
	struct fake_display *display = to_display(cache);
	struct fake_range *range, *other;
	const char *wrong = NULL;

	might_sleep();
	lockdep_assert_not_held(&cache->lock);

	time_passes(display, display->map_takes_ns);
	if (display->map_error)
		return display->map_error;
	if (hook_fails(HOOK_MAP))
		return -EIO;

	range = kzalloc_obj(*range);
	if (!range)
		return -ENOMEM;

	range->entry = entry;
	range->start = iova;
	range->end = iova + round_up(entry->bytes, granule(entry->bytes));

	if (!IS_ALIGNED(iova, granule(entry->bytes)))
		wrong = "is not aligned";
	if (iova < FAKE_WINDOW_START || range->end > FAKE_WINDOW_START + cache->window_bytes)
		wrong = "is outside the window";

	spin_lock(&display->lock);
	list_for_each_entry(other, &display->ranges, link) {
		if (range->start < other->end && other->start < range->end)
			wrong = other->stale_for ? "is still in the TLB" :
						   "is mapped already";
	}
	list_add(&range->link, &display->ranges);
	display->maps++;
	spin_unlock(&display->lock);

	if (wrong)
		fake_violation(display, "map: %llx + %llx %s", iova, entry->bytes, wrong);

	if (hook_fails(HOOK_SHORT_MAP) || display->map_fails_for == current) {
		undo_half_a_map(display, range);
		return -EINVAL;
	}

	return 0;
}

static void fake_unmap(struct msm_scanout_cache *cache,
		       struct msm_scanout_entry *entry, u64 iova)
{
	struct fake_display *display = to_display(cache);
	struct fake_range *range, *found = NULL;

	might_sleep();
	lockdep_assert_not_held(&cache->lock);

	if (READ_ONCE(display->gated) && xchg(&display->gated, false)) {
		complete(&display->at_gate);
		wait_for_completion(&display->gate);
	}

	time_passes(display, display->unmap_takes_ns);
	/* With a flush to come, what is between here and there makes no difference. */
	if (!display->ops.flush)
		hook_point("unmap");

	spin_lock(&display->lock);
	display->unmaps++;
	list_for_each_entry(range, &display->ranges, link) {
		if (range->start == iova && range->entry == entry && !range->stale_for)
			found = range;
	}
	if (found && display->ops.flush)
		found->stale_for = current;
	else if (found)
		list_del(&found->link);
	spin_unlock(&display->lock);

	if (!found)
		fake_violation(display, "unmap: %llx is not mapped for this buffer", iova);
	else if (!found->stale_for)
		kfree(found);
}

static void fake_flush(struct msm_scanout_cache *cache)
{
	struct fake_display *display = to_display(cache);
	struct fake_range *range, *tmp;
	LIST_HEAD(clean);

	might_sleep();
	lockdep_assert_not_held(&cache->lock);
	hook_point("flush");

	spin_lock(&display->lock);
	display->flushes++;
	list_for_each_entry_safe(range, tmp, &display->ranges, link) {
		if (range->stale_for == current)
			list_move(&range->link, &clean);
	}
	spin_unlock(&display->lock);

	if (list_empty(&clean))
		fake_violation(display, "flush: nothing was unmapped by this context");
	list_for_each_entry_safe(range, tmp, &clean, link)
		kfree(range);
}

static void fake_hold(struct msm_scanout_entry *entry)
{
	struct fake_display *display = to_display(entry->cache);

	lockdep_assert_held(&entry->cache->lock);

	/* A reference that is being dropped meanwhile, by another thread, counts still. */
	if (atomic_inc_return(&to_buffer(entry)->holds) > (display->threads ? 2 : 1))
		fake_violation(display, "hold: of a buffer that is held");
}

static void fake_ref_release(struct msm_scanout_entry *entry)
{
	struct fake_display *display = to_display(entry->cache);

	might_sleep();
	lockdep_assert_not_held(&entry->cache->lock);
	hook_point("release");

	if (atomic_dec_return(&to_buffer(entry)->holds) < 0)
		fake_violation(display, "release: of a buffer that is not held");
	if (display->released)
		display->released(to_buffer(entry));
}

/* Who would do it is gone once the cache is drained. */
static void asked_for(struct fake_display *display, const char *what)
{
	if (READ_ONCE(display->drained))
		fake_violation(display, "%s: of a drained cache", what);
}

static void fake_kick_reap(struct msm_scanout_cache *cache)
{
	struct fake_display *display = to_display(cache);

	asked_for(display, "kick_reap");
	WRITE_ONCE(display->reap_due, true);
	if (display->wake)
		display->wake(display);
}

static bool fake_unwanted(struct msm_scanout_entry *entry)
{
	lockdep_assert_held(&entry->cache->lock);

	return !to_buffer(entry)->wanted;
}

static void fake_kick_release(struct msm_scanout_cache *cache)
{
	struct fake_display *display = to_display(cache);

	asked_for(display, "kick_release");
	WRITE_ONCE(display->release_due, true);
	if (display->wake)
		display->wake(display);
}

static u64 fake_now(struct msm_scanout_cache *cache)
{
	struct fake_display *display = to_display(cache);

	return display->real_clock ? ktime_get_ns() : display->now_ns;
}

static void fake_arm(struct msm_scanout_cache *cache, u64 delay_ns)
{
	struct fake_display *display = to_display(cache);

	asked_for(display, "arm");
	WRITE_ONCE(display->expire_at_ns, fake_now(cache) + delay_ns);
	if (display->wake)
		display->wake(display);
}

static void fake_event(struct msm_scanout_cache *cache,
		       struct msm_scanout_entry *entry,
		       enum msm_scanout_event event, u64 arg)
{
	struct fake_display *display = to_display(cache);

	lockdep_assert_held(&cache->lock);

	if (event != MSM_SCANOUT_EV_EVICT || !display->log_ends)
		return;
	if (display->ends < FAKE_MAX_ENDS) {
		display->end[display->ends].entry = entry;
		display->end[display->ends].reason = arg;
	}
	display->ends++;
}

static const struct msm_scanout_cache_ops fake_ops = {
	.map = fake_map,
	.unmap = fake_unmap,
	.flush = fake_flush,
	.hold = fake_hold,
	.release = fake_ref_release,
	.unwanted = fake_unwanted,
	.kick_reap = fake_kick_reap,
	.kick_release = fake_kick_release,
	.arm = fake_arm,
	.now_ns = fake_now,
	.stopwatch_ns = fake_now,
	.event = fake_event,
};

/*
 * Life of the display and its buffers
 */

/*
 * Some complaints only reach the console: a warning, a KASAN report, lockdep.
 * A test that provokes the first of them has failed.
 */
static unsigned int complaints(void)
{
	unsigned int mask = 0;

	if (test_taint(TAINT_WARN))
		mask |= BIT(TAINT_WARN);
	if (test_taint(TAINT_BAD_PAGE))
		mask |= BIT(TAINT_BAD_PAGE);
	/* Lockdep has no flag of its own. */
	if (IS_ENABLED(CONFIG_PROVE_LOCKING) && !READ_ONCE(debug_locks))
		mask |= BIT(TAINT_FLAGS_COUNT);

	return mask;
}

/* In memory of the test's own, which is used for many displays, one after the other. */
void fake_display_begin(struct fake_display *display, struct kunit *test, u64 window_bytes)
{
	memset(display, 0, sizeof(*display));
	display->test = test;
	display->ops = fake_ops;
	display->now_ns = NSEC_PER_SEC;
	display->expire_at_ns = U64_MAX;
	display->log_ends = true;
	display->complaints = complaints();
	display->allocated = atomic_read(&hook_allocated);
	spin_lock_init(&display->lock);
	INIT_LIST_HEAD(&display->ranges);
	init_completion(&display->at_gate);
	init_completion(&display->gate);
	msm_scanout_cache_init(&display->cache, &display->ops, FAKE_WINDOW_START,
			       window_bytes);
	/* Tests can tell in what order this one evicts, and choose another where they want to. */
	msm_scanout_policy_start(&display->cache.policy, MSM_SCANOUT_LRU);
}

struct fake_display *fake_display_new(struct kunit *test, u64 window_bytes)
{
	struct fake_display *display = kunit_kzalloc(test, sizeof(*display), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, display);
	fake_display_begin(display, test, window_bytes);

	return display;
}

void fake_drain(struct fake_display *display)
{
	msm_scanout_cache_drain(&display->cache);
	WRITE_ONCE(display->drained, true);
}

/* Take everything down, and make sure that this leaves nothing behind. */
void fake_display_end(struct fake_display *display)
{
	struct msm_scanout_snapshot *snap = &display->snap;
	struct kunit *test = display->test;
	const char *wrong;

	/* A test that failed may have left things in disorder. */
	display->map_error = 0;
	complete_all(&display->gate);
	for (unsigned int i = 0; i < display->buffers; i++) {
		while (display->buffer[i] && display->buffer[i]->entry.users)
			msm_scanout_cache_put(&display->buffer[i]->entry);
	}

	fake_drain(display);
	msm_scanout_cache_snapshot(&display->cache, snap);
	KUNIT_EXPECT_EQ(test, snap->gauges.active_bytes, 0);
	KUNIT_EXPECT_EQ(test, snap->gauges.active_entries, 0);
	KUNIT_EXPECT_EQ(test, snap->gauges.idle_bytes, 0);
	KUNIT_EXPECT_EQ(test, snap->gauges.idle_entries, 0);
	KUNIT_EXPECT_EQ(test, snap->gauges.quarantined_bytes, 0);
	KUNIT_EXPECT_EQ(test, snap->gauges.quarantined_entries, 0);
	KUNIT_EXPECT_EQ(test, snap->gauges.lingering_entries, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&display->ranges));

	for (unsigned int i = 0; i < display->buffers; i++) {
		if (!display->buffer[i])
			continue;
		KUNIT_EXPECT_EQ(test, atomic_read(&display->buffer[i]->holds), 0);
		fake_buffer_free(display->buffer[i]);
	}

	msm_scanout_cache_snapshot(&display->cache, snap);
	KUNIT_EXPECT_EQ(test, snap->ghost_entries, 0);
	KUNIT_EXPECT_EQ(test, snap->counters.inserts, display->maps);
	wrong = fake_sums_wrong(snap);
	KUNIT_EXPECT_NULL_MSG(test, wrong, "%s", wrong);
	KUNIT_EXPECT_EQ(test, display->maps, display->unmaps);
	msm_scanout_cache_fini(&display->cache);

	KUNIT_EXPECT_EQ_MSG(test, display->violations, 0, "first of them: %s",
			    display->violation);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&hook_allocated), display->allocated,
			    "what the core has allocated was not given back");
	KUNIT_EXPECT_EQ_MSG(test, complaints(), display->complaints,
			    "the kernel complained during this test");
}

void fake_display_free(struct fake_display *display)
{
	fake_display_end(display);
	kunit_kfree(display->test, display);
}

void fake_buffer_begin(struct fake_display *display, struct fake_buffer *buffer, u64 bytes,
		       bool may_linger)
{
	KUNIT_ASSERT_LT(display->test, display->buffers, FAKE_MAX_BUFFERS);

	buffer->display = display;
	buffer->index = display->buffers;
	atomic_set(&buffer->holds, 0);
	msm_scanout_entry_init(&display->cache, &buffer->entry, bytes, may_linger);
	display->buffer[display->buffers++] = buffer;
}

struct fake_buffer *fake_buffer_new(struct fake_display *display, u64 bytes,
				    bool may_linger)
{
	struct kunit *test = display->test;
	struct fake_buffer *buffer = kunit_kzalloc(test, sizeof(*buffer), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	fake_buffer_begin(display, buffer, bytes, may_linger);

	return buffer;
}

/* The memory is given back at once, or spoilt, so that it is seen who still uses it. */
void fake_buffer_free(struct fake_buffer *buffer)
{
	struct fake_display *display = buffer->display;

	msm_scanout_cache_remove(&buffer->entry);
	if (fake_mapped(display, &buffer->entry))
		fake_violation(display, "buffer %u freed while the hardware can reach it",
			       buffer->index);
	display->buffer[buffer->index] = NULL;
	if (buffer->kept)
		memset(&buffer->entry, 0x5a, sizeof(buffer->entry));
	else
		kunit_kfree(display->test, buffer);
}

/* How many ranges of a buffer the hardware may reach. */
unsigned int fake_mapped(struct fake_display *display, struct msm_scanout_entry *entry)
{
	struct fake_range *range;
	unsigned int n = 0;

	spin_lock(&display->lock);
	list_for_each_entry(range, &display->ranges, link)
		n += range->entry == entry;
	spin_unlock(&display->lock);

	return n;
}

/* Whether the hardware finds this buffer at this address. */
bool fake_mapped_at(struct fake_display *display, struct msm_scanout_entry *entry, u64 iova)
{
	struct fake_range *range;
	bool found = false;

	spin_lock(&display->lock);
	list_for_each_entry(range, &display->ranges, link)
		found |= range->entry == entry && range->start == iova && !range->stale_for;
	spin_unlock(&display->lock);

	return found;
}

/*
 * Steps of a test; each checks that all is well afterwards
 */

u64 fake_show(struct fake_display *display, unsigned int index)
{
	struct msm_scanout_entry *entry = &display->buffer[index]->entry;
	u64 iova = 0;

	KUNIT_ASSERT_EQ(display->test, msm_scanout_cache_get(entry, &iova), 0);
	KUNIT_EXPECT_TRUE(display->test, fake_mapped_at(display, entry, iova));
	fake_check(display);

	return iova;
}

void fake_hide(struct fake_display *display, unsigned int index)
{
	msm_scanout_cache_put(&display->buffer[index]->entry);
	fake_check(display);
}

void fake_flip(struct fake_display *display, unsigned int index)
{
	fake_show(display, index);
	fake_hide(display, index);
}

void fake_reap(struct fake_display *display)
{
	display->reap_due = false;
	msm_scanout_cache_reap(&display->cache);
	fake_check(display);
}

void fake_release(struct fake_display *display)
{
	display->release_due = false;
	msm_scanout_cache_release(&display->cache);
	fake_check(display);
}

/* Let time pass, and do what the cache wants done meanwhile, exactly on time. */
void fake_advance(struct fake_display *display, u64 ns)
{
	u64 end = display->now_ns + ns;
	unsigned int calls = 0;

	while (display->expire_at_ns <= end) {
		display->now_ns = max(display->now_ns, display->expire_at_ns);
		display->expire_at_ns = U64_MAX;
		msm_scanout_cache_expire(&display->cache);
		fake_check(display);
		KUNIT_ASSERT_LT_MSG(display->test, calls++, FAKE_MAX_BUFFERS,
				    "expire asks to be called again without end");
	}
	display->now_ns = end;
}

void fake_limit(struct fake_display *display, enum msm_scanout_limit which,
		u64 value)
{
	KUNIT_EXPECT_EQ(display->test,
			msm_scanout_cache_set_limit(&display->cache, which, value), 0);
	fake_check(display);
}

/*
 * Checks that hold at any moment, whatever the test is about
 */

struct tally {
	struct fake_display *display;
	u64 active_bytes, idle_bytes, quarantined_bytes;
	u64 active_entries, idle_entries, mapped_entries, lingering_entries, ghost_entries;
	u64 in_flight, in_flight_bytes, mapping_entries;
	u64 due_ns;
};

static void tally_entry(struct msm_scanout_entry *entry, void *arg)
{
	struct tally *tally = arg;
	struct fake_display *display = tally->display;
	const struct msm_scanout_limits *limits = &display->cache.limits;

	switch (entry->state) {
	case MSM_SCANOUT_UNMAPPED:
		break;
	case MSM_SCANOUT_MAPPING:
		tally->mapping_entries++;
		break;
	case MSM_SCANOUT_ACTIVE:
		tally->active_entries++;
		tally->active_bytes += entry->bytes;
		break;
	case MSM_SCANOUT_IDLE:
		tally->idle_entries++;
		tally->idle_bytes += entry->bytes;
		if (limits->idle_timeout_ns)
			tally->due_ns = min(tally->due_ns, entry->idle_since_ns +
							   limits->idle_timeout_ns);
		break;
	case MSM_SCANOUT_QUARANTINED:
		tally->quarantined_bytes += entry->bytes;
		break;
	}

	tally->in_flight += entry->in_flight;
	tally->in_flight_bytes += entry->in_flight * entry->bytes;
	tally->lingering_entries += atomic_read(&to_buffer(entry)->holds);
	if (entry->tracked.place >= 0 && entry->state != MSM_SCANOUT_IDLE)
		tally->ghost_entries++;

	if (!entry->map)
		return;

	tally->mapped_entries++;
	if (!fake_mapped_at(display, entry, entry->map->node.start))
		fake_violation(display, "buffer %u should be mapped at %llx, but is not",
			       to_buffer(entry)->index, entry->map->node.start);
}

/* What adds up in every snapshot, or NULL. */
const char *fake_sums_wrong(const struct msm_scanout_snapshot *snap)
{
	const struct msm_scanout_counters *c = &snap->counters;
	const struct msm_scanout_gauges *g = &snap->gauges;
	u64 depth = 0, bytes = 0;

	for (unsigned int i = 0; i < MSM_SCANOUT_DEPTH_BUCKETS; i++)
		depth += snap->reuse_depth[i];
	for (unsigned int i = 0; i < MSM_SCANOUT_BYTES_BUCKETS; i++)
		bytes += snap->reuse_bytes[i];

	if (c->hits + c->misses != depth)
		return "hits and misses are not the sum of reuse_depth";
	if (depth != bytes)
		return "the sums of reuse_depth and reuse_bytes differ";
	if (c->inserts != g->active_entries + g->idle_entries + g->quarantined_entries +
			  c->evictions + c->evictions_age + c->evictions_pressure +
			  c->invalidations)
		return "inserts are not what is mapped and what has ended";

	return NULL;
}

/* What must hold whenever the lock is free, also in the middle of operations, or NULL. */
const char *fake_wrong(struct fake_display *display)
{
	struct msm_scanout_cache *cache = &display->cache;
	const struct msm_scanout_limits *limits = &cache->limits;
	const struct msm_scanout_gauges *g = &cache->gauges;
	struct tally tally = { .display = display, .due_ns = U64_MAX };
	bool on = limits->max_bytes && limits->max_entries;
	const struct msm_scanout_counters *c = &cache->counters;
	size_t ranges = list_count_nodes(&display->ranges);
	const char *wrong;

	msm_scanout_cache_snapshot(cache, &display->snap);
	wrong = fake_sums_wrong(&display->snap);
	if (wrong)
		return wrong;

	msm_scanout_cache_for_each(cache, tally_entry, &tally);

	if (g->idle_bytes > (on ? limits->max_bytes : 0))
		return "idle_bytes are over max_bytes";
	if (g->idle_entries > (on ? limits->max_entries : 0))
		return "idle_entries are over max_entries";
	if (g->idle_bytes > g->idle_bytes_peak)
		return "idle_bytes are over their peak";
	if (g->active_bytes != tally.active_bytes)
		return "active_bytes are wrong";
	if (g->active_entries != tally.active_entries)
		return "active_entries are wrong";
	if (g->idle_bytes != tally.idle_bytes)
		return "idle_bytes are wrong";
	if (g->idle_entries != tally.idle_entries)
		return "idle_entries are wrong";
	if (g->idle_entries != list_count_nodes(&cache->lru))
		return "the LRU is not what is idle";
	if (g->idle_entries != list_count_nodes(&cache->age))
		return "the list by age is not what is idle";
	if (g->quarantined_bytes != tally.quarantined_bytes + tally.in_flight_bytes)
		return "quarantined_bytes are wrong";
	if (c->misses != c->inserts + c->map_failures + tally.mapping_entries)
		return "misses are not what was mapped, is being mapped, or failed";
	if (cache->in_flight != tally.in_flight)
		return "in_flight is wrong";
	if (g->lingering_entries > tally.lingering_entries)
		return "lingering_entries are wrong";
	if (cache->reuse.ghost_entries != tally.ghost_entries)
		return "ghost_entries are wrong";
	if (cache->reuse.ghost_entries != list_count_nodes(&cache->reuse.ghosts))
		return "the list of ghosts is not what they are";
	if (cache->reuse.ghost_entries > MSM_SCANOUT_MAX_GHOSTS)
		return "too many ghosts";
	/* What is in flight may have been unmapped, what is being mapped is not yet known. */
	if (ranges < tally.mapped_entries ||
	    ranges > tally.mapped_entries + tally.in_flight + tally.mapping_entries)
		return "the display has not mapped what the cache knows of";
	if (display->violations)
		return display->violation;

	return NULL;
}

/* Only where nothing else runs meanwhile. */
void fake_check(struct fake_display *display)
{
	struct msm_scanout_cache *cache = &display->cache;
	const struct msm_scanout_limits *limits = &cache->limits;
	struct tally tally = { .display = display, .due_ns = U64_MAX };
	struct kunit *test = display->test;
	const char *wrong = fake_wrong(display);
	struct msm_scanout_entry *entry;
	u64 due_ns;

	KUNIT_ASSERT_NULL_MSG(test, wrong, "%s", wrong);

	msm_scanout_cache_for_each(cache, tally_entry, &tally);
	list_for_each_entry(entry, &cache->lingering, linger)
		tally.due_ns = min(tally.due_ns, entry->idle_since_ns + limits->linger_ns);

	KUNIT_ASSERT_EQ(test, cache->gauges.lingering_entries, tally.lingering_entries);

	KUNIT_ASSERT_TRUE_MSG(test, list_empty(&cache->quarantine) || display->reap_due,
			      "mappings wait in quarantine, and nobody was asked to reap");
	KUNIT_ASSERT_TRUE_MSG(test, list_empty(&cache->released) || display->release_due,
			      "references are due, and nobody was asked to give them back");
	due_ns = max(tally.due_ns, display->now_ns);
	KUNIT_ASSERT_LE_MSG(test, display->expire_at_ns, due_ns,
			    "something expires before anybody will look");
}

/*
 * What a test compares
 */

/* A letter for each buffer: - unmapped, a active, i idle, q quarantined, . freed */
const char *fake_states(struct fake_display *display)
{
	char *text = kunit_kzalloc(display->test, display->buffers + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(display->test, text);

	for (unsigned int i = 0; i < display->buffers; i++)
		text[i] = display->buffer[i] ? "-maiq"[display->buffer[i]->entry.state] : '.';

	return text;
}

/* Idle buffers as capital letters, A is buffer 0; the next victim comes first. */
const char *fake_idle_order(struct fake_display *display)
{
	char *text = kunit_kzalloc(display->test, display->buffers + 1, GFP_KERNEL);
	struct msm_scanout_entry *entry;
	unsigned int n = 0;

	KUNIT_ASSERT_NOT_NULL(display->test, text);

	list_for_each_entry(entry, &display->cache.lru, ranks.idle[MSM_SCANOUT_CACHED]) {
		if (n < display->buffers)
			text[n++] = 'A' + to_buffer(entry)->index;
	}

	return text;
}
