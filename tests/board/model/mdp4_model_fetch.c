// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bytes a latched pipe reads: what the judge walks and what a frame is made from.
 */
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "mdp4_model.h"

/**
 * mdp4_pipe_stage - where a pipe sits in mixer 0
 * @sh: the shadow
 * @pipe: number of the pipe
 *
 * Return: STAGE_BASE and up, 0 if the pipe is not shown.
 */
u32 mdp4_pipe_stage(const struct mdp4_shadow *sh, unsigned int pipe)
{
	if (!sh->on || LAYERMIXER_MIXER1(sh->mixer, pipe))
		return 0;
	return LAYERMIXER_STAGE(sh->mixer, pipe);
}

static void set_fetch(struct mdp4_fetch *f, enum mdp4_source source, u32 base, u32 stride,
		      u32 x_bytes, u32 y, u32 row_bytes, u32 rows)
{
	f->source = source;
	f->iova = (u64)base + (u64)y * stride + x_bytes;
	f->stride_bytes = stride;
	f->row_bytes = row_bytes;
	f->rows = rows;
}

/**
 * mdp4_pipe_fetches - the planes that a pipe reads
 * @pipe: the pipe, as latched
 * @source: its name
 * @out: filled with the part of each plane that the source rectangle covers
 *
 * Subsampled chroma is read in whole samples: a rectangle that begins on an odd pixel begins in
 * the middle of the first one.
 *
 * Return: the number of planes, 0 for an empty rectangle.
 */
int mdp4_pipe_fetches(const struct mdp4_pipe *pipe, enum mdp4_source source,
		      struct mdp4_fetch out[MDP4_PLANES])
{
	u32 w = min(REG_LOW16(pipe->src_size), MDP4_MAX_SIDE);
	u32 h = min(REG_HIGH16(pipe->src_size), MDP4_MAX_SIDE);
	u32 x = REG_LOW16(pipe->src_xy), y = REG_HIGH16(pipe->src_xy);
	u32 chroma = FORMAT_CHROMA_SAMP(pipe->format);
	u32 stride0 = REG_LOW16(pipe->stride_a), stride1 = REG_HIGH16(pipe->stride_a);
	u32 cpp = FORMAT_CPP(pipe->format);
	u32 cx, cw, cy, ch;

	if (!w || !h)
		return 0;

	/*
	 * gcc 14 for arm64 takes x * cpp, widened and added, for a product with all of src_xy, as
	 * if its upper half were zero (umaddl without the mask).
	 */
	OPTIMIZER_HIDE_VAR(x);

	cx = x;
	cw = w;
	if (chroma == CHROMA_H2V1 || chroma == CHROMA_420) {
		cx = x / 2;
		cw = (x + w - 1) / 2 - cx + 1;
	}
	cy = y;
	ch = h;
	if (chroma == CHROMA_420) {
		cy = y / 2;
		ch = (y + h - 1) / 2 - cy + 1;
	}

	switch (FORMAT_FETCH_PLANES(pipe->format)) {
	case FETCH_PSEUDO_PLANAR:
		set_fetch(&out[0], source, pipe->base[0], stride0, x, y, w, h);
		set_fetch(&out[1], source, pipe->base[1], stride1, cx * 2, cy, cw * 2, ch);
		return 2;
	case FETCH_PLANAR:
		set_fetch(&out[0], source, pipe->base[0], stride0, x, y, w, h);
		set_fetch(&out[1], source, pipe->base[1], stride1, cx, cy, cw, ch);
		set_fetch(&out[2], source, pipe->base[2], REG_LOW16(pipe->stride_b), cx, cy, cw,
			  ch);
		return 3;
	default:
		if (chroma == CHROMA_H2V1)
			set_fetch(&out[0], source, pipe->base[0], stride0, cx * 4, y, cw * 4, h);
		else
			set_fetch(&out[0], source, pipe->base[0], stride0, x * cpp, y, w * cpp, h);
		return 1;
	}
}

/**
 * mdp4_cursor_fetch - the bytes that the cursor reads
 * @m: the display
 * @out: filled if the cursor is on
 *
 * From the registers as they are now: they are not double buffered. Rows are as long as the
 * cursor is wide, there is no stride register.
 *
 * Return: whether the cursor is on.
 */
bool mdp4_cursor_fetch(const struct mdp4_model *m, struct mdp4_fetch *out)
{
	u32 config = mdp4_read(m, REG_DMA_P_CURSOR_BLEND_CONFIG);
	u32 size = mdp4_read(m, REG_DMA_P_CURSOR_SIZE);
	u32 width = min(REG_LOW16(size), CURSOR_MAX);
	u32 height = min(REG_HIGH16(size), CURSOR_MAX);

	if (!m->shadow.on || !(config & CURSOR_EN) || !width || !height)
		return false;
	set_fetch(out, MDP4_CURSOR, mdp4_read(m, REG_DMA_P_CURSOR_BASE), width * 4, 0, 0,
		  width * 4, height);
	return true;
}
