// SPDX-License-Identifier: GPL-2.0-only

#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/slab.h>
#include <linux/sizes.h>

#include "../../../../iommu/iommu-pages.h"

#include "counting_smmu.h"

/* Of the hardware: sdm845's display sees 36 bits on either side. */
#define ADDRESS_BITS	36

#define PTE_VALID	BIT_ULL(0)
#define PTE_TABLE	BIT_ULL(1)
#define PTE_ADDRESS	GENMASK_ULL(47, 12)
#define LAST_LEVEL	3
#define TABLE_ENTRIES	(SZ_4K / sizeof(u64))

static struct counting_smmu *to_smmu(struct iommu_domain *domain)
{
	return container_of(domain, struct counting_smmu, domain);
}

/*
 * What io-pgtable-arm asks for.  As in arm-smmu.c: add_page writes one TLBIVAL at
 * once; with Qualcomm's flush_walk_prefer_tlbiasid a walk is the same as all.
 */

static void flush_all(void *cookie)
{
	struct counting_smmu *smmu = cookie;

	smmu->commands.flush_all++;
}

static void flush_walk(unsigned long iova, size_t size, size_t granule, void *cookie)
{
	struct counting_smmu *smmu = cookie;

	smmu->commands.walk++;
}

static void add_page(struct iommu_iotlb_gather *gather, unsigned long iova,
		     size_t granule, void *cookie)
{
	struct counting_smmu *smmu = cookie;

	smmu->commands.add_page++;
}

static const struct iommu_flush_ops flush_ops = {
	.tlb_flush_all = flush_all,
	.tlb_flush_walk = flush_walk,
	.tlb_add_page = add_page,
};

/* What the IOMMU API asks for. */

static int map_pages(struct iommu_domain *domain, unsigned long iova,
		     phys_addr_t phys, size_t pgsize, size_t pgcount, int prot,
		     gfp_t gfp, size_t *mapped)
{
	struct io_pgtable_ops *ops = to_smmu(domain)->pgtable;

	return ops->map_pages(ops, iova, phys, pgsize, pgcount, prot, gfp, mapped);
}

static size_t unmap_pages(struct iommu_domain *domain, unsigned long iova,
			  size_t pgsize, size_t pgcount,
			  struct iommu_iotlb_gather *gather)
{
	struct counting_smmu *smmu = to_smmu(domain);
	struct io_pgtable_ops *ops = smmu->pgtable;

	/* As generic_pt does, but io-pgtable-arm does not: */
	if (smmu->gathers_tables) {
		void *table = iommu_alloc_pages_sz(GFP_KERNEL, SZ_4K);

		if (!table)
			return 0;
		iommu_pages_list_add(&gather->freelist, table);
		smmu->tables_gathered++;
	}

	return ops->unmap_pages(ops, iova, pgsize, pgcount, gather);
}

static void flush_iotlb_all(struct iommu_domain *domain)
{
	flush_all(to_smmu(domain));
}

static void iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct counting_smmu *smmu = to_smmu(domain);

	smmu->commands.sync++;
	smmu->tables_freed += list_count_nodes(&gather->freelist.pages);
	iommu_put_pages_list(&gather->freelist);
}

static phys_addr_t iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	struct io_pgtable_ops *ops = to_smmu(domain)->pgtable;

	return ops->iova_to_phys(ops, iova);
}

static const struct iommu_domain_ops domain_ops = {
	.map_pages = map_pages,
	.unmap_pages = unmap_pages,
	.flush_iotlb_all = flush_iotlb_all,
	.iotlb_sync = iotlb_sync,
	.iova_to_phys = iova_to_phys,
};

/**
 * counting_smmu_init() - make a domain without mappings
 * @smmu: to be initialised
 *
 * Return: 0 or a negative error.
 */
