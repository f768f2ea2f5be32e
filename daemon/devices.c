// SPDX-License-Identifier: MIT
#include "devices.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <systemd/sd-device.h>

#include "log.h"

static void add_device(struct manager *manager, sd_device *device)
{
	const char *name, *syspath;
	char path[PATH_MAX];

	if (sd_device_get_sysname(device, &name) < 0 ||
	    sd_device_get_syspath(device, &syspath) < 0 || fnmatch("card[0-9]*", name, 0) ||
	    strchr(name, '-'))
		return;
	snprintf(path, sizeof(path), "%s/device/scanout_cache", syspath);
	manager_add_cache(manager, name, path);
}

static int device_changed(sd_device_monitor *monitor, sd_device *device, void *userdata)
{
	struct manager *manager = userdata;
	sd_device_action_t action;
	struct managed *managed;
	const char *name;

	(void)monitor;
	manager->wakeups++;
	if (sd_device_get_action(device, &action) < 0 || sd_device_get_sysname(device, &name) < 0)
		return 0;
	if (action == SD_DEVICE_REMOVE) {
		managed = manager_find_cache(manager, name);
		if (managed) {
			log_line(LOG_NOTICE, LOG_DEVICE, name, "removed");
			manager_forget_cache(manager, managed);
		}
	} else {
		add_device(manager, device);
	}
	manager_schedule(manager);
	return 0;
}

/* Plain directories in place of udev: for tests, and to try things. */
static void scan_directory(struct manager *manager)
{
	struct managed *next;
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	for (struct managed *managed = manager->caches; managed; managed = next) {
		next = managed->next;
		if (access(managed->cache.path, F_OK)) {
			log_line(LOG_NOTICE, LOG_DEVICE, managed->cache.name, "removed");
			manager_forget_cache(manager, managed);
		}
	}

	snprintf(path, sizeof(path), "%s/class/drm", manager->options.sysfs_root);
	dir = opendir(path);
	if (!dir) {
		log_line(LOG_ERR, LOG_DEVICE, NULL, "%s: %s", path, strerror(errno));
		return;
	}
	while ((entry = readdir(dir))) {
		if (fnmatch("card[0-9]*", entry->d_name, 0) || strchr(entry->d_name, '-'))
			continue;
		if (snprintf(path, sizeof(path), "%s/class/drm/%s/device/scanout_cache",
			     manager->options.sysfs_root, entry->d_name) < (int)sizeof(path))
			manager_add_cache(manager, entry->d_name, path);
	}
	closedir(dir);
}

static int directory_changed(sd_event_source *source, const struct inotify_event *event,
			     void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)event;
	scan_directory(manager);
	manager_schedule(manager);
	return 0;
}

static int find_in_directory(struct manager *manager)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s/class/drm", manager->options.sysfs_root);
	ret = sd_event_add_inotify(manager->event, &manager->class_source, path,
				   IN_CREATE | IN_DELETE | IN_MOVE, directory_changed, manager);
	if (ret < 0) {
		log_line(LOG_ERR, LOG_DEVICE, NULL,
			 "%s: %s; --sysfs-root needs a directory with class/drm/cardN in it", path,
			 strerror(-ret));
		return ret;
	}
	scan_directory(manager);
	return 0;
}

static int find_with_udev(struct manager *manager)
{
	sd_device_enumerator *enumerator = NULL;
	const char *doing;
	int ret;

	/* First listen, then look: what comes in between is seen twice, and added once. */
	doing = "listening to udev";
	ret = sd_device_monitor_new(&manager->monitor);
	if (ret >= 0)
		ret = sd_device_monitor_filter_add_match_subsystem_devtype(manager->monitor, "drm",
									   "drm_minor");
	if (ret >= 0)
		ret = sd_device_monitor_attach_event(manager->monitor, manager->event);
	if (ret >= 0)
		ret = sd_device_monitor_start(manager->monitor, device_changed, manager);

	if (ret >= 0) {
		doing = "looking for DRM devices";
		ret = sd_device_enumerator_new(&enumerator);
	}
	if (ret >= 0)
		ret = sd_device_enumerator_add_match_subsystem(enumerator, "drm", true);
	if (ret >= 0)
		ret = sd_device_enumerator_add_match_sysname(enumerator, "card[0-9]*");
	if (ret >= 0) {
		sd_device *device;

		for (device = sd_device_enumerator_get_device_first(enumerator); device;
		     device = sd_device_enumerator_get_device_next(enumerator))
			add_device(manager, device);
	}
	sd_device_enumerator_unref(enumerator);
	if (ret < 0)
		log_line(LOG_ERR, LOG_DEVICE, NULL, "%s: %s", doing, strerror(-ret));
	return ret;
}

/* Connectors are named after their card, as in card0-DSI-1, and counted over all cards. */
void devices_find_card(const struct manager *manager, const char *output, char card[CLAIMS_CARD])
{
	const char *root = manager->options.sysfs_root;
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;

	card[0] = '\0';
	snprintf(path, sizeof(path), "%s/class/drm", root ? root : "/sys");
	dir = opendir(path);
	while (dir && !card[0] && (entry = readdir(dir))) {
		const char *dash = strchr(entry->d_name, '-');
		size_t length = dash ? (size_t)(dash - entry->d_name) : CLAIMS_CARD;

		if (length < CLAIMS_CARD && !strcmp(dash + 1, output) &&
		    !fnmatch("card[0-9]*", entry->d_name, 0))
			snprintf(card, CLAIMS_CARD, "%.*s", (int)length, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

int devices_find(struct manager *manager)
{
	return manager->options.sysfs_root ? find_in_directory(manager) : find_with_udev(manager);
}
