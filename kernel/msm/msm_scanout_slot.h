/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How slots of the scanout window are unmapped where the TLB may be invalidated
 * afterwards.  See DOC: slots in msm_scanout_slot.c.
 */

#ifndef __MSM_SCANOUT_SLOT_H__
#define __MSM_SCANOUT_SLOT_H__

#include <linux/types.h>

struct msm_mmu;
struct sg_table;

void msm_scanout_slot_unmap(struct msm_mmu *mmu, u64 iova, size_t bytes,
			    struct sg_table *sgt);

#endif /* __MSM_SCANOUT_SLOT_H__ */
