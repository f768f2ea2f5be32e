// SPDX-License-Identifier: MIT
#include "manager.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "bus.h"
#include "log.h"

#define PRESSURE_FILE "/proc/pressure/memory"
#define RETRY_US (60 * UINT64_C(1000000))
/* Read errors in a row, after which a cache is only read slowly. */
#define MANY_ERRORS 5
/*
 * The kernel signals the first flip after a pause of a second.  So sleep only after a longer one,
 * or the next flip might still count as part of the last burst, and its signal would never come.
 */
#define PAUSE_US (2 * UINT64_C(1000000))
/* Pauses in a row that ended without a signal, after which none is expected any more. */
#define UNSIGNALLED 3

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t manager_now_ms(const struct manager *manager)
{
	(void)manager;
	return now_us() / 1000;
}

const char *managed_state_name(enum managed_state state)
{
	static const char *const names[] = {
		[MANAGED_TUNING] = "tuning",	 [MANAGED_EXTERNAL] = "external",
		[MANAGED_DISABLED] = "disabled", [MANAGED_DRY_RUN] = "dry-run",
		[MANAGED_FAILED] = "failed",
	};

	return names[state];
}

static void set_state(struct managed *managed, enum managed_state state)
{
	if (managed->state == state)
		return;
	managed->state = state;
	bus_cache_changed(managed->manager->bus, managed);
}

static enum managed_state normal_state(const struct manager *manager)
{
	return manager->options.dry_run ? MANAGED_DRY_RUN :
	       !manager->config.enabled ? MANAGED_DISABLED :
					  MANAGED_TUNING;
}

/*
 * Decisions
 */

/* What is in force is what is expected from now on. */
static void expect(struct managed *managed, const struct cache_snapshot *snapshot)
{
	managed->expected_bytes = snapshot->max_bytes;
	managed->expected_entries = snapshot->max_entries;
}

/* Switched off is switched off: only its owner, or who says resume, switches it on. */
static void respect_off(struct managed *managed, const struct cache_snapshot *snapshot)
{
	if ((snapshot->max_bytes && snapshot->max_entries) || managed->state != MANAGED_TUNING)
		return;
	log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name,
		 "the cache is switched off (max_bytes=%" PRIu64 " max_entries=%" PRIu64
		 "): leaving it alone until 'scanoutctl resume'",
		 snapshot->max_bytes, snapshot->max_entries);
	set_state(managed, MANAGED_EXTERNAL);
}

/* Did somebody else set a limit?  Then it is theirs. */
static bool notice_foreign_write(struct managed *managed, const struct cache_snapshot *snapshot)
{
	if (snapshot->max_bytes == managed->expected_bytes &&
	    snapshot->max_entries == managed->expected_entries)
		return false;
	if (managed->state == MANAGED_TUNING || managed->state == MANAGED_FAILED) {
		log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name,
			 "somebody else set max_bytes to %" PRIu64 " and max_entries to %" PRIu64
			 " (were %" PRIu64 " and %" PRIu64
			 "): leaving them alone until 'scanoutctl resume'",
			 snapshot->max_bytes, snapshot->max_entries, managed->expected_bytes,
			 managed->expected_entries);
		set_state(managed, MANAGED_EXTERNAL);
	}
	expect(managed, snapshot);
	return true;
}

static void log_decision(const struct managed *managed, const struct cache_snapshot *snapshot)
{
	const struct tuner_decision *decision = &managed->decision;
	char text[7][64];
	struct iovec fields[7];

	snprintf(text[0], sizeof(text[0]), "MAX_BYTES_OLD=%" PRIu64, snapshot->max_bytes);
	snprintf(text[1], sizeof(text[1]), "MAX_BYTES_NEW=%" PRIu64, decision->max_bytes);
	snprintf(text[2], sizeof(text[2]), "MAX_ENTRIES_NEW=%" PRIu64, decision->max_entries);
	snprintf(text[3], sizeof(text[3]), "REASON=%s", tuner_reason_name(decision->reason));
	snprintf(text[4], sizeof(text[4]), "REUSE_SHARE_OLD=%.4f", decision->share_now);
	snprintf(text[5], sizeof(text[5]), "REUSE_SHARE_NEW=%.4f", decision->share_then);
	snprintf(text[6], sizeof(text[6]), "IDLE_BYTES=%" PRIu64, snapshot->idle_bytes);
	for (unsigned int i = 0; i < 7; i++) {
		fields[i].iov_base = text[i];
		fields[i].iov_len = strlen(text[i]);
	}
	log_fields(LOG_INFO, LOG_DECISION, managed->cache.name, managed->explanation, fields, 7);
}

