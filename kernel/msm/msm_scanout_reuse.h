/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far back buffers are used again.  See DOC: reuse distances in
 * msm_scanout_reuse.c.
 */

#ifndef __MSM_SCANOUT_REUSE_H__
#define __MSM_SCANOUT_REUSE_H__

#include <linux/list.h>
#include <linux/types.h>

/** MSM_SCANOUT_MAX_GHOSTS: unmapped buffers whose reuse is still recognised */
#define MSM_SCANOUT_MAX_GHOSTS		256
/** MSM_SCANOUT_MAX_TRACKED: buffers whose reuse is recognised, at least */
#define MSM_SCANOUT_MAX_TRACKED		512

/*
 * Buckets of the histograms: the bounded ones, one for distances beyond the last
 * bound, one for buffers that were never idle before or too long ago.
 */
#define MSM_SCANOUT_DEPTH_BOUNDS	32
#define MSM_SCANOUT_BYTES_BOUNDS	41
#define MSM_SCANOUT_DEPTH_BUCKETS	(MSM_SCANOUT_DEPTH_BOUNDS + 2)
#define MSM_SCANOUT_BYTES_BUCKETS	(MSM_SCANOUT_BYTES_BOUNDS + 2)

/* Places in the order of becoming idle, in pages to be summed up at once. */
#define MSM_SCANOUT_REUSE_PAGE		32
#define MSM_SCANOUT_REUSE_PAGES		32
#define MSM_SCANOUT_REUSE_PLACES	(MSM_SCANOUT_REUSE_PAGE * MSM_SCANOUT_REUSE_PAGES)

/**
 * struct msm_scanout_tracked - what is kept of one buffer
 */
struct msm_scanout_tracked {
	/** @ghost: on &msm_scanout_reuse.ghosts while it has a place, unmapped */
	struct list_head ghost;
	/** @bytes: size of the buffer, immutable */
	u64 bytes;
	/** @place: in &msm_scanout_reuse.places, or -1 */
	int place;
};

/**
 * struct msm_scanout_reuse - the most recently idle buffers, and their reuse
 */
struct msm_scanout_reuse {
	/** @depth: lookups by distance in buffers */
	u64 depth[MSM_SCANOUT_DEPTH_BUCKETS];
	/** @bytes: lookups by distance in bytes */
	u64 bytes[MSM_SCANOUT_BYTES_BUCKETS];
	/** @ghosts: unmapped buffers that have a place, oldest first */
	struct list_head ghosts;
	/** @ghost_entries: their number */
	unsigned int ghost_entries;
	/** @next: where the next buffer goes */
	unsigned int next;
	/** @entries: buffers that have a place */
	unsigned int entries;
	/** @page_entries: their number in each page */
	u8 page_entries[MSM_SCANOUT_REUSE_PAGES];
	/** @page_bytes: their bytes in each page */
	u64 page_bytes[MSM_SCANOUT_REUSE_PAGES];
	/** @places: in the order in which they became idle, with holes */
	struct msm_scanout_tracked *places[MSM_SCANOUT_REUSE_PLACES];
};

void msm_scanout_reuse_init(struct msm_scanout_reuse *reuse);
void msm_scanout_reuse_track(struct msm_scanout_tracked *buf, u64 bytes);
void msm_scanout_reuse_lookup(struct msm_scanout_reuse *reuse,
			      struct msm_scanout_tracked *buf);
void msm_scanout_reuse_idle(struct msm_scanout_reuse *reuse,
			    struct msm_scanout_tracked *buf);
void msm_scanout_reuse_unmapped(struct msm_scanout_reuse *reuse,
				struct msm_scanout_tracked *buf);
void msm_scanout_reuse_forget(struct msm_scanout_reuse *reuse,
			      struct msm_scanout_tracked *buf);
u64 msm_scanout_depth_bound(unsigned int bucket);
u64 msm_scanout_bytes_bound(unsigned int bucket);

#endif /* __MSM_SCANOUT_REUSE_H__ */
