// SPDX-License-Identifier: MIT
#include "owners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "manager.h"

void owners_init(struct owners *owners, struct manager *manager)
{
	owners->manager = manager;
}

static void free_owner(struct owner *owner)
{
	sd_bus_slot_unref(owner->leaves);
	sd_bus_slot_unref(owner->is_there);
	free(owner);
}

static struct owner *find_owner(const struct owners *owners, const char *name)
{
	struct owner *owner = owners->first;

	while (owner && strcmp(owner->name, name))
		owner = owner->next;
	return owner;
}

static void remove_owner(struct owner *owner)
{
	struct owner **link = &owner->owners->first;

	while (*link != owner)
		link = &(*link)->next;
	*link = owner->next;
	free_owner(owner);
}

void owner_gone(struct owner *owner)
{
	struct manager *manager = owner->owners->manager;
	char name[CLAIMS_NAME];

	memcpy(name, owner->name, sizeof(name));
	remove_owner(owner);
	if (claims_forget(&manager->claims, name)) {
		log_line(LOG_INFO, LOG_CLAIM, NULL, "%s left the bus: its claims are released",
			 name);
		bus_holds_changed(manager->bus);
		manager_reconsider(manager);
	}
}

static int owner_left(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)message;
	(void)error;
	owner_gone(userdata);
	return 0;
}

static int owner_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct owner *owner = userdata;

	(void)error;
	owner->is_there = sd_bus_slot_unref(owner->is_there);
	if (sd_bus_message_is_method_error(reply, NULL))
		owner_gone(owner);
	return 0;
}

int owners_watch(struct owners *owners, sd_bus *bus, const char *name)
{
	struct owner *owner;
	char match[320];
	int ret;

	if (find_owner(owners, name))
		return 0;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	owner->owners = owners;
	snprintf(owner->name, sizeof(owner->name), "%s", name);
	snprintf(match, sizeof(match),
		 "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
		 "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s',arg2=''",
		 name);
	ret = sd_bus_add_match_async(bus, &owner->leaves, match, owner_left, NULL, owner);
	/* The bus does one after the other: whoever is still there after that is watched. */
	if (ret >= 0)
		ret = sd_bus_call_method_async(bus, &owner->is_there, "org.freedesktop.DBus",
					       "/org/freedesktop/DBus", "org.freedesktop.DBus",
					       "GetNameOwner", owner_answered, owner, "s", name);
	if (ret < 0) {
		free_owner(owner);
		return ret;
	}
	owner->next = owners->first;
	owners->first = owner;
	return 0;
}

void owners_unwatch(struct owners *owners, const char *name)
{
	struct owner *owner = find_owner(owners, name);

	if (owner && !claims_has(&owners->manager->claims, name))
		remove_owner(owner);
}

void owners_release(struct owners *owners)
{
	while (owners->first)
		remove_owner(owners->first);
}