static void write_failed(struct managed *managed)
{
	log_line(LOG_ERR, LOG_ERROR, managed->cache.name,
		 "%s; the limit stays as it is, next attempt in a minute", managed->cache.error);
	managed->retry_us = now_us() + RETRY_US;
	set_state(managed, MANAGED_FAILED);
}

/*
 * Write the limits as decided.  Who wrote one since the last look is noticed before that, not
 * overwritten.  Reading them afterwards also takes the signal of the write itself away.
 */
static int apply(struct managed *managed, struct cache_snapshot *snapshot)
{
	const struct tuner_decision *decision = &managed->decision;
	struct cache *cache = &managed->cache;
	int ret = cache_read_limits(cache, snapshot);

	if (ret || notice_foreign_write(managed, snapshot))
		return ret;
	if (snapshot->max_bytes != decision->max_bytes) {
		ret = cache_write_limit(cache, CACHE_MAX_BYTES, decision->max_bytes);
		if (!ret)
			managed->expected_bytes = decision->max_bytes;
	}
	if (!ret && snapshot->max_entries != decision->max_entries) {
		ret = cache_write_limit(cache, CACHE_MAX_ENTRIES, decision->max_entries);
		if (!ret)
			managed->expected_entries = decision->max_entries;
	}
	if (ret) {
		if (!cache_error_is_gone(ret))
			write_failed(managed);
		return ret;
	}
	set_state(managed, MANAGED_TUNING);
	ret = cache_read_limits(cache, snapshot);
	if (!ret)
		notice_foreign_write(managed, snapshot);
	return ret;
}

static int act(struct managed *managed, struct cache_snapshot *snapshot)
{
	const struct tuner_decision *decision = &managed->decision;
	bool change = decision->max_bytes != snapshot->max_bytes ||
		      decision->max_entries != snapshot->max_entries;
	unsigned int insertion = decision->dip ? CACHE_INSERTION_DIP : CACHE_INSERTION_LRU;
	int ret = 0;

	if (managed->state == MANAGED_DRY_RUN) {
		if (change && managed->said_bytes != decision->max_bytes)
			log_line(LOG_INFO, LOG_DECISION, managed->cache.name, "would %s",
				 managed->explanation);
		managed->said_bytes = decision->max_bytes;
		return 0;
	}
	if (managed->state == MANAGED_FAILED && now_us() < managed->retry_us)
		return 0;
	if (managed->state != MANAGED_TUNING && managed->state != MANAGED_FAILED)
		return 0;

	if (change) {
		struct cache_snapshot before = *snapshot;

		ret = apply(managed, snapshot);
		if (!ret && managed->state == MANAGED_TUNING) {
			log_decision(managed, &before);
			bus_cache_changed(managed->manager->bus, managed);
		}
	}
	if (!ret && managed->state == MANAGED_TUNING && decision->trim) {
		ret = cache_trim(&managed->cache, 0);
		if (!ret)
			log_line(LOG_INFO, LOG_DECISION, managed->cache.name,
				 "trim: nothing is on any screen, %" PRIu64 " idle bytes undone",
				 snapshot->idle_bytes);
	}
	if (!ret && managed->state == MANAGED_TUNING &&
	    managed->manager->config.tuner.choose_insertion && snapshot->insertion != insertion &&
	    snapshot->insertions & insertion && snapshot->insertions & CACHE_INSERTION_DIP) {
		ret = cache_write_insertion(&managed->cache, insertion);
		if (!ret)
			log_line(LOG_INFO, LOG_DECISION, managed->cache.name,
				 "insertion %s: %.1f%% of reuse is beyond the budget",
				 cache_insertion_name(insertion),
				 100 * (decision->share_all - decision->share_then));
	}
	if (ret && !cache_error_is_gone(ret) && managed->state == MANAGED_TUNING)
		write_failed(managed);
	return ret;
}

