// SPDX-License-Identifier: GPL-2.0-only

#include <linux/dma-buf.h>
#include <linux/fault-inject.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_print.h>

#include "msm_drv.h"
#include "msm_gem.h"
#include "msm_kms.h"
#include "msm_mmu.h"
#include "msm_scanout.h"
#include "msm_scanout_cache.h"
#include "msm_scanout_slot.h"

#define CREATE_TRACE_POINTS
#include "msm_scanout_trace.h"

DECLARE_FAULT_ATTR(fail_scanout_map);

/* The first flip after such a pause is announced. */
#define MSM_SCANOUT_PAUSE	HZ

/**
 * struct msm_scanout - the display's scanout mappings
 *
 * While the system sleeps nothing is mapped and nothing may be unmapped, as the
 * IOMMU has no clocks: msm_scanout_suspend() empties the cache, and the work
 * that would end lingering or idleness is frozen together with user space.
 */
struct msm_scanout {
	/**
	 * @ref: of the display, and of each object with an entry, because GEM
	 * objects may outlive the KMS part of the driver
	 */
	struct kref ref;
	/** @cache: the mappings */
	struct msm_scanout_cache cache;
	/** @mmu: the display's; gone once the cache is drained */
	struct msm_mmu *mmu;
	/**
	 * @wq: unmaps, so it has to make progress in reclaim, also while an
	 * image is made for hibernation
	 */
	struct workqueue_struct *wq;
	/** @reap: runs msm_scanout_cache_reap() */
	struct work_struct reap;
	/**
	 * @release: runs msm_scanout_cache_release(), not on @wq: freeing an
	 * import takes its exporter's locks
	 */
	struct work_struct release;
	/** @expire: runs msm_scanout_cache_expire() */
	struct delayed_work expire;
	/** @last_flip: in jiffies, when a framebuffer was last prepared */
	unsigned long last_flip;
	/** @imports_lock: protects @imports */
	spinlock_t imports_lock;
	/** @imports: imported objects with an entry, by their dma-buf */
	DECLARE_HASHTABLE(imports, 6);
};

/**
 * struct msm_scanout_object - what a GEM object has once it was scanned out
 */
struct msm_scanout_object {
	/** @entry: the object's entry in the cache */
	struct msm_scanout_entry entry;
	/** @obj: the object; not a reference */
	struct drm_gem_object *obj;
	/** @by_dmabuf: on &msm_scanout.imports */
	struct hlist_node by_dmabuf;
	/** @referenced: pinned since the shrinker last asked; under the lock of @obj */
	bool referenced;
};

static struct msm_scanout *to_scanout(struct msm_scanout_cache *cache)
{
	return container_of(cache, struct msm_scanout, cache);
}

static struct msm_scanout_object *to_scanout_object(struct msm_scanout_entry *entry)
{
	return container_of(entry, struct msm_scanout_object, entry);
}

/*
 * What the cache calls
 */

static int scanout_map(struct msm_scanout_cache *cache,
		       struct msm_scanout_entry *entry, u64 iova)
{
	struct drm_gem_object *obj = to_scanout_object(entry)->obj;
	struct msm_mmu *mmu = to_scanout(cache)->mmu;
	struct page **pages;

	msm_gem_assert_locked(obj);

	if (should_fail(&fail_scanout_map, 1))
		return -ENOMEM;

	/* They stay for as long as the buffer is in use or its lock is held. */
	pages = msm_gem_get_pages_locked(obj, MSM_MADV_WILLNEED);
	if (IS_ERR(pages))
		return PTR_ERR(pages);

	return mmu->funcs->map(mmu, iova, to_msm_bo(obj)->sgt, 0, obj->size,
			       msm_gem_prot(obj));
}

static void scanout_unmap(struct msm_scanout_cache *cache,
			  struct msm_scanout_entry *entry, u64 iova)
{
	struct drm_gem_object *obj = to_scanout_object(entry)->obj;
	struct msm_mmu *mmu = to_scanout(cache)->mmu;

	/* The pages and their table stay until the unmap is complete. */
	if (mmu->can_defer)
		msm_scanout_slot_unmap(mmu, iova, entry->bytes, to_msm_bo(obj)->sgt);
	else
		mmu->funcs->unmap(mmu, iova, entry->bytes);
}

static void scanout_flush(struct msm_scanout_cache *cache)
{
	struct msm_mmu *mmu = to_scanout(cache)->mmu;

	if (mmu->can_defer)
		mmu->funcs->flush(mmu);
}

