// SPDX-License-Identifier: GPL-2.0-only

#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "msm_scanout_reuse.h"

/**
 * DOC: reuse distances
 *
 * When a buffer is needed again, how large must the cache have been to still
 * have it?  As large as all buffers that became idle since, and itself.  (Mattson
 * et al., "Evaluation techniques for storage hierarchies", 1970.)  A histogram of
 * that distance tells how many hits a cache of any size would have had, and thus
 * which size is worth it.
 *
 * Buffers are given places in the order in which they become idle.  The distance
 * is what has a place behind that of the buffer.  A buffer that is in use has
 * none, which leaves a hole; once the places are used up, those that are taken
 * move together.  Adding up skips whole pages of places.  This costs little for
 * the few buffers that take turns on a screen, and is bounded for any number.
 *
 * A buffer whose mapping ended keeps its place as a ghost, so that it shows what
 * a larger cache would have done.
 *
 * Everything here is protected by the lock of the cache.  Each operation is O(1),
 * amortised over the moves.
 */

/**
 * msm_scanout_depth_bound() - bounds of the histogram of distances in buffers
 * @bucket: which one
 *
 * Return: the largest distance that falls into @bucket: 1, 2, 3, 4, 6, 8, 12 ...
 * 65536.
 */
u64 msm_scanout_depth_bound(unsigned int bucket)
{
	if (!bucket)
		return 1;

	return (u64)(2 + (bucket - 1) % 2) << ((bucket - 1) / 2);
}

/**
 * msm_scanout_bytes_bound() - bounds of the histogram of distances in bytes
 * @bucket: which one
 *
 * Return: the largest distance that falls into @bucket, four to the octave from
 * 1 MiB to 1 GiB.
 */
u64 msm_scanout_bytes_bound(unsigned int bucket)
{
	if (!bucket)
		return SZ_1M;

	return ((u64)(5 + (bucket - 1) % 4) * SZ_256K) << ((bucket - 1) / 4);
}

/* The first bucket whose bound is not below @distance. */
static unsigned int depth_bucket(unsigned int distance)
{
	unsigned int below = distance - 1, octave;

	if (below < 2)
		return below;

	octave = ilog2(below);

	return min(2 * octave + (below >> (octave - 1) & 1),
		   MSM_SCANOUT_DEPTH_BOUNDS);
}

/* Likewise. */
static unsigned int bytes_bucket(u64 distance)
{
	u64 below = distance - 1;
	unsigned int octave;

	if (below < SZ_1M)
		return 0;

	octave = ilog2(below) - ilog2(SZ_1M);

	return min(4 * octave + (below >> (octave + ilog2(SZ_256K)) & 3) + 1,
		   MSM_SCANOUT_BYTES_BOUNDS);
}

static void leave(struct msm_scanout_reuse *reuse, struct msm_scanout_tracked *buf)
{
	unsigned int page = buf->place / MSM_SCANOUT_REUSE_PAGE;

	reuse->places[buf->place] = NULL;
	reuse->page_entries[page]--;
	reuse->page_bytes[page] -= buf->bytes;
	reuse->entries--;
	buf->place = -1;

	if (!list_empty(&buf->ghost)) {
		list_del_init(&buf->ghost);
		reuse->ghost_entries--;
	}
}

static void take(struct msm_scanout_reuse *reuse, struct msm_scanout_tracked *buf,
		 unsigned int place)
{
	unsigned int page = place / MSM_SCANOUT_REUSE_PAGE;

	reuse->places[place] = buf;
	reuse->page_entries[page]++;
	reuse->page_bytes[page] += buf->bytes;
	buf->place = place;
}

