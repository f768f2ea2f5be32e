// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the judge learns what the driver does: probes on msm's functions that map and unmap.
 *
 * These are below everything that decides when to map, so they see upstream's mappings and a
 * cache's alike. The board's msm has one address space, the display's.
 *
 * Probes need the module, and go with it: they are set while it is loaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/sched.h>

#include "mdp4_model.h"
#include "mdp4_model_judge.h"

#define DRIVER		"msm"
/* Tasks that map or unmap at the same time */
#define CONCURRENT	64

static struct mdp4_judge *judge;
static struct device *display;
/* Guards @wanted and the probes */
static DEFINE_MUTEX(hooks_mutex);
static bool wanted;

/* What the probes keep from the beginning of a call to its end: the judge's slot */
static int *slot_of(struct kretprobe_instance *ri)
{
	return (int *)ri->data;
}

/* msm_iommu_map(mmu, iova, sgt, offset, bytes, prot) */
static int map_begins(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct sg_table *sgt = (struct sg_table *)regs_get_kernel_argument(regs, 2);

	*slot_of(ri) = mdp4_judge_map_begin(judge, regs_get_kernel_argument(regs, 1),
					    regs_get_kernel_argument(regs, 4), sgt);
	return *slot_of(ri) == MDP4_JUDGE_NO_SLOT;
}

static int map_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	mdp4_judge_map_end(judge, *slot_of(ri), !(int)regs_return_value(regs));
	return 0;
}

/* msm_iommu_unmap(mmu, iova, bytes), msm_scanout_slot_unmap(slots, iova, bytes) */
static int unmap_begins(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*slot_of(ri) = mdp4_judge_unmap_begin(judge, regs_get_kernel_argument(regs, 1),
					      regs_get_kernel_argument(regs, 2));
	return *slot_of(ri) == MDP4_JUDGE_NO_SLOT;
}

static int unmap_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	mdp4_judge_unmap_end(judge, *slot_of(ri));
	return 0;
}

static int deferred_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	mdp4_judge_unmap_deferred(judge, *slot_of(ri));
	return 0;
}

static int flush_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	mdp4_judge_flushed(judge);
	return 0;
}

static const struct hook {
	const char *function;
	kretprobe_handler_t begins;
	kretprobe_handler_t ends;
	/** @optional: not every msm has it */
	bool optional;
} hooks[] = {
	{ DRIVER ":msm_iommu_map", map_begins, map_ends },
	{ DRIVER ":msm_iommu_unmap", unmap_begins, unmap_ends },
	/* A buffer whose unmap leaves the TLB for later */
	{ DRIVER ":msm_scanout_slot_unmap", unmap_begins, deferred_ends, true },
	{ DRIVER ":msm_iommu_flush", NULL, flush_ends, true },
	/*
	 * Should the driver have lost its flush: where it tells the world that a batch is unmapped.
	 * By then an address may have been given away again, which the judge notices.
	 */
	{ DRIVER ":scanout_batch", NULL, flush_ends, true },
};

static struct kretprobe probes[ARRAY_SIZE(hooks)];

static void unset_probes(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (!probes[i].kp.addr)
			continue;
		unregister_kretprobe(&probes[i]);
		probes[i] = (struct kretprobe) {};
	}
}

static int set_probes(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		probes[i] = (struct kretprobe) {
			.kp.symbol_name = hooks[i].function,
			.entry_handler = hooks[i].begins,
			.handler = hooks[i].ends,
			.data_size = sizeof(int),
			.maxactive = CONCURRENT,
		};
		ret = register_kretprobe(&probes[i]);
		if (!ret)
			continue;
		probes[i] = (struct kretprobe) {};
		if (ret == -ENOENT && hooks[i].optional)
			continue;
		pr_err("judge: cannot probe %s: %d\n", hooks[i].function, ret);
		unset_probes();
		return ret;
	}
	return 0;
}

/**
 * mdp4_hooks_enable - begin or end to tell the judge
 * @on: begin
 *
 * When this has ended the judge is not told any more.
 *
 * Return: 0 or a negative error, after a line in the log.
 */
int mdp4_hooks_enable(bool on)
{
	guard(mutex)(&hooks_mutex);
	if (wanted == on)
		return 0;
	wanted = on;
	if (!on)
		unset_probes();
	else if (display->driver)
		return set_probes();
	return 0;
}

/**
 * mdp4_hooks_missed - calls that the judge was not told of, too many were under way
 */
u64 mdp4_hooks_missed(void)
{
	unsigned int i;
	u64 missed = 0;

	guard(mutex)(&hooks_mutex);
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		missed += probes[i].nmissed;
	return missed;
}

/* The driver's module comes (before it has run) or goes (after) */
static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *module = data;

	if (strcmp(module->name, DRIVER))
		return NOTIFY_DONE;
	guard(mutex)(&hooks_mutex);
	if (event == MODULE_STATE_COMING && wanted)
		set_probes();
	else if (event == MODULE_STATE_GOING)
		unset_probes();
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = {
	.notifier_call = module_event,
};

/*
 * The driver has the display from the time that its last component is bound, and until the first of
 * them, or the display itself, is unbound.
 */
static int device_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct device *dev = data;

	if (dev != display && !of_device_is_compatible(dev->of_node, MDP4_SINK_COMPATIBLE))
		return NOTIFY_DONE;
	if (event == BUS_NOTIFY_BOUND_DRIVER)
		mdp4_judge_bound(judge);
	else if (event == BUS_NOTIFY_UNBIND_DRIVER)
		mdp4_judge_unbinding(judge);
	return NOTIFY_OK;
}

static struct notifier_block device_notifier = {
	.notifier_call = device_event,
};

/**
 * mdp4_hooks_init - begin to wait for the driver
 * @j: the judge
 * @dev: the display
 *
 * Return: 0 or a negative error.
 */
int mdp4_hooks_init(struct mdp4_judge *j, struct device *dev)
{
	int ret;

	judge = j;
	display = dev;
	ret = register_module_notifier(&module_notifier);
	if (ret)
		return ret;
	ret = bus_register_notifier(&platform_bus_type, &device_notifier);
	if (ret)
		unregister_module_notifier(&module_notifier);
	return ret;
}

/**
 * mdp4_hooks_exit - stop waiting; the probes are not set any more
 */
void mdp4_hooks_exit(void)
{
	bus_unregister_notifier(&platform_bus_type, &device_notifier);
	unregister_module_notifier(&module_notifier);
}
