/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __DISPLAY_MMU_H__
#define __DISPLAY_MMU_H__

struct counting_smmu;
struct msm_mmu;

struct msm_mmu *display_mmu_new(struct counting_smmu *smmu);
void display_mmu_free(struct msm_mmu *mmu);

#endif /* __DISPLAY_MMU_H__ */