/* All places were given away: close the holes, at the expense of the oldest. */
static void move_together(struct msm_scanout_reuse *reuse)
{
	unsigned int next = 0;

	memset(reuse->page_entries, 0, sizeof(reuse->page_entries));
	memset(reuse->page_bytes, 0, sizeof(reuse->page_bytes));

	for (unsigned int i = 0; i < MSM_SCANOUT_REUSE_PLACES; i++) {
		struct msm_scanout_tracked *buf = reuse->places[i];

		if (!buf)
			continue;

		reuse->places[i] = NULL;
		take(reuse, buf, next++);
		if (reuse->entries > MSM_SCANOUT_MAX_TRACKED) {
			leave(reuse, buf);
			next--;
		}
	}

	reuse->next = next;
}

/**
 * msm_scanout_reuse_init() - set up
 * @reuse: to be set up
 */
void msm_scanout_reuse_init(struct msm_scanout_reuse *reuse)
{
	memset(reuse, 0, sizeof(*reuse));
	INIT_LIST_HEAD(&reuse->ghosts);
}

/**
 * msm_scanout_reuse_track() - make a buffer known
 * @buf: what is kept of it
 * @bytes: size of the buffer
 */
void msm_scanout_reuse_track(struct msm_scanout_tracked *buf, u64 bytes)
{
	INIT_LIST_HEAD(&buf->ghost);
	buf->bytes = bytes;
	buf->place = -1;
}

/**
 * msm_scanout_reuse_lookup() - a buffer that was not in use is needed
 * @reuse: the others
 * @buf: the buffer
 */
void msm_scanout_reuse_lookup(struct msm_scanout_reuse *reuse,
			      struct msm_scanout_tracked *buf)
{
	unsigned int depth = 1, place = buf->place + 1, page;
	u64 bytes = buf->bytes;

	if (buf->place < 0) {
		reuse->depth[MSM_SCANOUT_DEPTH_BUCKETS - 1]++;
		reuse->bytes[MSM_SCANOUT_BYTES_BUCKETS - 1]++;
		return;
	}

	for (; place < reuse->next && place % MSM_SCANOUT_REUSE_PAGE; place++) {
		if (reuse->places[place]) {
			depth++;
			bytes += reuse->places[place]->bytes;
		}
	}
	for (page = DIV_ROUND_UP(place, MSM_SCANOUT_REUSE_PAGE);
	     page * MSM_SCANOUT_REUSE_PAGE < reuse->next; page++) {
		depth += reuse->page_entries[page];
		bytes += reuse->page_bytes[page];
	}

	reuse->depth[depth_bucket(depth)]++;
	reuse->bytes[bytes_bucket(bytes)]++;
	leave(reuse, buf);
}

/**
 * msm_scanout_reuse_idle() - a buffer is no longer in use
 * @reuse: the others
 * @buf: the buffer, which has no place
 */
void msm_scanout_reuse_idle(struct msm_scanout_reuse *reuse,
			    struct msm_scanout_tracked *buf)
{
	if (reuse->next == MSM_SCANOUT_REUSE_PLACES)
		move_together(reuse);

	take(reuse, buf, reuse->next++);
	reuse->entries++;
}

/**
 * msm_scanout_reuse_unmapped() - an idle buffer becomes a ghost
 * @reuse: the others
 * @buf: the buffer
 */
void msm_scanout_reuse_unmapped(struct msm_scanout_reuse *reuse,
				struct msm_scanout_tracked *buf)
{
	if (buf->place < 0)
		return;

	list_add_tail(&buf->ghost, &reuse->ghosts);
	if (++reuse->ghost_entries > MSM_SCANOUT_MAX_GHOSTS)
		leave(reuse, list_first_entry(&reuse->ghosts,
					      struct msm_scanout_tracked, ghost));
}

/**
 * msm_scanout_reuse_forget() - a buffer will not be needed again
 * @reuse: the others
 * @buf: the buffer
 *
 * Call before the memory of @buf goes.
 */
void msm_scanout_reuse_forget(struct msm_scanout_reuse *reuse,
			      struct msm_scanout_tracked *buf)
{
	if (buf->place >= 0)
		leave(reuse, buf);
}
