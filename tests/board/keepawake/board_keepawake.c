// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulated board's devices that talk to its host stay out of a system
 * suspend.
 *
 * virtio_device_restore() resets the device, and 9p has no restore() that
 * would set it up again, so /share, /out and the command's output would be dead
 * after the first suspend.  Nothing needs these devices to sleep: marking them
 * as "syscore" makes the PM core skip them, and the display under test
 * suspends and resumes as always.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

static int keep_awake(struct device *dev, void *data)
{
	unsigned int *kept = data;

	if (of_device_is_compatible(dev->of_node, "virtio,mmio")) {
		dev_pm_syscore_device(dev, true);
		(*kept)++;
	}
	return 0;
}

static int let_sleep(struct device *dev, void *data)
{
	if (of_device_is_compatible(dev->of_node, "virtio,mmio"))
		dev_pm_syscore_device(dev, false);
	return 0;
}

static int __init board_keepawake_init(void)
{
	unsigned int kept = 0;

	if (!of_machine_is_compatible("linux,dummy-virt")) {
		pr_err("this is not the emulated board (no linux,dummy-virt)\n");
		return -ENODEV;
	}
	bus_for_each_dev(&platform_bus_type, NULL, &kept, keep_awake);
	pr_debug("%u virtio-mmio devices stay awake\n", kept);
	return 0;
}
module_init(board_keepawake_init);

static void __exit board_keepawake_exit(void)
{
	bus_for_each_dev(&platform_bus_type, NULL, NULL, let_sleep);
}
module_exit(board_keepawake_exit);

MODULE_DESCRIPTION("Keeps the emulated board's virtio devices out of system suspend");
MODULE_LICENSE("GPL");
