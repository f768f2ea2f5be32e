// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it takes to drop a buffer's mapping, and to make it: TLB commands and page
 * table entries, with the real page table code, the driver's real MMU code and the
 * real cache.  Each case prints its figures, and fails where a goal is missed.
 */

#include <kunit/test.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../msm_mmu.h"
#include "../msm_scanout_cache.h"
#include "../msm_scanout_slot.h"

#include "counting_smmu.h"
#include "display_mmu.h"

#define WINDOW_START	0xc0000000ull
#define PROT		IOMMU_READ

/* Mean over so many places where upstream's allocator might put a buffer. */
#define PLACES		64
/* Evicted at a time. */
#define MANY		16

/* The most TLB operations that dropping a buffer may take. */
#define GOAL_1080P	8
#define GOAL_4K		32
/* The most flushes for all of MANY. */
#define GOAL_FLUSHES	2

enum backing {
	/* No two pages are adjacent, as in memory that was in use for long. */
	SCATTERED,
	/* Pieces of 2 MiB, as from dma-iommu or a carveout. */
	BLOCKS,
};

static const char *const backing_names[] = {
	[SCATTERED] = "scattered",
	[BLOCKS] = "blocks",
};

struct picture {
	const char *name;
	size_t bytes;
	u64 goal;
};

static const struct picture pictures[] = {
	{ "1080p", 1920 * 1080 * 4, GOAL_1080P },
	{ "4k", 3840 * 2160 * 4, GOAL_4K },
};

/* How a buffer is placed and unmapped by those who have no cache. */
struct way {
	const char *name;
	bool aligned;
	bool flush;
};

static const struct way ways[] = {
	{ "upstream" },
	{ "aligned", .aligned = true },
	{ "flush", .flush = true },
	{ "aligned+flush", .aligned = true, .flush = true },
};

struct bench {
	struct counting_smmu smmu;
	struct msm_mmu *mmu;
	/* All buffers are made of the same 4 MiB. */
	struct page *memory;
	struct msm_scanout_cache cache;
	bool slotted;
	struct rnd_state random;
	u64 now_ns;
};

struct buffer {
	struct msm_scanout_entry entry;
	struct sg_table sgt;
	size_t bytes;
};

#define MEMORY_ORDER	get_order(SZ_4M)

static struct bench *to_bench(struct msm_scanout_cache *cache)
{
	return container_of(cache, struct bench, cache);
}

static struct buffer *to_buffer(struct msm_scanout_entry *entry)
{
	return container_of(entry, struct buffer, entry);
}

/* As in msm_scanout.c. */

static int bench_map(struct msm_scanout_cache *cache, struct msm_scanout_entry *entry, u64 iova)
{
	struct bench *bench = to_bench(cache);
	struct buffer *buffer = to_buffer(entry);

	return bench->mmu->funcs->map(bench->mmu, iova, &buffer->sgt, 0, buffer->bytes, PROT);
}

static void bench_unmap(struct msm_scanout_cache *cache, struct msm_scanout_entry *entry, u64 iova)
{
	struct bench *bench = to_bench(cache);

	if (bench->slotted)
		msm_scanout_slot_unmap(bench->mmu, iova, entry->bytes, &to_buffer(entry)->sgt);
	else
		bench->mmu->funcs->unmap(bench->mmu, iova, entry->bytes);
}

static void bench_flush(struct msm_scanout_cache *cache)
{
	struct bench *bench = to_bench(cache);

	if (bench->slotted)
		bench->mmu->funcs->flush(bench->mmu);
}

static void bench_nothing(struct msm_scanout_cache *cache)
{
}

static void bench_nothing_entry(struct msm_scanout_entry *entry)
{
}

static void bench_arm(struct msm_scanout_cache *cache, u64 delay_ns)
{
}

static u64 bench_now_ns(struct msm_scanout_cache *cache)
{
	return to_bench(cache)->now_ns++;
}

static const struct msm_scanout_cache_ops bench_ops = {
	.map = bench_map,
	.unmap = bench_unmap,
	.flush = bench_flush,
	.hold = bench_nothing_entry,
	.release = bench_nothing_entry,
	.kick_reap = bench_nothing,
	.kick_release = bench_nothing,
	.arm = bench_arm,
	.now_ns = bench_now_ns,
	.stopwatch_ns = bench_now_ns,
};

