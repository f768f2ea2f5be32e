// SPDX-License-Identifier: MIT
#include "bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "authority.h"
#include "cache_object.h"
#include "callers.h"
#include "devices.h"
#include "log.h"
#include "manager.h"
#include "owners.h"
#include "report_parse.h"

#define SECOND_US UINT64_C(1000000)
/* Calls that are waited for: a bus that hangs must not keep limits from being set for long. */
#define CALL_US (5 * SECOND_US)
/* When the bus is gone, the times between attempts begin and end with these. */
#define RETRY_FIRST_US SECOND_US
#define RETRY_MOST_US (60 * SECOND_US)

struct bus {
	struct manager *manager;
	const char *address;
	/* NULL, or closed, while there is no connection */
	sd_bus *bus;
	sd_event *event;
	sd_event_source *retry_source;
	sd_event_source *tell_source;
	uint64_t retry_us;
	/* It has its name, so that its end is worth a line. */
	bool connected;
	struct callers callers;
	struct authority authority;
	struct owners owners;
	/* As they were at the second when they were last asked for. */
	struct output_report outputs[CLAIMS_OUTPUTS];
	uint64_t outputs_s;
};

static void init(struct bus *bus, struct manager *manager)
{
	bus->manager = manager;
	callers_init(&bus->callers, manager);
	owners_init(&bus->owners, manager);
}

/*
 * Methods
 */

static int admit(struct bus *bus, sd_bus_message *message, call_fn admitted, sd_bus_error *error)
{
	return callers_admit(&bus->callers, bus, message, admitted, error);
}

static int hold_allowed(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	struct manager *manager = bus->manager;
	const char *owner = sd_bus_message_get_sender(message);
	uint64_t min_bytes;
	const char *reason;
	int64_t cookie;
	int ret = sd_bus_message_rewind(message, true);

	if (ret >= 0)
		ret = sd_bus_message_read(message, "ts", &min_bytes, &reason);
	if (ret < 0)
		return ret;
	ret = owners_watch(&bus->owners, bus->bus, owner);
	if (ret < 0)
		return sd_bus_reply_method_errnof(message, -ret, "watching %s", owner);

	cookie = claims_hold(&manager->claims, &manager->config, owner, uid, min_bytes, reason);
	if (cookie < 0) {
		owners_unwatch(&bus->owners, owner);
		if (cookie == -ERANGE)
			return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_INVALID_ARGS,
							  "min_bytes %" PRIu64
							  ": accepted is up to %" PRIu64
							  " (HoldMaxBytes=)",
							  min_bytes,
							  manager->config.hold_max_bytes);
		return sd_bus_reply_method_errorf(
			message, SD_BUS_ERROR_LIMITS_EXCEEDED, "%s",
			cookie == -EDQUOT ? "too many holds of this user (HoldsPerUser=)" :
					    "too many holds (Holds=)");
	}
	log_line(LOG_INFO, LOG_CLAIM, NULL, "hold %" PRId64 " of user %u: %" PRIu64 " bytes, '%s'",
		 cookie, (unsigned int)uid, min_bytes,
		 claims_find(&manager->claims, (uint32_t)cookie)->reason);
	/* Before the answer: who has it may rely on it. */
	bus_holds_changed(bus);
	manager_reconsider(manager);
	return sd_bus_reply_method_return(message, "u", (uint32_t)cookie);
}

static int hold_admitted(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	return authority_ask(&bus->authority, bus, message, uid, BUS_ACTION_HOLD, hold_allowed,
			     true);
}

static int method_hold(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return admit(userdata, message, hold_admitted, error);
}

static int release_admitted(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	struct manager *manager = bus->manager;
	uint32_t cookie;
	int ret = sd_bus_message_read(message, "u", &cookie);

	if (ret < 0)
		return ret;
	ret = claims_release(&manager->claims, cookie, uid);
	if (ret == -ENOENT)
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_INVALID_ARGS,
						  "there is no hold %u", cookie);
	if (ret)
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_ACCESS_DENIED,
						  "hold %u is another user's", cookie);
	owners_unwatch(&bus->owners, sd_bus_message_get_sender(message));
	log_line(LOG_INFO, LOG_CLAIM, NULL, "hold %u released", cookie);
	bus_holds_changed(bus);
	manager_reconsider(manager);
	return sd_bus_reply_method_return(message, NULL);
}

