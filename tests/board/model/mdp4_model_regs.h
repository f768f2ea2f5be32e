/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the MDP4 register map that the msm driver programs for a panel
 * on LCDC/LVDS. Names follow drivers/gpu/drm/msm/registers/display/mdp4.xml,
 * whose generated header is not part of an installed kernel's headers.
 */
#ifndef __MDP4_MODEL_REGS_H__
#define __MDP4_MODEL_REGS_H__

#include <linux/bits.h>

#define REG_VERSION			0x00000
#define  VERSION_4_2			((4 << 24) | (2 << 16))
#define REG_INTR_ENABLE			0x00050
#define REG_INTR_STATUS			0x00054
#define REG_INTR_CLEAR			0x00058
#define  IRQ_OVERLAY0_DONE		BIT(0)
#define  IRQ_DMA_P_DONE			BIT(4)
#define  IRQ_PRIMARY_VSYNC		BIT(7)

#define REG_LAYERMIXER_UPDATE_METHOD	0x100fc
#define REG_LAYERMIXER_IN_CFG		0x10100
#define  LAYERMIXER_STAGE(cfg, pipe)	(((cfg) >> (4 * (pipe))) & 7)
#define  LAYERMIXER_MIXER1(cfg, pipe)	(((cfg) >> (4 * (pipe) + 3)) & 1)
/* Values of LAYERMIXER_STAGE: 0 is unused, 2 is blended by OVLP stage 0 */
#define  STAGE_BASE			1
#define  STAGE_FIRST_BLENDED		2
#define  STAGE_LAST			5

#define REG_OVERLAY_FLUSH		0x18000
#define  FLUSH_OVLP0			BIT(0)
#define  FLUSH_PIPE(pipe)		BIT((pipe) + 2)

/* Overlay processor 0, the one behind DMA_P */
#define REG_OVLP0_STAGE(n) \
	(0x10000 + ((const u16 []){ 0x104, 0x124, 0x144, 0x160 })[n])
#define  STAGE_OP			0x00
#define  STAGE_FG_ALPHA			0x04
#define  STAGE_BG_ALPHA			0x08
#define REG_OVLP0_STAGE_CO3(n) \
	(0x10000 + ((const u16 []){ 0x1004, 0x1404, 0x1804, 0x1b84 })[n])
#define  OP_FG_ALPHA(op)		((op) & 3)
#define  OP_FG_INV_ALPHA		BIT(2)
#define  OP_FG_MOD_ALPHA		BIT(3)
#define  OP_BG_ALPHA(op)		(((op) >> 4) & 3)
#define  OP_BG_INV_ALPHA		BIT(6)
#define  OP_BG_MOD_ALPHA		BIT(7)
#define  OP_FG_TRANSP			BIT(8)
#define  OP_BG_TRANSP			BIT(9)
#define  ALPHA_FG_CONST			0
#define  ALPHA_BG_CONST			1
#define  ALPHA_FG_PIXEL			2
#define  ALPHA_BG_PIXEL			3
#define  CO3_SEL_FG_ALPHA		BIT(0)

/* Pipes: 0 VG1, 1 VG2, 2 RGB1, 3 RGB2 */
#define REG_PIPE(pipe)			(0x20000 + 0x10000 * (pipe))
#define  PIPE_SRC_SIZE			0x0000
#define  PIPE_SRC_XY			0x0004
#define  PIPE_DST_SIZE			0x0008
#define  PIPE_DST_XY			0x000c
#define  PIPE_SRCP0_BASE		0x0010
#define  PIPE_SRC_STRIDE_A		0x0040
#define  PIPE_SRC_STRIDE_B		0x0044
#define  PIPE_SRC_FORMAT		0x0050
#define  PIPE_SRC_UNPACK		0x0054
#define  PIPE_OP_MODE			0x0058
#define  PIPE_PHASEX_STEP		0x005c
#define  PIPE_PHASEY_STEP		0x0060
#define  PIPE_CSC			0x4000
#define   CSC_MV			0x400
#define   CSC_PRE_BV			0x500
#define   CSC_POST_BV			0x580
#define   CSC_PRE_LV			0x600
#define   CSC_POST_LV			0x680