static void buffer_init(struct kunit *test, struct bench *bench, struct buffer *buffer,
			size_t bytes, enum backing backing)
{
	size_t piece = backing == BLOCKS ? SZ_2M : PAGE_SIZE;
	/* Every other page, or piece after piece; again and again. */
	size_t stride = backing == BLOCKS ? SZ_2M : 2 * PAGE_SIZE;
	struct scatterlist *sg;
	size_t left = bytes;
	unsigned int i;

	buffer->bytes = bytes;
	KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(&buffer->sgt, DIV_ROUND_UP(bytes, piece),
						GFP_KERNEL));
	for_each_sgtable_sg(&buffer->sgt, sg, i) {
		struct page *page = bench->memory + (i * stride % SZ_4M) / PAGE_SIZE;

		sg_set_page(sg, page, min(left, piece), 0);
		left -= min(left, piece);
	}
}

static void print(struct kunit *test, const char *what, const char *way, const char *picture,
		  enum backing backing, const struct tlb_commands *c, u64 entries, u64 times)
{
	/* In thousandths: a mean is rarely a whole number. */
	kunit_info(test, "bench %s way=%s picture=%s backing=%s add_page=%llu walk=%llu flush_all=%llu sync=%llu entries=%llu",
		   what, way, picture, backing_names[backing],
		   div64_u64(1000 * c->add_page, times), div64_u64(1000 * c->walk, times),
		   div64_u64(1000 * c->flush_all, times), div64_u64(1000 * c->sync, times),
		   div64_u64(1000 * entries, times));
}

/* Entries changed since @before, which is freed. */
static u64 entries_since(struct kunit *test, struct bench *bench, struct table_snapshot *before)
{
	struct table_snapshot after;
	u64 changed;

	KUNIT_ASSERT_EQ(test, 0, table_snapshot_take(&after, &bench->smmu));
	changed = table_entries_changed(before, &after);
	table_snapshot_free(&after);
	table_snapshot_free(before);

	return changed;
}

static u64 place(struct bench *bench, bool aligned)
{
	/* Anywhere in upstream's 3 GiB but their last 64 MiB. */
	u64 iova = SZ_1M + prandom_u32_state(&bench->random) % (u32)(WINDOW_START - SZ_64M);

	return round_down(iova, aligned ? SZ_2M : SZ_4K);
}

static void unmap_without_cache(struct bench *bench, const struct way *way, u64 iova, size_t bytes)
{
	struct iommu_iotlb_gather gather;

	if (!way->flush) {
		bench->mmu->funcs->unmap(bench->mmu, iova, bytes);
		return;
	}

	iommu_iotlb_gather_init(&gather);
	gather.queued = true;
	iommu_unmap_fast(&bench->smmu.domain, iova, bytes, &gather);
	iommu_flush_iotlb_all(&bench->smmu.domain);
}

static void drop_without_cache(struct kunit *test, const struct way *way,
			       const struct picture *picture, enum backing backing)
{
	struct bench *bench = test->priv;
	struct tlb_commands mapping = { }, dropping = { };
	u64 mapped_entries = 0, dropped_entries = 0;
	struct table_snapshot before;
	struct buffer *buffer;

	buffer = kunit_kzalloc(test, sizeof(*buffer), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buffer);
	buffer_init(test, bench, buffer, picture->bytes, backing);

	for (int i = 0; i < PLACES; i++) {
		u64 iova = place(bench, way->aligned);
		struct tlb_commands *c = &bench->smmu.commands;

		*c = (struct tlb_commands) { };
		KUNIT_ASSERT_EQ(test, 0, table_snapshot_take(&before, &bench->smmu));
		KUNIT_ASSERT_EQ(test, 0, bench->mmu->funcs->map(bench->mmu, iova, &buffer->sgt, 0,
								buffer->bytes, PROT));
		mapped_entries += entries_since(test, bench, &before);
		mapping.sync += c->sync + c->walk + c->add_page + c->flush_all;

		*c = (struct tlb_commands) { };
		KUNIT_ASSERT_EQ(test, 0, table_snapshot_take(&before, &bench->smmu));
		unmap_without_cache(bench, way, iova, buffer->bytes);
		dropped_entries += entries_since(test, bench, &before);
		KUNIT_EXPECT_EQ(test, 0, iommu_iova_to_phys(&bench->smmu.domain, iova));
		dropping.add_page += c->add_page;
		dropping.walk += c->walk;
		dropping.flush_all += c->flush_all;
		dropping.sync += c->sync;
	}

	print(test, "map", way->name, picture->name, backing, &mapping, mapped_entries, PLACES);
	print(test, "drop", way->name, picture->name, backing, &dropping, dropped_entries, PLACES);
	sg_free_table(&buffer->sgt);
}