static void decide(struct managed *managed, struct cache_snapshot *snapshot, uint64_t now)
{
	struct manager *manager = managed->manager;
	const struct cache_snapshot *last = &managed->last;
	enum tuner_reason reason = managed->decision.reason;
	struct tuner_sample sample = {
		.elapsed_ms = (now - managed->last_us) / 1000,
		.limit_bytes = snapshot->max_bytes,
		.limit_entries = snapshot->max_entries,
		.active_bytes = snapshot->active_bytes,
		.active_entries = snapshot->active_entries,
		.idle_bytes = snapshot->idle_bytes,
		.idle_entries = snapshot->idle_entries,
		.wanted_bytes = claims_wanted_bytes(&manager->claims, &manager->config, now / 1000),
		.expect_change = claims_expect_change(&manager->claims, now / 1000),
		.pressure = managed->pressure,
		.dip_offered = snapshot->insertions & CACHE_INSERTION_DIP,
		.dip_chosen = snapshot->insertion == CACHE_INSERTION_DIP,
	};

	for (unsigned int i = 0; i < DEPTH_BUCKETS; i++)
		sample.reuse.depth[i] = snapshot->reuse.depth[i] - last->reuse.depth[i];
	for (unsigned int i = 0; i < BYTES_BUCKETS; i++)
		sample.reuse.bytes[i] = snapshot->reuse.bytes[i] - last->reuse.bytes[i];

	managed->pressure = false;
	managed->decision = tuner_tick(&managed->tuner, &manager->config.tuner, &sample);
	if (managed->decision.action != TUNER_KEEP || managed->decision.reason != reason) {
		tuner_explain(&managed->decision, snapshot->max_bytes, managed->explanation);
		if (managed->decision.action == TUNER_KEEP)
			bus_cache_changed(manager->bus, managed);
	}
}

/*
 * Polling
 */

static int flips_begin(sd_event_source *source, int fd, uint32_t revents, void *userdata);

/* Was there a signal since the file was read last? */
static bool flip_signalled(const struct managed *managed)
{
	struct pollfd fd = { .fd = cache_flips_fd(&managed->cache), .events = POLLPRI };

	return poll(&fd, 1, 0) > 0 && fd.revents & POLLPRI;
}

/*
 * A flip ended a pause: the kernel should have said so.  Once may be a flip between asking and
 * reading; in a row it is a kernel that does not signal.
 */
static void check_signal(struct managed *managed, bool signalled)
{
	if (!managed->signals_flips || managed->last_us - managed->last_flip_us < PAUSE_US)
		return;
	managed->unsignalled = signalled ? 0 : managed->unsignalled + 1;
	if (managed->unsignalled < UNSIGNALLED)
		return;
	managed->signals_flips = false;
	log_line(LOG_INFO, LOG_DEVICE, managed->cache.name,
		 "this kernel does not signal when flips begin: looking every %u s while nothing "
		 "flips",
		 managed->manager->config.slow_poll_ms / 1000);
}

static void go_idle(struct managed *managed)
{
	managed->idle = true;
	if (managed->flips_source)
		sd_event_source_set_enabled(managed->flips_source, SD_EVENT_ONESHOT);
}

static void wake(struct managed *managed)
{
	managed->idle = false;
	managed->polls_without_flip = 0;
	if (managed->flips_source)
		sd_event_source_set_enabled(managed->flips_source, SD_EVENT_OFF);
}