static void scanout_hold(struct msm_scanout_entry *entry)
{
	drm_gem_object_get(to_scanout_object(entry)->obj);
}

static void scanout_release(struct msm_scanout_entry *entry)
{
	drm_gem_object_put(to_scanout_object(entry)->obj);
}

/*
 * Neither a handle nor a framebuffer refers to the import, and its exporter's
 * memory has no other user, such as the player that decodes into it.
 */
static bool scanout_unwanted(struct msm_scanout_entry *entry)
{
	struct drm_gem_object *obj = to_scanout_object(entry)->obj;

	return kref_read(&obj->refcount) == 1 &&
	       file_count(obj->import_attach->dmabuf->file) == 1;
}

static void scanout_kick_reap(struct msm_scanout_cache *cache)
{
	struct msm_scanout *scanout = to_scanout(cache);

	queue_work(scanout->wq, &scanout->reap);
}

static void scanout_kick_release(struct msm_scanout_cache *cache)
{
	queue_work(system_freezable_wq, &to_scanout(cache)->release);
}

static void scanout_arm(struct msm_scanout_cache *cache, u64 delay_ns)
{
	/* One more, so as not to come just before the deadline. */
	mod_delayed_work(system_freezable_wq, &to_scanout(cache)->expire,
			 nsecs_to_jiffies(delay_ns) + 1);
}

static u64 scanout_now_ns(struct msm_scanout_cache *cache)
{
	return get_jiffies_64() * TICK_NSEC;
}

static u64 scanout_stopwatch_ns(struct msm_scanout_cache *cache)
{
	return ktime_get_ns();
}

static void scanout_event(struct msm_scanout_cache *cache,
			  struct msm_scanout_entry *entry,
			  enum msm_scanout_event event, u64 arg)
{
	struct drm_gem_object *obj = to_scanout_object(entry)->obj;
	u64 iova = entry->map ? entry->map->node.start : 0;

	switch (event) {
	case MSM_SCANOUT_EV_HIT:
		trace_msm_scanout_hit(obj, iova, entry->bytes, arg);
		break;
	case MSM_SCANOUT_EV_MISS:
		trace_msm_scanout_miss(obj, iova, entry->bytes, arg);
		break;
	case MSM_SCANOUT_EV_MAP:
		trace_msm_scanout_map(obj, iova, entry->bytes, arg);
		break;
	case MSM_SCANOUT_EV_IDLE:
		trace_msm_scanout_idle(obj, iova, entry->bytes, arg);
		break;
	case MSM_SCANOUT_EV_EVICT:
		trace_msm_scanout_evict(obj, iova, entry->bytes, arg);
		break;
	case MSM_SCANOUT_EV_LINGER:
		trace_msm_scanout_linger(obj, iova, entry->bytes, arg);
		break;
	}
}

static void scanout_batch(struct msm_scanout_cache *cache,
			  unsigned int mappings, u64 bytes, u64 ns)
{
	trace_msm_scanout_unmap_batch(mappings, bytes, ns);
}

static const struct msm_scanout_cache_ops scanout_ops = {
	.map = scanout_map,
	.unmap = scanout_unmap,
	.flush = scanout_flush,
	.hold = scanout_hold,
	.release = scanout_release,
	.unwanted = scanout_unwanted,
	.kick_reap = scanout_kick_reap,
	.kick_release = scanout_kick_release,
	.arm = scanout_arm,
	.now_ns = scanout_now_ns,
	.stopwatch_ns = scanout_stopwatch_ns,
	.event = scanout_event,
	.batch = scanout_batch,
};

static void reap_work(struct work_struct *work)
{
	struct msm_scanout *scanout = container_of(work, struct msm_scanout, reap);

	msm_scanout_cache_reap(&scanout->cache);
}

static void release_work(struct work_struct *work)
{
	struct msm_scanout *scanout = container_of(work, struct msm_scanout, release);

	msm_scanout_cache_release(&scanout->cache);
}

static void expire_work(struct work_struct *work)
{
	struct msm_scanout *scanout = container_of(work, struct msm_scanout,
						   expire.work);

	msm_scanout_cache_expire(&scanout->cache);
}

static void scanout_free(struct kref *ref)
{
	struct msm_scanout *scanout = container_of(ref, struct msm_scanout, ref);

	msm_scanout_cache_fini(&scanout->cache);
	kfree(scanout);
}

/*
 * GEM objects
 */

static struct msm_scanout_object *get_object(struct msm_scanout *scanout,
					     struct drm_gem_object *obj)
{
	struct msm_gem_object *msm_obj = to_msm_bo(obj);
	struct msm_scanout_object *so = msm_obj->scanout;

