/* SPDX-License-Identifier: MIT */
/*
 * The service on the bus: org.msmscanout.Cache1.  See scanoutd-dbus(5).
 */
#ifndef BUS_H
#define BUS_H

#include <systemd/sd-event.h>

struct bus;
struct managed;
struct manager;

#define BUS_NAME "org.msmscanout.Cache1"
#define BUS_PATH "/org/msmscanout/Cache1"
/* Followed by the name of a cache. */
#define BUS_CACHES_PATH BUS_PATH "/caches"
#define BUS_MANAGER_INTERFACE "org.msmscanout.Cache1.Manager"
#define BUS_CACHE_INTERFACE "org.msmscanout.Cache1.Cache"
#define BUS_ACTION_HOLD "org.msmscanout.cache1.hold"
#define BUS_ACTION_RESUME "org.msmscanout.cache1.resume"
#define BUS_ACTION_SET "org.msmscanout.cache1.set"

/*
 * @address is "" for the system's bus, and must stay.  Succeeds without a bus as well, and connects
 * when there is one; also again when it was restarted.  -EEXIST if another instance has the name;
 * if that turns out later, this one lets go of the caches as they are, and its loop ends.
 */
int bus_new(struct bus **bus, struct manager *manager, sd_event *event, const char *address);
struct bus *bus_free(struct bus *bus);

/* Tell the bus: limits, state or reason of a cache changed; caches came or went; holds changed. */
void bus_cache_changed(struct bus *bus, struct managed *managed);
void bus_caches_changed(struct bus *bus);
void bus_holds_changed(struct bus *bus);

#endif
