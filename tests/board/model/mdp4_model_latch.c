// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a vsync copies from the registers to the shadow.
 *
 * Pipes are double buffered by their bit of OVERLAY_FLUSH, the mixer by OVLP0's (the driver sets
 * LAYERMIXER_IN_CFG_UPDATE_METHOD to 1 for that; with 0 the mixer follows its register at every
 * vsync). The cursor's position is taken at every vsync; its other registers are not double
 * buffered at all and are read where they are used.
 *
 * The driver takes a cleared OVERLAY_FLUSH for "latched" and may then program the next frame or
 * unmap the last one, so it is cleared only after everything was copied; and only if it still
 * holds what was read, so that a flush written meanwhile stays for the next vsync.
 */
#include <linux/string.h>

#include "mdp4_model.h"

static void read_block(const struct mdp4_model *m, u32 reg, u32 *out, unsigned int count)
{
	while (count--) {
		*out++ = mdp4_read(m, reg);
		reg += 4;
	}
}

static void read_csc(const struct mdp4_model *m, u32 reg, struct mdp4_csc *csc)
{
	read_block(m, reg + CSC_MV, csc->mv, ARRAY_SIZE(csc->mv));
	read_block(m, reg + CSC_PRE_BV, csc->pre_bv, ARRAY_SIZE(csc->pre_bv));
	read_block(m, reg + CSC_POST_BV, csc->post_bv, ARRAY_SIZE(csc->post_bv));
	read_block(m, reg + CSC_PRE_LV, csc->pre_lv, ARRAY_SIZE(csc->pre_lv));
	read_block(m, reg + CSC_POST_LV, csc->post_lv, ARRAY_SIZE(csc->post_lv));
}

static void read_pipe(const struct mdp4_model *m, unsigned int n, struct mdp4_pipe *pipe)
{
	u32 reg = REG_PIPE(n);

	pipe->src_size = mdp4_read(m, reg + PIPE_SRC_SIZE);
	pipe->src_xy = mdp4_read(m, reg + PIPE_SRC_XY);
	pipe->dst_size = mdp4_read(m, reg + PIPE_DST_SIZE);
	pipe->dst_xy = mdp4_read(m, reg + PIPE_DST_XY);
	read_block(m, reg + PIPE_SRCP0_BASE, pipe->base, ARRAY_SIZE(pipe->base));
	pipe->stride_a = mdp4_read(m, reg + PIPE_SRC_STRIDE_A);
	pipe->stride_b = mdp4_read(m, reg + PIPE_SRC_STRIDE_B);
	pipe->format = mdp4_read(m, reg + PIPE_SRC_FORMAT);
	pipe->unpack = mdp4_read(m, reg + PIPE_SRC_UNPACK);
	pipe->op_mode = mdp4_read(m, reg + PIPE_OP_MODE);
	pipe->phasex_step = mdp4_read(m, reg + PIPE_PHASEX_STEP);
	pipe->phasey_step = mdp4_read(m, reg + PIPE_PHASEY_STEP);
	read_csc(m, reg + PIPE_CSC, &pipe->csc);
}

static void read_mixer(const struct mdp4_model *m, struct mdp4_shadow *sh)
{
	unsigned int i;

	sh->mixer = mdp4_read(m, REG_LAYERMIXER_IN_CFG);
	sh->mixer_size = mdp4_read(m, REG_DMA_P_SRC_SIZE);
	for (i = 0; i < MDP4_BLENDED_STAGES; i++) {
		sh->stage[i].op = mdp4_read(m, REG_OVLP0_STAGE(i) + STAGE_OP);
		sh->stage[i].fg_alpha = mdp4_read(m, REG_OVLP0_STAGE(i) + STAGE_FG_ALPHA);
		sh->stage[i].bg_alpha = mdp4_read(m, REG_OVLP0_STAGE(i) + STAGE_BG_ALPHA);
		sh->stage[i].co3 = mdp4_read(m, REG_OVLP0_STAGE_CO3(i));
	}
}

static bool base_changed(const struct mdp4_shadow *old, const struct mdp4_shadow *new)
{
	unsigned int i;

	for (i = 0; i < MDP4_PIPES; i++)
		if (mdp4_pipe_stage(new, i) &&
		    memcmp(old->pipe[i].base, new->pipe[i].base, sizeof(new->pipe[i].base)))
			return true;
	return false;
}

/**
 * mdp4_latch - end a frame: take over what was flushed
 * @m: the display, locked
 */