	msm_gem_assert_locked(obj);

	if (so)
		return so;

	so = kzalloc_obj(*so);
	if (!so)
		return NULL;

	kref_get(&scanout->ref);
	so->obj = obj;
	msm_scanout_entry_init(&scanout->cache, &so->entry, obj->size,
			       drm_gem_is_imported(obj));

	if (drm_gem_is_imported(obj)) {
		spin_lock(&scanout->imports_lock);
		hash_add(scanout->imports, &so->by_dmabuf,
			 (unsigned long)obj->import_attach->dmabuf);
		spin_unlock(&scanout->imports_lock);
	}

	msm_obj->scanout = so;

	return so;
}

/**
 * msm_scanout_note_flip() - a framebuffer is prepared for scanout
 * @kms: the display
 */
void msm_scanout_note_flip(struct msm_kms *kms)
{
	struct msm_scanout *scanout = kms->scanout;
	unsigned long now = jiffies, last;

	if (!scanout)
		return;

	msm_scanout_cache_note_flip(&scanout->cache);

	/* Who watches the figures need not wake up while nothing happens: */
	last = READ_ONCE(scanout->last_flip);
	WRITE_ONCE(scanout->last_flip, now);
	if (time_after(now, last + MSM_SCANOUT_PAUSE))
		msm_scanout_sysfs_notify(kms->dev->dev, "flips");
}

/**
 * msm_scanout_pin() - map a buffer for scanout and keep its pages
 * @kms: the display
 * @obj: the buffer
 * @iova: where it is mapped, on success
 *
 * Balance with msm_scanout_unpin() once the hardware has stopped reading.
 *
 * This happens at every flip.  To find the buffer mapped takes its lock and that
 * of the cache, and nothing else; in particular, it does not move the buffer
 * between the shrinker's lists.  The shrinker asks msm_scanout_in_use() instead.
 *
 * Return: 0 or a negative error, after which the caller uses the display's VM.
 */
int msm_scanout_pin(struct msm_kms *kms, struct drm_gem_object *obj, u64 *iova)
{
	struct msm_scanout *scanout = kms->scanout;
	struct msm_scanout_object *so;
	int ret;

	if (!scanout || !msm_scanout_cache_enabled(&scanout->cache))
		return -EOPNOTSUPP;

	msm_gem_lock(obj);

	so = get_object(scanout, obj);
	if (!so)
		ret = -ENOMEM;
	else if (to_msm_bo(obj)->madv != MSM_MADV_WILLNEED)
		ret = -EBUSY;
	else
		ret = msm_scanout_cache_get(&so->entry, iova);

	if (!ret)
		so->referenced = true;

	msm_gem_unlock(obj);

	return ret;
}

/**
 * msm_scanout_unpin() - undo msm_scanout_pin()
 * @obj: the buffer, which the hardware no longer reads
 *
 * The buffer stays mapped for as long as the cache sees fit; its pages may be
 * taken, and the mapping with them.
 */
void msm_scanout_unpin(struct drm_gem_object *obj)
{
	struct msm_scanout_object *so = to_msm_bo(obj)->scanout;

	msm_gem_lock(obj);
	msm_scanout_cache_put(&so->entry);
	msm_gem_unlock(obj);
}

/**
 * msm_scanout_in_use() - must a buffer's pages stay?
 * @obj: the buffer, locked
 *
 * Return: whether it is pinned by msm_scanout_pin().
 */
bool msm_scanout_in_use(struct drm_gem_object *obj)
{
	struct msm_scanout_object *so = to_msm_bo(obj)->scanout;

	/* Who looks up or puts back has the lock, too */
	return so && so->entry.users;
}

/**
 * msm_scanout_referenced() - was a buffer on screen since the last call?
 * @obj: the buffer, locked
 *
 * As flips do not move a buffer to the end of the shrinker's list, the shrinker
 * gives those that were on screen a second chance.
 *
 * Return: whether it was.
 */
bool msm_scanout_referenced(struct drm_gem_object *obj)
{
	struct msm_scanout_object *so = to_msm_bo(obj)->scanout;
	bool referenced = so && so->referenced;

	if (referenced)
		so->referenced = false;

	return referenced;
}

/**
 * msm_scanout_evict_object() - the shrinker takes a buffer's pages
 * @obj: the buffer, locked
 */