static void without_cache_drop_each_picture(struct kunit *test)
{
	for (int w = 0; w < ARRAY_SIZE(ways); w++) {
		for (int p = 0; p < ARRAY_SIZE(pictures); p++) {
			drop_without_cache(test, &ways[w], &pictures[p], SCATTERED);
			drop_without_cache(test, &ways[w], &pictures[p], BLOCKS);
		}
	}
}

/* A cache that keeps whatever fits, so that what is dropped is dropped on request. */
static void cache_begin(struct kunit *test, struct bench *bench, bool slotted)
{
	bench->slotted = slotted;
	msm_scanout_cache_init(&bench->cache, &bench_ops, WINDOW_START, SZ_1G);
	KUNIT_ASSERT_EQ(test, 0, msm_scanout_cache_set_limit(&bench->cache,
							     MSM_SCANOUT_MAX_BYTES_LIMIT,
							     SZ_1G));
	KUNIT_ASSERT_EQ(test, 0, msm_scanout_cache_set_limit(&bench->cache,
							     MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 0));
}

static void cache_end(struct bench *bench)
{
	msm_scanout_cache_drain(&bench->cache);
	msm_scanout_cache_fini(&bench->cache);
}

static void show_and_hide(struct kunit *test, struct buffer *buffer)
{
	u64 iova;

	KUNIT_ASSERT_EQ(test, 0, msm_scanout_cache_get(&buffer->entry, &iova));
	msm_scanout_cache_put(&buffer->entry);
}

/*
 * Map @count buffers, evict them, and then once more: a slot may keep its tables,
 * so the second time may differ, and is what lasts.
 */
static void drop_from_cache(struct kunit *test, const char *name, bool slotted, unsigned int count,
			    const struct picture *picture, enum backing backing,
			    struct tlb_commands *dropped)
{
	struct bench *bench = test->priv;
	struct tlb_commands *c = &bench->smmu.commands;
	struct table_snapshot before;
	struct buffer *buffers;
	struct tlb_commands mapping;
	u64 entries;

