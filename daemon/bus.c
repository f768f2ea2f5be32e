// SPDX-License-Identifier: MIT
#include "bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include "log.h"
#include "manager.h"

/* Questions to polkit under way at the same time; it answers when the user did. */
#define QUESTIONS 16

#define ERROR_LIMITS SD_BUS_ERROR_LIMITS_EXCEEDED

/* A client with claims, watched so that they go when it goes. */
struct owner {
	struct bus *bus;
	struct owner *next;
	sd_bus_track *track;
	char name[CLAIMS_NAME];
};

typedef int (*allowed_fn)(struct bus *bus, sd_bus_message *message, uid_t uid);

/* A call that waits for polkit. */
struct question {
	struct bus *bus;
	sd_bus_message *message; /* NULL: free slot */
	sd_bus_slot *slot;
	allowed_fn allowed;
	uid_t uid;
};

struct bus {
	struct manager *manager;
	sd_bus *bus;
	struct owner *owners;
	struct question questions[QUESTIONS];
};

/*
 * Who calls
 */

static struct client *caller(struct bus *bus, sd_bus_message *message, bool *is_new)
{
	struct manager *manager = bus->manager;

	return claims_client(&manager->claims, &manager->config, sd_bus_message_get_sender(message),
			     manager_now_ms(manager), is_new);
}

/*
 * Count the call and find out whose it is.  The kernel told the bus when the client connected; the
 * client has no say in it.
 */
static int admit(struct bus *bus, sd_bus_message *message, uid_t *uid, sd_bus_error *error)
{
	struct manager *manager = bus->manager;
	sd_bus_creds *creds = NULL;
	struct client *client;
	bool is_new;
	int ret;

	if (!sd_bus_message_get_sender(message))
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
					"callers need a name on the bus");
	client = caller(bus, message, &is_new);
	if (!claims_may_call(client, &manager->config, manager_now_ms(manager)))
		return sd_bus_error_setf(error, ERROR_LIMITS,
					 "too many calls: %u a second are accepted, %u at once",
					 manager->config.calls_per_second,
					 manager->config.calls_burst);
	if (client->uid == (uid_t)-1) {
		ret = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);
		if (ret >= 0)
			ret = sd_bus_creds_get_euid(creds, &client->uid);
		sd_bus_creds_unref(creds);
		if (ret < 0)
			return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
						"the bus does not say which user calls");
	}
	*uid = client->uid;
	return 0;
}

/* Does the user sit at the machine now? */
static bool user_is_active(uid_t uid)
{
	return !uid || sd_uid_get_seats(uid, true, NULL) > 0;
}

static void question_done(struct question *question)
{
	sd_bus_slot_unref(question->slot);
	sd_bus_message_unref(question->message);
	question->slot = NULL;
	question->message = NULL;
}

static int polkit_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct question *question = userdata;
	struct bus *bus = question->bus;
	sd_bus_message *message = question->message;
	int authorized = 0, challenge = 0, ret;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		/* No polkit here: who sits at the machine may, as its rule would have it. */
		authorized = user_is_active(question->uid);
	} else {
		ret = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
		if (ret >= 0)
			ret = sd_bus_message_read(reply, "bb", &authorized, &challenge);
		if (ret < 0)
			authorized = 0;
	}

	if (authorized)
		ret = question->allowed(bus, message, question->uid);
	else
		ret = sd_bus_reply_method_errorf(
			message,
			challenge ? SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED :
				    SD_BUS_ERROR_ACCESS_DENIED,
			"user %u may not do this; polkit decides it, by default for users of the "
			"active session",
			(unsigned int)question->uid);
	question_done(question);
	return ret < 0 ? ret : 1;
}