void mdp4_latch(struct mdp4_model *m)
{
	u32 *flush_reg = m->regs + REG_OVERLAY_FLUSH;
	u32 flush = mdp4_read(m, REG_OVERLAY_FLUSH);
	/* Too big for the stack, and only ever one at a time: under the lock */
	static struct mdp4_shadow next;
	unsigned int i;

	lockdep_assert_held(&m->lock);
	/* Written after the registers that it is about */
	smp_rmb();

	next = m->shadow;
	for (i = 0; i < MDP4_PIPES; i++)
		if (flush & FLUSH_PIPE(i))
			read_pipe(m, i, &next.pipe[i]);
	if ((flush & FLUSH_OVLP0) || !(mdp4_read(m, REG_LAYERMIXER_UPDATE_METHOD) & 1))
		read_mixer(m, &next);
	next.cursor_pos = mdp4_read(m, REG_DMA_P_CURSOR_POS);

	if (flush) {
		m->seq++;
		m->stats.latches++;
		m->stats.flips += base_changed(&m->shadow, &next);
	}
	if (memcmp(&m->shadow, &next, sizeof(next))) {
		m->gen++;
		m->shadow = next;
		m->stats.unsupported += !!mdp4_unsupported_bits(&next);
	}
	/* A full barrier when it succeeds: the driver sees it after all of the above */
	if (flush)
		cmpxchg(flush_reg, flush, 0);
}

/**
 * mdp4_latch_on - begin to drive the panel
 * @m: the display, locked
 *
 * The geometry is that of the timing registers, which the driver programs while the panel is off.
 * Until the first vsync latches something the panel shows its border colour.
 */
void mdp4_latch_on(struct mdp4_model *m)
{
	u32 htotal = REG_HIGH16(mdp4_read(m, REG_LCDC_HSYNC_CTRL));
	u32 hctrl = mdp4_read(m, REG_LCDC_DISPLAY_HCTRL);
	u32 vstart = mdp4_read(m, REG_LCDC_DISPLAY_VSTART);
	u32 vend = mdp4_read(m, REG_LCDC_DISPLAY_VEND);
	struct mdp4_shadow *sh = &m->shadow;

	lockdep_assert_held(&m->lock);

	sh->on = 1;
	sh->panel_width = min(REG_HIGH16(hctrl) - REG_LOW16(hctrl) + 1, MDP4_MAX_SIDE);
	sh->panel_height = htotal ? min((vend - vstart + 1) / htotal, MDP4_MAX_SIDE) : 0;
	sh->border = mdp4_read(m, REG_LCDC_BORDER_CLR);
	m->seq++;
	m->gen++;
	m->stats.enables++;
}

/**
 * mdp4_latch_off - stop reading and stop driving the panel
 * @m: the display, locked
 */
void mdp4_latch_off(struct mdp4_model *m)
{
	lockdep_assert_held(&m->lock);

	memset(&m->shadow, 0, sizeof(m->shadow));
	m->seq++;
	m->gen++;
	m->stats.disables++;
}

/**
 * mdp4_unsupported_bits - what a shadow asks for that frames do not show
 * @sh: the shadow
 *
 * The walk judges such buffers all the same; the picture ignores the request.
 *
 * Return: a bit for each live pipe that asks, and above those one for each blended stage.
 */
u32 mdp4_unsupported_bits(const struct mdp4_shadow *sh)
{
	const u32 op_mode = OP_MODE_DST_YCBCR | OP_MODE_FLIP_LR | OP_MODE_FLIP_UD |
			    OP_MODE_IGC_LUT_EN | OP_MODE_DEINT_EN;
	const u32 format = FORMAT_ROTATED_90 | FORMAT_SOLID_FILL | FORMAT_UNPACK_ALIGN_MSB;
	u32 stage, bits = 0;
	unsigned int i;

	for (i = 0; i < MDP4_PIPES; i++) {
		const struct mdp4_pipe *pipe = &sh->pipe[i];

		stage = mdp4_pipe_stage(sh, i);
		if (!stage)
			continue;
		if ((pipe->op_mode & op_mode) || (pipe->format & format) ||
		    FORMAT_FRAME_FORMAT(pipe->format) ||
		    FORMAT_CHROMA_SAMP(pipe->format) == CHROMA_H1V2)
			bits |= BIT(i);
		if (stage >= STAGE_FIRST_BLENDED && stage <= STAGE_LAST &&
		    (sh->stage[stage - STAGE_FIRST_BLENDED].op & (OP_FG_TRANSP | OP_BG_TRANSP)))
			bits |= BIT(MDP4_PIPES + stage - STAGE_FIRST_BLENDED);
	}
	return bits;
}
