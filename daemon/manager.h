/* SPDX-License-Identifier: MIT */
/*
 * The caches of this machine and everything that happens to them: devices come and go, a poll while
 * there are flips, memory pressure, claims, reloads.  What becomes of limits is in limit.h.
 */
#ifndef MANAGER_H
#define MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-device.h>
#include <systemd/sd-event.h>

#include "cache.h"
#include "claims.h"
#include "config.h"
#include "tuner.h"

struct bus;
struct manager;

enum managed_state {
	MANAGED_TUNING,	  /* limits follow the tuner */
	MANAGED_EXTERNAL, /* somebody else set a limit: hands off until told to resume */
	MANAGED_DISABLED, /* by configuration */
	MANAGED_DRY_RUN,  /* says what it would do */
	MANAGED_FAILED,	  /* a limit cannot be written; tried again now and then */
};

/* What others are told of a cache; see cache_object.c. */
struct published {
	uint64_t second; /* of the monotonic clock, when it was copied */
	struct cache_snapshot figures;
	struct tuner_decision decision;
	char explanation[TUNER_EXPLANATION];
};

/* One cache under management. */
struct managed {
	struct managed *next;
	struct manager *manager;
	struct cache cache;
	struct tuner tuner;
	enum managed_state state;

	/* previous sample, and when it was taken */
	struct cache_snapshot last;
	bool have_last;
	uint64_t last_us;

	/* The limits as they were set or found; anything else was written by somebody else. */
	uint64_t expected_bytes;
	uint64_t expected_entries;

	struct tuner_decision decision;
	char explanation[TUNER_EXPLANATION];
	/* of a dry run, so as to say it once */
	uint64_t said_bytes;
	struct published published;
	bool changed; /* and not yet told on the bus */

	unsigned int polls_without_flip;
	uint64_t last_flip_us;	  /* when a poll last found flips: the last one was before that */
	bool idle;		  /* not polled until the next flip */
	bool signals_flips;	  /* does the kernel wake who waits for that? */
	unsigned int unsignalled; /* times in a row that it did not */
	bool pressure;		  /* since the previous sample */
	/* What was claimed of it and announced for it then. */
	uint64_t claimed_bytes;
	struct coming coming;
	unsigned int read_errors;
	uint64_t retry_us; /* when a failed write is tried again */

	sd_event_source *flips_source;
	sd_event_source *generation_source;
};

struct manager_options {
	/* "" for the real ones */
	const char *config_root;
	/* NULL for /sys and udev; a directory with class/drm in it for tests */
	const char *sysfs_root;
	/* where the kernel tells of memory pressure; NULL: do not ask */
	const char *pressure_file;
	/* of the bus; "" for the system's, "none" for none */
	const char *bus_address;
	bool dry_run;
};

struct manager {
	struct manager_options options;
	struct config config;
	struct claims claims;
	struct managed *caches;
	struct bus *bus;
	sd_event *event;
	sd_device_monitor *monitor;
	sd_event_source *poll_source;
	sd_event_source *pressure_source;
	sd_event_source *class_source;
	/* from the service manager; 0 if it does not watch */
	uint64_t watchdog_us;
	uint64_t watchdog_next_us;
	bool watchdog_paused;
	/* for those who measure */
	uint64_t wakeups;
};

/*
 * Read configuration, connect to the bus, find caches.  Complains before it fails; -EEXIST if
 * another instance runs, before it touches anything.
 */
int manager_start(struct manager *manager, sd_event *event, const struct manager_options *options);

/* Leave each cache that was tuned with the whole budget: right without anybody watching. */
void manager_stop(struct manager *manager);

/* Leave them as they are: another instance has them now. */
void manager_abandon(struct manager *manager);

void manager_reload(struct manager *manager);

/* A claim changed: decide now. */
void manager_reconsider(struct manager *manager);

/* @owner reported: decide now if that is more than before, otherwise at the next poll. */
void manager_reported(struct manager *manager, const char *owner);

/* Take limits back from whoever set them; all caches if @name is NULL.  -ENOENT if none has it. */
int manager_resume(struct manager *manager, const char *name);

/* Write limits for somebody else, whose they are from then on.  Negative error, or all written. */
int manager_set_limits(struct managed *managed, const struct cache_limits *limits);

/* For those who find caches, and for limits. */
void manager_add_cache(struct manager *manager, const char *name, const char *path);
void manager_forget_cache(struct manager *manager, struct managed *managed);
struct managed *manager_find_cache(const struct manager *manager, const char *name);
/* Look again when it is time. */
void manager_schedule(struct manager *manager);
uint64_t manager_now_us(void);
uint64_t manager_now_ms(const struct manager *manager);
const char *managed_state_name(enum managed_state state);

#endif