/* Have @allowed called if the caller may do @action, now or when polkit has answered. */
static int authorize(struct bus *bus, sd_bus_message *message, const char *action,
		     allowed_fn allowed, sd_bus_error *error)
{
	struct question *question = NULL;
	sd_bus_message *call = NULL;
	uid_t uid;
	int ret = admit(bus, message, &uid, error);

	if (ret < 0)
		return ret;
	if (!uid)
		return allowed(bus, message, uid);

	for (unsigned int i = 0; i < QUESTIONS && !question; i++)
		if (!bus->questions[i].message)
			question = &bus->questions[i];
	if (!question)
		return sd_bus_error_setf(error, ERROR_LIMITS,
					 "%d calls already wait for authorization", QUESTIONS);

	ret = sd_bus_message_new_method_call(bus->bus, &call, "org.freedesktop.PolicyKit1",
					     "/org/freedesktop/PolicyKit1/Authority",
					     "org.freedesktop.PolicyKit1.Authority",
					     "CheckAuthorization");
	if (ret >= 0)
		ret = sd_bus_message_append(
			call, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
			sd_bus_message_get_sender(message), action, 0,
			sd_bus_message_get_allow_interactive_authorization(message) ? 1 : 0, "");
	if (ret >= 0)
		ret = sd_bus_call_async(bus->bus, &question->slot, call, polkit_answered, question,
					0);
	sd_bus_message_unref(call);
	if (ret < 0)
		return ret;
	question->bus = bus;
	question->allowed = allowed;
	question->uid = uid;
	question->message = sd_bus_message_ref(message);
	return 1;
}

/*
 * Owners
 */

static int owner_gone(sd_bus_track *track, void *userdata)
{
	struct owner *owner = userdata;
	struct bus *bus = owner->bus;
	struct owner **link = &bus->owners;
	char name[CLAIMS_NAME];

	(void)track;
	memcpy(name, owner->name, sizeof(name));
	while (*link != owner)
		link = &(*link)->next;
	*link = owner->next;
	sd_bus_track_unref(owner->track);
	free(owner);
	if (claims_forget(&bus->manager->claims, name)) {
		log_line(LOG_INFO, LOG_CLAIM, NULL, "%s left the bus: its claims are released",
			 name);
		bus_holds_changed(bus);
		manager_reconsider(bus->manager);
	}
	return 0;
}

static int watch_owner(struct bus *bus, const char *name)
{
	struct owner *owner;
	int ret;

	for (owner = bus->owners; owner; owner = owner->next)
		if (!strcmp(owner->name, name))
			return 0;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	owner->bus = bus;
	snprintf(owner->name, sizeof(owner->name), "%s", name);
	ret = sd_bus_track_new(bus->bus, &owner->track, owner_gone, owner);
	if (ret >= 0)
		ret = sd_bus_track_add_name(owner->track, name);
	if (ret < 0) {
		sd_bus_track_unref(owner->track);
		free(owner);
		return ret;
	}
	owner->next = bus->owners;
	bus->owners = owner;
	return 0;
}

/* Nothing is left to release if it goes. */
static void unwatch_owner(struct bus *bus, const char *name)
{
	if (claims_has(&bus->manager->claims, name))
		return;
	for (struct owner **link = &bus->owners; *link; link = &(*link)->next) {
		struct owner *owner = *link;

		if (strcmp(owner->name, name))
			continue;
		*link = owner->next;
		sd_bus_track_unref(owner->track);
		free(owner);
		return;
	}
}

/*
 * Methods
 */

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
	ret = watch_owner(bus, owner);
	if (ret < 0)
		return sd_bus_reply_method_errnof(message, -ret, "watching %s", owner);

	cookie = claims_hold(&manager->claims, &manager->config, owner, uid, min_bytes, reason);
	if (cookie < 0) {
		unwatch_owner(bus, owner);
		if (cookie == -ERANGE)
			return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_INVALID_ARGS,
							  "min_bytes %" PRIu64
							  ": accepted is up to %" PRIu64
							  " (HoldMaxBytes=)",
							  min_bytes,
							  manager->config.hold_max_bytes);
		return sd_bus_reply_method_errorf(
			message, ERROR_LIMITS, "%s",
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

static int method_hold(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return authorize(userdata, message, BUS_ACTION_HOLD, hold_allowed, error);
}

static int method_release(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	struct manager *manager = bus->manager;
	uint32_t cookie;
	uid_t uid;
	int ret = admit(bus, message, &uid, error);

	if (ret >= 0)
		ret = sd_bus_message_read(message, "u", &cookie);
	if (ret < 0)
		return ret;
	ret = claims_release(&manager->claims, cookie, uid);
	if (ret == -ENOENT)
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "there is no hold %u",
					 cookie);
	if (ret)
		return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED,
					 "hold %u is another user's", cookie);
	unwatch_owner(bus, sd_bus_message_get_sender(message));
	log_line(LOG_INFO, LOG_CLAIM, NULL, "hold %u released", cookie);
	bus_holds_changed(bus);
	manager_reconsider(manager);
	return sd_bus_reply_method_return(message, NULL);
}

