// SPDX-License-Identifier: GPL-2.0-only

#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "msm_scanout_cache.h"

/**
 * DOC: scanout mapping cache
 *
 * A display must map a framebuffer before it can scan it out, and mapping costs
 * enough that it must not happen at every pageflip.  This cache keeps the
 * mappings of buffers that left the screen, within a bound, so that the next
 * flip to them is a lookup.
 *
 * Ownership: an &struct msm_scanout_entry is embedded in what describes the
 * buffer and holds no reference on it.  Whoever frees the buffer calls
 * msm_scanout_cache_remove() first.  The one exception is a lingering entry,
 * whose buffer the cache keeps alive for a limited time after its last use so
 * that a client that imports the same memory again finds it still mapped.
 *
 * Life of a mapping::
 *
 *	UNMAPPED --get--> ACTIVE --last put--> IDLE --bound, age,--> QUARANTINED
 *	                    ^                   |     pressure           |
 *	                    +-------get---------+---------get------------+
 *	                                                                 |
 *	UNMAPPED <----------------------reap------------------------------+
 *
 * An idle entry is never read by the hardware: users put an entry only after
 * the flush that replaced it has completed.
 *
 * The bounds hold at every moment at which the lock is free: the critical
 * section that makes an entry idle also chooses the victims.  They leave the LRU
 * there and then, but are unmapped later, in batches, by msm_scanout_cache_reap().
 * Until the TLB is clean, their slot and their pages stay reserved: freeing an
 * entry waits for that, and so does reuse of the slot.
 *
 * What it does not do: allocate entries, look buffers up, decide when the
 * hardware is done with a buffer, or have threads and timers of its own.  It
 * asks its user, through &struct msm_scanout_cache_ops, to call back.
 *
 * Locking: one spinlock, never held across map, unmap or allocation.  Unmapping
 * happens in reclaim too (a buffer's pages are taken, or its last reference is
 * dropped there), so nothing on that path may allocate.
 */

#define MSM_SCANOUT_DEFAULT_MAX_BYTES	SZ_128M
#define MSM_SCANOUT_DEFAULT_MAX_ENTRIES	32
#define MSM_SCANOUT_DEFAULT_IDLE_NS	(10ull * NSEC_PER_SEC)
#define MSM_SCANOUT_DEFAULT_LINGER_NS	(1ull * NSEC_PER_SEC)
#define MSM_SCANOUT_MAX_IDLE_NS		(24ull * 3600 * NSEC_PER_SEC)
#define MSM_SCANOUT_MAX_LINGER_NS	(60ull * NSEC_PER_SEC)

/*
 * More than this waiting to be unmapped means that the reaper does not keep up.
 * From there on, who adds to it also does the work.
 */
#define MSM_SCANOUT_MAX_QUARANTINE	SZ_64M

static void event(struct msm_scanout_entry *entry, enum msm_scanout_event ev,
		  u64 arg)
{
	struct msm_scanout_cache *cache = entry->cache;

	if (cache->ops->event)
		cache->ops->event(cache, entry, ev, arg);
}

/*
 * A buffer that was not in use is.  What waits for its unmap is taken back, but
 * was evicted all the same: how soon the reaper comes must not decide the order.
 */
static void record_reuse_locked(struct msm_scanout_entry *entry)
{
	struct msm_scanout_cache *cache = entry->cache;

	msm_scanout_policy_lookup(&cache->policy, &entry->ranks);
	msm_scanout_reuse_lookup(&cache->reuse, &entry->tracked);
}

static void record_latency(u64 *buckets, u64 ns)
{
	unsigned int i = ns ? ilog2(ns) : 0;

	buckets[min(i, MSM_SCANOUT_LATENCY_BUCKETS - 1)]++;
}

/*
 * Lingering references
 */

/* The reference itself is dropped later: that may free the buffer. */
static void linger_end_locked(struct msm_scanout_entry *entry)
{
	struct msm_scanout_cache *cache = entry->cache;

	if (!entry->lingering)
		return;

	list_move_tail(&entry->linger, &cache->released);
	cache->ops->kick_release(cache);
}

static void linger_start_locked(struct msm_scanout_entry *entry)
{
	struct msm_scanout_cache *cache = entry->cache;

	if (!cache->limits.linger_ns || cache->dead) {
		linger_end_locked(entry);
		return;
	}

	if (entry->lingering) {
		list_add_tail(&entry->linger, &cache->lingering);
		return;
	}

	if (!entry->may_linger)
		return;

	cache->ops->hold(entry);
	entry->lingering = true;
	list_add_tail(&entry->linger, &cache->lingering);
	cache->gauges.lingering_entries++;
	cache->counters.lingers++;
	event(entry, MSM_SCANOUT_EV_LINGER, 1);
}

/*
 * A lookup finds the buffer in use: keep a reference that was about to be
 * dropped rather than drop and take it.
 */
