// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cache's limits and figures, one value a file, in scanout_cache/ of the
 * display controller's device.  Documented in
 * Documentation/ABI/testing/sysfs-driver-msm-scanout-cache.
 */

#include <linux/device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "msm_drv.h"
#include "msm_kms.h"
#include "msm_scanout.h"
#include "msm_scanout_cache.h"

/**
 * struct scanout_attribute - one file
 */
struct scanout_attribute {
	/** @attr: as seen by the driver core */
	struct device_attribute attr;
	/** @offset: of the value in &struct msm_scanout_snapshot */
	size_t offset;
	/** @unit: what the file's unit is in units of the value */
	u64 unit;
	/** @limit: for writable files */
	enum msm_scanout_limit limit;
	/** @values: number of values, for histograms */
	unsigned int values;
};

static struct scanout_attribute *to_scanout_attribute(struct device_attribute *attr)
{
	return container_of(attr, struct scanout_attribute, attr);
}

static struct msm_scanout_cache *cache_of(struct device *dev)
{
	struct msm_drm_private *priv = dev_get_drvdata(dev);

	return msm_scanout_cache_of(priv->kms->scanout);
}

static ssize_t scanout_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct scanout_attribute *sa = to_scanout_attribute(attr);
	struct msm_scanout_snapshot *snap __free(kfree) = kmalloc_obj(*snap);
	const u64 *value;
	ssize_t len = 0;

	if (!snap)
		return -ENOMEM;

	msm_scanout_cache_snapshot(cache_of(dev), snap);
	value = (void *)snap + sa->offset;

	for (unsigned int i = 0; i < sa->values; i++)
		len += sysfs_emit_at(buf, len, "%s%llu", i ? " " : "",
				     div64_u64(value[i], sa->unit));

	return len + sysfs_emit_at(buf, len, "\n");
}

/*
 * A decimal number, for bytes with an optional K, M or G.  Stricter than
 * memparse(), which lets garbage and overflow pass.
 */
static int parse_u64(const char *buf, size_t count, bool bytes, u64 *value)
{
	unsigned int shift = 0;
	char text[32];
	int ret;

	if (count && buf[count - 1] == '\n')
		count--;
	if (!count || count >= sizeof(text) || memchr(buf, '\0', count))
		return -EINVAL;

	memcpy(text, buf, count);

	if (bytes) {
		switch (text[count - 1]) {
		case 'G':
		case 'g':
			shift += 10;
			fallthrough;
		case 'M':
		case 'm':
			shift += 10;
			fallthrough;
		case 'K':
		case 'k':
			shift += 10;
			count--;
		}
	}
	text[count] = '\0';

	if (!isdigit(text[0]))
		return -EINVAL;

	ret = kstrtou64(text, 10, value);
	if (ret)
		return ret;
	if (*value > U64_MAX >> shift)
		return -ERANGE;
	*value <<= shift;

	return 0;
}

static ssize_t scanout_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct scanout_attribute *sa = to_scanout_attribute(attr);
	u64 value;
	int ret;

	ret = parse_u64(buf, count, sa->limit == MSM_SCANOUT_MAX_BYTES_LIMIT,
			&value);
	if (ret)
		return ret;
	if (value > div64_u64(U64_MAX, sa->unit))
		return -ERANGE;

	ret = msm_scanout_cache_set_limit(cache_of(dev), sa->limit,
					  value * sa->unit);
	if (ret)
		return ret;

	msm_scanout_sysfs_notify(dev, "generation");

	return count;
}

static ssize_t trim_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	u64 idle_bytes;
	int ret;

	ret = parse_u64(buf, count, true, &idle_bytes);
	if (ret)
		return ret;

	msm_scanout_cache_trim(cache_of(dev), idle_bytes, MSM_SCANOUT_TRIM);

	return count;
}
static DEVICE_ATTR_WO(trim);

static const char *const policies[] = {
	[MSM_SCANOUT_LRU] = "lru",
	[MSM_SCANOUT_ADAPTIVE] = "adaptive",
};

static ssize_t policy_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct msm_scanout_snapshot *snap __free(kfree) = kmalloc_obj(*snap);
	ssize_t len = 0;

	if (!snap)
		return -ENOMEM;

	msm_scanout_cache_snapshot(cache_of(dev), snap);
	for (unsigned int i = 0; i < ARRAY_SIZE(policies); i++)
		len += sysfs_emit_at(buf, len,
				     i == snap->policy ? "%s[%s]" : "%s%s",
				     i ? " " : "", policies[i]);

	return len + sysfs_emit_at(buf, len, "\n");
}

static ssize_t policy_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	int kind = sysfs_match_string(policies, buf);

	if (kind < 0)
		return kind;

	msm_scanout_cache_set_policy(cache_of(dev), kind);
	msm_scanout_sysfs_notify(dev, "generation");

	return count;
}
static DEVICE_ATTR_RW(policy);

#define SCANOUT_ATTR(_name, _mode, _show, _store, _field, _unit, _limit, _values) \
static struct scanout_attribute scanout_attr_##_name = {			\
	.attr = __ATTR(_name, _mode, _show, _store),				\
	.offset = offsetof(struct msm_scanout_snapshot, _field),		\
	.unit = _unit,								\
	.limit = _limit,							\
	.values = _values,							\
}

#define SCANOUT_LIMIT(_name, _field, _unit, _limit) \
	SCANOUT_ATTR(_name, 0644, scanout_show, scanout_store, limits._field, \
		     _unit, _limit, 1)

