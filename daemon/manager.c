// SPDX-License-Identifier: MIT
#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "bus.h"
#include "devices.h"
#include "limit.h"
#include "log.h"

/* Read errors in a row, after which a cache is only read slowly. */
#define MANY_ERRORS 5
/*
 * The kernel signals the first flip after a pause of a second.  So sleep only after a longer one,
 * or the next flip might still count as part of the last burst, and its signal would never come.
 */
#define PAUSE_US (2 * UINT64_C(1000000))
/* Pauses in a row that ended without a signal, after which none is expected any more. */
#define UNSIGNALLED 3

uint64_t manager_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t manager_now_ms(const struct manager *manager)
{
	(void)manager;
	return manager_now_us() / 1000;
}

static enum managed_state normal_state(const struct manager *manager)
{
	return manager->options.dry_run ? MANAGED_DRY_RUN :
	       !manager->config.enabled ? MANAGED_DISABLED :
					  MANAGED_TUNING;
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
	bool signalled = flip_signalled(managed), flipped, announced;
	uint64_t now = manager_now_us();
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
		limit_take_over(managed, &snapshot);
		return 0;
	}

	flipped = snapshot.flips != managed->last.flips;
	if (flipped) {
		check_signal(managed, signalled);
		managed->last_flip_us = now;
	}
	limit_notice_foreign_write(managed, &snapshot);
	limit_decide(managed, &snapshot, now);
	managed->last = snapshot;
	managed->last_us = now;

	/* Writes what was decided, and brings the limits in @last up to date. */
	ret = limit_act(managed, &managed->last);
	if (cache_error_is_gone(ret))
		return ret;

	managed->polls_without_flip = flipped ? 0 : managed->polls_without_flip + 1;
	/* Something announced has to be looked after even if it does not come. */
	announced = managed->decision.reason == TUNER_ANNOUNCED;
	if (managed->idle && (flipped || announced))
		wake(managed);
	/* A flip since the file was read above leaves a signal: none is missed. */
	if (!managed->idle && managed->polls_without_flip >= manager->config.idle_polls &&
	    now - managed->last_flip_us >= PAUSE_US && !announced)
		go_idle(managed);
	return 0;
}

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
			manager_forget_cache(manager, managed);
		}
	}
}

/*
 * The watchdog watches the poll, so it rests while there is none: a program asleep in epoll_wait()
 * needs no watching, and should not be woken for it.
 */
static void feed_watchdog(struct manager *manager, bool polling)
{
	uint64_t now = manager_now_us();
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
void manager_schedule(struct manager *manager)
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
	manager_schedule(manager);
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
	manager_schedule(managed->manager);
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
		manager_forget_cache(manager, managed);
		manager_schedule(manager);
	} else if (!ret && managed->have_last &&
		   limit_notice_foreign_write(managed, &managed->last)) {
		bus_cache_changed(manager->bus, managed);
	}
	return 0;
}

void manager_reconsider(struct manager *manager)
{
	sample_all(manager, true);
	manager_schedule(manager);
}

static bool wants_more(const struct managed *managed, const struct coming *coming)
{
	const struct manager *manager = managed->manager;

	return claims_wanted_bytes(&manager->claims, &manager->config, managed->cache.name,
				   manager_now_ms(manager)) > managed->claimed_bytes ||
	       coming->bytes > managed->coming.bytes;
}

void manager_reported(struct manager *manager, const char *owner)
{
	bool more = false;

	for (const struct managed *managed = manager->caches; managed; managed = managed->next) {
		struct coming coming = claims_coming(&manager->claims, &manager->config,
						     managed->cache.name, manager_now_ms(manager));

		if (coming.event && coming.event != managed->coming.event)
			log_line(LOG_INFO, LOG_CLAIM, managed->cache.name,
				 "%s announced %s: room for %" PRIu64 " buffers, %" PRIu64
				 " bytes in all, for %u ms",
				 owner, claims_event_name(coming.event), coming.entries,
				 coming.bytes, manager->config.event_ms);
		more = more || wants_more(managed, &coming);
	}
	if (more)
		manager_reconsider(manager);
}

/*
 * Devices
 */