static void linger_suspend_locked(struct msm_scanout_entry *entry)
{
	if (entry->lingering)
		list_del_init(&entry->linger);
}

/*
 * States
 */

static void arm_locked(struct msm_scanout_cache *cache, u64 now)
{
	u64 due = U64_MAX;

	if (cache->limits.idle_timeout_ns && !list_empty(&cache->age))
		due = list_first_entry(&cache->age, struct msm_scanout_entry,
				       age)->idle_since_ns +
		      cache->limits.idle_timeout_ns;

	if (!list_empty(&cache->lingering))
		due = min(due, list_first_entry(&cache->lingering,
						struct msm_scanout_entry,
						linger)->idle_since_ns +
			       cache->limits.linger_ns);

	if (due == U64_MAX || (cache->armed_ns && cache->armed_ns <= due))
		return;

	cache->armed_ns = due;
	cache->ops->arm(cache, due > now ? due - now : 0);
}

static void enter_idle_locked(struct msm_scanout_entry *entry, u64 now)
{
	struct msm_scanout_cache *cache = entry->cache;
	struct msm_scanout_gauges *g = &cache->gauges;

	entry->state = MSM_SCANOUT_IDLE;
	entry->idle_since_ns = now;
	g->idle_entries++;
	g->idle_bytes += entry->bytes;

	msm_scanout_policy_insert(&cache->policy, &entry->ranks, &cache->lru);
	msm_scanout_policy_idle(&cache->policy, &entry->ranks,
				cache->limits.max_bytes,
				cache->limits.max_entries);
	list_add_tail(&entry->age, &cache->age);
	msm_scanout_reuse_idle(&cache->reuse, &entry->tracked);
	linger_start_locked(entry);
}

static void leave_idle_locked(struct msm_scanout_entry *entry)
{
	struct msm_scanout_gauges *g = &entry->cache->gauges;

	list_del_init(&entry->ranks.idle[MSM_SCANOUT_CACHED]);
	list_del_init(&entry->age);
	g->idle_entries--;
	g->idle_bytes -= entry->bytes;
}

static void enter_active_locked(struct msm_scanout_entry *entry)
{
	struct msm_scanout_gauges *g = &entry->cache->gauges;

	entry->state = MSM_SCANOUT_ACTIVE;
	entry->users = 1;
	g->active_entries++;
	g->active_bytes += entry->bytes;
	linger_suspend_locked(entry);
}

static void leave_active_locked(struct msm_scanout_entry *entry, u64 now)
{
	struct msm_scanout_gauges *g = &entry->cache->gauges;

	g->active_entries--;
	g->active_bytes -= entry->bytes;
	enter_idle_locked(entry, now);
}

/* Not before it is unmapped: until then a lookup may take it back. */
static void count_end_locked(struct msm_scanout_mapping *map)
{
	struct msm_scanout_counters *c = &map->entry->cache->counters;

	switch (map->reason) {
	case MSM_SCANOUT_BOUND:
	case MSM_SCANOUT_TRIM:
		c->evictions++;
		break;
	case MSM_SCANOUT_AGE:
		c->evictions_age++;
		break;
	case MSM_SCANOUT_WINDOW:
	case MSM_SCANOUT_MEMORY:
		c->evictions_pressure++;
		break;
	case MSM_SCANOUT_FREE:
	case MSM_SCANOUT_DROP:
	case MSM_SCANOUT_DRAIN:
		c->invalidations++;
		break;
	}
}

/* The one place where an idle mapping becomes a victim. */
static void evict_locked(struct msm_scanout_entry *entry,
			 enum msm_scanout_reason reason)
{
	struct msm_scanout_cache *cache = entry->cache;

	leave_idle_locked(entry);
	entry->state = MSM_SCANOUT_QUARANTINED;
	entry->map->reason = reason;
	cache->gauges.quarantined_bytes += entry->bytes;
	cache->gauges.quarantined_entries++;
	list_add_tail(&entry->map->link, &cache->quarantine);
	msm_scanout_reuse_unmapped(&cache->reuse, &entry->tracked);
	linger_end_locked(entry);
	/* Any but a bound would have ended the mapping under any policy. */
	if (reason != MSM_SCANOUT_BOUND)
		msm_scanout_policy_forget(&cache->policy, &entry->ranks);
	event(entry, MSM_SCANOUT_EV_EVICT, reason);
}

static struct msm_scanout_entry *next_victim(struct msm_scanout_cache *cache)
{
	if (msm_scanout_policy_evicts_oldest(&cache->policy))
		return list_first_entry(&cache->age, struct msm_scanout_entry, age);

	return list_first_entry(&cache->lru, struct msm_scanout_entry,
				ranks.idle[MSM_SCANOUT_CACHED]);
}