static int method_release(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return admit(userdata, message, release_admitted, error);
}

static int report_admitted(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	struct output_report outputs[CLAIMS_OUTPUTS_PER_CLIENT];
	struct manager *manager = bus->manager;
	const char *owner = sd_bus_message_get_sender(message);
	unsigned int count, dropped;
	int ret;

	if (!authority_user_is_active(uid))
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_ACCESS_DENIED,
						  "user %u has no active session on a seat",
						  (unsigned int)uid);
	ret = report_parse(message, uid, outputs, &count, &dropped);
	if (ret < 0)
		return ret;

	ret = count ? owners_watch(&bus->owners, bus->bus, owner) : 0;
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < count; i++)
		devices_find_card(manager, outputs[i].name, outputs[i].card);
	count = claims_report(&manager->claims, &manager->config, owner, outputs, count,
			      manager_now_ms(manager));
	owners_unwatch(&bus->owners, owner);
	if (dropped)
		log_line(LOG_NOTICE, LOG_CLAIM, NULL,
			 "%s reported %u outputs that are malformed or too many: dropped", owner,
			 dropped);
	manager_reported(manager, owner);
	return sd_bus_reply_method_return(message, "uu", count, dropped);
}

static int method_report(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return admit(userdata, message, report_admitted, error);
}

static int resume_allowed(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	const char *name;
	int ret = sd_bus_message_rewind(message, true);

	(void)uid;
	if (ret >= 0)
		ret = sd_bus_message_read(message, "s", &name);
	if (ret < 0)
		return ret;
	ret = manager_resume(bus->manager, name[0] ? name : NULL);
	if (ret < 0)
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_INVALID_ARGS,
						  "'%s': there is no such cache", name);
	return sd_bus_reply_method_return(message, NULL);
}

static int resume_admitted(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	return authority_ask(&bus->authority, bus, message, uid, BUS_ACTION_RESUME, resume_allowed,
			     false);
}

static int method_resume(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return admit(userdata, message, resume_admitted, error);
}

/* The cache of that name, or the only one, to be changed; NULL if that is not to be. */
static struct managed *find_cache(struct bus *bus, const char *name, sd_bus_error *error)
{
	struct managed *managed = bus->manager->caches;

	if (name[0])
		managed = manager_find_cache(bus->manager, name);
	if (!managed)
		sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "'%s': there is no such cache",
				  name);
	else if (!name[0] && managed->next)
		sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
				  "there are several caches: say which");
	else if (bus->manager->options.dry_run)
		sd_bus_error_setf(error, SD_BUS_ERROR_NOT_SUPPORTED,
				  "scanoutd runs with --dry-run, and changes nothing");
	return sd_bus_error_is_set(error) ? NULL : managed;
}

static int read_limits(sd_bus_message *message, struct cache_limits *limits, sd_bus_error *error)
{
	const char *name;
	uint64_t value;
	int ret = sd_bus_message_enter_container(message, 'a', "{st}");

	while (ret >= 0 && (ret = sd_bus_message_read(message, "{st}", &name, &value)) > 0) {
		enum cache_limit limit = cache_limit_find(name);

		if (limit == CACHE_LIMITS)
			return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
						 "'%s': accepted are " CACHE_LIMIT_NAMES, name);
		if (!cache_limit_in_range(limit, value))
			return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
						 "%s=%" PRIu64 ": accepted is %s", name, value,
						 cache_limit_range(limit));
		limits->given[limit] = true;
		limits->values[limit] = value;
	}
	return ret;
}

/* The answer to a call that changes a cache, if there is one: it was, or it was not. */
static int answer_change(sd_bus_message *message, const struct managed *managed, int ret,
			 sd_bus_error *error)
{
	if (ret < 0 && managed)
		sd_bus_error_setf(error, SD_BUS_ERROR_FAILED, "%s", managed->cache.error);
	if (!sd_bus_error_is_set(error))
		return ret < 0 ? ret : sd_bus_reply_method_return(message, NULL);
	ret = sd_bus_reply_method_error(message, error);
	sd_bus_error_free(error);
	return ret;
}

