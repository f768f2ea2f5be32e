// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the instructions of the cache's own operations, on a machine whose timer
 * counts instructions; see bench_hitpath.c.  The results are this module's read-only
 * parameters.  Loading it does the work.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include <asm/arch_timer.h>

#include "core_ops.h"

static unsigned int entries = 16;
module_param(entries, uint, 0444);
MODULE_PARM_DESC(entries, "Idle mappings in the cache, at least 16");

static uint timer_hz;
module_param(timer_hz, uint, 0444);
MODULE_PARM_DESC(timer_hz, "Result: rate of the timer");

static struct core_costs costs;
/* 1000 times the ticks of an operation: */
module_param_named(ring_get, costs.ring_get, ullong, 0444);
module_param_named(ring_put, costs.ring_put, ullong, 0444);
module_param_named(random_get, costs.random_get, ullong, 0444);
module_param_named(random_put, costs.random_put, ullong, 0444);
module_param_named(miss, costs.miss, ullong, 0444);
module_param_named(evict, costs.evict, ullong, 0444);
module_param_named(reap, costs.reap, ullong, 0444);

static u64 ticks(void)
{
	return __arch_counter_get_cntvct();
}

static int __init bench_core_init(void)
{
	int ret;

	if (entries < 16) {
		pr_err("entries=%u: wanted at least 16\n", entries);
		return -EINVAL;
	}
	ret = core_ops_measure(entries, ticks, &costs);
	if (ret)
		pr_err("%u entries: %pe\n", entries, ERR_PTR(ret));
	timer_hz = arch_timer_get_cntfrq();

	return ret;
}
module_init(bench_core_init);

static void __exit bench_core_exit(void)
{
}
module_exit(bench_core_exit);

MODULE_DESCRIPTION("Cost of the operations of the scanout mapping cache");
MODULE_LICENSE("GPL");