void msm_scanout_evict_object(struct drm_gem_object *obj)
{
	struct msm_scanout_object *so = to_msm_bo(obj)->scanout;

	msm_gem_assert_locked(obj);

	if (so)
		msm_scanout_cache_invalidate(&so->entry, MSM_SCANOUT_MEMORY);
}

/**
 * msm_scanout_free_object() - a buffer is being freed
 * @obj: the buffer, without references
 */
void msm_scanout_free_object(struct drm_gem_object *obj)
{
	struct msm_gem_object *msm_obj = to_msm_bo(obj);
	struct msm_scanout_object *so = msm_obj->scanout;
	struct msm_scanout *scanout;

	if (!so)
		return;

	scanout = to_scanout(so->entry.cache);

	if (drm_gem_is_imported(obj)) {
		spin_lock(&scanout->imports_lock);
		hash_del(&so->by_dmabuf);
		spin_unlock(&scanout->imports_lock);
	}

	msm_scanout_cache_remove(&so->entry);
	msm_obj->scanout = NULL;
	kfree(so);
	kref_put(&scanout->ref, scanout_free);
}

/* The shrinker may ask before there is a display. */
static struct msm_scanout *scanout_of(struct msm_drm_private *priv)
{
	struct msm_kms *kms = READ_ONCE(priv->kms);

	return kms ? READ_ONCE(kms->scanout) : NULL;
}

/**
 * msm_scanout_unwanted_pages() - for the shrinker to count
 * @priv: the driver
 *
 * Return: pages of imports that are alive only because they linger.
 */
unsigned long msm_scanout_unwanted_pages(struct msm_drm_private *priv)
{
	struct msm_scanout *scanout = scanout_of(priv);

	return scanout ? msm_scanout_cache_unwanted(&scanout->cache) >> PAGE_SHIFT : 0;
}

/**
 * msm_scanout_reclaim() - for the shrinker to free
 * @priv: the driver
 * @nr_pages: how much is wanted
 *
 * The imports are freed by a worker, as their exporters' locks may be held by
 * who waits for memory here.
 *
 * Return: pages that will be free soon.
 */
unsigned long msm_scanout_reclaim(struct msm_drm_private *priv, unsigned long nr_pages)
{
	struct msm_scanout *scanout = scanout_of(priv);

	return scanout ? msm_scanout_cache_reclaim(&scanout->cache,
						   (u64)nr_pages << PAGE_SHIFT) >>
			 PAGE_SHIFT : 0;
}

/* What MSM_INFO says of a buffer is its owner's. */
static void forget_owner(struct drm_gem_object *obj)
{
	struct msm_gem_object *msm_obj = to_msm_bo(obj);

	msm_gem_lock(obj);
	memset(msm_obj->name, 0, sizeof(msm_obj->name));
	kfree(msm_obj->metadata);
	msm_obj->metadata = NULL;
	msm_obj->metadata_size = 0;
	msm_gem_unlock(obj);
}

/**
 * msm_scanout_find_import() - find the GEM object of an earlier import
 * @dev: the DRM device
 * @buf: the dma-buf to be imported
 *
 * Players import the same few buffers again for every frame.  If an earlier
 * import is still around, because it lingers, the new one is the same object,
 * and is mapped already.
 *
 * As long as somebody has a handle or a framebuffer of it, the object is theirs:
 * to close a handle may tear down a mapping in an address space that two files
 * share.  Who imports the dma-buf then gets an object of its own, so there may be
 * several of one dma-buf.
 *
 * The exporter is not asked to map the dma-buf again, nor does it, as for an
 * import whose handle was kept, clean CPU caches at that opportunity: who writes
 * with the CPU has to say so with DMA_BUF_IOCTL_SYNC.
 *
 * Return: the object with a reference for the caller, or NULL.
 */
struct drm_gem_object *msm_scanout_find_import(struct drm_device *dev,
					       struct dma_buf *buf)
{
	struct msm_drm_private *priv = dev->dev_private;
	struct drm_gem_object *obj = NULL;
	struct msm_scanout_object *so;
	struct msm_scanout *scanout;

	/* No object gets its first handle before the new one has it. */
	lockdep_assert_held(&dev->object_name_lock);

	scanout = priv->kms ? priv->kms->scanout : NULL;
	if (!scanout || !msm_scanout_cache_enabled(&scanout->cache))
		return NULL;

	spin_lock(&scanout->imports_lock);
	hash_for_each_possible(scanout->imports, so, by_dmabuf,
			       (unsigned long)buf) {
		/* The dma-buf can't be another one: the import holds it. */
		if (so->obj->import_attach->dmabuf == buf &&
		    !so->obj->handle_count &&
		    kref_get_unless_zero(&so->obj->refcount)) {
			obj = so->obj;
			break;
		}
	}
	spin_unlock(&scanout->imports_lock);

