// SPDX-License-Identifier: GPL-2.0-only
/*
 * The picture on the panel, composed when somebody asks.
 *
 * First all bytes that the latched pipes fetch are copied out, of one generation; if a vsync
 * changes the shadow meanwhile, again. Two attempts leave the display alone; after that vsyncs
 * are held back while the bytes are read (for a bounded time, counted), so that a reader of a
 * busy display gets its frame. Then the frame is composed line by line, with no lock of the
 * display's.
 */
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mdp4_model.h"

#define ATTEMPTS		8
#define ATTEMPTS_UNHELD		2
/* How long a flush may stay pending before a reader no longer waits for it */
#define FLUSH_WAIT_MS		100

/**
 * struct mdp4_frame - one reader's work, and buffers that stay for the next
 */
struct mdp4_frame {
	struct mdp4_model *m;
	/** @lock: one reader at a time */
	struct mutex lock;
	/** @shadow: what is composed */
	struct mdp4_shadow shadow;
	u64 seq;
	u64 gen;
	struct mdp4_stage stage[MDP4_PIPES][MDP4_PLANES];
	/** @planes: how many of @stage each pipe uses, 0 if it is not shown */
	int planes[MDP4_PIPES];
	struct mdp4_decoder decoder[MDP4_PIPES];
	struct mdp4_stage cursor;
	bool cursor_on;
	u32 cursor_config;
	/** @line: the pixels of the line being composed */
	u32 line[MDP4_MAX_SIDE];
	/** @fg: the pixels that go over it */
	u32 fg[MDP4_MAX_SIDE];
	/** @rgb: the finished line, three bytes a pixel */
	u8 rgb[3 * MDP4_MAX_SIDE];
};

static int read_pipes(struct mdp4_frame *fr, struct iommu_domain *domain)
{
	struct mdp4_fetch fetch[MDP4_PLANES];
	unsigned int i;
	int p, ret;

	for (i = 0; i < MDP4_PIPES; i++) {
		fr->planes[i] = 0;
		if (!mdp4_pipe_stage(&fr->shadow, i))
			continue;
		fr->planes[i] = mdp4_pipe_fetches(&fr->shadow.pipe[i], i, fetch);
		for (p = 0; p < fr->planes[i]; p++) {
			ret = mdp4_stage_prepare(&fr->stage[i][p], &fetch[p]);
			if (!ret)
				ret = mdp4_stage_fill(fr->m, domain, &fr->stage[i][p], fr->gen);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static int read_cursor(struct mdp4_frame *fr, struct iommu_domain *domain)
{
	struct mdp4_model *m = fr->m;
	struct mdp4_fetch before, after;
	int ret;

	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		fr->cursor_on = mdp4_cursor_fetch(m, &before);
		fr->cursor_config = mdp4_read(m, REG_DMA_P_CURSOR_BLEND_CONFIG);
	}
	if (!fr->cursor_on)
		return 0;
	ret = mdp4_stage_prepare(&fr->cursor, &before);
	if (!ret)
		ret = mdp4_stage_fill(m, domain, &fr->cursor, fr->gen);
	if (ret)
		return ret;
	/* The driver may replace the cursor at any time, and take the old one away */
	scoped_guard(raw_spinlock_irqsave, &m->lock)
		if (!mdp4_cursor_fetch(m, &after) || after.iova != before.iova)
			return -EAGAIN;
	return 0;
}

static int read_all(struct iommu_domain *domain, void *data)
{
	struct mdp4_frame *fr = data;
	struct mdp4_model *m = fr->m;
	int ret;

	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		fr->shadow = m->shadow;
		fr->seq = m->seq;
		fr->gen = m->gen;
	}
	/* All of it is 0 then, so nothing is read and the picture is empty */
	if (!fr->shadow.on)
		return -ENODATA;
	ret = read_pipes(fr, domain);
	return ret ?: read_cursor(fr, domain);
}

static u64 count_missing(const struct mdp4_frame *fr)
{
	u64 pages = 0;
	int i, p;

	for (i = 0; i < MDP4_PIPES; i++)
		for (p = 0; p < fr->planes[i]; p++)
			if (fr->stage[i][p].any_missing)
				pages += bitmap_weight(fr->stage[i][p].missing,
						       fr->stage[i][p].missing_pages);
	if (fr->cursor_on && fr->cursor.any_missing)
		pages += bitmap_weight(fr->cursor.missing, fr->cursor.missing_pages);
	return pages;
}

static bool flush_done(struct mdp4_model *m)
{
	return !mdp4_read(m, REG_OVERLAY_FLUSH) ||
	       (!READ_ONCE(m->shadow.on) && !mdp4_read(m, REG_LCDC_ENABLE));
}

/*
 * Whoever asks after he flipped wants to see the flip, so a flush that was already written is
 * waited for.
 */
static int take_frame(struct mdp4_frame *fr)
{
	struct mdp4_model *m = fr->m;
	int attempt, ret = -EAGAIN;

	if (wait_event_interruptible_timeout(m->vsync_wq, flush_done(m),
					     msecs_to_jiffies(FLUSH_WAIT_MS)) < 0)
		return -ERESTARTSYS;

	for (attempt = 0; attempt < ATTEMPTS && ret == -EAGAIN; attempt++) {
		scoped_guard(raw_spinlock_irqsave, &m->lock) {
			m->stats.frame_retries += !!attempt;
			m->hold = attempt >= ATTEMPTS_UNHELD;
		}
		ret = mdp4_with_domain(m, read_all, fr);
	}
	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		m->hold = false;
		if (!ret)
			m->stats.frame_missing_pages += count_missing(fr);
	}
	return ret;
}

