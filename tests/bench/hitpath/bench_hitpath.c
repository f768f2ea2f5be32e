// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times msm_framebuffer_prepare() and msm_framebuffer_cleanup() of a framebuffer
 * that is mapped, but not on screen: the path of every flip to a buffer that was
 * shown before.
 *
 * Under "qemu -icount shift=0" each instruction takes one virtual nanosecond, so
 * the timer that is read here counts instructions, in units of 1e9 / its rate.
 * Interrupts hit a small part of the rounds, so the median round has none.
 *
 * The results are this module's read-only parameters.  Loading it does the work;
 * it fails to load if there is no such framebuffer.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sort.h>

#include <asm/arch_timer.h>

#include <drm/drm_drv.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_plane.h>

#include "bench_driver.h"

#define ROUNDS 500

static unsigned int width = 1280;
module_param(width, uint, 0444);
MODULE_PARM_DESC(width, "Only framebuffers this wide are taken");

static unsigned int calls = 20;
module_param(calls, uint, 0444);
MODULE_PARM_DESC(calls, "Pairs of prepare and cleanup in a round, of which there are 500");

static uint timer_hz;
module_param(timer_hz, uint, 0444);
MODULE_PARM_DESC(timer_hz, "Result: rate of the timer");

static ulong pair_ticks;
module_param(pair_ticks, ulong, 0444);
MODULE_PARM_DESC(pair_ticks, "Result: 1000 times the ticks of a pair in the median round");

static ulong pair_ticks_min;
module_param(pair_ticks_min, ulong, 0444);
MODULE_PARM_DESC(pair_ticks_min, "Result: the same of the fastest round");

static ulong prepare_ticks;
module_param(prepare_ticks, ulong, 0444);
MODULE_PARM_DESC(prepare_ticks, "Result: 1000 times the ticks of a prepare alone, median");

static ulong empty_ticks;
module_param(empty_ticks, ulong, 0444);
MODULE_PARM_DESC(empty_ticks, "Result: 1000 times the ticks of a round's loop without the calls");

static u64 pair_round[ROUNDS];
static u64 prepare_round[ROUNDS];
static u64 empty_round[ROUNDS];

static bool on_screen(struct drm_device *dev, struct drm_framebuffer *fb)
{
	struct drm_plane *plane;

	drm_for_each_plane(plane, dev) {
		if (plane->fb == fb || (plane->state && plane->state->fb == fb))
			return true;
	}
	return false;
}

/* A framebuffer that was on screen and is not now, with a reference for the caller. */
static struct drm_framebuffer *find_fb(struct drm_device *dev)
{
	struct drm_framebuffer *fb, *found = NULL;

	drm_modeset_lock_all(dev);
	mutex_lock(&dev->mode_config.fb_lock);
	drm_for_each_fb(fb, dev) {
		if (fb->width == width && !strcmp(fb->comm, "scanout-flip") &&
		    !on_screen(dev, fb)) {
			drm_framebuffer_get(fb);
			found = fb;
			break;
		}
	}
	mutex_unlock(&dev->mode_config.fb_lock);
	drm_modeset_unlock_all(dev);
	return found;
}

static int compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

static u64 median(u64 *rounds)
{
	sort(rounds, ROUNDS, sizeof(*rounds), compare, NULL);
	return div_u64(rounds[ROUNDS / 2] * 1000, calls);
}

/* Called through a pointer, as the two that are measured are, and does nothing. */
static noinline void nothing(struct drm_framebuffer *fb, bool unused)
{
	barrier();
}

static int measure(struct drm_framebuffer *fb)
{
	void (*call_nothing)(struct drm_framebuffer *fb, bool unused) = nothing;
	u64 begin, in_prepare;
	unsigned int i, round;
	int ret;

	OPTIMIZER_HIDE_VAR(call_nothing);

	/* The first round warms up: it maps the buffer where it is not mapped. */
	for (round = 0; round <= ROUNDS; round++) {
		unsigned int slot = round ? round - 1 : 0;

		begin = __arch_counter_get_cntvct();
		for (i = 0; i < calls; i++) {
			ret = prepare(fb, false);
			if (ret)
				return ret;
			cleanup(fb, false);
		}
		pair_round[slot] = __arch_counter_get_cntvct() - begin;

		begin = __arch_counter_get_cntvct();
		for (i = 0; i < calls; i++) {
			call_nothing(fb, false);
			call_nothing(fb, false);
		}
		empty_round[slot] = __arch_counter_get_cntvct() - begin;

		in_prepare = 0;
		for (i = 0; i < calls; i++) {
			begin = __arch_counter_get_cntvct();
			ret = prepare(fb, false);
			in_prepare += __arch_counter_get_cntvct() - begin;
			if (ret)
				return ret;
			cleanup(fb, false);
		}
		prepare_round[slot] = in_prepare;
		cond_resched();
	}
	timer_hz = arch_timer_get_cntfrq();
	pair_ticks = median(pair_round);
	pair_ticks_min = div_u64(pair_round[0] * 1000, calls);
	prepare_ticks = median(prepare_round);
	empty_ticks = median(empty_round);
	return 0;
}

static int __init bench_hitpath_init(void)
{
	struct drm_framebuffer *fb;
	struct file *display;
	int ret = -ENOENT;

	if (!calls) {
		pr_err("calls=0: wanted at least 1\n");
		return -EINVAL;
	}
	display = open_display();
	if (IS_ERR(display))
		return PTR_ERR(display);
	fb = find_fb(device_of(display));
	if (fb) {
		ret = measure(fb);
		if (ret)
			pr_err("msm_framebuffer_prepare(): %pe\n", ERR_PTR(ret));
		drm_framebuffer_put(fb);
	} else {
		pr_err("no framebuffer of scanout-flip that is %u wide and not on screen\n", width);
	}
	filp_close(display, NULL);
	return ret;
}
module_init(bench_hitpath_init);

static void __exit bench_hitpath_exit(void)
{
}
module_exit(bench_hitpath_exit);

MODULE_DESCRIPTION("Cost of flipping to a framebuffer that is mapped");
MODULE_LICENSE("GPL");