/* Evict in order until the idle mappings fit. */
static void shrink_locked(struct msm_scanout_cache *cache, u64 max_bytes,
			  u64 max_entries, enum msm_scanout_reason reason)
{
	while (cache->gauges.idle_bytes > max_bytes ||
	       cache->gauges.idle_entries > max_entries)
		evict_locked(next_victim(cache), reason);
}

static bool enabled_locked(struct msm_scanout_cache *cache)
{
	return !cache->dead && cache->limits.max_bytes &&
	       cache->limits.max_entries;
}

/* The one place where the bounds are enforced. */
static void enforce_locked(struct msm_scanout_cache *cache)
{
	bool on = enabled_locked(cache);

	shrink_locked(cache, on ? cache->limits.max_bytes : 0,
		      on ? cache->limits.max_entries : 0,
		      cache->dead ? MSM_SCANOUT_DRAIN : MSM_SCANOUT_BOUND);

	cache->gauges.idle_bytes_peak = max(cache->gauges.idle_bytes_peak,
					    cache->gauges.idle_bytes);
}

/* Returns whether the caller has to reap by itself once the lock is dropped. */
static bool kick_locked(struct msm_scanout_cache *cache)
{
	if (list_empty(&cache->quarantine))
		return false;
	if (cache->gauges.quarantined_bytes > MSM_SCANOUT_MAX_QUARANTINE)
		return true;

	cache->ops->kick_reap(cache);
	return false;
}

/*
 * Unmapping
 */

/* From here on only this context knows the mapping. */
static void start_unmap_locked(struct msm_scanout_mapping *map,
			       struct list_head *batch)
{
	struct msm_scanout_entry *entry = map->entry;

	entry->map = NULL;
	entry->state = MSM_SCANOUT_UNMAPPED;
	entry->in_flight++;
	entry->cache->in_flight++;
	list_move_tail(&map->link, batch);
}

static void unmap_batch(struct msm_scanout_cache *cache, struct list_head *batch)
{
	struct msm_scanout_mapping *map, *tmp;
	unsigned int mappings = 0;
	u64 start, ns, bytes = 0;

	start = cache->ops->stopwatch_ns(cache);
	lock_map_acquire(&cache->unmap_dep);

	list_for_each_entry(map, batch, link)
		cache->ops->unmap(cache, map->entry, map->node.start);
	if (cache->ops->flush)
		cache->ops->flush(cache);

	lock_map_release(&cache->unmap_dep);
	ns = cache->ops->stopwatch_ns(cache) - start;

	/* The slots may be handed out again, and the entries may go away. */
	spin_lock(&cache->lock);
	list_for_each_entry(map, batch, link) {
		drm_mm_remove_node(&map->node);
		cache->gauges.quarantined_bytes -= map->entry->bytes;
		cache->gauges.quarantined_entries--;
		count_end_locked(map);
		cache->in_flight--;
		bytes += map->entry->bytes;
		mappings++;
		map->entry->in_flight--;
	}
	cache->counters.batches++;
	cache->counters.unmap_ns += ns;
	record_latency(cache->histograms.unmap_ns, ns);
	wake_up_all(&cache->wait);
	spin_unlock(&cache->lock);

	if (cache->ops->batch)
		cache->ops->batch(cache, mappings, bytes, ns);

	list_for_each_entry_safe(map, tmp, batch, link)
		kfree(map);
}

/**
 * msm_scanout_cache_reap() - unmap what is in quarantine
 * @cache: the cache
 *
 * May be called from any context that may sleep, concurrently with itself, and
 * under memory pressure.
 */
void msm_scanout_cache_reap(struct msm_scanout_cache *cache)
{
	struct msm_scanout_mapping *map, *tmp;
	LIST_HEAD(batch);

	spin_lock(&cache->lock);
	list_for_each_entry_safe(map, tmp, &cache->quarantine, link)
		start_unmap_locked(map, &batch);
	spin_unlock(&cache->lock);

	if (!list_empty(&batch))
		unmap_batch(cache, &batch);
}

static unsigned int read_locked(struct msm_scanout_cache *cache,
				const unsigned int *value)
{
	unsigned int ret;

	spin_lock(&cache->lock);
	ret = *value;
	spin_unlock(&cache->lock);

	return ret;
}

/*
 * Taking the lock to look, rather than peeking, also makes sure that the reaper
 * is through with the entry when we return.
 */
static void wait_in_flight(struct msm_scanout_cache *cache,
			   const unsigned int *in_flight)
{
	lock_map_acquire(&cache->unmap_dep);
	lock_map_release(&cache->unmap_dep);

	wait_event(cache->wait, !read_locked(cache, in_flight));
}

/*
 * Lookup
 */

static u64 slot_align(u64 bytes)
{
	return bytes < MSM_SCANOUT_SLOT_MIN_BYTES ? PAGE_SIZE :
						    MSM_SCANOUT_SLOT_BYTES;
}

static u64 slot_bytes(u64 bytes)
{
	return round_up(bytes, slot_align(bytes));
}

