// SPDX-License-Identifier: MIT
#include "cache_object.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "manager.h"

void cache_object_path(const struct managed *managed, char path[CACHE_OBJECT_PATH])
{
	snprintf(path, CACHE_OBJECT_PATH, BUS_CACHES_PATH "/%s", managed->cache.name);
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct managed *managed = userdata;
	const char *text = managed->published.explanation;

	(void)bus, (void)path, (void)interface, (void)error;
	if (!strcmp(property, "Name"))
		text = managed->cache.name;
	else if (!strcmp(property, "SysfsPath"))
		text = managed->cache.path;
	else if (!strcmp(property, "State"))
		text = managed_state_name(managed->state);
	else if (!strcmp(property, "Reason"))
		text = tuner_reason_name(managed->published.decision.reason);
	return sd_bus_message_append(reply, "s", text);
}

static int get_share(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct managed *managed = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "d", managed->published.decision.share_then);
}

static int get_figures(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct managed *managed = userdata;
	int ret = sd_bus_message_open_container(reply, 'a', "{st}");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (unsigned int i = 0; ret >= 0 && (i = cache_next_figure(i));)
		ret = sd_bus_message_append(reply, "{st}", cache_figure_name(i),
					    cache_figure(&managed->published.figures, i));
	return ret < 0 ? ret : sd_bus_message_close_container(reply);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define TEXT(_name, _flags) SD_BUS_PROPERTY(_name, "s", get_text, 0, _flags)
#define FIGURE(_name, _field, _flags) \
	SD_BUS_PROPERTY(_name, "t", NULL, offsetof(struct managed, _field), _flags)

static const sd_bus_vtable cache_vtable[] = {
	SD_BUS_VTABLE_START(0), TEXT("Name", CONST), TEXT("SysfsPath", CONST),
	TEXT("State", CHANGES), TEXT("Reason", CHANGES), TEXT("Explanation", CHANGES),
	FIGURE("MaxBytes", last.max_bytes, CHANGES),
	FIGURE("MaxEntries", last.max_entries, CHANGES),
	/* Read when wanted: these change all the time. */
	FIGURE("NeedBytes", published.decision.need_bytes, 0),
	SD_BUS_PROPERTY("ReuseShare", "d", get_share, 0, 0),
	SD_BUS_PROPERTY("Figures", "a{st}", get_figures, 0, 0), SD_BUS_VTABLE_END
};

/*
 * What everybody may ask for must not tell when something was flipped: it changes once a second at
 * most, when a second of the clock begins.
 */
static void publish(struct managed *managed)
{
	struct published *published = &managed->published;
	uint64_t second = manager_now_us() / 1000000;

	if (published->second == second)
		return;
	published->second = second;
	published->figures = managed->last;
	published->decision = managed->decision;
	memcpy(published->explanation, managed->explanation, sizeof(published->explanation));
}

static int find_managed(sd_bus *bus, const char *path, const char *interface, void *userdata,
			void **found, sd_bus_error *error)
{
	const struct manager *manager = userdata;
	char own[CACHE_OBJECT_PATH];

	(void)bus, (void)interface, (void)error;
	for (struct managed *m = manager->caches; m; m = m->next) {
		cache_object_path(m, own);
		if (!strcmp(own, path)) {
			publish(m);
			*found = m;
			return 1;
		}
	}
	return 0;
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***nodes,
		     sd_bus_error *error)
{
	const struct manager *manager = userdata;
	size_t count = 0, i = 0;
	char **list, own[CACHE_OBJECT_PATH];

	(void)bus, (void)prefix, (void)error;
	for (struct managed *m = manager->caches; m; m = m->next)
		count++;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (struct managed *m = manager->caches; m; m = m->next) {
		cache_object_path(m, own);
		list[i] = strdup(own);
		if (!list[i++]) {
			while (i--)
				free(list[i]);
			free(list);
			return -ENOMEM;
		}
	}
	*nodes = list;
	return 1;
}

int cache_objects_offer(sd_bus *bus, struct manager *manager)
{
	int ret = sd_bus_add_fallback_vtable(bus, NULL, BUS_CACHES_PATH, BUS_CACHE_INTERFACE,
					     cache_vtable, find_managed, manager);

	if (ret >= 0)
		ret = sd_bus_add_node_enumerator(bus, NULL, BUS_CACHES_PATH, enumerate, manager);
	return ret;
}

void cache_object_changed(sd_bus *bus, struct managed *managed)
{
	char path[CACHE_OBJECT_PATH];

	/* What there is to tell, and not what was asked for a moment before. */
	managed->published.second = 0;
	cache_object_path(managed, path);
	sd_bus_emit_properties_changed(bus, path, BUS_CACHE_INTERFACE, "State", "Reason",
				       "Explanation", "MaxBytes", "MaxEntries", NULL);
}
