// SPDX-License-Identifier: GPL-2.0-only
/*
 * From bytes to pixels: unpacking, colour conversion, nearest-neighbour scaling, blending.
 *
 * Integers only, so that a test client can compute the very same picture; README.md has the
 * formulas. Nothing here knows where the bytes came from.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "mdp4_model.h"

static const u8 bpc_bits[] = { 4, 5, 6, 8 };
static const u8 bpc_alpha_bits[] = { 1, 4, 6, 8 };

/* In the order of mdp4_decoder.shift and .bits */
enum { RED, GREEN, BLUE, ALPHA };

static void init_rgb(struct mdp4_decoder *d)
{
	u32 format = d->pipe->format, unpack = d->pipe->unpack;
	unsigned int i, shift = 0;

	for (i = 0; i < FORMAT_UNPACK_COUNT(format); i++) {
		unsigned int c, bits;

		switch (UNPACK_ELEM(unpack, i)) {
		case ELEM_R_CR:
			c = RED;
			bits = bpc_bits[FORMAT_R_BPC(format)];
			break;
		case ELEM_G_Y:
			c = GREEN;
			bits = bpc_bits[FORMAT_G_BPC(format)];
			break;
		case ELEM_B_CB:
			c = BLUE;
			bits = bpc_bits[FORMAT_B_BPC(format)];
			break;
		default:
			c = ALPHA;
			bits = bpc_alpha_bits[FORMAT_A_BPC(format)];
			break;
		}
		d->shift[c] = shift;
		d->bits[c] = bits;
		shift += bits;
	}
	/* X formats have the bits but do not mean them */
	if (!(format & FORMAT_ALPHA_ENABLE))
		d->bits[ALPHA] = 0;
	d->native = FORMAT_CPP(format) == 4 &&
		    d->bits[BLUE] == 8 && d->shift[BLUE] == 0 &&
		    d->bits[GREEN] == 8 && d->shift[GREEN] == 8 &&
		    d->bits[RED] == 8 && d->shift[RED] == 16 &&
		    (!d->bits[ALPHA] || (d->bits[ALPHA] == 8 && d->shift[ALPHA] == 24));
}

static void init_interleaved_yuv(struct mdp4_decoder *d)
{
	bool second = false;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		switch (UNPACK_ELEM(d->pipe->unpack, i)) {
		case ELEM_B_CB:
			d->pos[1] = i;
			break;
		case ELEM_R_CR:
			d->pos[2] = i;
			break;
		default:
			d->pos[second ? 3 : 0] = i;
			second = true;
			break;
		}
	}
}

/**
 * mdp4_decoder_init - prepare to decode what a pipe fetched
 * @d: the decoder
 * @pipe: the pipe, as latched
 * @stage: what it fetched
 * @planes: number of @stage, not 0
 */
void mdp4_decoder_init(struct mdp4_decoder *d, const struct mdp4_pipe *pipe,
		       const struct mdp4_stage *stage, unsigned int planes)
{
	*d = (struct mdp4_decoder) {
		.pipe = pipe,
		.stage = stage,
		.planes = planes,
		.src_width = min(REG_LOW16(pipe->src_size), MDP4_MAX_SIDE),
		.src_height = min(REG_HIGH16(pipe->src_size), MDP4_MAX_SIDE),
		.src_x = REG_LOW16(pipe->src_xy),
		.src_y = REG_HIGH16(pipe->src_xy),
		.step_x = pipe->op_mode & OP_MODE_SCALEX_EN ? pipe->phasex_step : BIT(PHASE_SHIFT),
		.step_y = pipe->op_mode & OP_MODE_SCALEY_EN ? pipe->phasey_step : BIT(PHASE_SHIFT),
		.yuv = planes > 1 || FORMAT_CHROMA_SAMP(pipe->format) != CHROMA_FULL,
	};
	if (!d->yuv)
		init_rgb(d);
	else if (planes == 1)
		init_interleaved_yuv(d);
}

static u32 scale(u32 dst, u32 step, u32 limit)
{
	return min_t(u64, ((u64)dst * step) >> PHASE_SHIFT, limit - 1);
}

/* Fewer bits become eight by repeating the upper ones below: 0 stays 0, full stays full */
static u32 widen(u32 value, unsigned int bits)
{
	switch (bits) {
	case 1:
		return value ? 0xff : 0;
	case 4:
		return value << 4 | value;
	case 5:
		return value << 3 | value >> 2;
	case 6:
		return value << 2 | value >> 4;
	default:
		return value;
	}
}

