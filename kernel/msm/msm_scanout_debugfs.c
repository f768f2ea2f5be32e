// SPDX-License-Identifier: GPL-2.0-only
/*
 * For developers: what is in the cache, what mapping costs, and a way to empty
 * it.  In scanout_cache/ of the DRM device's debugfs directory.
 */

#ifdef CONFIG_DEBUG_FS

#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <drm/drm_file.h>

#include "msm_drv.h"
#include "msm_kms.h"
#include "msm_scanout.h"
#include "msm_scanout_cache.h"

static void show_entry(struct msm_scanout_entry *entry, void *arg)
{
	struct msm_scanout_cache *cache = entry->cache;
	struct seq_file *m = arg;
	u64 idle_ms = 0;

	if (entry->state == MSM_SCANOUT_IDLE)
		idle_ms = div_u64(cache->ops->now_ns(cache) - entry->idle_since_ns,
				  NSEC_PER_MSEC);

	seq_printf(m, "%08llx %10llu %-11s %8llu %5u %8llu %-9s ",
		   entry->map ? entry->map->node.start : 0, entry->bytes,
		   msm_scanout_state_name(entry->state), idle_ms, entry->users,
		   entry->hits, entry->lingering ? "lingering" : "-");
	msm_scanout_print_owner(entry, m);
}

static int entries_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "iova          bytes state        idle_ms users     hits linger    buffer\n");
	msm_scanout_cache_for_each(m->private, show_entry, m);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(entries);

static void show_latency(struct seq_file *m, const char *name, const u64 *buckets)
{
	seq_printf(m, "%s:\n", name);
	for (unsigned int i = 0; i < MSM_SCANOUT_LATENCY_BUCKETS; i++)
		if (buckets[i])
			seq_printf(m, "  %12llu..%-12llu ns %llu\n",
				   i ? BIT_ULL(i) : 0, BIT_ULL(i + 1) - 1,
				   buckets[i]);
}

static void show_reuse(struct seq_file *m, const char *name, const u64 *buckets,
		       unsigned int bounds, u64 (*bound)(unsigned int bucket))
{
	seq_printf(m, "%s:\n", name);
	for (unsigned int i = 0; i < bounds; i++)
		if (buckets[i])
			seq_printf(m, "  <= %-12llu %llu\n", bound(i), buckets[i]);
	if (buckets[bounds])
		seq_printf(m, "  beyond          %llu\n", buckets[bounds]);
	if (buckets[bounds + 1])
		seq_printf(m, "  never before    %llu\n", buckets[bounds + 1]);
}

#define VALUE(_name, _member) \
	{ _name, offsetof(struct msm_scanout_snapshot, _member) }

static const struct {
	const char *name;
	size_t offset;
} values[] = {
	VALUE("max_bytes", limits.max_bytes),
	VALUE("max_entries", limits.max_entries),
	VALUE("idle_timeout_ns", limits.idle_timeout_ns),
	VALUE("linger_ns", limits.linger_ns),
	VALUE("active_bytes", gauges.active_bytes),
	VALUE("active_entries", gauges.active_entries),
	VALUE("idle_bytes", gauges.idle_bytes),
	VALUE("idle_entries", gauges.idle_entries),
	VALUE("idle_bytes_peak", gauges.idle_bytes_peak),
	VALUE("quarantined_bytes", gauges.quarantined_bytes),
	VALUE("quarantined_entries", gauges.quarantined_entries),
	VALUE("lingering_entries", gauges.lingering_entries),
	VALUE("ghost_entries", ghost_entries),
	VALUE("hits", counters.hits),
	VALUE("misses", counters.misses),
	VALUE("inserts", counters.inserts),
	VALUE("rescues", counters.rescues),
	VALUE("evictions", counters.evictions),
	VALUE("evictions_age", counters.evictions_age),
	VALUE("evictions_pressure", counters.evictions_pressure),
	VALUE("invalidations", counters.invalidations),
	VALUE("batches", counters.batches),
	VALUE("lingers", counters.lingers),
	VALUE("map_failures", counters.map_failures),
	VALUE("window_full", counters.window_full),
	VALUE("map_ns", counters.map_ns),
	VALUE("unmap_ns", counters.unmap_ns),
	VALUE("generation", counters.generation),
	VALUE("flips", flips),
};

#undef VALUE

static int stats_show(struct seq_file *m, void *unused)
{
	struct msm_scanout_snapshot *s __free(kfree) = kmalloc_obj(*s);

	if (!s)
		return -ENOMEM;

	msm_scanout_cache_snapshot(m->private, s);

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++)
		seq_printf(m, "%-20s %llu\n", values[i].name,
			   *(u64 *)((void *)s + values[i].offset));

	seq_printf(m, "%-20s %d\n", "forecast_lead", s->forecast_lead);

	show_latency(m, "map", s->histograms.map_ns);
	show_latency(m, "unmap batch", s->histograms.unmap_ns);
	show_reuse(m, "reuse distance in buffers", s->reuse_depth,
		   MSM_SCANOUT_DEPTH_BOUNDS, msm_scanout_depth_bound);
	show_reuse(m, "reuse distance in bytes", s->reuse_bytes,
		   MSM_SCANOUT_BYTES_BOUNDS, msm_scanout_bytes_bound);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int drop_set(void *data, u64 val)
{
	msm_scanout_cache_trim(data, 0, MSM_SCANOUT_DROP);
	msm_scanout_cache_settle(data);

	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(drop_fops, NULL, drop_set, "%llu\n");

/**
 * msm_scanout_debugfs_init() - add the files
 * @kms: the display
 * @minor: the DRM minor whose directory they go to
 */
void msm_scanout_debugfs_init(struct msm_kms *kms, struct drm_minor *minor)
{
	struct msm_scanout_cache *cache;
	struct dentry *dir;

	if (!kms->scanout)
		return;

	cache = msm_scanout_cache_of(kms->scanout);
	dir = debugfs_create_dir("scanout_cache", minor->debugfs_root);
	debugfs_create_file("entries", 0400, dir, cache, &entries_fops);
	debugfs_create_file("stats", 0400, dir, cache, &stats_fops);
	debugfs_create_atomic_t("flush_timeouts", 0400, dir, &kms->flush_timeouts);
	debugfs_create_file_unsafe("drop", 0200, dir, cache, &drop_fops);
	fault_create_debugfs_attr("fail_scanout_map", dir, &fail_scanout_map);
}

#endif /* CONFIG_DEBUG_FS */
