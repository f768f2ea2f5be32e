// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking what a pipe fetches out of the buffer, so that a frame can be composed at leisure.
 *
 * The driver may unmap and free a buffer as soon as the vsync after its replacement has passed,
 * so bytes are copied as pages are walked: in pieces, under the model's lock, the generation
 * checked each time. The copy survives a page that is gone all the same; that is for the driver
 * that is wrong, and for the cursor, whose buffer no vsync protects.
 */
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "mdp4_model.h"

/* How much is copied with interrupts off, some tens of microseconds when emulated */
#define COPY_CHUNK_BYTES	SZ_16K

/**
 * mdp4_stage_prepare - make room for a fetch
 * @st: kept from frame to frame, so this seldom allocates
 * @fetch: what will be read
 *
 * Return: 0 or -ENOMEM.
 */
int mdp4_stage_prepare(struct mdp4_stage *st, const struct mdp4_fetch *fetch)
{
	u64 span = (u64)(fetch->rows - 1) * fetch->stride_bytes + fetch->row_bytes;
	size_t bytes = (size_t)fetch->rows * fetch->row_bytes;
	size_t pages = (span >> PAGE_SHIFT) + 2;

	if (bytes > st->data_bytes) {
		vfree(st->data);
		st->data = vmalloc(bytes);
		st->data_bytes = st->data ? bytes : 0;
	}
	if (pages > st->missing_pages) {
		bitmap_free(st->missing);
		st->missing = bitmap_zalloc(pages, GFP_KERNEL);
		st->missing_pages = st->missing ? pages : 0;
	}
	if (!st->data || !st->missing)
		return -ENOMEM;
	bitmap_zero(st->missing, st->missing_pages);
	st->any_missing = false;
	st->fetch = *fetch;
	return 0;
}

void mdp4_stage_free(struct mdp4_stage *st)
{
	vfree(st->data);
	bitmap_free(st->missing);
	memset(st, 0, sizeof(*st));
}

static size_t page_index(const struct mdp4_stage *st, u64 iova)
{
	return PFN_DOWN(iova) - PFN_DOWN(st->fetch.iova);
}

/* The translation that was used last; only good while the lock is held */
struct translation {
	u64 pfn;
	const void *va;
};

static const void *translate(struct mdp4_model *m, struct iommu_domain *domain, u64 iova,
			     struct translation *t)
{
	enum mdp4_fault_kind kind;
	phys_addr_t phys;

	if (PFN_DOWN(iova) != t->pfn) {
		phys = mdp4_translate(m, domain, iova & PAGE_MASK, &kind);
		t->pfn = PFN_DOWN(iova);
		t->va = phys && pfn_valid(PHYS_PFN(phys)) ? phys_to_virt(phys) : NULL;
	}
	return t->va ? t->va + offset_in_page(iova) : NULL;
}

static void copy_row(struct mdp4_model *m, struct iommu_domain *domain, struct mdp4_stage *st,
		     u32 row, struct translation *t)
{
	u64 iova = st->fetch.iova + (u64)row * st->fetch.stride_bytes;
	u8 *to = st->data + (size_t)row * st->fetch.row_bytes;
	u32 left = st->fetch.row_bytes;

	while (left) {
		u32 n = min_t(u32, left, PAGE_SIZE - offset_in_page(iova));
		const void *from = translate(m, domain, iova, t);

		if (!from || copy_from_kernel_nofault(to, from, n)) {
			memset(to, 0, n);
			set_bit(page_index(st, iova), st->missing);
			st->any_missing = true;
		}
		to += n;
		iova += n;
		left -= n;
	}
}

/**
 * mdp4_stage_fill - read what mdp4_stage_prepare() was told of
 * @m: the display
 * @domain: from mdp4_with_domain()
 * @st: the stage
 * @gen: generation that the fetch is from
 *
 * Return: 0, or -EAGAIN if the generation has moved on.
 */
int mdp4_stage_fill(struct mdp4_model *m, struct iommu_domain *domain, struct mdp4_stage *st,
		    u64 gen)
{
	u32 row = 0;

	while (row < st->fetch.rows) {
		scoped_guard(raw_spinlock_irqsave, &m->lock) {
			struct translation t = { .pfn = ~0ULL };
			size_t copied;

			if (m->gen != gen)
				return -EAGAIN;
			for (copied = 0; copied < COPY_CHUNK_BYTES && row < st->fetch.rows;
			     copied += st->fetch.row_bytes)
				copy_row(m, domain, st, row++, &t);
		}
		cond_resched();
	}
	return 0;
}

/**
 * mdp4_stage_is_missing - whether a byte could not be read
 * @st: the stage
 * @row: row of the fetch
 * @byte: byte of the row
 */
bool mdp4_stage_is_missing(const struct mdp4_stage *st, u32 row, u32 byte)
{
	return st->any_missing &&
	       test_bit(page_index(st, st->fetch.iova + (u64)row * st->fetch.stride_bytes + byte),
			st->missing);
}
