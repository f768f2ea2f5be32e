/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a module of the benchmark gets at the driver; included by its only file.
 */

#ifndef __BENCH_DRIVER_H__
#define __BENCH_DRIVER_H__

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>

#include <drm/drm_file.h>
#include <drm/drm_framebuffer.h>

static char *card = "/dev/dri/card0";
module_param(card, charp, 0444);
MODULE_PARM_DESC(card, "Device node of the display");

/* Once the display is open, msm_framebuffer_prepare() and _cleanup() */
static int (*prepare)(struct drm_framebuffer *fb, bool needs_dirtyfb);
static void (*cleanup)(struct drm_framebuffer *fb, bool needed_dirtyfb);

/* The driver exports nothing; probes may be put anywhere, and tell where that is. */
static void *address_of(const char *symbol)
{
	struct kprobe probe = { .symbol_name = symbol };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static struct drm_device *device_of(struct file *display)
{
	struct drm_file *file = display->private_data;

	return file->minor->dev;
}

/* For filp_close(); or an error, after a line in the log. */
static struct file *open_display(void)
{
	struct file *display;

	prepare = address_of("msm_framebuffer_prepare");
	cleanup = address_of("msm_framebuffer_cleanup");
	if (!prepare || !cleanup) {
		pr_err("no msm_framebuffer_prepare() and _cleanup(): is msm loaded?\n");
		return ERR_PTR(-ENOENT);
	}
	display = filp_open(card, O_RDWR, 0);
	if (IS_ERR(display))
		pr_err("card=%s: %pe, wanted a device node of msm\n", card, display);
	return display;
}

#endif /* __BENCH_DRIVER_H__ */