/* Read the value of one key of a report; something else than expected is skipped. */
static int read_variant(sd_bus_message *message, char type, void *value)
{
	const char signature[] = { type, '\0' };
	const char *contents;
	char kind;
	int ret = sd_bus_message_peek_type(message, &kind, &contents);

	if (ret <= 0 || kind != 'v')
		return ret < 0 ? ret : -EBADMSG;
	if (strcmp(contents, signature)) {
		ret = sd_bus_message_skip(message, "v");
		return ret < 0 ? ret : 0;
	}
	ret = sd_bus_message_read(message, "v", signature, value);
	return ret < 0 ? ret : 1;
}

/* One of a(sa{sv}).  @good is cleared if a value has the wrong type. */
static int read_output(sd_bus_message *message, struct output_report *output, bool *good)
{
	const char *name, *key;
	int ret = sd_bus_message_read(message, "s", &name);

	if (ret < 0)
		return ret;
	*good = name[0] && strlen(name) < sizeof(output->name);
	snprintf(output->name, sizeof(output->name), "%s", name);
	ret = sd_bus_message_enter_container(message, 'a', "{sv}");
	if (ret < 0)
		return ret;
	while ((ret = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		int coming = 0;

		ret = sd_bus_message_read(message, "s", &key);
		if (ret < 0)
			return ret;
		if (!strcmp(key, "RefreshMilliHertz"))
			ret = read_variant(message, 'u', &output->refresh_mhz);
		else if (!strcmp(key, "Flips"))
			ret = read_variant(message, 't', &output->flips);
		else if (!strcmp(key, "Missed"))
			ret = read_variant(message, 't', &output->missed);
		else if (!strcmp(key, "Planes"))
			ret = read_variant(message, 'u', &output->planes);
		else if (!strcmp(key, "Buffers"))
			ret = read_variant(message, 'u', &output->buffers);
		else if (!strcmp(key, "BufferBytes"))
			ret = read_variant(message, 't', &output->buffer_bytes);
		else if (!strcmp(key, "ChangeComing"))
			ret = read_variant(message, 'b', &coming);
		else
			/* From the future; not wrong. */
			ret = sd_bus_message_skip(message, "v") < 0 ? -EBADMSG : 1;
		if (ret < 0)
			return ret;
		*good = *good && ret;
		output->coming = output->coming || coming;
		ret = sd_bus_message_exit_container(message);
		if (ret < 0)
			return ret;
	}
	return ret < 0 ? ret : sd_bus_message_exit_container(message);
}

static int method_report(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct output_report outputs[CLAIMS_OUTPUTS_PER_CLIENT];
	struct bus *bus = userdata;
	struct manager *manager = bus->manager;
	const char *owner = sd_bus_message_get_sender(message);
	unsigned int count = 0, dropped = 0;
	uint64_t wanted, before;
	uid_t uid;
	int ret = admit(bus, message, &uid, error);

	if (ret < 0)
		return ret;
	if (!user_is_active(uid))
		return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED,
					 "user %u has no active session on a seat",
					 (unsigned int)uid);
	ret = sd_bus_message_enter_container(message, 'a', "(sa{sv})");
	if (ret < 0)
		return ret;
	while ((ret = sd_bus_message_enter_container(message, 'r', "sa{sv}")) > 0) {
		struct output_report output = { 0 };
		bool good;

		ret = read_output(message, &output, &good);
		if (ret >= 0)
			ret = sd_bus_message_exit_container(message);
		if (ret < 0)
			return ret;
		if (good && count < CLAIMS_OUTPUTS_PER_CLIENT)
			outputs[count++] = output;
		else
			dropped++;
	}
	if (ret < 0)
		return ret;

	ret = count ? watch_owner(bus, owner) : 0;
	if (ret < 0)
		return ret;
	before = claims_wanted_bytes(&manager->claims, &manager->config, manager_now_ms(manager));
	count = claims_report(&manager->claims, &manager->config, owner, outputs, count,
			      manager_now_ms(manager));
	unwatch_owner(bus, owner);
	wanted = claims_wanted_bytes(&manager->claims, &manager->config, manager_now_ms(manager));
	if (dropped)
		log_line(LOG_NOTICE, LOG_CLAIM, NULL,
			 "%s reported %u outputs that are malformed or too many: dropped", owner,
			 dropped);
	/* Only what wants more is worth a look before the next poll. */
	if (wanted > before)
		manager_reconsider(manager);
	return sd_bus_reply_method_return(message, "uu", count, dropped);
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

static int method_resume(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return authorize(userdata, message, BUS_ACTION_RESUME, resume_allowed, error);
}

/*
 * Properties
 */

static void cache_path(const struct managed *managed, char path[128])
{
	snprintf(path, 128, BUS_CACHES_PATH "/%s", managed->cache.name);
}

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
	char name[128];
	int ret = sd_bus_message_open_container(reply, 'a', "o");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (const struct managed *m = self->manager->caches; m && ret >= 0; m = m->next) {
		cache_path(m, name);
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
	const struct bus *self = userdata;
	const struct claims *claims = &self->manager->claims;
	uint64_t now_ms = manager_now_ms(self->manager);
	int ret = sd_bus_message_open_container(reply, 'a', "(suttuut)");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS && ret >= 0; i++) {
		const struct output_report *o = &claims->outputs[i];

		if (o->owner[0] && o->until_ms > now_ms)
			ret = sd_bus_message_append(reply, "(suttuut)", o->name, o->refresh_mhz,
						    o->flips, o->missed, o->planes, o->buffers,
						    o->buffer_bytes);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(reply);
}

static int get_wakeups(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct bus *self = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "t", self->manager->wakeups);
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct managed *managed = userdata;
	const char *text = managed->explanation;

	(void)bus, (void)path, (void)interface, (void)error;
	if (!strcmp(property, "Name"))
		text = managed->cache.name;
	else if (!strcmp(property, "SysfsPath"))
		text = managed->cache.path;
	else if (!strcmp(property, "State"))
		text = managed_state_name(managed->state);
	else if (!strcmp(property, "Reason"))
		text = tuner_reason_name(managed->decision.reason);
	return sd_bus_message_append(reply, "s", text);
}

