// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps framebuffers that are not on screen for scanout and unmaps them again, flat
 * out, for as long as it is loaded.  What a flip feels of it is what it waits for:
 * locks, and code that can't be preempted.
 *
 * The first framebuffers of the flip client are left alone: those are the ones that
 * it shows.  With the cache a buffer is invalidated as the shrinker would; upstream
 * unmaps it by itself.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <uapi/linux/sched/types.h>

#include <drm/drm_gem.h>
#include <drm/drm_mode_config.h>

#include "bench_driver.h"

#define VICTIMS 16

static unsigned int skip = 3;
module_param(skip, uint, 0444);
MODULE_PARM_DESC(skip, "So many framebuffers of the client are left alone");

static unsigned int victims;
module_param(victims, uint, 0444);
MODULE_PARM_DESC(victims, "Result: framebuffers that are mapped and unmapped");

static ulong evictions;
module_param(evictions, ulong, 0444);
MODULE_PARM_DESC(evictions, "Result: how often one was, so far");

/* Of the cache, so not everywhere. */
static void (*evict)(struct drm_gem_object *obj);

static struct drm_framebuffer *fbs[VICTIMS];
static struct task_struct *evictor;

static void find_fbs(struct drm_device *dev)
{
	struct drm_framebuffer *fb;
	unsigned int left = 0;

	mutex_lock(&dev->mode_config.fb_lock);
	drm_for_each_fb(fb, dev)
		left += !strcmp(fb->comm, "scanout-flip");
	/* The newest comes first, so those that it shows are the last. */
	drm_for_each_fb(fb, dev) {
		if (strcmp(fb->comm, "scanout-flip") || left-- <= skip || victims == VICTIMS)
			continue;
		drm_framebuffer_get(fb);
		fbs[victims++] = fb;
	}
	mutex_unlock(&dev->mode_config.fb_lock);
}

static void put_fbs(void)
{
	while (victims)
		drm_framebuffer_put(fbs[--victims]);
}

static int evict_all_the_time(void *unused)
{
	const struct sched_attr idle = { .sched_policy = SCHED_IDLE };

	/* Whatever else wants to run comes first, so only locks are felt. */
	sched_setattr_nocheck(current, &idle);

	while (!kthread_should_stop()) {
		struct drm_framebuffer *fb = fbs[evictions % victims];

		if (prepare(fb, false)) {
			pr_err("msm_framebuffer_prepare() failed after %lu\n", evictions);
			return -EIO;
		}
		cleanup(fb, false);
		if (evict) {
			dma_resv_lock(fb->obj[0]->resv, NULL);
			evict(fb->obj[0]);
			dma_resv_unlock(fb->obj[0]->resv);
		}
		evictions++;
		cond_resched();
	}
	return 0;
}

static int __init bench_evictor_init(void)
{
	struct file *display;

	display = open_display();
	if (IS_ERR(display))
		return PTR_ERR(display);
	evict = address_of("msm_scanout_evict_object");
	find_fbs(device_of(display));
	filp_close(display, NULL);
	if (!victims) {
		pr_err("scanout-flip has no more than skip=%u framebuffers\n", skip);
		return -ENOENT;
	}
	evictor = kthread_run(evict_all_the_time, NULL, "bench-evictor");
	if (IS_ERR(evictor)) {
		put_fbs();
		return PTR_ERR(evictor);
	}
	/* It may end by itself, after an error. */
	get_task_struct(evictor);
	return 0;
}
module_init(bench_evictor_init);

static void __exit bench_evictor_exit(void)
{
	kthread_stop(evictor);
	put_task_struct(evictor);
	put_fbs();
}
module_exit(bench_evictor_exit);

MODULE_DESCRIPTION("Maps and unmaps framebuffers that are not on screen");
MODULE_LICENSE("GPL");