/* Where a rectangle of the screen begins: off its left or upper edge if "negative" */
static int position(u32 reg16)
{
	return sign_extend32(reg16, 15);
}

/* The part of @width pixels at @x that is on a line of @limit: first pixel and how many */
static u32 clip(int x, u32 width, u32 limit, u32 *skip)
{
	int end = min_t(int, x + width, limit);

	*skip = x < 0 ? -x : 0;
	return max(end - max(x, 0), 0);
}

static void add_pipe(struct mdp4_frame *fr, unsigned int i, u32 stage, u32 y)
{
	const struct mdp4_pipe *pipe = &fr->shadow.pipe[i];
	int x = position(REG_LOW16(pipe->dst_xy));
	int row = (int)y - position(REG_HIGH16(pipe->dst_xy));
	u32 width = min(REG_LOW16(pipe->dst_size), MDP4_MAX_SIDE);
	u32 skip, pixels;

	if (row < 0 || row >= (int)REG_HIGH16(pipe->dst_size))
		return;
	pixels = clip(x, width, min(REG_LOW16(fr->shadow.mixer_size), fr->shadow.panel_width),
		      &skip);
	if (!pixels)
		return;
	mdp4_decode_row(&fr->decoder[i], row, fr->fg, skip + pixels);
	x = max(x, 0);
	if (stage < STAGE_FIRST_BLENDED || stage > STAGE_LAST)
		memcpy(&fr->line[x], &fr->fg[skip], pixels * sizeof(fr->line[0]));
	else
		mdp4_blend_row(&fr->shadow.stage[stage - STAGE_FIRST_BLENDED], &fr->fg[skip],
			       &fr->line[x], pixels);
}

static void add_cursor(struct mdp4_frame *fr, u32 y)
{
	/* As FG_PIXEL over its inverse: the cursor's alpha is not premultiplied either */
	static const struct mdp4_ovlp_stage over = {
		.op = ALPHA_FG_PIXEL | ALPHA_FG_PIXEL << 4 | OP_BG_INV_ALPHA,
	};
	const struct mdp4_stage *st = &fr->cursor;
	int x = position(REG_LOW16(fr->shadow.cursor_pos));
	int row = (int)y - position(REG_HIGH16(fr->shadow.cursor_pos));
	bool opaque = CURSOR_FORMAT(fr->cursor_config) != CURSOR_ARGB;
	u32 skip, pixels, i;

	if (!fr->cursor_on || row < 0 || row >= (int)st->fetch.rows)
		return;
	pixels = clip(x, st->fetch.row_bytes / 4, fr->shadow.panel_width, &skip);
	for (i = 0; i < pixels; i++) {
		u32 byte = 4 * (skip + i);
		u32 pixel = *(u32 *)(st->data + (size_t)row * st->fetch.row_bytes + byte);

		if (mdp4_stage_is_missing(st, row, byte))
			pixel = MDP4_MAGENTA;
		fr->fg[i] = pixel | (opaque ? 0xff000000 : 0);
	}
	mdp4_blend_row(&over, fr->fg, &fr->line[max(x, 0)], pixels);
}