static int get_share(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct managed *managed = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "d", managed->decision.share_then);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("Version", "s", get_version, 0, CONST),
	SD_BUS_PROPERTY("Caches", "ao", get_caches, 0, CHANGES),
	SD_BUS_PROPERTY("Holds", "a(uutss)", get_holds, 0, CHANGES),
	/* Read when wanted: these change all the time. */
	SD_BUS_PROPERTY("Outputs", "a(suttuut)", get_outputs, 0, 0),
	SD_BUS_PROPERTY("Wakeups", "t", get_wakeups, 0, 0),
	SD_BUS_METHOD_WITH_ARGS("Hold", SD_BUS_ARGS("t", min_bytes, "s", reason),
				SD_BUS_RESULT("u", cookie), method_hold,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ReleaseHold", SD_BUS_ARGS("u", cookie), SD_BUS_NO_RESULT,
				method_release, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Report", SD_BUS_ARGS("a(sa{sv})", outputs),
				SD_BUS_RESULT("u", taken, "u", dropped), method_report,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Resume", SD_BUS_ARGS("s", cache), SD_BUS_NO_RESULT, method_resume,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

#define TEXT(_name, _flags) SD_BUS_PROPERTY(_name, "s", get_text, 0, _flags)
#define FIGURE(_name, _field, _flags) \
	SD_BUS_PROPERTY(_name, "t", NULL, offsetof(struct managed, _field), _flags)

static const sd_bus_vtable cache_vtable[] = {
	SD_BUS_VTABLE_START(0), TEXT("Name", CONST), TEXT("SysfsPath", CONST),
	TEXT("State", CHANGES), TEXT("Reason", CHANGES), TEXT("Explanation", CHANGES),
	FIGURE("MaxBytes", last.max_bytes, CHANGES),
	FIGURE("MaxEntries", last.max_entries, CHANGES),
	/* As of the last poll, read when wanted: these change all the time. */
	FIGURE("WantedBytes", decision.wanted_bytes, 0),
	FIGURE("FloorBytes", decision.floor_bytes, 0),
	FIGURE("BudgetBytes", decision.budget_bytes, 0),
	SD_BUS_PROPERTY("ReuseShare", "d", get_share, 0, 0),
	FIGURE("ActiveBytes", last.active_bytes, 0),
	FIGURE("ActiveEntries", last.active_entries, 0), FIGURE("IdleBytes", last.idle_bytes, 0),
	FIGURE("IdleEntries", last.idle_entries, 0), FIGURE("Flips", last.flips, 0),
	FIGURE("Hits", last.hits, 0), FIGURE("Misses", last.misses, 0), SD_BUS_VTABLE_END
};

static int find_managed(sd_bus *sdbus, const char *path, const char *interface, void *userdata,
			void **found, sd_bus_error *error)
{
	struct bus *bus = userdata;
	char own[128];

	(void)sdbus, (void)interface, (void)error;
	for (struct managed *m = bus->manager->caches; m; m = m->next) {
		cache_path(m, own);
		if (!strcmp(own, path)) {
			*found = m;
			return 1;
		}
	}
	return 0;
}

static int enumerate(sd_bus *sdbus, const char *prefix, void *userdata, char ***nodes,
		     sd_bus_error *error)
{
	struct bus *bus = userdata;
	size_t count = 0, i = 0;
	char **list, own[128];

	(void)sdbus, (void)prefix, (void)error;
	for (struct managed *m = bus->manager->caches; m; m = m->next)
		count++;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (struct managed *m = bus->manager->caches; m; m = m->next) {
		cache_path(m, own);
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

/* Signals are for convenience; whoever misses one can read. */
void bus_cache_changed(struct bus *bus, const struct managed *managed)
{
	char path[128];

	if (!bus)
		return;
	cache_path(managed, path);
	sd_bus_emit_properties_changed(bus->bus, path, BUS_CACHE_INTERFACE, "State", "Reason",
				       "Explanation", "MaxBytes", "MaxEntries", NULL);
}

void bus_caches_changed(struct bus *bus)
{
	if (bus)
		sd_bus_emit_properties_changed(bus->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "Caches",
					       NULL);
}

void bus_holds_changed(struct bus *bus)
{
	if (bus)
		sd_bus_emit_properties_changed(bus->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "Holds",
					       NULL);
}

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

int bus_new(struct bus **busp, struct manager *manager, sd_event *event, const char *address)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	const char *doing = "connecting to the system bus";
	int ret;

	if (!bus)
		return -ENOMEM;
	bus->manager = manager;
	ret = connect_to(&bus->bus, address);
	if (ret >= 0) {
		doing = "offering interfaces";
		ret = sd_bus_add_object_vtable(bus->bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE,
					       manager_vtable, bus);
	}
	if (ret >= 0)
		ret = sd_bus_add_fallback_vtable(bus->bus, NULL, BUS_CACHES_PATH,
						 BUS_CACHE_INTERFACE, cache_vtable, find_managed,
						 bus);
	if (ret >= 0)
		ret = sd_bus_add_node_enumerator(bus->bus, NULL, BUS_CACHES_PATH, enumerate, bus);
	if (ret >= 0) {
		doing = "joining the event loop";
		ret = sd_bus_attach_event(bus->bus, event, SD_EVENT_PRIORITY_NORMAL);
	}
	if (ret >= 0) {
		doing = "asking for the name " BUS_NAME;
		ret = sd_bus_request_name(bus->bus, BUS_NAME, 0);
	}
	if (ret < 0) {
		const char *hint = ret == -EEXIST ? "; another scanoutd runs" :
				   ret == -EACCES ? "; is its D-Bus policy installed?" :
						    "";

		log_line(LOG_WARNING, LOG_ERROR, NULL, "bus: %s: %s%s", doing, strerror(-ret),
			 hint);
		bus_free(bus);
		return ret;
	}
	*busp = bus;
	return 0;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	for (unsigned int i = 0; i < QUESTIONS; i++)
		question_done(&bus->questions[i]);
	while (bus->owners) {
		struct owner *owner = bus->owners;

		bus->owners = owner->next;
		sd_bus_track_unref(owner->track);
		free(owner);
	}
	sd_bus_flush_close_unref(bus->bus);
	free(bus);
	return NULL;
}
