// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: finds the board, owns the register file, starts and stops the parts.
 *
 * The registers are RAM, so this must never run on a machine whose "qcom,mdp4" is real: it would
 * play hardware to a driver that talks to hardware. Two things no real machine has are asked for:
 * the root node of QEMU's "virt" machine, and registers inside a no-map reserved-memory node.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/clk.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_irq.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "mdp4_model.h"

#define BOARD_COMPATIBLE	"linux,dummy-virt"
/* The LVDS PLL's only rate, for a device tree without "lcdc_clk" */
#define LVDS_PLL_HZ		72000000UL

static struct mdp4_model *model;

/**
 * mdp4_regs_reset - give the register file its power-on content
 * @m: the display
 */
void mdp4_regs_reset(struct mdp4_model *m)
{
	memset(m->regs, 0, m->regs_bytes);
	mdp4_write(m, REG_VERSION, VERSION_4_2);
	mdp4_write(m, REG_LVDS_PHY_PLL_LOCKED, 1);
}

static bool in_reserved_memory(const struct resource *regs)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct resource reserved;
	bool found = false;

	if (!parent)
		return false;
	for_each_child_of_node_scoped(parent, child) {
		if (!of_property_read_bool(child, "no-map") ||
		    of_address_to_resource(child, 0, &reserved))
			continue;
		if (resource_contains(&reserved, regs)) {
			found = true;
			break;
		}
	}
	of_node_put(parent);
	return found;
}

static int check_board(struct device_node *np, struct resource *regs)
{
	int ret;

	if (!of_machine_is_compatible(BOARD_COMPATIBLE)) {
		pr_err("not loaded: the root node's compatible must be \"%s\" (the emulated board)\n",
		       BOARD_COMPATIBLE);
		return -ENODEV;
	}
	if (!np) {
		pr_err("not loaded: no device tree node compatible with \"qcom,mdp4\"\n");
		return -ENODEV;
	}
	ret = of_address_to_resource(np, 0, regs);
	if (ret) {
		pr_err("not loaded: %pOF: no usable \"reg\": %d\n", np, ret);
		return ret;
	}
	if (resource_size(regs) < MDP4_REGS_MIN_BYTES) {
		pr_err("not loaded: %pOF: registers %pR, at least %#x bytes are needed\n", np,
		       regs, MDP4_REGS_MIN_BYTES);
		return -EINVAL;
	}
	if (!in_reserved_memory(regs)) {
		pr_err("not loaded: %pOF: registers %pR are not inside a no-map node of /reserved-memory\n",
		       np, regs);
		return -ENODEV;
	}
	return 0;
}

static unsigned long pixel_clock(struct device_node *np)
{
	struct clk *clk = of_clk_get_by_name(np, "lcdc_clk");
	unsigned long hz = 0;

	if (!IS_ERR(clk)) {
		hz = clk_get_rate(clk);
		clk_put(clk);
	}
	return hz ?: LVDS_PLL_HZ;
}

static int model_init(struct mdp4_model *m, struct device_node *np)
{
	struct platform_device *pdev;
	struct resource regs;
	int ret;

	ret = check_board(np, &regs);
	if (ret)
		return ret;

	/* Without it nothing would say when the driver comes and goes, and msm would crash */
	if (!mdp4_sink_present()) {
		pr_err("not loaded: no device tree node compatible with \"%s\" on MDP4's DTV port\n",
		       MDP4_SINK_COMPATIBLE);
		return -ENODEV;
	}
	pdev = of_find_device_by_node(np);
	if (!pdev) {
		pr_err("not loaded: %pOF has no platform device\n", np);
		return -ENODEV;
	}
	m->dev = &pdev->dev;
	m->virq = of_irq_get(np, 0);
	if (m->virq <= 0) {
		pr_err("not loaded: %pOF: no usable \"interrupts\": %d\n", np, m->virq);
		ret = m->virq ?: -ENXIO;
		goto err_dev;
	}
	m->pixel_hz = pixel_clock(np);
	m->regs_bytes = resource_size(&regs);
	/*
	 * Cached, while the driver's mapping is a device's. That is sound where this runs, a
	 * machine that emulates no caches, and atomic operations need normal memory.
	 */
	m->regs = memremap(regs.start, m->regs_bytes, MEMREMAP_WB);
	if (!m->regs) {
		ret = -ENOMEM;
		goto err_dev;
	}
	raw_spin_lock_init(&m->lock);
	init_waitqueue_head(&m->vsync_wq);
	init_waitqueue_head(&m->walk_wq);
	mdp4_regs_reset(m);

	ret = mdp4_frame_init(m);
	if (ret)
		goto err_regs;
	ret = mdp4_scan_start(m);
	if (ret)
		goto err_frame;
	ret = mdp4_vsync_start(m);
	if (ret)
		goto err_scan;
	ret = mdp4_judge_init(m);
	if (ret)
		goto err_vsync;
	mdp4_debugfs_register(m);
	/* Last: the driver may bind as soon as its component is there */
	ret = mdp4_sink_register(m);
	if (ret)
		goto err_debugfs;

	pr_info("MDP4 4.2 registers %pR, interrupt %d, pixel clock %lu Hz\n", &regs, m->virq,
		m->pixel_hz);
	return 0;

err_debugfs:
	mdp4_debugfs_unregister(m);
	mdp4_judge_exit(m);
err_vsync:
	mdp4_vsync_stop(m);
err_scan:
	mdp4_scan_stop(m);
err_frame:
	mdp4_frame_exit(m);
err_regs:
	memunmap(m->regs);
err_dev:
	put_device(m->dev);
	return ret;
}

static int __init mdp4_model_init(void)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, "qcom,mdp4");
	int ret;

	model = kzalloc_obj(*model);
	ret = model ? model_init(model, np) : -ENOMEM;
	if (ret)
		kfree(model);
	of_node_put(np);
	return ret;
}

static void __exit mdp4_model_exit(void)
{
	struct mdp4_model *m = model;

	/* First: it makes the driver shut the display down, which takes vsyncs to do */
	mdp4_sink_unregister();
	mdp4_debugfs_unregister(m);
	mdp4_judge_exit(m);
	mdp4_vsync_stop(m);
	mdp4_scan_stop(m);
	mdp4_frame_exit(m);
	memunmap(m->regs);
	put_device(m->dev);
	kfree(m);
}

module_init(mdp4_model_init);
module_exit(mdp4_model_exit);
MODULE_DESCRIPTION("Model of the MDP4 display controller for an emulated board");
MODULE_LICENSE("GPL");