/* SRC_SIZE, DST_SIZE, DMA_SRC_SIZE, CURSOR_SIZE and SRC_XY, DST_XY, CURSOR_POS */
#define  REG_LOW16(v)			((v) & 0xffff)
#define  REG_HIGH16(v)			((v) >> 16)

#define  FORMAT_G_BPC(f)		((f) & 3)
#define  FORMAT_B_BPC(f)		(((f) >> 2) & 3)
#define  FORMAT_R_BPC(f)		(((f) >> 4) & 3)
#define  FORMAT_A_BPC(f)		(((f) >> 6) & 3)
#define  FORMAT_ALPHA_ENABLE		BIT(8)
#define  FORMAT_CPP(f)			((((f) >> 9) & 3) + 1)
#define  FORMAT_ROTATED_90		BIT(12)
#define  FORMAT_UNPACK_COUNT(f)		((((f) >> 13) & 3) + 1)
#define  FORMAT_UNPACK_TIGHT		BIT(17)
#define  FORMAT_UNPACK_ALIGN_MSB	BIT(18)
#define  FORMAT_FETCH_PLANES(f)		(((f) >> 19) & 3)
#define   FETCH_INTERLEAVED		0
#define   FETCH_PLANAR			1
#define   FETCH_PSEUDO_PLANAR		2
#define  FORMAT_SOLID_FILL		BIT(22)
#define  FORMAT_CHROMA_SAMP(f)		(((f) >> 26) & 3)
#define   CHROMA_FULL			0
#define   CHROMA_H2V1			1
#define   CHROMA_H1V2			2
#define   CHROMA_420			3
#define  FORMAT_FRAME_FORMAT(f)		(((f) >> 29) & 3)

#define  UNPACK_ELEM(u, n)		(((u) >> (8 * (n))) & 3)
#define   ELEM_G_Y			0
#define   ELEM_B_CB			1
#define   ELEM_R_CR			2
#define   ELEM_ALPHA			3

#define  OP_MODE_SCALEX_EN		BIT(0)
#define  OP_MODE_SCALEY_EN		BIT(1)
#define  OP_MODE_DST_YCBCR		BIT(10)
#define  OP_MODE_CSC_EN			BIT(11)
#define  OP_MODE_FLIP_LR		BIT(13)
#define  OP_MODE_FLIP_UD		BIT(14)
#define  OP_MODE_IGC_LUT_EN		BIT(16)
#define  OP_MODE_DEINT_EN		BIT(18)

/* 1.0 in PHASEX_STEP and PHASEY_STEP: source pixels a destination pixel */
#define  PHASE_SHIFT			29

/* DMA_P, which reads the mixer and draws the cursor */
#define REG_DMA_P_SRC_SIZE		0x90004
#define REG_DMA_P_CURSOR_SIZE		0x90044
#define REG_DMA_P_CURSOR_BASE		0x90048
#define REG_DMA_P_CURSOR_POS		0x9004c
#define REG_DMA_P_CURSOR_BLEND_CONFIG	0x90060
#define  CURSOR_EN			BIT(0)
#define  CURSOR_FORMAT(c)		(((c) >> 1) & 3)
#define   CURSOR_ARGB			1
#define   CURSOR_XRGB			2
#define  CURSOR_TRANSP_EN		BIT(3)
#define  CURSOR_MAX			64

/* The panel's interface */
#define REG_LCDC_ENABLE			0xc0000
#define REG_LCDC_HSYNC_CTRL		0xc0004
#define REG_LCDC_VSYNC_PERIOD		0xc0008
#define REG_LCDC_DISPLAY_HCTRL		0xc0010
#define REG_LCDC_DISPLAY_VSTART		0xc0014
#define REG_LCDC_DISPLAY_VEND		0xc0018
#define REG_LCDC_BORDER_CLR		0xc0028

#define REG_LVDS_PHY_PLL_LOCKED		0xc3080

/* The smallest register file that holds all of the above */
#define MDP4_REGS_MIN_BYTES		0xc4000

#endif