/* Small ones at the other end, so as not to break up what large ones need. */
static int insert_locked(struct msm_scanout_cache *cache,
			 struct msm_scanout_mapping *map, u64 bytes)
{
	bool small = bytes < MSM_SCANOUT_SLOT_MIN_BYTES;

	return drm_mm_insert_node_generic(&cache->window, &map->node,
					  slot_bytes(bytes), slot_align(bytes), 0,
					  small ? DRM_MM_INSERT_HIGH :
						  DRM_MM_INSERT_BEST);
}

/*
 * Find a slot, once what is being unmapped has gone, and then at the expense of
 * idle mappings if need be.  Small victims in LRU order may not open a hole that
 * is large enough, so double the number of bytes asked for until one fits or
 * nothing idle is left.
 */
static int reserve_slot(struct msm_scanout_cache *cache,
			struct msm_scanout_mapping *map, u64 bytes)
{
	u64 want = bytes;
	int ret;

	for (;;) {
		u64 idle;

		spin_lock(&cache->lock);
		idle = cache->gauges.idle_bytes;
		ret = insert_locked(cache, map, bytes);
		if (!ret) {
			spin_unlock(&cache->lock);
			return 0;
		}

		if (slot_bytes(bytes) > cache->window_bytes ||
		    (!idle && !cache->gauges.quarantined_bytes)) {
			cache->counters.window_full++;
			spin_unlock(&cache->lock);
			return ret;
		}

		if (!cache->gauges.quarantined_bytes) {
			shrink_locked(cache, idle > want ? idle - want : 0,
				      U64_MAX, MSM_SCANOUT_WINDOW);
			want *= 2;
		}
		spin_unlock(&cache->lock);

		msm_scanout_cache_settle(cache);
	}
}

static int map_entry(struct msm_scanout_entry *entry, u64 *iova)
{
	struct msm_scanout_cache *cache = entry->cache;
	struct msm_scanout_mapping *map;
	u64 start, ns;
	int ret;

	map = kzalloc_obj(*map);
	if (!map) {
		ret = -ENOMEM;
		goto fail;
	}

	map->entry = entry;
	INIT_LIST_HEAD(&map->link);

	ret = reserve_slot(cache, map, entry->bytes);
	if (ret)
		goto fail;

	start = cache->ops->stopwatch_ns(cache);
	ret = cache->ops->map(cache, entry, map->node.start);
	ns = cache->ops->stopwatch_ns(cache) - start;

	spin_lock(&cache->lock);
	if (ret) {
		drm_mm_remove_node(&map->node);
		spin_unlock(&cache->lock);
		goto fail;
	}

	cache->counters.inserts++;
	cache->counters.map_ns += ns;
	record_latency(cache->histograms.map_ns, ns);
	entry->map = map;
	enter_active_locked(entry);
	*iova = map->node.start;
	event(entry, MSM_SCANOUT_EV_MAP, ns);
	spin_unlock(&cache->lock);

	return 0;

fail:
	kfree(map);
	spin_lock(&cache->lock);
	cache->counters.map_failures++;
	entry->state = MSM_SCANOUT_UNMAPPED;
	spin_unlock(&cache->lock);

	return ret;
}

/**
 * msm_scanout_cache_get() - have a buffer mapped
 * @entry: the buffer's entry
 * @iova: where it is mapped, on success
 *
 * A buffer that is still mapped costs one short critical section and neither
 * allocates nor sleeps.  Balance with msm_scanout_cache_put(), after the
 * hardware has stopped reading.
 *
 * Return: 0, -EOPNOTSUPP if the cache is off, -ENOSPC if the window is full
 * although nothing in it is idle, or what mapping failed with.  After an error
 * the caller is expected to map the buffer elsewhere.
 */
int msm_scanout_cache_get(struct msm_scanout_entry *entry, u64 *iova)
{
	struct msm_scanout_cache *cache = entry->cache;
	enum msm_scanout_state state;

	spin_lock(&cache->lock);
	if (!enabled_locked(cache)) {
		spin_unlock(&cache->lock);
		return -EOPNOTSUPP;
	}

	state = entry->state;
	switch (state) {
	case MSM_SCANOUT_ACTIVE:
		entry->users++;
		break;
	case MSM_SCANOUT_IDLE:
		record_reuse_locked(entry);
		leave_idle_locked(entry);
		enter_active_locked(entry);
		break;
	case MSM_SCANOUT_QUARANTINED:
		list_del_init(&entry->map->link);
		cache->gauges.quarantined_bytes -= entry->bytes;
		cache->gauges.quarantined_entries--;
		cache->counters.rescues++;
		record_reuse_locked(entry);
		enter_active_locked(entry);
		break;
	case MSM_SCANOUT_UNMAPPED:
		record_reuse_locked(entry);
		entry->state = MSM_SCANOUT_MAPPING;
		cache->counters.misses++;
		event(entry, MSM_SCANOUT_EV_MISS, state);
		spin_unlock(&cache->lock);
		return map_entry(entry, iova);
	case MSM_SCANOUT_MAPPING:
		spin_unlock(&cache->lock);
		WARN(1, "scanout cache: concurrent lookups of one buffer\n");
		return -EBUSY;
	}

	/* One more user of what is in use is neither a hit nor a miss. */
	if (state != MSM_SCANOUT_ACTIVE) {
		cache->counters.hits++;
		entry->hits++;
	}
	*iova = entry->map->node.start;
	event(entry, MSM_SCANOUT_EV_HIT, state);
	spin_unlock(&cache->lock);

	return 0;
}

