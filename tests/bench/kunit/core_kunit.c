// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the cache's own operations take on this machine.  It prints figures and
 * judges none: times are not tested.
 */

#include <kunit/test.h>
#include <linux/timekeeping.h>

#include "core_ops.h"

static const unsigned int sizes[] = { 16, 1024, 65536 };

static void operations_by_number_of_entries(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct core_costs c;

		KUNIT_ASSERT_EQ(test, 0, core_ops_measure(sizes[i], ktime_get_ns, &c));
		kunit_info(test, "bench core entries=%u ring_get=%llu ring_put=%llu random_get=%llu random_put=%llu miss=%llu evict=%llu reap=%llu",
			   sizes[i], c.ring_get, c.ring_put, c.random_get, c.random_put, c.miss,
			   c.evict, c.reap);
	}
}

static struct kunit_case core_cases[] = {
	KUNIT_CASE(operations_by_number_of_entries),
	{ }
};

static struct kunit_suite core_suite = {
	.name = "msm_scanout_bench_core",
	.test_cases = core_cases,
};

kunit_test_suite(core_suite);