static void compose_line(struct mdp4_frame *fr, u32 y)
{
	const struct mdp4_shadow *sh = &fr->shadow;
	u32 mixer_width = min(REG_LOW16(sh->mixer_size), sh->panel_width);
	u32 x, stage, i;
	u8 *rgb = fr->rgb;

	if (y < REG_HIGH16(sh->mixer_size)) {
		memset32(fr->line, 0xff000000, mixer_width);
		memset32(fr->line + mixer_width, sh->border, sh->panel_width - mixer_width);
		for (stage = STAGE_BASE; stage <= STAGE_LAST; stage++)
			for (i = 0; i < MDP4_PIPES; i++)
				if (fr->planes[i] && mdp4_pipe_stage(sh, i) == stage)
					add_pipe(fr, i, stage, y);
	} else {
		memset32(fr->line, sh->border, sh->panel_width);
	}
	add_cursor(fr, y);
	for (x = 0; x < sh->panel_width; x++) {
		*rgb++ = fr->line[x] >> 16;
		*rgb++ = fr->line[x] >> 8;
		*rgb++ = fr->line[x];
	}
}

static void begin_compose(struct mdp4_frame *fr)
{
	unsigned int i;

	for (i = 0; i < MDP4_PIPES; i++)
		if (fr->planes[i] && fr->shadow.on)
			mdp4_decoder_init(&fr->decoder[i], &fr->shadow.pipe[i], fr->stage[i],
					  fr->planes[i]);
}

/**
 * mdp4_frame_crc - checksum of what the panel shows
 * @m: the display
 * @seq: set to the sequence number of that frame's latch
 * @crc: set to zlib's crc32 of the pixels, row by row, R G B
 *
 * A panel that is off has no pixels, the checksum of nothing is 0.
 *
 * Return: 0, or -EAGAIN if the frame changed too often.
 */
int mdp4_frame_crc(struct mdp4_model *m, u64 *seq, u32 *crc)
{
	struct mdp4_frame *fr = m->frame;
	u32 y, c = ~0;
	int ret;

	guard(mutex)(&fr->lock);
	ret = take_frame(fr);
	if (ret && ret != -ENODATA)
		return ret;
	begin_compose(fr);
	for (y = 0; y < fr->shadow.panel_height; y++) {
		compose_line(fr, y);
		c = crc32_le(c, fr->rgb, 3 * fr->shadow.panel_width);
		cond_resched();
	}
	*seq = fr->seq;
	*crc = ~c;
	scoped_guard(raw_spinlock_irqsave, &m->lock)
		m->stats.frames_crc++;
	return 0;
}

/**
 * mdp4_frame_ppm - image of what the panel shows
 * @m: the display
 * @bytes: set to its size
 *
 * Return: a binary PPM for vfree(), or an error pointer: -ENODATA while the panel is off,
 * -EAGAIN if the frame changed too often, -ENOMEM.
 */
void *mdp4_frame_ppm(struct mdp4_model *m, size_t *bytes)
{
	struct mdp4_frame *fr = m->frame;
	char header[32];
	size_t header_bytes, row_bytes;
	u8 *ppm;
	u32 y;
	int ret;

	guard(mutex)(&fr->lock);
	ret = take_frame(fr);
	if (ret)
		return ERR_PTR(ret);
	header_bytes = scnprintf(header, sizeof(header), "P6\n%u %u\n255\n",
				 fr->shadow.panel_width, fr->shadow.panel_height);
	row_bytes = 3 * fr->shadow.panel_width;
	*bytes = header_bytes + row_bytes * fr->shadow.panel_height;
	ppm = vmalloc(*bytes);
	if (!ppm)
		return ERR_PTR(-ENOMEM);
	memcpy(ppm, header, header_bytes);
	begin_compose(fr);
	for (y = 0; y < fr->shadow.panel_height; y++) {
		compose_line(fr, y);
		memcpy(ppm + header_bytes + y * row_bytes, fr->rgb, row_bytes);
		cond_resched();
	}
	scoped_guard(raw_spinlock_irqsave, &m->lock)
		m->stats.frames_ppm++;
	return ppm;
}

/**
 * mdp4_frame_init - make the reader's buffers
 * @m: the display
 *
 * Return: 0 or -ENOMEM.
 */
int mdp4_frame_init(struct mdp4_model *m)
{
	struct mdp4_frame *fr = vzalloc(sizeof(*fr));

	if (!fr)
		return -ENOMEM;
	fr->m = m;
	mutex_init(&fr->lock);
	m->frame = fr;
	return 0;
}

/**
 * mdp4_frame_exit - free them
 * @m: the display
 */
void mdp4_frame_exit(struct mdp4_model *m)
{
	struct mdp4_frame *fr = m->frame;
	int i, p;

	for (i = 0; i < MDP4_PIPES; i++)
		for (p = 0; p < MDP4_PLANES; p++)
			mdp4_stage_free(&fr->stage[i][p]);
	mdp4_stage_free(&fr->cursor);
	mutex_destroy(&fr->lock);
	vfree(fr);
}