int counting_smmu_init(struct counting_smmu *smmu)
{
	*smmu = (struct counting_smmu) {
		.domain = {
			.type = IOMMU_DOMAIN_UNMANAGED,
			.ops = &domain_ops,
		},
		.cfg = {
			.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
			.ias = ADDRESS_BITS,
			.oas = ADDRESS_BITS,
			.coherent_walk = true,
			.tlb = &flush_ops,
		},
	};
	smmu->pgtable = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &smmu->cfg, smmu);
	if (!smmu->pgtable)
		return -ENOMEM;

	smmu->domain.pgsize_bitmap = smmu->cfg.pgsize_bitmap;
	smmu->domain.geometry.aperture_end = BIT_ULL(ADDRESS_BITS) - 1;

	return 0;
}

/**
 * counting_smmu_fini() - undo counting_smmu_init()
 * @smmu: the domain, whose mappings end
 */
void counting_smmu_fini(struct counting_smmu *smmu)
{
	free_io_pgtable_ops(smmu->pgtable);
}

/*
 * Entries written are counted by looking at the tables before and after.  That
 * tells of each entry that changed; one that is written twice counts once.
 */

static int snapshot_table(struct table_snapshot *snapshot, phys_addr_t phys, int level)
{
	const u64 *live = phys_to_virt(phys);
	size_t index = snapshot->tables;
	u64 *copy;
	int ret;

	if (index == snapshot->capacity) {
		size_t capacity = max(64, 2 * snapshot->capacity);
		void *bigger = krealloc_array(snapshot->table, capacity,
					      sizeof(*snapshot->table), GFP_KERNEL);

		if (!bigger)
			return -ENOMEM;
		snapshot->table = bigger;
		snapshot->capacity = capacity;
	}

	copy = kmemdup(live, SZ_4K, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;

	snapshot->table[index].live = live;
	snapshot->table[index].copy = copy;
	snapshot->tables++;

	for (int i = 0; level < LAST_LEVEL && i < TABLE_ENTRIES; i++) {
		if ((copy[i] & (PTE_VALID | PTE_TABLE)) != (PTE_VALID | PTE_TABLE))
			continue;
		ret = snapshot_table(snapshot, copy[i] & PTE_ADDRESS, level + 1);
		if (ret)
			return ret;
	}

	return 0;
}

/**
 * table_snapshot_take() - copy all tables
 * @snapshot: zero, or one that was freed
 * @smmu: the domain
 *
 * Return: 0 or a negative error; free it either way.
 */
int table_snapshot_take(struct table_snapshot *snapshot, struct counting_smmu *smmu)
{
	*snapshot = (struct table_snapshot) { };

	/* 36 bits with 4 KiB pages start at level 1. */
	return snapshot_table(snapshot, smmu->cfg.arm_lpae_s1_cfg.ttbr & PTE_ADDRESS, 1);
}

/**
 * table_snapshot_free() - forget a snapshot
 * @snapshot: the snapshot
 */
void table_snapshot_free(struct table_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->tables; i++)
		kfree(snapshot->table[i].copy);
	kfree(snapshot->table);
	*snapshot = (struct table_snapshot) { };
}

static const u64 *find_copy(const struct table_snapshot *snapshot, const u64 *live)
{
	for (size_t i = 0; i < snapshot->tables; i++) {
		if (snapshot->table[i].live == live)
			return snapshot->table[i].copy;
	}

	return NULL;
}

/**
 * table_entries_changed() - how much was written to the tables
 * @before: what they were
 * @after: what they are
 *
 * A table that went was not cleared first, so only the entry that led to it
 * counts; one that came counts with all that is in it.
 *
 * Return: the number of entries.
 */
u64 table_entries_changed(const struct table_snapshot *before,
			  const struct table_snapshot *after)
{
	u64 changed = 0;

	for (size_t t = 0; t < after->tables; t++) {
		const u64 *was = find_copy(before, after->table[t].live);

		for (int i = 0; i < TABLE_ENTRIES; i++)
			changed += after->table[t].copy[i] != (was ? was[i] : 0);
	}

	return changed;
}
