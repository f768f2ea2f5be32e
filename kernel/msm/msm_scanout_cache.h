/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounded LRU cache of scanout mappings: the core, which knows neither msm nor
 * GEM nor KMS.  See DOC: scanout mapping cache in msm_scanout_cache.c.
 */

#ifndef __MSM_SCANOUT_CACHE_H__
#define __MSM_SCANOUT_CACHE_H__

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <drm/drm_mm.h>

#include "msm_scanout_policy.h"
#include "msm_scanout_reuse.h"

struct msm_scanout_cache;
struct msm_scanout_entry;

/** MSM_SCANOUT_SLOT_BYTES: alignment and granule of the slots of large buffers */
#define MSM_SCANOUT_SLOT_BYTES		SZ_2M
/** MSM_SCANOUT_SLOT_MIN_BYTES: buffers of at least this size get such slots */
#define MSM_SCANOUT_SLOT_MIN_BYTES	SZ_1M

/** MSM_SCANOUT_MAX_ENTRIES: upper limit of &msm_scanout_limits.max_entries */
#define MSM_SCANOUT_MAX_ENTRIES		65536
#define MSM_SCANOUT_LATENCY_BUCKETS	32

/**
 * enum msm_scanout_state - what a &struct msm_scanout_entry has
 * @MSM_SCANOUT_UNMAPPED: no mapping
 * @MSM_SCANOUT_MAPPING: a mapping is being made by msm_scanout_cache_get()
 * @MSM_SCANOUT_ACTIVE: mapped and in use, never evicted
 * @MSM_SCANOUT_IDLE: mapped, unused, on the LRU
 * @MSM_SCANOUT_QUARANTINED: chosen for eviction, still mapped, waits for its
 *	batch; a lookup takes it back
 */
enum msm_scanout_state {
	MSM_SCANOUT_UNMAPPED,
	MSM_SCANOUT_MAPPING,
	MSM_SCANOUT_ACTIVE,
	MSM_SCANOUT_IDLE,
	MSM_SCANOUT_QUARANTINED,
};

/**
 * enum msm_scanout_reason - why a mapping ends
 * @MSM_SCANOUT_BOUND: max_bytes or max_entries, also when lowered
 * @MSM_SCANOUT_TRIM: asked for through trim
 * @MSM_SCANOUT_AGE: idle for longer than idle_timeout
 * @MSM_SCANOUT_WINDOW: its IOVA slot is needed
 * @MSM_SCANOUT_MEMORY: the shrinker takes its pages
 * @MSM_SCANOUT_FREE: the buffer is being freed
 * @MSM_SCANOUT_DROP: dropped by a developer
 * @MSM_SCANOUT_DRAIN: the display is being torn down or suspended
 */
enum msm_scanout_reason {
	MSM_SCANOUT_BOUND,
	MSM_SCANOUT_TRIM,
	MSM_SCANOUT_AGE,
	MSM_SCANOUT_WINDOW,
	MSM_SCANOUT_MEMORY,
	MSM_SCANOUT_FREE,
	MSM_SCANOUT_DROP,
	MSM_SCANOUT_DRAIN,
};

/**
 * enum msm_scanout_event - what &msm_scanout_cache_ops.event reports
 * @MSM_SCANOUT_EV_HIT: lookup found a mapping; arg is the previous state
 * @MSM_SCANOUT_EV_MISS: lookup found none
 * @MSM_SCANOUT_EV_MAP: mapped; arg is the time it took in ns
 * @MSM_SCANOUT_EV_IDLE: last user gone; arg is idle_bytes now
 * @MSM_SCANOUT_EV_EVICT: mapping ends; arg is an &enum msm_scanout_reason
 * @MSM_SCANOUT_EV_LINGER: arg 1: reference taken, 0: given back
 */
enum msm_scanout_event {
	MSM_SCANOUT_EV_HIT,
	MSM_SCANOUT_EV_MISS,
	MSM_SCANOUT_EV_MAP,
	MSM_SCANOUT_EV_IDLE,
	MSM_SCANOUT_EV_EVICT,
	MSM_SCANOUT_EV_LINGER,
};

