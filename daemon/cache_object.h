/* SPDX-License-Identifier: MIT */
/*
 * Each cache as an object on the bus, with properties and no methods: what its limits are, and why.
 */
#ifndef CACHE_OBJECT_H
#define CACHE_OBJECT_H

#include <systemd/sd-bus.h>

struct managed;
struct manager;

#define CACHE_OBJECT_PATH 128

/* The object of that cache. */
void cache_object_path(const struct managed *managed, char path[CACHE_OBJECT_PATH]);

/* Offer those of all caches that @manager has at any time. */
int cache_objects_offer(sd_bus *bus, struct manager *manager);

/* Tell those who listen that limits, state or reason changed. */
void cache_object_changed(sd_bus *bus, struct managed *managed);

#endif
