// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's own MMU code on a counting domain.  msm_iommu_new() wants an IOMMU
 * behind a device, and its functions are static, so the file is included.
 */

#include "../msm_iommu.c"

#include "counting_smmu.h"
#include "display_mmu.h"

/**
 * display_mmu_new() - what msm_iommu_disp_new() would make
 * @smmu: what it maps in
 *
 * Return: an MMU, for display_mmu_free(), or NULL.
 */
struct msm_mmu *display_mmu_new(struct counting_smmu *smmu)
{
	struct msm_iommu *iommu = kzalloc_obj(*iommu);

	if (!iommu)
		return NULL;

	iommu->domain = &smmu->domain;
	msm_mmu_init(&iommu->base, NULL, &funcs, MSM_MMU_IOMMU);
	iommu->base.can_defer = true;

	return &iommu->base;
}

/**
 * display_mmu_free() - undo display_mmu_new()
 * @mmu: the MMU; the domain stays
 */
void display_mmu_free(struct msm_mmu *mmu)
{
	kfree(to_msm_iommu(mmu));
}