/**
 * struct msm_scanout_mapping - one range of the window, mapped for one entry
 *
 * Apart from the entry because an entry may already have its next mapping while
 * the previous one is still being unmapped.
 */
struct msm_scanout_mapping {
	/** @node: the IOVA slot; protected by &msm_scanout_cache.lock */
	struct drm_mm_node node;
	/** @link: on the quarantine or on a batch */
	struct list_head link;
	/** @entry: whose mapping it is; outlives the mapping */
	struct msm_scanout_entry *entry;
	/** @reason: why it ends, once it is in quarantine */
	enum msm_scanout_reason reason;
};

/**
 * struct msm_scanout_entry - what the cache knows of one buffer
 *
 * Owned and embedded by the user of the cache, who initialises it with
 * msm_scanout_entry_init() and must call msm_scanout_cache_remove() before the
 * memory goes.  The cache holds no reference on the buffer, except while it
 * lingers.
 *
 * Calls for one entry are serialised by the caller (with the buffer's lock, or
 * by being the last user).  All fields are protected by
 * &msm_scanout_cache.lock unless noted.
 */
struct msm_scanout_entry {
	/** @cache: set by msm_scanout_entry_init(), immutable */
	struct msm_scanout_cache *cache;
	/** @all: on &msm_scanout_cache.entries */
	struct list_head all;
	/** @map: the current mapping, NULL if UNMAPPED */
	struct msm_scanout_mapping *map;
	/** @state: see &enum msm_scanout_state */
	enum msm_scanout_state state;
	/** @users: lookups not yet put back */
	unsigned int users;
	/** @in_flight: previous mappings that are being unmapped right now */
	unsigned int in_flight;
	/** @bytes: size of the buffer and of its mapping, immutable */
	u64 bytes;
	/** @hits: as in &struct msm_scanout_counters */
	u64 hits;
	/** @idle_since_ns: when the last user went */
	u64 idle_since_ns;
	/** @age: on &msm_scanout_cache.age while IDLE; oldest first */
	struct list_head age;
	/** @linger: on &msm_scanout_cache.lingering or .released */
	struct list_head linger;
	/** @ranks: on &msm_scanout_cache.lru, and what else policies keep of it */
	struct msm_scanout_policy_buf ranks;
	/** @tracked: to tell after how much it is used again */
	struct msm_scanout_tracked tracked;
	/** @may_linger: a reference may be held on it while idle, immutable */
	bool may_linger;
	/** @lingering: the cache holds a reference */
	bool lingering;
};

/**
 * struct msm_scanout_cache_ops - what the core needs from its user
 */