static u32 load_pixel(const u8 *p, unsigned int cpp)
{
	switch (cpp) {
	case 1:
		return *p;
	case 2:
		return get_unaligned_le16(p);
	case 3:
		return get_unaligned_le24(p);
	default:
		return get_unaligned_le32(p);
	}
}

static u32 component(const struct mdp4_decoder *d, u32 raw, unsigned int c)
{
	return widen((raw >> d->shift[c]) & (BIT(d->bits[c]) - 1), d->bits[c]);
}

static void decode_rgb(const struct mdp4_decoder *d, u32 row, u32 *out, u32 pixels)
{
	const struct mdp4_stage *st = &d->stage[0];
	const u8 *data = st->data + (size_t)row * st->fetch.row_bytes;
	unsigned int cpp = FORMAT_CPP(d->pipe->format);
	u32 x, opaque = d->bits[ALPHA] ? 0 : 0xff000000;

	if (d->native && d->step_x == BIT(PHASE_SHIFT) && pixels <= d->src_width &&
	    !st->any_missing) {
		memcpy(out, data, pixels * sizeof(*out));
		for (x = 0; opaque && x < pixels; x++)
			out[x] |= opaque;
		return;
	}
	for (x = 0; x < pixels; x++) {
		u32 at = scale(x, d->step_x, d->src_width) * cpp;
		u32 raw = load_pixel(data + at, cpp);

		if (mdp4_stage_is_missing(st, row, at))
			out[x] = MDP4_MAGENTA;
		else
			out[x] = (opaque ?: component(d, raw, ALPHA) << 24) |
				 component(d, raw, RED) << 16 | component(d, raw, GREEN) << 8 |
				 component(d, raw, BLUE);
	}
}

static int bias(u32 reg)
{
	return sign_extend32(reg, 8);
}

static u32 convert(const struct mdp4_csc *csc, const int ycc[3])
{
	u32 out = 0xff;
	int in[3], v;
	unsigned int i;

	for (i = 0; i < 3; i++)
		in[i] = clamp(ycc[i], (int)csc->pre_lv[2 * i], (int)csc->pre_lv[2 * i + 1]) +
			bias(csc->pre_bv[i]);
	for (i = 0; i < 3; i++) {
		const u32 *mv = &csc->mv[3 * i];

		v = (sign_extend32(mv[0], 12) * in[0] + sign_extend32(mv[1], 12) * in[1] +
		     sign_extend32(mv[2], 12) * in[2]) >> 9;
		v += bias(csc->post_bv[i]);
		v = clamp(v, (int)csc->post_lv[2 * i], (int)csc->post_lv[2 * i + 1]);
		out = out << 8 | (v & 0xff);
	}
	return out;
}

struct sample {
	/* where: plane, row and byte */
	const struct mdp4_stage *st;
	u32 row;
	u32 byte;
};

static int load_sample(const struct sample *s, bool *missing)
{
	*missing |= mdp4_stage_is_missing(s->st, s->row, s->byte);
	return s->st->data[(size_t)s->row * s->st->fetch.row_bytes + s->byte];
}

/* Where Y, Cb and Cr of a pixel of the source rectangle are */
static void locate_yuv(const struct mdp4_decoder *d, u32 x, u32 y, struct sample out[3])
{
	u32 chroma = FORMAT_CHROMA_SAMP(d->pipe->format);
	u32 cx = x, cy = y, i;

	if (chroma == CHROMA_H2V1 || chroma == CHROMA_420)
		cx = (d->src_x + x) / 2 - d->src_x / 2;
	if (chroma == CHROMA_420)
		cy = (d->src_y + y) / 2 - d->src_y / 2;

	switch (d->planes) {
	case 1:
		for (i = 0; i < 3; i++)
			out[i] = (struct sample) { &d->stage[0], y, cx * 4 + d->pos[i] };
		if ((d->src_x + x) & 1)
			out[0].byte = cx * 4 + d->pos[3];
		break;
	case 2:
		/* Elements 0 and 1 are the chroma bytes in memory order */
		i = UNPACK_ELEM(d->pipe->unpack, 0) == ELEM_R_CR;
		out[0] = (struct sample) { &d->stage[0], y, x };
		out[1] = (struct sample) { &d->stage[1], cy, cx * 2 + i };
		out[2] = (struct sample) { &d->stage[1], cy, cx * 2 + !i };
		break;
	default:
		/* Elements run from the last plane to the first: element 1 is plane 1 */
		i = UNPACK_ELEM(d->pipe->unpack, 1) == ELEM_R_CR;
		out[0] = (struct sample) { &d->stage[0], y, x };
		out[1] = (struct sample) { &d->stage[1 + i], cy, cx };
		out[2] = (struct sample) { &d->stage[2 - i], cy, cx };
		break;
	}
}