/**
 * msm_scanout_cache_put() - a buffer has left the screen
 * @entry: the buffer's entry
 *
 * Balances msm_scanout_cache_get().  With the last user gone the mapping is
 * kept if the bounds allow, at the expense of those idle for longest.
 */
void msm_scanout_cache_put(struct msm_scanout_entry *entry)
{
	struct msm_scanout_cache *cache = entry->cache;
	bool reap;
	u64 now;

	spin_lock(&cache->lock);
	/* The end of a drained cache was the end of its mappings, too. */
	if (WARN_ON(!entry->users) || --entry->users || cache->dead) {
		spin_unlock(&cache->lock);
		return;
	}

	now = cache->ops->now_ns(cache);
	leave_active_locked(entry, now);
	/* One that can't stay must not drive out the others first. */
	if (entry->bytes > cache->limits.max_bytes)
		evict_locked(entry, MSM_SCANOUT_BOUND);
	enforce_locked(cache);
	event(entry, MSM_SCANOUT_EV_IDLE, cache->gauges.idle_bytes);
	arm_locked(cache, now);
	reap = kick_locked(cache);
	spin_unlock(&cache->lock);

	if (reap)
		msm_scanout_cache_reap(cache);
}

/**
 * msm_scanout_cache_invalidate() - make sure that a buffer is not mapped
 * @entry: the buffer's entry, which must not be in use
 * @reason: why
 *
 * When it returns, the hardware cannot reach the buffer's pages through this
 * cache.  Safe in reclaim.
 */
void msm_scanout_cache_invalidate(struct msm_scanout_entry *entry,
				  enum msm_scanout_reason reason)
{
	struct msm_scanout_cache *cache = entry->cache;
	LIST_HEAD(batch);

	spin_lock(&cache->lock);
	WARN_ON(entry->state == MSM_SCANOUT_ACTIVE ||
		entry->state == MSM_SCANOUT_MAPPING);
	if (entry->state == MSM_SCANOUT_IDLE)
		evict_locked(entry, reason);
	if (entry->state == MSM_SCANOUT_QUARANTINED)
		start_unmap_locked(entry->map, &batch);
	spin_unlock(&cache->lock);

	if (!list_empty(&batch))
		unmap_batch(cache, &batch);

	wait_in_flight(cache, &entry->in_flight);
}

/**
 * msm_scanout_cache_remove() - forget a buffer
 * @entry: the buffer's entry, which must not be in use or linger
 *
 * When it returns, the buffer's pages and the entry may be freed.
 */
void msm_scanout_cache_remove(struct msm_scanout_entry *entry)
{
	struct msm_scanout_cache *cache = entry->cache;

	msm_scanout_cache_invalidate(entry, MSM_SCANOUT_FREE);

	spin_lock(&cache->lock);
	WARN_ON(entry->lingering);
	msm_scanout_reuse_forget(&cache->reuse, &entry->tracked);
	msm_scanout_policy_forget(&cache->policy, &entry->ranks);
	list_del_init(&entry->all);
	spin_unlock(&cache->lock);
}

/**
 * msm_scanout_entry_init() - make a buffer known to the cache
 * @cache: the cache
 * @entry: embedded in what describes the buffer
 * @bytes: size of the buffer, a multiple of the page size
 * @may_linger: may the cache hold a reference on the buffer while it is idle?
 */
void msm_scanout_entry_init(struct msm_scanout_cache *cache,
			    struct msm_scanout_entry *entry, u64 bytes,
			    bool may_linger)
{
	*entry = (struct msm_scanout_entry) {
		.cache = cache,
		.bytes = bytes,
		.may_linger = may_linger,
		.state = MSM_SCANOUT_UNMAPPED,
	};
	INIT_LIST_HEAD(&entry->age);
	INIT_LIST_HEAD(&entry->linger);
	msm_scanout_reuse_track(&entry->tracked, bytes);
	msm_scanout_policy_track(&cache->policy, &entry->ranks, bytes);

	spin_lock(&cache->lock);
	list_add_tail(&entry->all, &cache->entries);
	spin_unlock(&cache->lock);
}

/*
 * Callbacks into the core
 */

/**
 * msm_scanout_cache_release() - give back references that are no longer due
 * @cache: the cache
 *
 * Call from a context that may free buffers, without locks.
 */
