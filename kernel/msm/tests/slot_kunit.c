// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a buffer is unmapped piece by piece: all of it, no table as a whole, and
 * nothing that is contiguous in two.
 */

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include "../msm_mmu.h"
#include "../msm_scanout_slot.h"

/* DRM_MSM does not build for UML, and exports nothing. */
#include "../msm_scanout_slot.c"

#define BORDER	(3ull * SZ_1G)

/**
 * struct fake_mmu - what was unmapped
 */
struct fake_mmu {
	/** @base: of which only unmap_deferred is there */
	struct msm_mmu base;
	/** @test: the running test */
	struct kunit *test;
	/** @start: of the buffer */
	u64 start;
	/** @end: of what was unmapped so far */
	u64 end;
	/** @run: so many bytes of it are contiguous in memory */
	u32 run;
	/** @unmaps: number of pieces */
	unsigned int unmaps;
};

static void fake_unmap_deferred(struct msm_mmu *base, u64 iova, size_t bytes)
{
	struct fake_mmu *mmu = container_of(base, struct fake_mmu, base);
	u64 table = ALIGN(iova, MSM_SCANOUT_SLOT_BYTES);
	u32 into_run;

	KUNIT_EXPECT_NE(mmu->test, bytes, 0);
	KUNIT_EXPECT_EQ(mmu->test, iova, mmu->end);

	div_u64_rem(iova - mmu->start, mmu->run, &into_run);
	KUNIT_EXPECT_EQ_MSG(mmu->test, into_run, 0, "a run is split at %llx", iova);

	for (; table + MSM_SCANOUT_SLOT_BYTES <= iova + bytes; table += MSM_SCANOUT_SLOT_BYTES) {
		div_u64_rem(table - mmu->start, mmu->run, &into_run);
		KUNIT_EXPECT_GE_MSG(mmu->test, mmu->run - into_run, MSM_SCANOUT_SLOT_BYTES,
				    "the table of %llx goes as a whole", table);
	}

	mmu->end = iova + bytes;
	mmu->unmaps++;
}

static const struct msm_mmu_funcs fake_mmu_funcs = {
	.unmap_deferred = fake_unmap_deferred,
};

/* Each run is in two pieces, to be recognised as one. */
static void buffer_alloc(struct kunit *test, struct sg_table *sgt, size_t bytes, size_t run)
{
	struct page *page = virt_to_page(test);
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(sgt, DIV_ROUND_UP(bytes, run / 2), GFP_KERNEL));
	for_each_sgtable_sg(sgt, sg, i) {
		size_t length = min(bytes, run / 2);

		/* The memory that all runs share is not looked at. */
		sg_set_page(sg, page, length, i % 2 ? run / 2 : 0);
		bytes -= length;
	}
}

/* Returns in how many pieces. */
static unsigned int unmap(struct kunit *test, u64 iova, size_t bytes, size_t run)
{
	struct fake_mmu mmu = {
		.base.funcs = &fake_mmu_funcs,
		.test = test,
		.start = iova,
		.end = iova,
		.run = run,
	};
	struct sg_table sgt;

	buffer_alloc(test, &sgt, bytes, run);
	msm_scanout_slot_unmap(&mmu.base, iova, bytes, &sgt);
	KUNIT_EXPECT_EQ(test, mmu.end, iova + bytes);
	sg_free_table(&sgt);

	return mmu.unmaps;
}

static void tables_stay_where_memory_is_scattered(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, unmap(test, BORDER, SZ_8M, 2 * SZ_4K), 5);
	KUNIT_EXPECT_EQ(test, unmap(test, BORDER, SZ_8M + SZ_4K, 2 * SZ_4K), 5);
	KUNIT_EXPECT_EQ(test, unmap(test, BORDER, SZ_8M - SZ_4K, 2 * SZ_4K), 4);
	KUNIT_EXPECT_EQ(test, unmap(test, BORDER, SZ_1M, 2 * SZ_4K), 1);
}

static void runs_are_not_split(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, unmap(test, BORDER, SZ_8M, SZ_8M), 1);
	KUNIT_EXPECT_EQ(test, unmap(test, BORDER, SZ_8M, SZ_2M), 1);
	KUNIT_EXPECT_EQ(test, unmap(test, BORDER, SZ_8M, 3 * SZ_512K), 5);
}

/* They cover no table as a whole. */
static void small_buffers_are_unmapped_at_once(struct kunit *test)
{
	for (u64 before = 0; before <= SZ_64K; before += SZ_4K) {
		KUNIT_EXPECT_EQ(test, unmap(test, BORDER - before, SZ_64K, 2 * SZ_4K), 1);
		KUNIT_EXPECT_EQ(test, unmap(test, BORDER - before, SZ_64K, SZ_64K), 1);
	}
}

static struct kunit_case slot_cases[] = {
	KUNIT_CASE(tables_stay_where_memory_is_scattered),
	KUNIT_CASE(runs_are_not_split),
	KUNIT_CASE(small_buffers_are_unmapped_at_once),
	{}
};

static struct kunit_suite slot_suite = {
	.name = "msm_scanout_cache_slot",
	.test_cases = slot_cases,
};

kunit_test_suite(slot_suite);