	buffers = kunit_kcalloc(test, count, sizeof(*buffers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buffers);
	cache_begin(test, bench, slotted);
	for (unsigned int i = 0; i < count; i++) {
		buffer_init(test, bench, &buffers[i], picture->bytes, backing);
		msm_scanout_entry_init(&bench->cache, &buffers[i].entry, picture->bytes, false);
	}

	for (int round = 0; round < 2; round++) {
		const char *what = count == 1 ? "" : "many-";
		char text[32];

		*c = (struct tlb_commands) { };
		KUNIT_ASSERT_EQ(test, 0, table_snapshot_take(&before, &bench->smmu));
		for (unsigned int i = 0; i < count; i++)
			show_and_hide(test, &buffers[i]);
		entries = entries_since(test, bench, &before);
		mapping = (struct tlb_commands) { .sync = tlb_operations(c) };
		snprintf(text, sizeof(text), "%smap%s", what, round ? "" : "-first");
		print(test, text, name, picture->name, backing, &mapping, entries, 1);

		*c = (struct tlb_commands) { };
		KUNIT_ASSERT_EQ(test, 0, table_snapshot_take(&before, &bench->smmu));
		msm_scanout_cache_trim(&bench->cache, 0, MSM_SCANOUT_TRIM);
		msm_scanout_cache_reap(&bench->cache);
		entries = entries_since(test, bench, &before);
		snprintf(text, sizeof(text), "%sdrop%s", what, round ? "" : "-first");
		print(test, text, name, picture->name, backing, c, entries, 1);
		for (unsigned int i = 0; i < count; i++)
			KUNIT_EXPECT_EQ(test, MSM_SCANOUT_UNMAPPED, buffers[i].entry.state);
	}
	*dropped = *c;

	for (unsigned int i = 0; i < count; i++) {
		msm_scanout_cache_remove(&buffers[i].entry);
		sg_free_table(&buffers[i].sgt);
	}
	cache_end(bench);
}

static void ours_drops_a_picture_within_the_goal(struct kunit *test)
{
	struct tlb_commands dropped;

	for (int p = 0; p < ARRAY_SIZE(pictures); p++) {
		for (enum backing backing = SCATTERED; backing <= BLOCKS; backing++) {
			drop_from_cache(test, "ours", true, 1, &pictures[p], backing, &dropped);
			KUNIT_EXPECT_LE(test, tlb_operations(&dropped), pictures[p].goal);
			/* None at all would be a stale TLB. */
			KUNIT_EXPECT_GE(test, dropped.flush_all, 1);
		}
	}
}

static void ours_evicts_many_with_few_flushes(struct kunit *test)
{
	struct tlb_commands dropped;

	drop_from_cache(test, "ours", true, MANY, &pictures[0], SCATTERED, &dropped);
	KUNIT_EXPECT_LE(test, dropped.flush_all + dropped.walk + dropped.sync, GOAL_FLUSHES);
	KUNIT_EXPECT_EQ(test, 0, dropped.add_page);
	KUNIT_EXPECT_GE(test, dropped.flush_all, 1);
}

/* Where the IOMMU can't flush at once; there is no goal for that. */
static void ours_without_deferring_drops_each_picture(struct kunit *test)
{
	struct tlb_commands dropped;

	for (int p = 0; p < ARRAY_SIZE(pictures); p++) {
		drop_from_cache(test, "ours-plain", false, 1, &pictures[p], SCATTERED, &dropped);
		KUNIT_EXPECT_GE(test, dropped.sync, 1);
		/* Also shows that the goals tell one from the other. */
		KUNIT_EXPECT_GT(test, tlb_operations(&dropped), pictures[p].goal);
	}
	drop_from_cache(test, "ours-plain", false, MANY, &pictures[0], SCATTERED, &dropped);
	KUNIT_EXPECT_GE(test, dropped.sync, MANY);
}

/* Not with ARM's page tables, so far. */
static void tables_that_an_unmap_leaves_are_freed(struct kunit *test)
{
	struct bench *bench = test->priv;
	struct tlb_commands dropped;

	bench->smmu.gathers_tables = true;
	drop_from_cache(test, "gathers", true, 1, &pictures[0], SCATTERED, &dropped);
	KUNIT_EXPECT_GE(test, bench->smmu.tables_gathered, 1);
	KUNIT_EXPECT_EQ(test, bench->smmu.tables_gathered, bench->smmu.tables_freed);
}

static int bench_init(struct kunit *test)
{
	struct bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	KUNIT_ASSERT_EQ(test, 0, counting_smmu_init(&bench->smmu));
	test->priv = bench;
	bench->mmu = display_mmu_new(&bench->smmu);
	KUNIT_ASSERT_NOT_NULL(test, bench->mmu);
	bench->memory = alloc_pages(GFP_KERNEL, MEMORY_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, bench->memory);
	prandom_seed_state(&bench->random, 1);

	return 0;
}

static void bench_exit(struct kunit *test)
{
	struct bench *bench = test->priv;

	if (!bench)
		return;
	if (bench->memory)
		__free_pages(bench->memory, MEMORY_ORDER);
	if (bench->mmu)
		display_mmu_free(bench->mmu);
	counting_smmu_fini(&bench->smmu);
}

static struct kunit_case drop_cases[] = {
	KUNIT_CASE(without_cache_drop_each_picture),
	KUNIT_CASE(ours_drops_a_picture_within_the_goal),
	KUNIT_CASE(ours_evicts_many_with_few_flushes),
	KUNIT_CASE(ours_without_deferring_drops_each_picture),
	KUNIT_CASE(tables_that_an_unmap_leaves_are_freed),
	{ }
};

static struct kunit_suite drop_suite = {
	.name = "msm_scanout_bench_drop",
	.init = bench_init,
	.exit = bench_exit,
	.test_cases = drop_cases,
};

kunit_test_suite(drop_suite);

MODULE_DESCRIPTION("Benchmark of the MSM scanout mapping cache");
MODULE_LICENSE("GPL");