void msm_scanout_cache_release(struct msm_scanout_cache *cache)
{
	struct msm_scanout_entry *entry;

	spin_lock(&cache->lock);
	while ((entry = list_first_entry_or_null(&cache->released,
						 struct msm_scanout_entry,
						 linger))) {
		list_del_init(&entry->linger);
		entry->lingering = false;
		cache->gauges.lingering_entries--;
		event(entry, MSM_SCANOUT_EV_LINGER, 0);
		spin_unlock(&cache->lock);

		/* This may be the last reference: entry is gone afterwards. */
		cache->ops->release(entry);

		spin_lock(&cache->lock);
	}
	spin_unlock(&cache->lock);
}

/**
 * msm_scanout_cache_expire() - end what has been idle for too long
 * @cache: the cache
 *
 * Asks for its next call by itself.
 */
void msm_scanout_cache_expire(struct msm_scanout_cache *cache)
{
	const struct msm_scanout_limits *l = &cache->limits;
	struct msm_scanout_entry *entry, *tmp;
	bool reap;
	u64 now;

	spin_lock(&cache->lock);
	cache->armed_ns = 0;
	now = cache->ops->now_ns(cache);

	list_for_each_entry_safe(entry, tmp, &cache->lingering, linger) {
		if (now - entry->idle_since_ns < l->linger_ns)
			break;
		linger_end_locked(entry);
	}

	list_for_each_entry_safe(entry, tmp, &cache->age, age) {
		if (!l->idle_timeout_ns ||
		    now - entry->idle_since_ns < l->idle_timeout_ns)
			break;
		evict_locked(entry, MSM_SCANOUT_AGE);
	}

	arm_locked(cache, now);
	reap = kick_locked(cache);
	spin_unlock(&cache->lock);

	if (reap)
		msm_scanout_cache_reap(cache);
}

/*
 * Limits
 */

static u64 *limit_field(struct msm_scanout_cache *cache,
			enum msm_scanout_limit which, u64 *max)
{
	switch (which) {
	case MSM_SCANOUT_MAX_BYTES_LIMIT:
		*max = cache->window_bytes;
		return &cache->limits.max_bytes;
	case MSM_SCANOUT_MAX_ENTRIES_LIMIT:
		*max = MSM_SCANOUT_MAX_ENTRIES;
		return &cache->limits.max_entries;
	case MSM_SCANOUT_IDLE_TIMEOUT_LIMIT:
		*max = MSM_SCANOUT_MAX_IDLE_NS;
		return &cache->limits.idle_timeout_ns;
	case MSM_SCANOUT_LINGER_LIMIT:
		*max = MSM_SCANOUT_MAX_LINGER_NS;
		return &cache->limits.linger_ns;
	}

	return NULL;
}

/**
 * msm_scanout_cache_set_limit() - change a limit
 * @cache: the cache
 * @which: which limit
 * @value: in bytes, entries or ns
 *
 * The new limit is in force when this returns; mappings that exceed it are at
 * least in quarantine.
 *
 * Return: 0, or -ERANGE with nothing changed.
 */
int msm_scanout_cache_set_limit(struct msm_scanout_cache *cache,
				enum msm_scanout_limit which, u64 value)
{
	struct msm_scanout_entry *entry, *tmp;
	u64 *field, max;
	bool reap;

	spin_lock(&cache->lock);
	field = limit_field(cache, which, &max);
	if (!field || value > max) {
		spin_unlock(&cache->lock);
		return -ERANGE;
	}

	*field = value;
	cache->counters.generation++;
	enforce_locked(cache);

	if (!cache->limits.linger_ns)
		list_for_each_entry_safe(entry, tmp, &cache->lingering, linger)
			linger_end_locked(entry);

	/* Deadlines may have come nearer. */
	cache->armed_ns = 0;
	arm_locked(cache, cache->ops->now_ns(cache));
	reap = kick_locked(cache);
	spin_unlock(&cache->lock);

	if (reap)
		msm_scanout_cache_reap(cache);

	return 0;
}

/**
 * msm_scanout_cache_set_policy() - choose the policy
 * @cache: the cache
 * @kind: from now on
 *
 * What is idle already stays where it is in the order of eviction.
 */
void msm_scanout_cache_set_policy(struct msm_scanout_cache *cache,
				  enum msm_scanout_policy_kind kind)
{
	struct msm_scanout_entry *entry;

	spin_lock(&cache->lock);
	msm_scanout_policy_start(&cache->policy, kind);
	list_for_each_entry(entry, &cache->lru, ranks.idle[MSM_SCANOUT_CACHED])
		msm_scanout_policy_adopt(&cache->policy, &entry->ranks,
					 cache->limits.max_bytes,
					 cache->limits.max_entries);
	cache->counters.generation++;
	spin_unlock(&cache->lock);
}