void manager_forget_cache(struct manager *manager, struct managed *managed)
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

struct managed *manager_find_cache(const struct manager *manager, const char *name)
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

void manager_add_cache(struct manager *manager, const char *name, const char *path)
{
	struct managed *managed;
	int ret;

	if (manager_find_cache(manager, name))
		return;
	managed = calloc(1, sizeof(*managed));
	if (!managed) {
		log_line(LOG_ERR, LOG_ERROR, name, "%s", strerror(ENOMEM));
		return;
	}
	managed->manager = manager;
	managed->state = normal_state(manager);
	managed->last_flip_us = manager_now_us();
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
		managed->last_us = manager_now_us();
		limit_take_over(managed, &managed->last);
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
			 manager->options.pressure_file);
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
	if (!manager->config.pressure || !manager->options.pressure_file)
		return;
	fd = open(manager->options.pressure_file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		log_line(LOG_NOTICE, LOG_PRESSURE, NULL,
			 "%s: %s; running without backing off under memory pressure, which needs a "
			 "kernel with CONFIG_PSI (and psi=1 if it is off by default)",
			 manager->options.pressure_file, strerror(errno));
		return;
	}
	length = snprintf(trigger, sizeof(trigger), "some %" PRIu64 " %" PRIu64,
			  manager->config.pressure_stall_us, manager->config.pressure_window_us);
	/* With the NUL, as the kernel wants it. */
	if (write(fd, trigger, (size_t)length + 1) < 0) {
		log_line(LOG_WARNING, LOG_PRESSURE, NULL, "%s: writing '%s': %s",
			 manager->options.pressure_file, trigger, strerror(errno));
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

void manager_reload(struct manager *manager)
{
	config_read(&manager->config, manager->options.config_root, complain_config, NULL);
	watch_pressure(manager);
	for (struct managed *managed = manager->caches; managed; managed = managed->next) {
		if (normal_state(manager) == MANAGED_DISABLED)
			limit_hand_back(managed);
		if (managed->state != MANAGED_EXTERNAL)
			limit_set_state(managed, normal_state(manager));
		if (managed->have_last)
			limit_respect_off(managed, &managed->last);
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
		/* What is found is kept until flips say otherwise. */
		memset(&managed->tuner, 0, sizeof(managed->tuner));
		log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name, "told to resume");
		limit_set_state(managed, normal_state(manager));
	}
	if (!found)
		return -ENOENT;
	manager_reconsider(manager);
	return 0;
}

int manager_set_limits(struct managed *managed, const struct cache_limits *limits)
{
	int ret = cache_write_limits(&managed->cache, limits);

	if (!ret)
		ret = cache_read_limits(&managed->cache, &managed->last);
	if (!ret && limit_notice_foreign_write(managed, &managed->last))
		bus_cache_changed(managed->manager->bus, managed);
	return ret;
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
		/* Before anything is looked for: what there is, is another's. */
		if (ret == -EEXIST)
			return ret;
		/* Sizing works without; so do not insist. */
		if (ret < 0)
			log_line(LOG_WARNING, LOG_ERROR, NULL,
				 "running without the bus: nobody can hold, report or resume");
	}

	ret = devices_find(manager);
	if (ret < 0)
		return ret;
	watch_pressure(manager);
	if (!manager->caches)
		log_line(LOG_NOTICE, LOG_DEVICE, NULL,
			 "no DRM device has a scanout_cache directory yet: it needs msm with "
			 "CONFIG_DRM_MSM_SCANOUT_CACHE; waiting for one");
	manager_schedule(manager);
	return 0;
}

void manager_abandon(struct manager *manager)
{
	while (manager->caches)
		manager_forget_cache(manager, manager->caches);
}

void manager_stop(struct manager *manager)
{
	while (manager->caches) {
		limit_hand_back(manager->caches);
		manager_forget_cache(manager, manager->caches);
	}
	manager->bus = bus_free(manager->bus);
	sd_device_monitor_unref(manager->monitor);
	sd_event_source_disable_unref(manager->poll_source);
	sd_event_source_disable_unref(manager->pressure_source);
	sd_event_source_disable_unref(manager->class_source);
}
