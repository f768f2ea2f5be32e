/* SPDX-License-Identifier: MIT */
/*
 * Where caches are: found with udev, or below a directory in place of /sys; also those that come
 * and go later.  Opens no device node.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include "manager.h"

/* Which card has a connector of that name?  Empty if none has; connectors' names are unique. */
void devices_find_card(const struct manager *manager, const char *output, char card[CLAIMS_CARD]);

/* Add the caches there are, and from then on tell the manager of others.  Complains if it fails. */
int devices_find(struct manager *manager);

#endif