/**
 * msm_scanout_cache_trim() - shrink the idle mappings once
 * @cache: the cache
 * @idle_bytes: to this
 * @reason: what to count it as
 */
void msm_scanout_cache_trim(struct msm_scanout_cache *cache, u64 idle_bytes,
			    enum msm_scanout_reason reason)
{
	bool reap;

	spin_lock(&cache->lock);
	shrink_locked(cache, idle_bytes, U64_MAX, reason);
	reap = kick_locked(cache);
	spin_unlock(&cache->lock);

	if (reap)
		msm_scanout_cache_reap(cache);
}

/**
 * msm_scanout_cache_settle() - wait until nothing is in quarantine
 * @cache: the cache
 */
void msm_scanout_cache_settle(struct msm_scanout_cache *cache)
{
	msm_scanout_cache_reap(cache);
	wait_in_flight(cache, &cache->in_flight);
}

/*
 * Memory pressure
 */

/*
 * Of the lingering entries, as many are looked at as fit into a short critical
 * section.  Who is still flipped to is at the other end.
 */
#define MSM_SCANOUT_RECLAIM_STEPS	64

static u64 unwanted_locked(struct msm_scanout_cache *cache, u64 max_bytes,
			   bool end)
{
	struct msm_scanout_entry *entry, *tmp;
	unsigned int steps = 0;
	u64 bytes = 0;

	list_for_each_entry_safe(entry, tmp, &cache->lingering, linger) {
		if (bytes >= max_bytes || steps++ == MSM_SCANOUT_RECLAIM_STEPS)
			break;
		if (!cache->ops->unwanted(entry))
			continue;
		bytes += entry->bytes;
		if (end)
			linger_end_locked(entry);
	}

	return bytes;
}

/**
 * msm_scanout_cache_unwanted() - what is alive only because it lingers
 * @cache: the cache
 *
 * Safe in reclaim.
 *
 * Return: bytes that msm_scanout_cache_reclaim() can free, at least.
 */
u64 msm_scanout_cache_unwanted(struct msm_scanout_cache *cache)
{
	u64 bytes;

	spin_lock(&cache->lock);
	bytes = unwanted_locked(cache, U64_MAX, false);
	spin_unlock(&cache->lock);

	return bytes;
}

/**
 * msm_scanout_cache_reclaim() - memory is short, so end the lingering
 * @cache: the cache
 * @bytes: how much is wanted
 *
 * Of buffers that nobody else has a reference to, that is; to end it for others
 * would free nothing.  Safe in reclaim.
 *
 * Return: bytes that will be free once msm_scanout_cache_release() has run.
 */
u64 msm_scanout_cache_reclaim(struct msm_scanout_cache *cache, u64 bytes)
{
	spin_lock(&cache->lock);
	bytes = unwanted_locked(cache, bytes, true);
	spin_unlock(&cache->lock);

	return bytes;
}

/*
 * Figures
 */

/**
 * msm_scanout_cache_snapshot() - copy all figures at one moment
 * @cache: the cache
 * @snap: where to
 */
void msm_scanout_cache_snapshot(struct msm_scanout_cache *cache,
				struct msm_scanout_snapshot *snap)
{
	spin_lock(&cache->lock);
	snap->limits = cache->limits;
	snap->policy = cache->policy.kind;
	snap->forecast_lead = cache->policy.lead;
	snap->counters = cache->counters;
	snap->gauges = cache->gauges;
	snap->ghost_entries = cache->reuse.ghost_entries;
	snap->histograms = cache->histograms;
	memcpy(snap->reuse_depth, cache->reuse.depth, sizeof(snap->reuse_depth));
	memcpy(snap->reuse_bytes, cache->reuse.bytes, sizeof(snap->reuse_bytes));
	spin_unlock(&cache->lock);

	snap->flips = atomic64_read(&cache->flips);
}

/**
 * msm_scanout_entry_peek() - look at one entry
 * @entry: the entry
 * @copy: of its fields
 * @iova: where it is mapped
 *
 * Return: whether it is mapped.
 */
bool msm_scanout_entry_peek(struct msm_scanout_entry *entry,
			    struct msm_scanout_entry *copy, u64 *iova)
{
	bool mapped;

	spin_lock(&entry->cache->lock);
	*copy = *entry;
	mapped = entry->map;
	*iova = mapped ? entry->map->node.start : 0;
	spin_unlock(&entry->cache->lock);

	return mapped;
}

/**
 * msm_scanout_state_name() - for people
 * @state: a state
 *
 * Return: its name.
 */
const char *msm_scanout_state_name(enum msm_scanout_state state)
{
	static const char *const names[] = {
		[MSM_SCANOUT_UNMAPPED] = "unmapped",
		[MSM_SCANOUT_MAPPING] = "mapping",
		[MSM_SCANOUT_ACTIVE] = "active",
		[MSM_SCANOUT_IDLE] = "idle",
		[MSM_SCANOUT_QUARANTINED] = "quarantined",
	};

	return names[state];
}

