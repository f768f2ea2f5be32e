/* SPDX-License-Identifier: MIT */
/*
 * Clients with claims, watched on the bus so that their claims go when they go.
 */
#ifndef OWNERS_H
#define OWNERS_H

#include <systemd/sd-bus.h>

#include "claims.h"

struct manager;
struct owners;

struct owner {
	struct owners *owners;
	struct owner *next;
	sd_bus_slot *leaves;   /* tells when it does */
	sd_bus_slot *is_there; /* tells if it did before that */
	char name[CLAIMS_NAME];
};

struct owners {
	struct owner *first;
	/* whose claims they are, and who decides anew when some go */
	struct manager *manager;
};

/* @owners is zeroed. */
void owners_init(struct owners *owners, struct manager *manager);

/* To be called before it gets claims; watches it once.  Negative error if that cannot be. */
int owners_watch(struct owners *owners, sd_bus *bus, const char *name);

/* Watch it no longer, unless it has claims: without, there is nothing to release if it goes. */
void owners_unwatch(struct owners *owners, const char *name);

/* It left the bus: release its claims, and act on it.  Frees @owner. */
void owner_gone(struct owner *owner);

/* The connection went: watch nobody any more.  Whoever calls this forgets the claims. */
void owners_release(struct owners *owners);

#endif
