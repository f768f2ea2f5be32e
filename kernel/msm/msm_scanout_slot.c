// SPDX-License-Identifier: GPL-2.0-only

#include <linux/scatterlist.h>

#include "msm_mmu.h"
#include "msm_scanout_cache.h"
#include "msm_scanout_slot.h"

/**
 * DOC: slots
 *
 * Most of what an unmap costs is TLB invalidation.  Where the IOMMU allows to
 * do it once, after any number of unmaps, none of them needs one of its own,
 * with one exception: io-pgtable frees a table that is unmapped as a whole, and
 * has to invalidate the walks through it there and then.  On Qualcomm's SMMU
 * each of these drops all TLB entries of the display and waits with interrupts
 * off.
 *
 * So tables are not unmapped as a whole.  They stay in place, empty, for the
 * next buffer in that slot, which then needs not allocate them.  That is at most
 * 4 KiB for each 2 MiB of the window.
 *
 * An unmap must not split what was mapped in one go, which is memory that is
 * contiguous.  So each 2 MiB are cut where two runs of memory meet.  Where there
 * is nothing to cut, they are a block, or might be one, and are unmapped as a
 * whole.  That 2 MiB are what a table maps only matters for the cost.
 */

/* Whether all of the 2 MiB around @iova is unmapped, and is cut in two at @iova. */
static bool may_take_table(u64 iova, u64 start, u64 end)
{
	return !IS_ALIGNED(iova, MSM_SCANOUT_SLOT_BYTES) &&
	       ALIGN_DOWN(iova, MSM_SCANOUT_SLOT_BYTES) >= start &&
	       ALIGN(iova, MSM_SCANOUT_SLOT_BYTES) <= end;
}

/**
 * msm_scanout_slot_unmap() - unmap a buffer, but leave page tables in place
 * @mmu: the display's, with &msm_mmu.can_defer
 * @iova: start of the slot
 * @bytes: size of the buffer
 * @sgt: memory of the buffer, as it was mapped
 *
 * The hardware may reach the buffer until &msm_mmu_funcs.flush has returned.
 * Neither allocates nor sleeps.
 */
void msm_scanout_slot_unmap(struct msm_mmu *mmu, u64 iova, size_t bytes,
			    struct sg_table *sgt)
{
	u64 start = iova, end = iova + bytes, from = start, cut = U64_MAX;
	struct scatterlist *sg;
	phys_addr_t next = 0;
	unsigned int i;

	for_each_sgtable_sg(sgt, sg, i) {
		u64 slot = ALIGN_DOWN(iova, MSM_SCANOUT_SLOT_BYTES);

		if (sg_phys(sg) != next && slot != cut &&
		    may_take_table(iova, start, end)) {
			mmu->funcs->unmap_deferred(mmu, from, iova - from);
			from = iova;
			cut = slot;
		}

		iova += sg->length;
		next = sg_phys(sg) + sg->length;
	}

	mmu->funcs->unmap_deferred(mmu, from, end - from);
}