struct msm_scanout_cache_ops {
	/**
	 * @map: Map the entry's buffer at @iova.  May sleep and allocate.
	 * Called without locks of the cache.  Returns 0 or a negative error.
	 */
	int (*map)(struct msm_scanout_cache *cache,
		   struct msm_scanout_entry *entry, u64 iova);
	/**
	 * @unmap: Undo @map.  Called without locks of the cache, also from
	 * reclaim: must not allocate or take a lock that is held across an
	 * allocation.  Without @flush, the TLB is clean when it returns.
	 */
	void (*unmap)(struct msm_scanout_cache *cache,
		      struct msm_scanout_entry *entry, u64 iova);
	/**
	 * @flush: Optional.  Make the preceding @unmap calls of this context
	 * visible to the hardware.  Same context as @unmap.
	 */
	void (*flush)(struct msm_scanout_cache *cache);
	/** @hold: Take a reference on the buffer.  Atomic context. */
	void (*hold)(struct msm_scanout_entry *entry);
	/**
	 * @release: Give the reference of @hold back.  Called from
	 * msm_scanout_cache_release() only; may free the entry.
	 */
	void (*release)(struct msm_scanout_entry *entry);
	/**
	 * @unwanted: Would @release free the buffer's memory, because nobody
	 * else has a reference?  A hint.  Atomic context, also in reclaim.
	 */
	bool (*unwanted)(struct msm_scanout_entry *entry);
	/**
	 * @kick_reap: Have msm_scanout_cache_reap() called soon, from a context
	 * that makes progress under memory pressure.  Atomic context.
	 */
	void (*kick_reap)(struct msm_scanout_cache *cache);
	/** @kick_release: Have msm_scanout_cache_release() called.  Atomic. */
	void (*kick_release)(struct msm_scanout_cache *cache);
	/**
	 * @arm: Have msm_scanout_cache_expire() called once, @delay_ns from
	 * now; replaces an earlier request.  Atomic context.
	 */
	void (*arm)(struct msm_scanout_cache *cache, u64 delay_ns);
	/**
	 * @now_ns: Monotonic time, cheap rather than precise: for how long
	 * something is idle.  Atomic context.
	 */
	u64 (*now_ns)(struct msm_scanout_cache *cache);
	/** @stopwatch_ns: Precise time: for how long something takes. */
	u64 (*stopwatch_ns)(struct msm_scanout_cache *cache);
	/** @event: Optional, for tracing.  Called under the cache lock. */
	void (*event)(struct msm_scanout_cache *cache,
		      struct msm_scanout_entry *entry,
		      enum msm_scanout_event event, u64 arg);
	/** @batch: Optional, for tracing.  Called without locks. */
	void (*batch)(struct msm_scanout_cache *cache, unsigned int mappings,
		      u64 bytes, u64 ns);
};

/**
 * struct msm_scanout_limits - what may be changed at run time
 */
struct msm_scanout_limits {
	/** @max_bytes: bound on idle bytes; 0 switches the cache off */
	u64 max_bytes;
	/** @max_entries: bound on idle entries; 0 switches the cache off */
	u64 max_entries;
	/** @idle_timeout_ns: idle mappings older than this go; 0 is never */
	u64 idle_timeout_ns;
	/** @linger_ns: how long the cache may hold a reference; 0 is never */
	u64 linger_ns;
};

/**
 * enum msm_scanout_limit - names the fields of &struct msm_scanout_limits
 * @MSM_SCANOUT_MAX_BYTES_LIMIT: up to the size of the window
 * @MSM_SCANOUT_MAX_ENTRIES_LIMIT: up to %MSM_SCANOUT_MAX_ENTRIES
 * @MSM_SCANOUT_IDLE_TIMEOUT_LIMIT: up to a day
 * @MSM_SCANOUT_LINGER_LIMIT: up to a minute
 */
enum msm_scanout_limit {
	MSM_SCANOUT_MAX_BYTES_LIMIT,
	MSM_SCANOUT_MAX_ENTRIES_LIMIT,
	MSM_SCANOUT_IDLE_TIMEOUT_LIMIT,
	MSM_SCANOUT_LINGER_LIMIT,
};

/**
 * struct msm_scanout_counters - monotonic, never reset
 *
 * They add up, with &struct msm_scanout_gauges, whenever the lock is free::
 *
 *	hits + misses = sum of reuse_depth = sum of reuse_bytes
 *	inserts = active_entries + idle_entries + quarantined_entries +
 *		evictions + evictions_age + evictions_pressure + invalidations
 *	misses = inserts + map_failures + buffers being mapped
 */
