/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IOMMU domain with real page tables, io-pgtable-arm's, whose TLB commands are
 * counted instead of sent.  The commands are those of arm-smmu with Qualcomm's
 * additions, an SMMUv2.
 */

#ifndef __COUNTING_SMMU_H__
#define __COUNTING_SMMU_H__

#include <linux/io-pgtable.h>
#include <linux/iommu.h>

/**
 * struct tlb_commands - what was sent to the SMMU
 */
struct tlb_commands {
	/** @add_page: tlb_add_page(), each one TLBIVAL */
	u64 add_page;
	/** @walk: tlb_flush_walk(), each a TLBIASID and a wait for it */
	u64 walk;
	/** @flush_all: tlb_flush_all(), each a TLBIASID and a wait for it */
	u64 flush_all;
	/** @sync: iotlb_sync(), each a wait */
	u64 sync;
};

/**
 * struct counting_smmu - a display's context bank
 */
struct counting_smmu {
	/** @domain: what users of the IOMMU API see */
	struct iommu_domain domain;
	/** @cfg: of @pgtable */
	struct io_pgtable_cfg cfg;
	/** @pgtable: the tables */
	struct io_pgtable_ops *pgtable;
	/** @commands: so far */
	struct tlb_commands commands;
	/** @gathers_tables: each unmap leaves a table that is to be freed once it is flushed */
	bool gathers_tables;
	/** @tables_gathered: so far */
	u64 tables_gathered;
	/** @tables_freed: so far */
	u64 tables_freed;
};

/**
 * struct table_snapshot - all tables of a domain, as they are at some time
 */
struct table_snapshot {
	/** @tables: number of tables */
	size_t tables;
	/** @capacity: that there is room for */
	size_t capacity;
	/** @table: where each is, and a copy */
	struct {
		const u64 *live;
		u64 *copy;
	} *table;
};

int counting_smmu_init(struct counting_smmu *smmu);
void counting_smmu_fini(struct counting_smmu *smmu);

int table_snapshot_take(struct table_snapshot *snapshot, struct counting_smmu *smmu);
void table_snapshot_free(struct table_snapshot *snapshot);
u64 table_entries_changed(const struct table_snapshot *before,
			  const struct table_snapshot *after);

/**
 * tlb_operations() - what has to be sent, or waited for
 * @c: the commands
 *
 * Return: one for each callback.
 */
static inline u64 tlb_operations(const struct tlb_commands *c)
{
	return c->add_page + c->walk + c->flush_all + c->sync;
}

#endif /* __COUNTING_SMMU_H__ */
