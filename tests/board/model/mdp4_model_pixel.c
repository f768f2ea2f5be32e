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

static void init_csc(struct mdp4_decoder *d)
{
	const struct mdp4_csc *csc = &d->pipe->csc;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(d->mv); i++)
		d->mv[i] = sign_extend32(csc->mv[i], 12);
	for (i = 0; i < ARRAY_SIZE(d->pre_bv); i++) {
		d->pre_bv[i] = sign_extend32(csc->pre_bv[i], 8);
		d->post_bv[i] = sign_extend32(csc->post_bv[i], 8);
	}
	for (i = 0; i < ARRAY_SIZE(d->pre_lv); i++) {
		d->pre_lv[i] = csc->pre_lv[i] & 0xff;
		d->post_lv[i] = csc->post_lv[i] & 0xff;
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
	if (!d->yuv) {
		init_rgb(d);
		return;
	}
	init_csc(d);
	if (planes == 1)
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

/* Y, Cb and Cr of a row: the bytes of the sample at 0, and from one sample to the next */
struct yuv_row {
	const struct mdp4_stage *st[3];
	u32 row[3];
	u32 byte[3];
	const u8 *data[3];
	u32 step[3];
};

static void set_samples(struct yuv_row *r, unsigned int c, const struct mdp4_stage *st, u32 row,
			u32 byte, u32 step)
{
	r->st[c] = st;
	r->row[c] = row;
	r->byte[c] = byte;
	r->data[c] = st->data + (size_t)row * st->fetch.row_bytes + byte;
	r->step[c] = step;
}

static void locate_row(const struct mdp4_decoder *d, u32 y, struct yuv_row *r)
{
	const struct mdp4_stage *st = d->stage;
	u32 cy = y, i;

	if (FORMAT_CHROMA_SAMP(d->pipe->format) == CHROMA_420)
		cy = (d->src_y + y) / 2 - d->src_y / 2;

	switch (d->planes) {
	case 1:
		for (i = 0; i < 3; i++)
			set_samples(r, i, &st[0], y, d->pos[i], 4);
		break;
	case 2:
		/* Elements 0 and 1 are the chroma bytes in memory order */
		i = UNPACK_ELEM(d->pipe->unpack, 0) == ELEM_R_CR;
		set_samples(r, 0, &st[0], y, 0, 1);
		set_samples(r, 1, &st[1], cy, i, 2);
		set_samples(r, 2, &st[1], cy, !i, 2);
		break;
	default:
		/* Elements run from the last plane to the first: element 1 is plane 1 */
		i = UNPACK_ELEM(d->pipe->unpack, 1) == ELEM_R_CR;
		set_samples(r, 0, &st[0], y, 0, 1);
		set_samples(r, 1, &st[1 + i], cy, 0, 1);
		set_samples(r, 2, &st[2 - i], cy, 0, 1);
		break;
	}
}

static bool sample_is_missing(const struct yuv_row *r, unsigned int c, u32 index)
{
	return mdp4_stage_is_missing(r->st[c], r->row[c], r->byte[c] + index * r->step[c]);
}

static u32 convert(const struct mdp4_decoder *d, int y, int cb, int cr)
{
	const int *lv = d->pre_lv, *mv = d->mv;
	u32 out = 0xff;
	unsigned int i;

	y = clamp(y, lv[0], lv[1]) + d->pre_bv[0];
	cb = clamp(cb, lv[2], lv[3]) + d->pre_bv[1];
	cr = clamp(cr, lv[4], lv[5]) + d->pre_bv[2];
	for (i = 0; i < 3; i++, mv += 3) {
		int v = ((mv[0] * y + mv[1] * cb + mv[2] * cr) >> 9) + d->post_bv[i];

		out = out << 8 | (clamp(v, d->post_lv[2 * i], d->post_lv[2 * i + 1]) & 0xff);
	}
	return out;
}

static void decode_yuv(const struct mdp4_decoder *d, u32 row, u32 *out, u32 pixels)
{
	bool halved = FORMAT_CHROMA_SAMP(d->pipe->format) == CHROMA_H2V1 ||
		      FORMAT_CHROMA_SAMP(d->pipe->format) == CHROMA_420;
	/* In a packed row Y has two places among four bytes, and is counted as the chroma is */
	u32 second_y = d->planes == 1 ? d->pos[3] - d->pos[0] : 0;
	bool any_missing = false;
	struct yuv_row r;
	u32 x, i;

	locate_row(d, row, &r);
	for (i = 0; i < 3; i++)
		any_missing |= r.st[i]->any_missing;

	for (x = 0; x < pixels; x++) {
		u32 sx = scale(x, d->step_x, d->src_width);
		u32 cx = halved ? (d->src_x + sx) / 2 - d->src_x / 2 : sx;
		u32 yx = d->planes == 1 ? cx : sx;
		u32 odd = (d->src_x + sx) & 1;
		int y = r.data[0][yx * r.step[0] + odd * second_y];
		int cb = r.data[1][cx * r.step[1]];
		int cr = r.data[2][cx * r.step[2]];

		if (any_missing && (sample_is_missing(&r, 0, yx) || sample_is_missing(&r, 1, cx) ||
				    sample_is_missing(&r, 2, cx)))
			out[x] = MDP4_MAGENTA;
		else if (d->pipe->op_mode & OP_MODE_CSC_EN)
			out[x] = convert(d, y, cb, cr);
		else
			/* The components' wires: Cr is R, Y is G, Cb is B */
			out[x] = 0xff000000 | cr << 16 | y << 8 | cb;
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