/* Returns -ENODEV if it is gone. */
static int sample_one(struct managed *managed)
{
	struct manager *manager = managed->manager;
	struct cache_snapshot snapshot;
	bool signalled = flip_signalled(managed), flipped;
	uint64_t now = now_us();
	int ret = cache_read(&managed->cache, &snapshot);

	if (cache_error_is_gone(ret))
		return ret;
	if (ret) {
		if (!managed->read_errors++)
			log_line(LOG_WARNING, LOG_ERROR, managed->cache.name,
				 "%s; limits stay as they are, trying again", managed->cache.error);
		return 0;
	}
	if (managed->read_errors) {
		log_line(LOG_INFO, LOG_ERROR, managed->cache.name, "readable again after %u errors",
			 managed->read_errors);
		managed->read_errors = 0;
	}

	if (managed->have_last && cache_counters_went_back(&managed->last, &snapshot)) {
		log_line(LOG_NOTICE, LOG_DEVICE, managed->cache.name,
			 "counters went back: the driver was loaded anew; beginning anew too");
		memset(&managed->tuner, 0, sizeof(managed->tuner));
		managed->have_last = false;
	}
	if (!managed->have_last) {
		managed->have_last = true;
		managed->last = snapshot;
		managed->last_us = now;
		expect(managed, &snapshot);
		respect_off(managed, &snapshot);
		return 0;
	}

	flipped = snapshot.flips != managed->last.flips;
	if (flipped) {
		check_signal(managed, signalled);
		managed->last_flip_us = now;
	}
	notice_foreign_write(managed, &snapshot);
	decide(managed, &snapshot, now);
	managed->last = snapshot;
	managed->last_us = now;

	/* Writes what was decided, and brings the limits in @last up to date. */
	ret = act(managed, &managed->last);
	if (cache_error_is_gone(ret))
		return ret;

	managed->polls_without_flip = flipped ? 0 : managed->polls_without_flip + 1;
	if (flipped && managed->idle)
		wake(managed);
	/* A flip since the file was read above leaves a signal: none is missed. */
	if (!managed->idle && managed->polls_without_flip >= manager->config.idle_polls &&
	    now - managed->last_flip_us >= PAUSE_US)
		go_idle(managed);
	return 0;
}

static void forget_cache(struct manager *manager, struct managed *managed);

static void sample_all(struct manager *manager, bool idle_too)
{
	struct managed *next;

	for (struct managed *managed = manager->caches; managed; managed = next) {
		next = managed->next;
		if (managed->idle && !idle_too && managed->signals_flips)
			continue;
		if (sample_one(managed)) {
			log_line(LOG_NOTICE, LOG_DEVICE, managed->cache.name, "gone (%s)",
				 managed->cache.error);
			forget_cache(manager, managed);
		}
	}
}

/*
 * The watchdog watches the poll, so it rests while there is none: a program asleep in epoll_wait()
 * needs no watching, and should not be woken for it.
 */
static void feed_watchdog(struct manager *manager, bool polling)
{
	uint64_t now = now_us();
	char text[64];

	if (!manager->watchdog_us)
		return;
	if (!polling) {
		if (!manager->watchdog_paused)
			sd_notify(false, "WATCHDOG_USEC=0");
		manager->watchdog_paused = true;
		return;
	}
	if (manager->watchdog_paused) {
		snprintf(text, sizeof(text), "WATCHDOG_USEC=%" PRIu64 "\nWATCHDOG=1",
			 manager->watchdog_us);
		sd_notify(false, text);
	} else if (now >= manager->watchdog_next_us) {
		sd_notify(false, "WATCHDOG=1");
	} else {
		return;
	}
	manager->watchdog_paused = false;
	manager->watchdog_next_us = now + manager->watchdog_us / 4;
}

