/* SPDX-License-Identifier: MIT */
/*
 * Page flips, read from what Weston writes to its log scope "timeline": one record for each step of
 * each repaint, as JSON.  No Weston in here, so that it can be tested without.
 *
 *	{ "id":1, "type":"weston_output", "name":"DSI-1" }
 *	{ "T":[11938, 812114005], "N":"core_repaint_posted", "wo":1 }
 *	{ "T":[11938, 828146554], "N":"core_repaint_finished", "wo":1,
 *	  "vblank_monotonic":[11938, 828145276] }
 *
 * A record without T describes an object, once, before it is first named by its id.  A repaint that
 * was posted and is then finished is a page flip.  One that is finished without having been posted
 * only asked when the last vblank was; this is how a repaint loop starts.
 *
 * Every write to the file is a record, or a part of one: Weston writes the name of an object, with
 * its quotes, by itself.  Records are told by how writes begin, and not searched for within them:
 * surfaces are described by the titles that clients give them, as they are, and a title can have a
 * line break and what looks like a record.
 */
#ifndef TIMELINE_H
#define TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* An output that comes back gets a new id; the one not heard of for longest is forgotten. */
#define TIMELINE_OUTPUTS 32
#define TIMELINE_NAME 64

struct timeline_output {
	uint64_t id; /* 0: free slot */
	char name[TIMELINE_NAME];
	uint64_t heard; /* number of the record */
	bool posted;
	/* The last vblank known in this run of the repaint loop; 0: none. */
	uint64_t vblank_ns;
};

struct timeline {
	struct timeline_output outputs[TIMELINE_OUTPUTS];
	uint64_t records; /* writes, strictly */
	uint64_t flips;
	uint64_t naming; /* the output whose name is written next; 0: none */
	/*
	 * A flip of that output is complete.  @after_ns: how long after the vblank at which the
	 * repaint was begun, 0: not known.
	 */
	void (*flip)(void *userdata, const char *output, uint64_t presented_ns, uint64_t after_ns);
	void *userdata;
};

/* Take one write.  Whatever is not understood is ignored. */
void timeline_record(struct timeline *timeline, const char *record, size_t size);

/* Where Weston can write records to; NULL with errno.  Close it before @timeline goes. */
FILE *timeline_open(struct timeline *timeline);

/* How many vblanks later than it should a flip came, by the time since the vblank before it. */
uint32_t timeline_missed(uint64_t after_ns, uint32_t refresh_mhz);

#endif
