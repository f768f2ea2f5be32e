/* SPDX-License-Identifier: MIT */
/* What the commands of scanoutctl share. */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stdio.h>

#include <systemd/sd-bus.h>

#include "cache.h"

/* Exit statuses, as in scanoutctl(1). */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_NO_CACHE = 3,
	CTL_NO_SERVICE = 4,
	CTL_NO_ANSWER = 5,
};

enum json_mode { JSON_OFF, JSON_SHORT, JSON_PRETTY };

struct ctl {
	const char *sysfs_root;	 /* "/sys" */
	const char *bus_address; /* "" for the system's bus */
	const char *cache_name;	 /* NULL for all, or the only one */
	const char *config_root; /* "" for the real files */
	enum json_mode json;
};

#define CTL_CACHES 16

/* Open the caches there are, or the one asked for.  Complains if there is none. */
unsigned int ctl_open_caches(const struct ctl *ctl, struct cache caches[CTL_CACHES]);
void ctl_close_caches(struct cache caches[CTL_CACHES], unsigned int count);

/* For commands on one: complains unless there is exactly one, or it was named. */
int ctl_open_cache(const struct ctl *ctl, struct cache *cache);

/*
 * Connect to the bus that the service is on.  CTL_NO_SERVICE if there is none, CTL_NO_ANSWER if the
 * bus or the service hangs: that is known, and said unless @quiet, within two seconds.
 */
int ctl_connect(const struct ctl *ctl, bool quiet, sd_bus **bus);

/* What a call that failed says of the service: one of the two, or CTL_FAILED if it is there. */
int ctl_absence(const sd_bus_error *error, int ret);

/* Enough for ctl_describe_device(). */
#define CTL_DEVICE_TEXT 512

/* "card0 (qcom,mdp4, /dev/dri/card0)", or as much of it as is known. */
void ctl_describe_device(const struct ctl *ctl, const char *card, char text[CTL_DEVICE_TEXT]);

__attribute__((format(printf, 1, 2))) void ctl_complain(const char *format, ...);

/* The commands: each gets its own arguments and returns an exit status. */
int ctl_status(const struct ctl *ctl, int argc, char **argv);
int ctl_top(const struct ctl *ctl, int argc, char **argv);
int ctl_metrics(const struct ctl *ctl, int argc, char **argv);
int ctl_set(const struct ctl *ctl, int argc, char **argv);
int ctl_trim(const struct ctl *ctl, int argc, char **argv);
int ctl_resume(const struct ctl *ctl, int argc, char **argv);
int ctl_hold(const struct ctl *ctl, int argc, char **argv);
int ctl_list_holds(const struct ctl *ctl, int argc, char **argv);
int ctl_record(const struct ctl *ctl, int argc, char **argv);
int ctl_replay(const struct ctl *ctl, int argc, char **argv);
int ctl_doctor(const struct ctl *ctl, int argc, char **argv);
/* Watch one cache for ten seconds, and say whether it does what it should. */
int ctl_doctor_hardware(const struct ctl *ctl);

#endif
