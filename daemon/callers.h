/* SPDX-License-Identifier: MIT */
/*
 * Who calls, and how often: each call is counted for its client and for its user, and goes on with
 * the user that the bus says it is of.
 *
 * Nothing here waits for the bus.  Who waits has to take in what comes before the answer, and who
 * floods decides how much that is.
 */
#ifndef CALLERS_H
#define CALLERS_H

#include "waiting.h"

struct callers;
struct manager;

/* Calls of clients that the bus is asked about, because they are new. */
#define CALLERS_LOOKUPS 64

struct lookup {
	struct waiting waiting;
	struct callers *callers;
};

struct callers {
	/* whose claims count the calls, and whose configuration limits them */
	struct manager *manager;
	struct lookup lookups[CALLERS_LOOKUPS];
};

/* @callers is zeroed. */
void callers_init(struct callers *callers, struct manager *manager);

/*
 * Count the call and find out whose it is, then have @admitted called with @bus: now, or when the
 * bus has said it.  The kernel told the bus when the client connected; the client has no say in it.
 *
 * For a method's handler, which returns what this returns: calls above the rate are refused with
 * LimitsExceeded, those of somebody whom the bus does not know with AccessDenied.
 */
int callers_admit(struct callers *callers, struct bus *bus, sd_bus_message *message,
		  call_fn admitted, sd_bus_error *error);

/* The connection goes: calls that wait are not answered any more. */
void callers_forget(struct callers *callers);

#endif