/* When something is flipped is not for everybody: it tells when keys are hit. */
#define SCANOUT_VALUE(_name, _field) \
	SCANOUT_ATTR(_name, 0400, scanout_show, NULL, _field, 1, 0, 1)

#define SCANOUT_HISTOGRAM(_name, _field, _values) \
	SCANOUT_ATTR(_name, 0400, scanout_show, NULL, _field, 1, 0, _values)

SCANOUT_LIMIT(max_bytes, max_bytes, 1, MSM_SCANOUT_MAX_BYTES_LIMIT);
SCANOUT_LIMIT(max_entries, max_entries, 1, MSM_SCANOUT_MAX_ENTRIES_LIMIT);
SCANOUT_LIMIT(idle_timeout_ms, idle_timeout_ns, NSEC_PER_MSEC,
	      MSM_SCANOUT_IDLE_TIMEOUT_LIMIT);
SCANOUT_LIMIT(import_linger_ms, linger_ns, NSEC_PER_MSEC,
	      MSM_SCANOUT_LINGER_LIMIT);

SCANOUT_ATTR(generation, 0444, scanout_show, NULL, counters.generation, 1, 0, 1);

SCANOUT_VALUE(active_bytes, gauges.active_bytes);
SCANOUT_VALUE(active_entries, gauges.active_entries);
SCANOUT_VALUE(idle_bytes, gauges.idle_bytes);
SCANOUT_VALUE(idle_entries, gauges.idle_entries);
SCANOUT_VALUE(quarantined_bytes, gauges.quarantined_bytes);

SCANOUT_VALUE(hits, counters.hits);
SCANOUT_VALUE(misses, counters.misses);
SCANOUT_VALUE(inserts, counters.inserts);
SCANOUT_VALUE(evictions, counters.evictions);
SCANOUT_VALUE(evictions_age, counters.evictions_age);
SCANOUT_VALUE(evictions_pressure, counters.evictions_pressure);
SCANOUT_VALUE(invalidations, counters.invalidations);
SCANOUT_VALUE(flips, flips);
SCANOUT_VALUE(map_ns, counters.map_ns);
SCANOUT_VALUE(unmap_ns, counters.unmap_ns);

SCANOUT_HISTOGRAM(reuse_depth, reuse_depth, MSM_SCANOUT_DEPTH_BUCKETS);
SCANOUT_HISTOGRAM(reuse_bytes, reuse_bytes, MSM_SCANOUT_BYTES_BUCKETS);

static struct attribute *scanout_attrs[] = {
	&scanout_attr_max_bytes.attr.attr,
	&scanout_attr_max_entries.attr.attr,
	&scanout_attr_idle_timeout_ms.attr.attr,
	&scanout_attr_import_linger_ms.attr.attr,
	&dev_attr_policy.attr,
	&dev_attr_trim.attr,
	&scanout_attr_active_bytes.attr.attr,
	&scanout_attr_active_entries.attr.attr,
	&scanout_attr_idle_bytes.attr.attr,
	&scanout_attr_idle_entries.attr.attr,
	&scanout_attr_quarantined_bytes.attr.attr,
	&scanout_attr_hits.attr.attr,
	&scanout_attr_misses.attr.attr,
	&scanout_attr_inserts.attr.attr,
	&scanout_attr_evictions.attr.attr,
	&scanout_attr_evictions_age.attr.attr,
	&scanout_attr_evictions_pressure.attr.attr,
	&scanout_attr_invalidations.attr.attr,
	&scanout_attr_flips.attr.attr,
	&scanout_attr_map_ns.attr.attr,
	&scanout_attr_unmap_ns.attr.attr,
	&scanout_attr_generation.attr.attr,
	&scanout_attr_reuse_depth.attr.attr,
	&scanout_attr_reuse_bytes.attr.attr,
	NULL
};

static const struct attribute_group scanout_group = {
	.name = "scanout_cache",
	.attrs = scanout_attrs,
};

/**
 * msm_scanout_sysfs_notify() - wake who polls a file
 * @dev: the display controller
 * @file: name of the file
 */
void msm_scanout_sysfs_notify(struct device *dev, const char *file)
{
	sysfs_notify(&dev->kobj, scanout_group.name, file);
}

static bool has_cache(struct device *dev)
{
	struct msm_drm_private *priv = dev_get_drvdata(dev);

	return priv->kms && priv->kms->scanout;
}

/**
 * msm_scanout_sysfs_init() - show the cache
 * @dev: the display controller
 *
 * Call before the DRM device is announced, so that who is told of it finds the
 * files.
 *
 * Others than root may open the files of the limits by name, but neither list nor
 * watch the directory: inotify tells who watches it of each notification of a
 * file in it, also of one that they may not read.
 *
 * Return: 0 or a negative error.
 */
int msm_scanout_sysfs_init(struct device *dev)
{
	const struct attribute directory = { .name = scanout_group.name };
	int ret;

	if (!has_cache(dev))
		return 0;

	ret = device_add_group(dev, &scanout_group);
	if (ret)
		return ret;

	ret = sysfs_chmod_file(&dev->kobj, &directory, 0711);
	if (ret)
		device_remove_group(dev, &scanout_group);

	return ret;
}

/**
 * msm_scanout_sysfs_fini() - undo msm_scanout_sysfs_init()
 * @dev: the display controller
 *
 * No file is in use when it returns.
 */
void msm_scanout_sysfs_fini(struct device *dev)
{
	if (has_cache(dev))
		device_remove_group(dev, &scanout_group);
}