	if (obj)
		forget_owner(obj);

	return obj;
}

#ifdef CONFIG_DEBUG_FS
/**
 * msm_scanout_describe() - one line on a buffer's scanout mapping
 * @obj: the buffer, locked
 * @m: where to
 */
void msm_scanout_describe(struct drm_gem_object *obj, struct seq_file *m)
{
	struct msm_scanout_object *so = to_msm_bo(obj)->scanout;
	struct msm_scanout_entry snap;
	u64 iova;

	if (!so || !msm_scanout_entry_peek(&so->entry, &snap, &iova))
		return;

	seq_printf(m, "      scanout: [%08llx, %s, users=%u, hits=%llu%s]\n",
		   iova, msm_scanout_state_name(snap.state), snap.users,
		   snap.hits, snap.lingering ? ", lingering" : "");
}

/**
 * msm_scanout_print_owner() - name the buffer of an entry
 * @entry: the entry, under the cache lock
 * @m: where to
 */
void msm_scanout_print_owner(struct msm_scanout_entry *entry, struct seq_file *m)
{
	struct drm_gem_object *obj = to_scanout_object(entry)->obj;

	seq_printf(m, "%p %s %s\n", obj,
		   drm_gem_is_imported(obj) ? "import" : "native",
		   to_msm_bo(obj)->name);
}
#endif

/*
 * Life
 */

/**
 * msm_scanout_cache_of() - for those who only want figures
 * @scanout: the display's scanout mappings
 *
 * Return: their cache.
 */
struct msm_scanout_cache *msm_scanout_cache_of(struct msm_scanout *scanout)
{
	return &scanout->cache;
}

/**
 * msm_scanout_init() - set up the display's scanout mappings
 * @kms: the display
 * @mmu: the display's MMU
 * @window_start: where in its address space %MSM_SCANOUT_WINDOW_BYTES are ours
 *
 * Return: 0 or a negative error.
 */
int msm_scanout_init(struct msm_kms *kms, struct msm_mmu *mmu, u64 window_start)
{
	struct msm_scanout *scanout;

	scanout = kzalloc_obj(*scanout);
	if (!scanout)
		return -ENOMEM;

	scanout->wq = alloc_workqueue("msm-scanout", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (!scanout->wq) {
		kfree(scanout);
		return -ENOMEM;
	}

	kref_init(&scanout->ref);
	INIT_WORK(&scanout->reap, reap_work);
	INIT_WORK(&scanout->release, release_work);
	INIT_DELAYED_WORK(&scanout->expire, expire_work);
	spin_lock_init(&scanout->imports_lock);
	hash_init(scanout->imports);
	scanout->mmu = mmu;
	/* The very first flip is announced, too: */
	scanout->last_flip = jiffies - MSM_SCANOUT_PAUSE - 1;
	msm_scanout_cache_init(&scanout->cache, &scanout_ops, window_start,
			       MSM_SCANOUT_WINDOW_BYTES);

	/* The shrinker, which is there already, finds it complete: */
	smp_store_release(&kms->scanout, scanout);

	return 0;
}

/**
 * msm_scanout_suspend() - leave nothing to unmap while the system sleeps
 * @kms: the display, which must be off, with nobody left who could switch it on
 *
 * Buffers that still exist are recognised when they are used again.
 */
void msm_scanout_suspend(struct msm_kms *kms)
{
	struct msm_scanout *scanout = kms->scanout;

	if (!scanout)
		return;

	msm_scanout_cache_trim(&scanout->cache, 0, MSM_SCANOUT_DRAIN);
	msm_scanout_cache_settle(&scanout->cache);
	msm_scanout_cache_release(&scanout->cache);
}

/**
 * msm_scanout_fini() - unmap everything before the MMU goes
 * @kms: the display, which must be off
 */
void msm_scanout_fini(struct msm_kms *kms)
{
	struct msm_scanout *scanout = kms->scanout;

	if (!scanout)
		return;

	msm_scanout_cache_drain(&scanout->cache);

	/* A dead cache asks for no more work. */
	cancel_delayed_work_sync(&scanout->expire);
	cancel_work_sync(&scanout->release);
	destroy_workqueue(scanout->wq);
	scanout->mmu = NULL;
	kms->scanout = NULL;
	kref_put(&scanout->ref, scanout_free);
}
