/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scanout mappings beside the display's drm_gpuvm: binds GEM objects and the
 * display's IOMMU to the cache in msm_scanout_cache.c.
 */

#ifndef __MSM_SCANOUT_H__
#define __MSM_SCANOUT_H__

#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct device;
struct dma_buf;
struct drm_device;
struct drm_gem_object;
struct drm_minor;
struct fault_attr;
struct msm_drm_private;
struct msm_kms;
struct msm_mmu;
struct msm_scanout;
struct msm_scanout_cache;
struct msm_scanout_entry;
struct seq_file;

extern struct fault_attr fail_scanout_map;

/*
 * The range of the display's 4 GiB address space in which cached mappings live,
 * near its top so that drm_gpuvm keeps one contiguous range below.  The slot above
 * it stays free: where the end of a buffer were 4 GiB, it would be 0 to all who
 * compute in 32 bits.
 */
#define MSM_SCANOUT_WINDOW_BYTES	((u64)SZ_1G)
#define MSM_SCANOUT_WINDOW_START	(SZ_4G - SZ_2M - MSM_SCANOUT_WINDOW_BYTES)

/* Where the range of drm_gpuvm ends. */
#ifdef CONFIG_DRM_MSM_SCANOUT_CACHE
#define MSM_SCANOUT_VM_END		MSM_SCANOUT_WINDOW_START
#else
#define MSM_SCANOUT_VM_END		SZ_4G
#endif

#ifdef CONFIG_DRM_MSM_SCANOUT_CACHE

int msm_scanout_init(struct msm_kms *kms, struct msm_mmu *mmu, u64 window_start);
void msm_scanout_fini(struct msm_kms *kms);
void msm_scanout_suspend(struct msm_kms *kms);
struct msm_scanout_cache *msm_scanout_cache_of(struct msm_scanout *scanout);

void msm_scanout_note_flip(struct msm_kms *kms);
int msm_scanout_pin(struct msm_kms *kms, struct drm_gem_object *obj, u64 *iova);
void msm_scanout_unpin(struct drm_gem_object *obj);
bool msm_scanout_in_use(struct drm_gem_object *obj);
bool msm_scanout_referenced(struct drm_gem_object *obj);

unsigned long msm_scanout_unwanted_pages(struct msm_drm_private *priv);
unsigned long msm_scanout_reclaim(struct msm_drm_private *priv, unsigned long nr_pages);

void msm_scanout_evict_object(struct drm_gem_object *obj);
void msm_scanout_free_object(struct drm_gem_object *obj);
struct drm_gem_object *msm_scanout_find_import(struct drm_device *dev,
					       struct dma_buf *buf);

int msm_scanout_sysfs_init(struct device *dev);
void msm_scanout_sysfs_fini(struct device *dev);
void msm_scanout_sysfs_notify(struct device *dev, const char *file);

#ifdef CONFIG_DEBUG_FS
void msm_scanout_describe(struct drm_gem_object *obj, struct seq_file *m);
void msm_scanout_print_owner(struct msm_scanout_entry *entry, struct seq_file *m);
void msm_scanout_debugfs_init(struct msm_kms *kms, struct drm_minor *minor);
#endif

#else /* ! CONFIG_DRM_MSM_SCANOUT_CACHE */

static inline int msm_scanout_init(struct msm_kms *kms, struct msm_mmu *mmu,
				   u64 window_start)
{
	return 0;
}

static inline void msm_scanout_fini(struct msm_kms *kms)
{
}

static inline void msm_scanout_suspend(struct msm_kms *kms)
{
}

static inline void msm_scanout_note_flip(struct msm_kms *kms)
{
}

static inline int msm_scanout_pin(struct msm_kms *kms,
				  struct drm_gem_object *obj, u64 *iova)
{
	return -EOPNOTSUPP;
}

static inline void msm_scanout_unpin(struct drm_gem_object *obj)
{
}

static inline bool msm_scanout_in_use(struct drm_gem_object *obj)
{
	return false;
}

static inline bool msm_scanout_referenced(struct drm_gem_object *obj)
{
	return false;
}

static inline unsigned long msm_scanout_unwanted_pages(struct msm_drm_private *priv)
{
	return 0;
}

static inline unsigned long msm_scanout_reclaim(struct msm_drm_private *priv,
						unsigned long nr_pages)
{
	return 0;
}

static inline void msm_scanout_evict_object(struct drm_gem_object *obj)
{
}

static inline void msm_scanout_free_object(struct drm_gem_object *obj)
{
}

static inline struct drm_gem_object *
msm_scanout_find_import(struct drm_device *dev, struct dma_buf *buf)
{
	return NULL;
}

static inline int msm_scanout_sysfs_init(struct device *dev)
{
	return 0;
}

static inline void msm_scanout_sysfs_fini(struct device *dev)
{
}

#ifdef CONFIG_DEBUG_FS
static inline void msm_scanout_describe(struct drm_gem_object *obj,
					struct seq_file *m)
{
}

static inline void msm_scanout_debugfs_init(struct msm_kms *kms,
					    struct drm_minor *minor)
{
}
#endif

#endif /* ! CONFIG_DRM_MSM_SCANOUT_CACHE */

#endif /* __MSM_SCANOUT_H__ */