/**
 * msm_scanout_cache_for_each() - look at all entries
 * @cache: the cache
 * @fn: called for each, under the cache lock
 * @arg: passed on
 *
 * However many there are, a flip has to wait for one call of @fn at most.  Not
 * all of those that come or go meanwhile are seen.  May sleep.
 */
void msm_scanout_cache_for_each(struct msm_scanout_cache *cache,
				void (*fn)(struct msm_scanout_entry *entry,
					   void *arg),
				void *arg)
{
	/* Keeps our place; without a cache, it is no entry to others. */
	struct msm_scanout_entry place = { }, *entry;

	spin_lock(&cache->lock);
	list_add(&place.all, &cache->entries);
	while (!list_is_last(&place.all, &cache->entries)) {
		entry = list_next_entry(&place, all);
		list_move(&place.all, &entry->all);
		if (!entry->cache)
			continue;

		fn(entry, arg);
		spin_unlock(&cache->lock);
		cond_resched();
		spin_lock(&cache->lock);
	}
	list_del(&place.all);
	spin_unlock(&cache->lock);
}

/*
 * Life of the cache
 */

/**
 * msm_scanout_cache_init() - set up a cache
 * @cache: to be set up
 * @ops: what it calls
 * @window_start: first address of the range in which it maps
 * @window_bytes: size of that range, both multiples of the slot size
 */
void msm_scanout_cache_init(struct msm_scanout_cache *cache,
			    const struct msm_scanout_cache_ops *ops,
			    u64 window_start, u64 window_bytes)
{
	static struct lock_class_key unmap_key;

	memset(cache, 0, sizeof(*cache));
	cache->ops = ops;
	spin_lock_init(&cache->lock);
	lockdep_init_map(&cache->unmap_dep, "msm_scanout_unmap", &unmap_key, 0);
	init_waitqueue_head(&cache->wait);
	drm_mm_init(&cache->window, window_start, window_bytes);

	INIT_LIST_HEAD(&cache->entries);
	INIT_LIST_HEAD(&cache->lru);
	INIT_LIST_HEAD(&cache->age);
	INIT_LIST_HEAD(&cache->lingering);
	INIT_LIST_HEAD(&cache->released);
	INIT_LIST_HEAD(&cache->quarantine);
	msm_scanout_reuse_init(&cache->reuse);
	msm_scanout_policy_init(&cache->policy);

	cache->window_bytes = window_bytes;
	cache->limits = (struct msm_scanout_limits) {
		.max_bytes = min_t(u64, MSM_SCANOUT_DEFAULT_MAX_BYTES, window_bytes),
		.max_entries = MSM_SCANOUT_DEFAULT_MAX_ENTRIES,
		.idle_timeout_ns = MSM_SCANOUT_DEFAULT_IDLE_NS,
		.linger_ns = MSM_SCANOUT_DEFAULT_LINGER_NS,
	};

	/*
	 * Pages are taken and buffers are freed in reclaim, which drops their
	 * mappings: teach lockdep that both the lock and the wait for an unmap
	 * are below it.
	 */
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&cache->lock);
	lock_map_acquire(&cache->unmap_dep);
	lock_map_release(&cache->unmap_dep);
	fs_reclaim_release(GFP_KERNEL);
}

/**
 * msm_scanout_cache_drain() - unmap everything, for good
 * @cache: the cache, with nothing in use
 *
 * Afterwards lookups fail, entries may still be removed, and no more callbacks
 * are asked for; the user must make sure that none of the earlier ones comes
 * later than msm_scanout_cache_fini().  What is in use nevertheless is unmapped
 * all the same, as the display is about to go, and may still be put.
 */
void msm_scanout_cache_drain(struct msm_scanout_cache *cache)
{
	u64 now = cache->ops->now_ns(cache);
	struct msm_scanout_entry *entry;

	spin_lock(&cache->lock);
	WARN_ON(cache->gauges.active_entries);
	cache->dead = true;
	list_for_each_entry(entry, &cache->entries, all) {
		if (entry->state == MSM_SCANOUT_ACTIVE)
			leave_active_locked(entry, now);
	}
	enforce_locked(cache);
	spin_unlock(&cache->lock);

	msm_scanout_cache_settle(cache);
	msm_scanout_cache_release(cache);
}

/**
 * msm_scanout_cache_fini() - undo msm_scanout_cache_init()
 * @cache: a drained cache without entries
 */
void msm_scanout_cache_fini(struct msm_scanout_cache *cache)
{
	WARN_ON(!list_empty(&cache->entries));
	WARN_ON(cache->gauges.active_bytes || cache->gauges.idle_bytes ||
		cache->gauges.quarantined_bytes ||
		cache->gauges.lingering_entries || cache->reuse.entries);
	drm_mm_takedown(&cache->window);
}