/* When to look next: soon, later, or when the kernel says. */
static void schedule(struct manager *manager)
{
	uint64_t next_ms = 0;

	for (const struct managed *managed = manager->caches; managed; managed = managed->next) {
		bool slow = managed->idle || managed->read_errors >= MANY_ERRORS;

		if (managed->idle && managed->signals_flips)
			continue;
		if (!slow)
			next_ms = manager->config.poll_ms;
		else if (!next_ms)
			next_ms = manager->config.slow_poll_ms;
	}

	/* Slow polls may be rarer than the watchdog is patient: then there is no watching. */
	feed_watchdog(manager, next_ms && next_ms * 1000 < manager->watchdog_us / 2);
	if (!next_ms) {
		sd_event_source_set_enabled(manager->poll_source, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time_relative(manager->poll_source, next_ms * 1000);
	sd_event_source_set_enabled(manager->poll_source, SD_EVENT_ONESHOT);
}

static int poll_now(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)usec;
	manager->wakeups++;
	sample_all(manager, false);
	schedule(manager);
	return 0;
}

static int flips_begin(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct managed *managed = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	managed->manager->wakeups++;
	wake(managed);
	schedule(managed->manager);
	return 0;
}

/* A limit was written, most likely by this program itself, which has read the file since. */
static int limits_written(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct managed *managed = userdata;
	struct manager *manager = managed->manager;
	int ret;

	(void)source;
	(void)fd;
	(void)revents;
	manager->wakeups++;
	ret = cache_read_limits(&managed->cache, &managed->last);
	if (cache_error_is_gone(ret)) {
		log_line(LOG_NOTICE, LOG_DEVICE, managed->cache.name, "gone (%s)",
			 managed->cache.error);
		forget_cache(manager, managed);
		schedule(manager);
	} else if (!ret && managed->have_last && notice_foreign_write(managed, &managed->last)) {
		bus_cache_changed(manager->bus, managed);
	}
	return 0;
}

void manager_reconsider(struct manager *manager)
{
	sample_all(manager, true);
	schedule(manager);
}

/*
 * Devices
 */

static void forget_cache(struct manager *manager, struct managed *managed)
{
	struct managed **link = &manager->caches;

	while (*link != managed)
		link = &(*link)->next;
	*link = managed->next;
	sd_event_source_disable_unref(managed->flips_source);
	sd_event_source_disable_unref(managed->generation_source);
	cache_close(&managed->cache);
	free(managed);
	bus_caches_changed(manager->bus);
}

static struct managed *find_cache(const struct manager *manager, const char *name)
{
	for (struct managed *managed = manager->caches; managed; managed = managed->next)
		if (!strcmp(managed->cache.name, name))
			return managed;
	return NULL;
}

/* Files that are not the kernel's cannot be waited for; polling does without. */
static int watch(struct managed *managed, int fd, sd_event_io_handler_t handler, bool enabled,
		 sd_event_source **source)
{
	int ret = sd_event_add_io(managed->manager->event, source, fd, EPOLLPRI, handler, managed);

	if (ret == -EPERM)
		return 0;
	if (ret < 0)
		return ret;
	return sd_event_source_set_enabled(*source, enabled ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void add_cache(struct manager *manager, const char *name, const char *path)
{
	struct managed *managed;
	int ret;

	if (find_cache(manager, name))
		return;
	managed = calloc(1, sizeof(*managed));
	if (!managed) {
		log_line(LOG_ERR, LOG_ERROR, name, "%s", strerror(ENOMEM));
		return;
	}
	managed->manager = manager;
	managed->state = normal_state(manager);
	managed->last_flip_us = now_us();
	ret = cache_open(&managed->cache, name, path);
	if (ret) {
		/* Not an msm device, or one without the cache. */
		if (ret != -ENOENT)
			log_line(LOG_WARNING, LOG_DEVICE, name, "%s", managed->cache.error);
		free(managed);
		return;
	}

	/* Reading also takes old signals away, before any is waited for. */
	ret = cache_read(&managed->cache, &managed->last);
	if (ret) {
		log_line(LOG_WARNING, LOG_DEVICE, name, "%s", managed->cache.error);
	} else {
		managed->have_last = true;
		managed->last_us = now_us();
		expect(managed, &managed->last);
		respect_off(managed, &managed->last);
	}
	managed->next = manager->caches;
	manager->caches = managed;
	if (watch(managed, cache_flips_fd(&managed->cache), flips_begin, false,
		  &managed->flips_source) < 0 ||
	    watch(managed, cache_generation_fd(&managed->cache), limits_written, true,
		  &managed->generation_source) < 0)
		log_line(LOG_WARNING, LOG_ERROR, name,
			 "cannot wait for its files; looking now and then instead");
	managed->signals_flips = managed->flips_source;
	log_line(LOG_INFO, LOG_DEVICE, name,
		 "found, max_bytes=%" PRIu64 " max_entries=%" PRIu64 ", %s",
		 managed->last.max_bytes, managed->last.max_entries,
		 managed_state_name(managed->state));
	bus_caches_changed(manager->bus);
}

static void add_device(struct manager *manager, sd_device *device)
{
	const char *name, *syspath;
	char path[PATH_MAX];

	if (sd_device_get_sysname(device, &name) < 0 ||
	    sd_device_get_syspath(device, &syspath) < 0 || fnmatch("card[0-9]*", name, 0) ||
	    strchr(name, '-'))
		return;
	snprintf(path, sizeof(path), "%s/device/scanout_cache", syspath);
	add_cache(manager, name, path);
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
		managed = find_cache(manager, name);
		if (managed) {
			log_line(LOG_NOTICE, LOG_DEVICE, name, "removed");
			forget_cache(manager, managed);
		}
	} else {
		add_device(manager, device);
	}
	schedule(manager);
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
			forget_cache(manager, managed);
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
			add_cache(manager, entry->d_name, path);
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
	schedule(manager);
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

/*
 * Memory pressure
 */

static int memory_is_short(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct manager *manager = userdata;

	(void)fd;
	manager->wakeups++;
	if (revents & EPOLLERR) {
		log_line(LOG_WARNING, LOG_PRESSURE, NULL,
			 "%s: the trigger was destroyed; not watching memory any more",
			 PRESSURE_FILE);
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		return 0;
	}
	log_line(LOG_NOTICE, LOG_PRESSURE, NULL,
		 "memory is short: tasks were stalled for %" PRIu64 " ms within %" PRIu64 " ms",
		 manager->config.pressure_stall_us / 1000,
		 manager->config.pressure_window_us / 1000);
	for (struct managed *managed = manager->caches; managed; managed = managed->next)
		managed->pressure = true;
	manager_reconsider(manager);
	return 0;
}

static void watch_pressure(struct manager *manager)
{
	char trigger[64];
	int fd, length;

	manager->pressure_source = sd_event_source_disable_unref(manager->pressure_source);
	if (!manager->config.pressure || manager->options.sysfs_root)
		return;
	fd = open(PRESSURE_FILE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		log_line(LOG_NOTICE, LOG_PRESSURE, NULL,
			 "%s: %s; running without backing off under memory pressure, which needs a "
			 "kernel with CONFIG_PSI (and psi=1 if it is off by default)",
			 PRESSURE_FILE, strerror(errno));
		return;
	}
	length = snprintf(trigger, sizeof(trigger), "some %" PRIu64 " %" PRIu64,
			  manager->config.pressure_stall_us, manager->config.pressure_window_us);
	/* With the NUL, as the kernel wants it. */
	if (write(fd, trigger, (size_t)length + 1) < 0) {
		log_line(LOG_WARNING, LOG_PRESSURE, NULL, "%s: writing '%s': %s", PRESSURE_FILE,
			 trigger, strerror(errno));
		close(fd);
		return;
	}
	if (sd_event_add_io(manager->event, &manager->pressure_source, fd, EPOLLPRI,
			    memory_is_short, manager) < 0) {
		close(fd);
		return;
	}
	sd_event_source_set_io_fd_own(manager->pressure_source, true);
}

/*
 * The whole
 */

static void complain_config(void *context, const char *text)
{
	(void)context;
	log_line(LOG_WARNING, LOG_CONFIG, NULL, "%s", text);
}

/* Leave the whole budget in force: right without anybody watching.  Not what others set. */
static void hand_back(struct managed *managed)
{
	uint64_t max_bytes = managed->manager->config.tuner.max_bytes;

	if (managed->state != MANAGED_TUNING ||
	    cache_read_limits(&managed->cache, &managed->last) ||
	    notice_foreign_write(managed, &managed->last))
		return;
	if (managed->last.max_bytes < max_bytes) {
		if (cache_write_limit(&managed->cache, CACHE_MAX_BYTES, max_bytes) ||
		    cache_read_limits(&managed->cache, &managed->last)) {
			log_line(LOG_WARNING, LOG_ERROR, managed->cache.name, "%s",
				 managed->cache.error);
			return;
		}
		expect(managed, &managed->last);
	}
	log_line(LOG_INFO, LOG_SERVICE, managed->cache.name,
		 "left with max_bytes=%" PRIu64 " max_entries=%" PRIu64, managed->last.max_bytes,
		 managed->last.max_entries);
}

void manager_reload(struct manager *manager)
{
	config_read(&manager->config, manager->options.config_root, complain_config, NULL);
	watch_pressure(manager);
	for (struct managed *managed = manager->caches; managed; managed = managed->next) {
		if (normal_state(manager) == MANAGED_DISABLED)
			hand_back(managed);
		if (managed->state != MANAGED_EXTERNAL)
			set_state(managed, normal_state(manager));
	}
	log_line(LOG_INFO, LOG_CONFIG, NULL, "configuration read");
	manager_reconsider(manager);
}

int manager_resume(struct manager *manager, const char *name)
{
	bool found = false;

	for (struct managed *managed = manager->caches; managed; managed = managed->next) {
		if (name && strcmp(name, managed->cache.name))
			continue;
		found = true;
		if (managed->state != MANAGED_EXTERNAL && managed->state != MANAGED_FAILED)
			continue;
		managed->retry_us = 0;
		log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name, "told to resume");
		set_state(managed, normal_state(manager));
	}
	if (!found)
		return -ENOENT;
	manager_reconsider(manager);
	return 0;
}

int manager_start(struct manager *manager, sd_event *event, const struct manager_options *options)
{
	int ret;

	manager->options = *options;
	manager->event = event;
	manager->config = config_defaults;
	config_read(&manager->config, options->config_root, complain_config, NULL);
	if (sd_watchdog_enabled(false, &manager->watchdog_us) <= 0)
		manager->watchdog_us = 0;

	ret = sd_event_add_time_relative(event, &manager->poll_source, CLOCK_MONOTONIC, 0, 10000,
					 poll_now, manager);
	if (ret < 0) {
		log_line(LOG_ERR, LOG_ERROR, NULL, "making a timer: %s", strerror(-ret));
		return ret;
	}
	sd_event_source_set_exit_on_failure(manager->poll_source, true);

	if (strcmp(options->bus_address, "none")) {
		ret = bus_new(&manager->bus, manager, event, options->bus_address);
		/* Sizing works without; so do not insist. */
		if (ret < 0)
			log_line(LOG_WARNING, LOG_ERROR, NULL,
				 "running without the bus: nobody can hold, report or resume");
	}

	ret = options->sysfs_root ? find_in_directory(manager) : find_with_udev(manager);
	if (ret < 0)
		return ret;
	watch_pressure(manager);
	if (!manager->caches)
		log_line(LOG_NOTICE, LOG_DEVICE, NULL,
			 "no DRM device has a scanout_cache directory yet: it needs msm with "
			 "CONFIG_DRM_MSM_SCANOUT_CACHE; waiting for one");
	schedule(manager);
	return 0;
}

void manager_stop(struct manager *manager)
{
	while (manager->caches) {
		hand_back(manager->caches);
		forget_cache(manager, manager->caches);
	}
	manager->bus = bus_free(manager->bus);
	sd_device_monitor_unref(manager->monitor);
	sd_event_source_disable_unref(manager->poll_source);
	sd_event_source_disable_unref(manager->pressure_source);
	sd_event_source_disable_unref(manager->class_source);
}