static int set_allowed(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct cache_limits limits = { 0 };
	struct managed *managed = NULL;
	const char *name;
	int ret = sd_bus_message_rewind(message, true);

	if (ret >= 0)
		ret = sd_bus_message_read(message, "s", &name);
	if (ret >= 0)
		ret = read_limits(message, &limits, &error);
	if (ret >= 0)
		managed = find_cache(bus, name, &error);
	if (managed) {
		log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name, "user %u sets limits",
			 (unsigned int)uid);
		ret = manager_set_limits(managed, &limits);
	}
	return answer_change(message, managed, ret, &error);
}

static int set_admitted(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	return authority_ask(&bus->authority, bus, message, uid, BUS_ACTION_SET, set_allowed,
			     false);
}

static int method_set(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return admit(userdata, message, set_admitted, error);
}

static int trim_allowed(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct managed *managed = NULL;
	const char *name;
	uint64_t bytes;
	int ret = sd_bus_message_rewind(message, true);

	if (ret >= 0)
		ret = sd_bus_message_read(message, "st", &name, &bytes);
	if (ret >= 0)
		managed = find_cache(bus, name, &error);
	if (managed) {
		log_line(LOG_NOTICE, LOG_EXTERNAL, managed->cache.name,
			 "user %u has it trimmed to %" PRIu64 " bytes", (unsigned int)uid, bytes);
		ret = cache_trim(&managed->cache, bytes);
	}
	return answer_change(message, managed, ret, &error);
}

static int trim_admitted(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	return authority_ask(&bus->authority, bus, message, uid, BUS_ACTION_SET, trim_allowed,
			     false);
}

static int method_trim(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return admit(userdata, message, trim_admitted, error);
}

/*
 * Properties
 */

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "s", SCANOUTD_VERSION);
}