static void decode_yuv(const struct mdp4_decoder *d, u32 row, u32 *out, u32 pixels)
{
	bool csc = d->pipe->op_mode & OP_MODE_CSC_EN;
	u32 x;

	for (x = 0; x < pixels; x++) {
		struct sample at[3];
		bool missing = false;
		int ycc[3], i;

		locate_yuv(d, scale(x, d->step_x, d->src_width), row, at);
		for (i = 0; i < 3; i++)
			ycc[i] = load_sample(&at[i], &missing);
		if (missing)
			out[x] = MDP4_MAGENTA;
		else if (csc)
			out[x] = convert(&d->pipe->csc, ycc);
		else
			/* The components' wires: Cr is R, Y is G, Cb is B */
			out[x] = 0xff000000 | ycc[2] << 16 | ycc[0] << 8 | ycc[1];
	}
}

/**
 * mdp4_decode_row - one row of what a pipe puts on the screen
 * @d: the decoder
 * @dst_y: row of the destination rectangle
 * @out: pixels, 0xAARRGGBB
 * @pixels: how many, from the left of the destination rectangle
 */
void mdp4_decode_row(const struct mdp4_decoder *d, u32 dst_y, u32 *out, u32 pixels)
{
	u32 row = scale(dst_y, d->step_y, d->src_height);

	if (d->yuv)
		decode_yuv(d, row, out, pixels);
	else
		decode_rgb(d, row, out, pixels);
}

static u32 div255(u32 v)
{
	return (v + 127) / 255;
}

static u32 alpha_of(u32 type, bool modulate, bool invert, u32 own_const,
		    const struct mdp4_ovlp_stage *stage, u32 fg, u32 bg)
{
	u32 a;

	switch (type) {
	case ALPHA_FG_CONST:
		a = stage->fg_alpha & 0xff;
		break;
	case ALPHA_BG_CONST:
		a = stage->bg_alpha & 0xff;
		break;
	case ALPHA_FG_PIXEL:
		a = fg >> 24;
		break;
	default:
		a = bg >> 24;
		break;
	}
	if (modulate)
		a = div255(a * (own_const & 0xff));
	return invert ? 255 - a : a;
}

static u32 blend(const struct mdp4_ovlp_stage *stage, u32 fg, u32 bg)
{
	u32 op = stage->op;
	u32 fa = alpha_of(OP_FG_ALPHA(op), op & OP_FG_MOD_ALPHA, op & OP_FG_INV_ALPHA,
			  stage->fg_alpha, stage, fg, bg);
	u32 ba = alpha_of(OP_BG_ALPHA(op), op & OP_BG_MOD_ALPHA, op & OP_BG_INV_ALPHA,
			  stage->bg_alpha, stage, fg, bg);
	u32 out = (stage->co3 & CO3_SEL_FG_ALPHA ? fg : bg) & 0xff000000;
	unsigned int shift;

	for (shift = 0; shift < 24; shift += 8)
		out |= min(div255(((fg >> shift) & 0xff) * fa + ((bg >> shift) & 0xff) * ba), 255)
		       << shift;
	return out;
}

/**
 * mdp4_blend_row - put pixels over others as a mixer stage does
 * @stage: how
 * @fg: the upper pixels
 * @line: the lower ones, replaced by the result
 * @pixels: how many
 */
void mdp4_blend_row(const struct mdp4_ovlp_stage *stage, const u32 *fg, u32 *line, u32 pixels)
{
	u32 x;

	if (stage->op == (ALPHA_FG_CONST | ALPHA_BG_CONST << 4) &&
	    (stage->fg_alpha & 0xff) == 0xff && !(stage->bg_alpha & 0xff) &&
	    (stage->co3 & CO3_SEL_FG_ALPHA)) {
		memcpy(line, fg, pixels * sizeof(*line));
		return;
	}
	for (x = 0; x < pixels; x++)
		line[x] = blend(stage, fg[x], line[x]);
}
