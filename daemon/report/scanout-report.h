/* SPDX-License-Identifier: MIT */
/*
 * Tell scanoutd what a compositor shows and what it is about to show.
 *
 *	struct scanout_report *report = scanout_report_new(NULL);
 *	add scanout_report_fd(report) to the event loop, for reading;
 *	whenever it is readable: scanout_report_dispatch(report);
 *
 *	struct scanout_report_output *output = scanout_report_add_output(report, "DSI-1", 60000);
 *	at every completed page flip: scanout_report_note_flip(output, planes, when_ns, missed);
 *	before a video goes to fullscreen: scanout_report_coming(report, output,
 *		SCANOUT_REPORT_FULLSCREEN_VIDEO, buffers, bytes_of_one);
 *
 *	scanout_report_free(report);
 *
 * What is promised to the compositor:
 *
 * - No function blocks, whatever the bus and the service do: absent, stopped, slow, restarted.
 * - Memory is allocated by scanout_report_new() alone.  All else happens within that, so there is a
 *   bound on what waits to be sent; what is older than five seconds is dropped.
 * - The file descriptor is a timer of its own, not the connection: the loop is woken once a second
 *   while outputs flip, at once for an event, a few times more while connecting, and not at all
 *   while nothing flips.  What others send over the bus cannot wake it.
 * - scanout_report_note_flip() makes no system call, but for the first flip after a pause.
 * - Errors are not returned, since a compositor cannot mend them; scanout_report_get_stats() tells.
 *
 * Every function accepts NULL for the report or the output and does nothing then, so callers need
 * not care whether there was room.  All calls on one report must come from one thread at a time.
 */
#ifndef SCANOUT_REPORT_H
#define SCANOUT_REPORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As many outputs as scanoutd takes from one compositor. */
#define SCANOUT_REPORT_OUTPUTS 16

struct scanout_report;
struct scanout_report_output;

/* What is about to happen: see scanoutd-dbus(5) for what scanoutd does then. */
enum scanout_report_event {
	/* A client's buffers are about to be scanned out; say how many and how large. */
	SCANOUT_REPORT_FULLSCREEN_VIDEO = 1,
	/* An output was switched on, and will show buffers that were not shown before. */
	SCANOUT_REPORT_OUTPUT_ADDED,
	/* The session leaves the screen, or comes back to it. */
	SCANOUT_REPORT_VT_SWITCH,
	/* The output shows nothing any more.  In force until it flips again. */
	SCANOUT_REPORT_OUTPUT_OFF,
};

/*
 * Structures have their size, as the caller knows it, in front: later versions may have more
 * behind, and fit programs that were built before.
 */
struct scanout_report_options {
	size_t size; /* sizeof(struct scanout_report_options) */
	/*
	 * D-Bus address, "unix:path=..." or "unix:abstract=...".  NULL: $DBUS_SYSTEM_BUS_ADDRESS,
	 * or where the system's bus is everywhere.  Anything else makes scanout_report_new() fail.
	 */
	const char *bus_address;
};

struct scanout_report_stats {
	size_t size;		 /* sizeof(struct scanout_report_stats), by the caller */
	uint64_t flips;		 /* noted in all */
	uint64_t reports;	 /* handed to the bus */
	uint64_t answers;	 /* of scanoutd, that it took one */
	uint64_t refusals;	 /* of scanoutd or of the bus */
	uint64_t connections;	 /* to the bus */
	uint64_t dropped_flips;	 /* too old when the bus was back */
	uint64_t dropped_events; /* too old, or overtaken by the next of that output */
	/* The last thing that went wrong, in words or as D-Bus names it; empty: nothing did. */
	char error[128];
};

/*
 * Connects in the background.  NULL: no memory, no file descriptor, no usable address, or options
 * of a size or with contents that this version does not know; errno says which (ENOMEM, EMFILE,
 * ENFILE, EINVAL).
 */
struct scanout_report *scanout_report_new(const struct scanout_report_options *options);

/* Close the connection; scanoutd forgets what was reported.  Outputs are gone with it. */
void scanout_report_free(struct scanout_report *report);

/* To poll for reading.  Owned by the report; -1 for none. */
int scanout_report_fd(const struct scanout_report *report);

/* Do what is due.  Harmless at any other time, too. */
void scanout_report_dispatch(struct scanout_report *report);

/*
 * An output from now on.  @name is the connector's, say "DSI-1"; what is not printable ASCII is
 * replaced, more than 63 characters are cut.  @refresh_mhz: in thousandths of a hertz, 0: not
 * known. NULL if there are SCANOUT_REPORT_OUTPUTS already.
 */
struct scanout_report_output *scanout_report_add_output(struct scanout_report *report,
							const char *name, uint32_t refresh_mhz);

/* No output any more; implies SCANOUT_REPORT_OUTPUT_OFF.  The handle must not be used again. */
void scanout_report_remove_output(struct scanout_report_output *output);

void scanout_report_set_refresh(struct scanout_report_output *output, uint32_t refresh_mhz);

/*
 * A page flip is complete.  @planes that showed something, 0: not known.  @presented_ns: when, on
 * any clock that does not jump; 0: not known.  If no refresh rate was given, the shortest time
 * between two flips stands for it.  @missed_vblanks: how many later than it was meant to be.
 */
void scanout_report_note_flip(struct scanout_report_output *output, uint32_t planes,
			      uint64_t presented_ns, uint32_t missed_vblanks);

/*
 * How many buffers all planes of the output take turns with, and the size of one on average.  In
 * force until changed.  scanoutd keeps room for those that are not on a plane, so say this only of
 * buffers that are scanned out; it learns without it, within a second.
 */
void scanout_report_set_buffers(struct scanout_report_output *output, uint32_t buffers,
				uint64_t bytes_each);

/*
 * Something is about to happen, on @output, or on all if that is NULL.  @buffers that it needs on
 * top of those in use, of @bytes_each; 0: not known.  Sent at once, four in a row and then one a
 * second.
 */
void scanout_report_coming(struct scanout_report *report, struct scanout_report_output *output,
			   enum scanout_report_event event, uint32_t buffers, uint64_t bytes_each);

/* Fills @stats, as far as its size goes. */
void scanout_report_get_stats(const struct scanout_report *report,
			      struct scanout_report_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