static int get_caches(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct bus *self = userdata;
	char name[CACHE_OBJECT_PATH];
	int ret = sd_bus_message_open_container(reply, 'a', "o");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (const struct managed *m = self->manager->caches; m && ret >= 0; m = m->next) {
		cache_object_path(m, name);
		ret = sd_bus_message_append(reply, "o", name);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(reply);
}

static int get_holds(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct bus *self = userdata;
	const struct claims *claims = &self->manager->claims;
	int ret = sd_bus_message_open_container(reply, 'a', "(uutss)");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (unsigned int i = 0; i < CLAIMS_HOLDS && ret >= 0; i++) {
		const struct hold *hold = &claims->holds[i];

		if (hold->cookie)
			ret = sd_bus_message_append(reply, "(uutss)", hold->cookie,
						    (uint32_t)hold->uid, hold->min_bytes,
						    hold->reason, hold->owner);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(reply);
}

static int get_outputs(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct bus *self = userdata;
	uint64_t now_ms = manager_now_ms(self->manager);
	int ret = sd_bus_message_open_container(reply, 'a', "(suttuut)");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	/* These too tell of flips, see cache_object.c. */
	if (self->outputs_s != now_ms / 1000)
		memcpy(self->outputs, self->manager->claims.outputs, sizeof(self->outputs));
	self->outputs_s = now_ms / 1000;
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS && ret >= 0; i++) {
		const struct output_report *o = &self->outputs[i];

		if (o->owner[0] && o->until_ms > now_ms)
			ret = sd_bus_message_append(reply, "(suttuut)", o->name, o->refresh_mhz,
						    o->flips, o->missed, o->planes, o->buffers,
						    o->buffer_bytes);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(reply);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("Version", "s", get_version, 0, CONST),
	SD_BUS_PROPERTY("Caches", "ao", get_caches, 0, CHANGES),
	SD_BUS_PROPERTY("Holds", "a(uutss)", get_holds, 0, CHANGES),
	/* Read when wanted: these change all the time. */
	SD_BUS_PROPERTY("Outputs", "a(suttuut)", get_outputs, 0, 0),
	SD_BUS_METHOD_WITH_ARGS("Hold", SD_BUS_ARGS("t", min_bytes, "s", reason),
				SD_BUS_RESULT("u", cookie), method_hold,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ReleaseHold", SD_BUS_ARGS("u", cookie), SD_BUS_NO_RESULT,
				method_release, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Report", SD_BUS_ARGS("a(sa{sv})", outputs),
				SD_BUS_RESULT("u", taken, "u", dropped), method_report,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetLimits", SD_BUS_ARGS("s", cache, "a{st}", limits),
				SD_BUS_NO_RESULT, method_set, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Trim", SD_BUS_ARGS("s", cache, "t", bytes), SD_BUS_NO_RESULT,
				method_trim, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Resume", SD_BUS_ARGS("s", cache), SD_BUS_NO_RESULT, method_resume,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static int tell_changes(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct bus *bus = userdata;

	(void)source;
	(void)usec;
	bus->manager->wakeups++;
	for (struct managed *m = bus->manager->caches; m; m = m->next) {
		if (m->changed && bus->bus)
			cache_object_changed(bus->bus, m);
		m->changed = false;
	}
	return 0;
}

/*
 * Signals are for convenience; whoever misses one can read.  They come when a second begins, so
 * that they tell nobody when something was flipped.
 */
void bus_cache_changed(struct bus *bus, struct managed *managed)
{
	if (!bus || !bus->bus || managed->changed)
		return;
	managed->changed = true;
	sd_event_source_set_time(bus->tell_source, (manager_now_us() / SECOND_US + 1) * SECOND_US);
	sd_event_source_set_enabled(bus->tell_source, SD_EVENT_ONESHOT);
}

void bus_caches_changed(struct bus *bus)
{
	if (bus && bus->bus)
		sd_bus_emit_properties_changed(bus->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "Caches",
					       NULL);
}

void bus_holds_changed(struct bus *bus)
{
	if (bus && bus->bus)
		sd_bus_emit_properties_changed(bus->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "Holds",
					       NULL);
}

/*
 * The connection
 */

static int connect_to(sd_bus **bus, const char *address)
{
	int ret;

	if (!address[0])
		return sd_bus_open_system(bus);
	ret = sd_bus_new(bus);
	if (ret >= 0)
		ret = sd_bus_set_address(*bus, address);
	if (ret >= 0)
		ret = sd_bus_set_bus_client(*bus, true);
	if (ret >= 0)
		ret = sd_bus_start(*bus);
	return ret;
}

/*
 * Everything that is known by the name of a client: the next bus gives the same names to others,
 * who must not inherit a user, a claim or an answer.
 */
static void forget_clients(struct bus *bus)
{
	authority_forget(&bus->authority);
	callers_forget(&bus->callers);
	owners_release(&bus->owners);
	claims_forget_clients(&bus->manager->claims);
}

/* Let go of everything that belongs to a connection. */
static void disconnect(struct bus *bus)
{
	forget_clients(bus);
	bus->bus = sd_bus_close_unref(bus->bus);
	bus->connected = false;
}

/* Called soon, and at longer and longer intervals, until there is a bus again. */
static void retry_later(struct bus *bus)
{
	sd_event_source_set_time_relative(bus->retry_source, bus->retry_us);
	sd_event_source_set_enabled(bus->retry_source, SD_EVENT_ONESHOT);
	bus->retry_us = 2 * bus->retry_us < RETRY_MOST_US ? 2 * bus->retry_us : RETRY_MOST_US;
}

/* The connection itself cannot go while it tells this. */
static int disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;

	(void)message;
	(void)error;
	if (!bus->connected)
		return 0;
	bus->connected = false;
	log_line(LOG_WARNING, LOG_ERROR, NULL,
		 "the bus went away: claims are released; running without it until it is back");
	forget_clients(bus);
	retry_later(bus);
	return 0;
}

/* Of the service, and of its caches. */
static int offer_objects(struct bus *bus)
{
	int ret = sd_bus_add_object_vtable(bus->bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE,
					   manager_vtable, bus);

	return ret < 0 ? ret : cache_objects_offer(bus->bus, bus->manager);
}

static int connect_bus(struct bus *bus, const char **doing)
{
	int ret;

	*doing = "connecting to it";
	ret = connect_to(&bus->bus, bus->address);
	if (ret < 0)
		return ret;
	sd_bus_set_method_call_timeout(bus->bus, CALL_US);

	*doing = "offering interfaces";
	ret = offer_objects(bus);
	if (ret >= 0)
		ret = sd_bus_match_signal(bus->bus, NULL, "org.freedesktop.DBus.Local",
					  "/org/freedesktop/DBus/Local",
					  "org.freedesktop.DBus.Local", "Disconnected",
					  disconnected, bus);
	if (ret < 0)
		return ret;

	*doing = "joining the event loop";
	return sd_bus_attach_event(bus->bus, bus->event, SD_EVENT_PRIORITY_NORMAL);
}

static void name_acquired(struct bus *bus)
{
	bus->connected = true;
	bus->retry_us = RETRY_FIRST_US;
}

static void log_another(void)
{
	log_line(LOG_ERR, LOG_ERROR, NULL,
		 "another scanoutd has the name " BUS_NAME " and goes on: this one ends ("
		 "'scanoutd --dry-run --bus=none' looks on)");
}

/* The answer to RequestName: a number that says whether there is somebody else. */
static int name_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	enum { PRIMARY_OWNER = 1, EXISTS = 3, ALREADY_OWNER = 4 };
	struct bus *bus = userdata;
	uint32_t answer = 0;

	(void)error;
	if (!sd_bus_message_is_method_error(reply, NULL) &&
	    sd_bus_message_read(reply, "u", &answer) > 0 && answer == EXISTS) {
		log_another();
		manager_abandon(bus->manager);
		return sd_event_exit(bus->event, EXIT_FAILURE);
	}
	if (answer != PRIMARY_OWNER && answer != ALREADY_OWNER) {
		retry_later(bus);
		return 0;
	}
	name_acquired(bus);
	log_line(LOG_NOTICE, LOG_SERVICE, NULL, "the bus is there");
	return 0;
}

static int retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct bus *bus = userdata;
	const char *doing;

	(void)source;
	(void)usec;
	bus->manager->wakeups++;
	disconnect(bus);
	/* Not waited for: meanwhile there are limits to set. */
	if (connect_bus(bus, &doing) < 0 ||
	    sd_bus_request_name_async(bus->bus, NULL, BUS_NAME, 0, name_answered, bus) < 0) {
		disconnect(bus);
		retry_later(bus);
	}
	return 0;
}