struct msm_scanout_counters {
	/** @hits: lookups of unused buffers that found a mapping */
	u64 hits;
	/** @misses: those that did not, whatever came of them */
	u64 misses;
	/** @inserts: mappings made */
	u64 inserts;
	/** @evictions: mappings undone because of a bound or trim */
	u64 evictions;
	/** @evictions_age: because of idle_timeout */
	u64 evictions_age;
	/** @evictions_pressure: because pages or window were needed */
	u64 evictions_pressure;
	/** @invalidations: because the buffer was freed, or the cache emptied */
	u64 invalidations;
	/** @rescues: hits that took a mapping back from quarantine */
	u64 rescues;
	/** @batches: groups in which they were */
	u64 batches;
	/** @lingers: references taken on idle buffers */
	u64 lingers;
	/** @map_failures: misses without a mapping in the end */
	u64 map_failures;
	/** @window_full: those for which all idle mappings left no slot */
	u64 window_full;
	/** @map_ns: time spent in &msm_scanout_cache_ops.map */
	u64 map_ns;
	/** @unmap_ns: time spent in &msm_scanout_cache_ops.unmap and .flush */
	u64 unmap_ns;
	/** @generation: changes of the limits */
	u64 generation;
};

/**
 * struct msm_scanout_gauges - what there is right now
 */
struct msm_scanout_gauges {
	/** @active_bytes: mapped and in use */
	u64 active_bytes;
	/** @active_entries: their number */
	u64 active_entries;
	/** @idle_bytes: mapped, unused; at most max_bytes, always */
	u64 idle_bytes;
	/** @idle_entries: their number; at most max_entries, always */
	u64 idle_entries;
	/** @quarantined_bytes: evicted, but their unmap is not complete */
	u64 quarantined_bytes;
	/** @quarantined_entries: their number */
	u64 quarantined_entries;
	/** @lingering_entries: idle buffers the cache holds a reference on */
	u64 lingering_entries;
	/** @idle_bytes_peak: highest @idle_bytes ever */
	u64 idle_bytes_peak;
};

/**
 * struct msm_scanout_histograms - what mapping costs
 */
struct msm_scanout_histograms {
	/** @map_ns: maps by log2 of their time in ns */
	u64 map_ns[MSM_SCANOUT_LATENCY_BUCKETS];
	/** @unmap_ns: unmap batches by log2 of their time in ns */
	u64 unmap_ns[MSM_SCANOUT_LATENCY_BUCKETS];
};

/**
 * struct msm_scanout_snapshot - a consistent copy of all figures
 */
struct msm_scanout_snapshot {
	/** @limits: in force */
	struct msm_scanout_limits limits;
	/** @policy: which is in force */
	enum msm_scanout_policy_kind policy;
	/** @forecast_lead: see &msm_scanout_policy.lead */
	int forecast_lead;
	/** @counters: since the cache was made */
	struct msm_scanout_counters counters;
	/** @gauges: now */
	struct msm_scanout_gauges gauges;
	/** @histograms: since the cache was made */
	struct msm_scanout_histograms histograms;
	/** @reuse_depth: lookups by reuse distance in buffers, likewise */
	u64 reuse_depth[MSM_SCANOUT_DEPTH_BUCKETS];
	/** @reuse_bytes: lookups by reuse distance in bytes, likewise */
	u64 reuse_bytes[MSM_SCANOUT_BYTES_BUCKETS];
	/** @ghost_entries: unmapped buffers whose reuse is still recognised */
	u64 ghost_entries;
	/** @flips: framebuffers prepared */
	u64 flips;
};

/**
 * struct msm_scanout_cache - the cache
 *
 * Everything is protected by @lock unless noted.
 */