int bus_new(struct bus **busp, struct manager *manager, sd_event *event, const char *address)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	const char *doing = "making a timer";
	int ret;

	if (!bus)
		return -ENOMEM;
	init(bus, manager);
	bus->address = address;
	bus->event = event;
	bus->retry_us = RETRY_FIRST_US;
	ret = sd_event_add_time_relative(event, &bus->retry_source, CLOCK_MONOTONIC, 0, 0, retry,
					 bus);
	if (ret >= 0)
		ret = sd_event_source_set_enabled(bus->retry_source, SD_EVENT_OFF);
	if (ret >= 0)
		ret = sd_event_add_time(event, &bus->tell_source, CLOCK_MONOTONIC, 0, 0,
					tell_changes, bus);
	if (ret >= 0)
		ret = sd_event_source_set_enabled(bus->tell_source, SD_EVENT_OFF);
	if (ret < 0) {
		bus_free(bus);
		return ret;
	}

	ret = connect_bus(bus, &doing);
	if (ret >= 0) {
		doing = "asking for the name " BUS_NAME;
		ret = sd_bus_request_name(bus->bus, BUS_NAME, 0);
	}
	if (ret == -EEXIST) {
		log_another();
		bus_free(bus);
		return ret;
	}
	if (ret >= 0) {
		name_acquired(bus);
	} else {
		const char *hint = ret == -EACCES ? "; is its D-Bus policy installed?" : "";

		log_line(LOG_WARNING, LOG_ERROR, NULL,
			 "bus: %s: %s%s; running without it, trying again", doing, strerror(-ret),
			 hint);
		disconnect(bus);
		retry_later(bus);
	}
	*busp = bus;
	return 0;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	/* No flush: what could be sent was sent at once, and a bus that hangs is not waited for. */
	disconnect(bus);
	sd_event_source_disable_unref(bus->retry_source);
	sd_event_source_disable_unref(bus->tell_source);
	free(bus);
	return NULL;
}