struct msm_scanout_cache {
	/** @ops: immutable */
	const struct msm_scanout_cache_ops *ops;
	/** @lock: innermost but for what @ops.event and .hold take */
	spinlock_t lock;
	/** @unmap_dep: teaches lockdep who waits for unmaps */
	struct lockdep_map unmap_dep;
	/** @wait: woken when in-flight unmaps are complete */
	wait_queue_head_t wait;
	/** @window: allocator of IOVA slots */
	struct drm_mm window;
	/** @window_bytes: size of the window, immutable */
	u64 window_bytes;
	/** @limits: in force */
	struct msm_scanout_limits limits;
	/** @policy: where in @lru an entry is inserted */
	struct msm_scanout_policy policy;
	/** @entries: all entries */
	struct list_head entries;
	/** @lru: idle entries, next victim first */
	struct list_head lru;
	/** @age: idle entries, longest idle first */
	struct list_head age;
	/** @lingering: entries the cache holds a reference on, oldest first */
	struct list_head lingering;
	/** @released: entries whose reference is to be given back */
	struct list_head released;
	/** @quarantine: mappings to be unmapped */
	struct list_head quarantine;
	/** @reuse: after how much entries are used again */
	struct msm_scanout_reuse reuse;
	/** @in_flight: mappings being unmapped */
	unsigned int in_flight;
	/** @armed_ns: when msm_scanout_cache_expire() is due, 0 if not armed */
	u64 armed_ns;
	/** @dead: drained for good */
	bool dead;
	/** @counters: see there */
	struct msm_scanout_counters counters;
	/** @gauges: see there */
	struct msm_scanout_gauges gauges;
	/** @histograms: see there */
	struct msm_scanout_histograms histograms;
	/** @flips: not under @lock */
	atomic64_t flips;
};

void msm_scanout_cache_init(struct msm_scanout_cache *cache,
			    const struct msm_scanout_cache_ops *ops,
			    u64 window_start, u64 window_bytes);
void msm_scanout_cache_drain(struct msm_scanout_cache *cache);
void msm_scanout_cache_fini(struct msm_scanout_cache *cache);

void msm_scanout_entry_init(struct msm_scanout_cache *cache,
			    struct msm_scanout_entry *entry, u64 bytes,
			    bool may_linger);
int msm_scanout_cache_get(struct msm_scanout_entry *entry, u64 *iova);
void msm_scanout_cache_put(struct msm_scanout_entry *entry);
void msm_scanout_cache_invalidate(struct msm_scanout_entry *entry,
				  enum msm_scanout_reason reason);
void msm_scanout_cache_remove(struct msm_scanout_entry *entry);

int msm_scanout_cache_set_limit(struct msm_scanout_cache *cache,
				enum msm_scanout_limit which, u64 value);
void msm_scanout_cache_set_policy(struct msm_scanout_cache *cache,
				  enum msm_scanout_policy_kind kind);
void msm_scanout_cache_trim(struct msm_scanout_cache *cache, u64 idle_bytes,
			    enum msm_scanout_reason reason);
void msm_scanout_cache_settle(struct msm_scanout_cache *cache);
u64 msm_scanout_cache_unwanted(struct msm_scanout_cache *cache);
u64 msm_scanout_cache_reclaim(struct msm_scanout_cache *cache, u64 bytes);

void msm_scanout_cache_reap(struct msm_scanout_cache *cache);
void msm_scanout_cache_release(struct msm_scanout_cache *cache);
void msm_scanout_cache_expire(struct msm_scanout_cache *cache);

void msm_scanout_cache_snapshot(struct msm_scanout_cache *cache,
				struct msm_scanout_snapshot *snap);
void msm_scanout_cache_for_each(struct msm_scanout_cache *cache,
				void (*fn)(struct msm_scanout_entry *entry,
					   void *arg),
				void *arg);
bool msm_scanout_entry_peek(struct msm_scanout_entry *entry,
			    struct msm_scanout_entry *copy, u64 *iova);
const char *msm_scanout_state_name(enum msm_scanout_state state);

/**
 * msm_scanout_cache_enabled() - is it worth a lookup?
 * @cache: the cache
 *
 * Return: a hint, as limits may change at any time.
 */
static inline bool msm_scanout_cache_enabled(struct msm_scanout_cache *cache)
{
	return READ_ONCE(cache->limits.max_bytes) &&
	       READ_ONCE(cache->limits.max_entries) && !READ_ONCE(cache->dead);
}

/**
 * msm_scanout_cache_note_flip() - count one prepared framebuffer
 * @cache: the cache
 */
static inline void msm_scanout_cache_note_flip(struct msm_scanout_cache *cache)
{
	atomic64_inc(&cache->flips);
}

#endif /* __MSM_SCANOUT_CACHE_H__ */
