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

/* Calls of clients that the bus is asked about, because they are new. */
#define LOOKUPS 64

/* Questions to polkit under way at the same time; it answers when the user did. */
#define QUESTIONS 16
#define QUESTIONS_PER_USER 4

#define SECOND_US UINT64_C(1000000)
/* How long a person may think about polkit's question, and polkit itself. */
#define PERSON_US (300 * SECOND_US)
#define POLKIT_US (25 * SECOND_US)
/* Calls that are waited for: a bus that hangs must not keep limits from being set for long. */
#define CALL_US (5 * SECOND_US)
/* When the bus is gone, the times between attempts begin and end with these. */
#define RETRY_FIRST_US SECOND_US
#define RETRY_MOST_US (60 * SECOND_US)

#define ERROR_LIMITS SD_BUS_ERROR_LIMITS_EXCEEDED

/* A client with claims, watched so that they go when it goes. */
struct owner {
	struct bus *bus;
	struct owner *next;
	sd_bus_slot *leaves;   /* tells when it does */
	sd_bus_slot *is_there; /* tells if it did before that */
	char name[CLAIMS_NAME];
};

/* What is done with a call of a user: answers it, now or later, or returns a negative error. */
typedef int (*allowed_fn)(struct bus *bus, sd_bus_message *message, uid_t uid);

/* A call that waits for an answer of somebody else. */
struct waiting {
	struct bus *bus;
	sd_bus_message *message; /* NULL: free slot */
	sd_bus_slot *slot;
	allowed_fn allowed;
	/* of those that wait for polkit */
	bool for_active;
	uid_t uid;
};

struct bus {
	struct manager *manager;
	const char *address;
	/* NULL, or closed, while there is no connection */
	sd_bus *bus;
	sd_event *event;
	sd_event_source *retry_source;
	uint64_t retry_us;
	/* It has its name, so that its end is worth a line. */
	bool connected;
	struct owner *owners;
	struct waiting lookups[LOOKUPS];
	struct waiting questions[QUESTIONS];
};

/*
 * Who calls
 *
 * Nothing here waits for the bus.  Who waits has to take in what comes before the answer, and who
 * floods decides how much that is.
 */

static void waiting_done(struct waiting *waiting)
{
	sd_bus_slot_unref(waiting->slot);
	sd_bus_message_unref(waiting->message);
	waiting->slot = NULL;
	waiting->message = NULL;
}

/* The call was not answered when it came, so that an error has to be now. */
static int answered_late(struct waiting *waiting, int ret)
{
	if (ret < 0)
		sd_bus_reply_method_errno(waiting->message, ret, NULL);
	waiting_done(waiting);
	return 1;
}

static int admit_user(struct bus *bus, sd_bus_message *message, uid_t uid, allowed_fn admitted)
{
	struct manager *manager = bus->manager;

	if (!claims_user_may_call(&manager->claims, &manager->config, uid, manager_now_ms(manager)))
		return sd_bus_reply_method_errorf(
			message, ERROR_LIMITS,
			"too many calls of user %u: %u a second are accepted", (unsigned int)uid,
			CLAIMS_CLIENTS_OF_USER * manager->config.calls_per_second);
	return admitted(bus, message, uid);
}

static int user_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct waiting *lookup = userdata;
	struct manager *manager = lookup->bus->manager;
	sd_bus_message *message = lookup->message;
	uint32_t uid;
	bool is_new;
	int ret;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL) ||
	    sd_bus_message_read(reply, "u", &uid) < 0)
		return answered_late(lookup, sd_bus_reply_method_errorf(
						     message, SD_BUS_ERROR_ACCESS_DENIED,
						     "the bus does not say which user calls"));
	claims_client(&manager->claims, &manager->config, sd_bus_message_get_sender(message),
		      manager_now_ms(manager), &is_new)
		->uid = uid;
	ret = admit_user(lookup->bus, message, uid, lookup->allowed);
	return answered_late(lookup, ret);
}

/*
 * Count the call and find out whose it is.  The kernel told the bus when the client connected; the
 * client has no say in it.
 */
static int admit(struct bus *bus, sd_bus_message *message, allowed_fn admitted, sd_bus_error *error)
{
	const char *name = sd_bus_message_get_sender(message);
	struct manager *manager = bus->manager;
	struct waiting *lookup = NULL;
	struct client *client;
	bool is_new;
	int ret;

	if (!name)
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
					"callers need a name on the bus");
	client = claims_client(&manager->claims, &manager->config, name, manager_now_ms(manager),
			       &is_new);
	if (!claims_may_call(client, &manager->config, manager_now_ms(manager)))
		return sd_bus_error_setf(error, ERROR_LIMITS,
					 "too many calls: %u a second are accepted, %u at once",
					 manager->config.calls_per_second,
					 manager->config.calls_burst);
	if (client->uid != (uid_t)-1)
		return admit_user(bus, message, client->uid, admitted);

	for (unsigned int i = 0; i < LOOKUPS && !lookup; i++)
		if (!bus->lookups[i].message)
			lookup = &bus->lookups[i];
	if (!lookup)
		return sd_bus_error_setf(error, ERROR_LIMITS,
					 "%d calls of new clients wait already", LOOKUPS);
	ret = sd_bus_call_method_async(bus->bus, &lookup->slot, "org.freedesktop.DBus",
				       "/org/freedesktop/DBus", "org.freedesktop.DBus",
				       "GetConnectionUnixUser", user_answered, lookup, "s", name);
	if (ret < 0)
		return ret;
	lookup->bus = bus;
	lookup->allowed = admitted;
	lookup->message = sd_bus_message_ref(message);
	return 1;
}

/* Does the user sit at the machine now? */
static bool user_is_active(uid_t uid)
{
	return !uid || sd_uid_get_seats(uid, true, NULL) > 0;
}

/* There is none: not one that takes long, fails or does not want to answer. */
static bool polkit_is_absent(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

static int polkit_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct waiting *question = userdata;
	struct bus *bus = question->bus;
	sd_bus_message *message = question->message;
	int authorized = 0, challenge = 0, ret;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		/* As its rule would have it. */
		authorized = polkit_is_absent(sd_bus_message_get_error(reply)) &&
			     question->for_active && user_is_active(question->uid);
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
	return answered_late(question, ret);
}

/*
 * Have @allowed called if the caller may do @action, now or when polkit has answered.  Without
 * polkit root may, and users at the machine if @for_active.
 */
static int authorize(struct bus *bus, sd_bus_message *message, uid_t uid, const char *action,
		     allowed_fn allowed, bool for_active)
{
	int interactive = sd_bus_message_get_allow_interactive_authorization(message);
	struct waiting *question = NULL;
	sd_bus_message *call = NULL;
	unsigned int of_user = 0;
	int ret;

	if (!uid)
		return allowed(bus, message, uid);

	for (unsigned int i = 0; i < QUESTIONS; i++) {
		if (!bus->questions[i].message)
			question = &bus->questions[i];
		else
			of_user += bus->questions[i].uid == uid;
	}
	if (!question || of_user >= QUESTIONS_PER_USER)
		return sd_bus_reply_method_errorf(
			message, ERROR_LIMITS,
			"too many calls wait for authorization: accepted are %d, and %d of a user",
			QUESTIONS, QUESTIONS_PER_USER);

	ret = sd_bus_message_new_method_call(bus->bus, &call, "org.freedesktop.PolicyKit1",
					     "/org/freedesktop/PolicyKit1/Authority",
					     "org.freedesktop.PolicyKit1.Authority",
					     "CheckAuthorization");
	if (ret >= 0)
		ret = sd_bus_message_append(call, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name",
					    "s", sd_bus_message_get_sender(message), action, 0,
					    interactive > 0 ? 1 : 0, "");
	if (ret >= 0)
		ret = sd_bus_call_async(bus->bus, &question->slot, call, polkit_answered, question,
					interactive > 0 ? PERSON_US : POLKIT_US);
	sd_bus_message_unref(call);
	if (ret < 0)
		return ret;
	question->bus = bus;
	question->allowed = allowed;
	question->for_active = for_active;
	question->uid = uid;
	question->message = sd_bus_message_ref(message);
	return 1;
}

/*
 * Owners
 */

static void free_owner(struct owner *owner)
{
	sd_bus_slot_unref(owner->leaves);
	sd_bus_slot_unref(owner->is_there);
	free(owner);
}

static void owner_gone(struct owner *owner)
{
	struct bus *bus = owner->bus;
	struct owner **link = &bus->owners;
	char name[CLAIMS_NAME];

	memcpy(name, owner->name, sizeof(name));
	while (*link != owner)
		link = &(*link)->next;
	*link = owner->next;
	free_owner(owner);
	if (claims_forget(&bus->manager->claims, name)) {
		log_line(LOG_INFO, LOG_CLAIM, NULL, "%s left the bus: its claims are released",
			 name);
		bus_holds_changed(bus);
		manager_reconsider(bus->manager);
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

static int watch_owner(struct bus *bus, const char *name)
{
	struct owner *owner;
	char match[320];
	int ret;

	for (owner = bus->owners; owner; owner = owner->next)
		if (!strcmp(owner->name, name))
			return 0;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	owner->bus = bus;
	snprintf(owner->name, sizeof(owner->name), "%s", name);
	snprintf(match, sizeof(match),
		 "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
		 "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s',arg2=''",
		 name);
	ret = sd_bus_add_match_async(bus->bus, &owner->leaves, match, owner_left, NULL, owner);
	/* The bus does one after the other: whoever is still there after that is watched. */
	if (ret >= 0)
		ret = sd_bus_call_method_async(bus->bus, &owner->is_there, "org.freedesktop.DBus",
					       "/org/freedesktop/DBus", "org.freedesktop.DBus",
					       "GetNameOwner", owner_answered, owner, "s", name);
	if (ret < 0) {
		free_owner(owner);
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
		free_owner(owner);
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

static int hold_admitted(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	return authorize(bus, message, uid, BUS_ACTION_HOLD, hold_allowed, true);
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
	unwatch_owner(bus, sd_bus_message_get_sender(message));
	log_line(LOG_INFO, LOG_CLAIM, NULL, "hold %u released", cookie);
	bus_holds_changed(bus);
	manager_reconsider(manager);
	return sd_bus_reply_method_return(message, NULL);
}

static int method_release(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return admit(userdata, message, release_admitted, error);
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
	const char *name, *key, *event;
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
		else if (!strcmp(key, "EventBuffers"))
			ret = read_variant(message, 'u', &output->event_buffers);
		else if (!strcmp(key, "EventBytes"))
			ret = read_variant(message, 't', &output->event_bytes);
		else if (!strcmp(key, "Event")) {
			ret = read_variant(message, 's', &event);
			/* One not known here is a change, but no reason to drop the rest. */
			if (ret > 0) {
				output->event = claims_event(event);
				coming = event[0] && !output->event;
			}
		} else
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

static int report_admitted(struct bus *bus, sd_bus_message *message, uid_t uid)
{
	struct output_report outputs[CLAIMS_OUTPUTS_PER_CLIENT];
	struct manager *manager = bus->manager;
	const char *owner = sd_bus_message_get_sender(message);
	unsigned int count = 0, dropped = 0;
	struct coming coming_before, coming;
	uint64_t wanted, before, now_ms;
	int ret;

	if (!user_is_active(uid))
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_ACCESS_DENIED,
						  "user %u has no active session on a seat",
						  (unsigned int)uid);
	ret = sd_bus_message_enter_container(message, 'a', "(sa{sv})");
	if (ret < 0)
		return ret;
	while ((ret = sd_bus_message_enter_container(message, 'r', "sa{sv}")) > 0) {
		struct output_report output = { .uid = uid };
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
	now_ms = manager_now_ms(manager);
	before = claims_wanted_bytes(&manager->claims, &manager->config, now_ms);
	coming_before = claims_coming(&manager->claims, &manager->config, now_ms);
	count = claims_report(&manager->claims, &manager->config, owner, outputs, count, now_ms);
	unwatch_owner(bus, owner);
	wanted = claims_wanted_bytes(&manager->claims, &manager->config, now_ms);
	coming = claims_coming(&manager->claims, &manager->config, now_ms);
	if (coming.event && coming.event != coming_before.event)
		log_line(LOG_INFO, LOG_CLAIM, NULL,
			 "%s announced %s: room for %" PRIu64 " buffers, %" PRIu64
			 " bytes in all, for %u ms",
			 owner, claims_event_name(coming.event), coming.entries, coming.bytes,
			 manager->config.event_ms);
	if (dropped)
		log_line(LOG_NOTICE, LOG_CLAIM, NULL,
			 "%s reported %u outputs that are malformed or too many: dropped", owner,
			 dropped);
	/* Only what wants more is worth a look before the next poll. */
	if (wanted > before || coming.bytes > coming_before.bytes ||
	    coming.off != coming_before.off)
		manager_reconsider(manager);
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
	return authorize(bus, message, uid, BUS_ACTION_RESUME, resume_allowed, false);
}

static int method_resume(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return admit(userdata, message, resume_admitted, error);
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
	else if (!strcmp(property, "Insertion"))
		text = cache_insertion_name(managed->last.insertion);
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
	FIGURE("IdleTimeoutMs", last.idle_timeout_ms, CHANGES), TEXT("Insertion", CHANGES),
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

	if (!bus || !bus->bus)
		return;
	cache_path(managed, path);
	sd_bus_emit_properties_changed(bus->bus, path, BUS_CACHE_INTERFACE, "State", "Reason",
				       "Explanation", "MaxBytes", "MaxEntries", "IdleTimeoutMs",
				       "Insertion", NULL);
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

/* Claims end with a connection, as their owners' connections do. */
static void release_owners(struct bus *bus)
{
	while (bus->owners) {
		struct owner *owner = bus->owners;

		bus->owners = owner->next;
		claims_forget(&bus->manager->claims, owner->name);
		free_owner(owner);
	}
}

/* Let go of everything that belongs to a connection. */
static void disconnect(struct bus *bus)
{
	for (unsigned int i = 0; i < QUESTIONS; i++)
		waiting_done(&bus->questions[i]);
	for (unsigned int i = 0; i < LOOKUPS; i++)
		waiting_done(&bus->lookups[i]);
	release_owners(bus);
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
	release_owners(bus);
	retry_later(bus);
	return 0;
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
	ret = sd_bus_add_object_vtable(bus->bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE,
				       manager_vtable, bus);
	if (ret >= 0)
		ret = sd_bus_add_fallback_vtable(bus->bus, NULL, BUS_CACHES_PATH,
						 BUS_CACHE_INTERFACE, cache_vtable, find_managed,
						 bus);
	if (ret >= 0)
		ret = sd_bus_add_node_enumerator(bus->bus, NULL, BUS_CACHES_PATH, enumerate, bus);
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

/* The answer to RequestName: a number that says whether there is somebody else. */
static int name_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	enum { PRIMARY_OWNER = 1, ALREADY_OWNER = 4 };
	struct bus *bus = userdata;
	uint32_t answer = 0;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL) ||
	    sd_bus_message_read(reply, "u", &answer) < 0 ||
	    (answer != PRIMARY_OWNER && answer != ALREADY_OWNER)) {
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
	bus->manager = manager;
	bus->address = address;
	bus->event = event;
	bus->retry_us = RETRY_FIRST_US;
	ret = sd_event_add_time_relative(event, &bus->retry_source, CLOCK_MONOTONIC, 0, 0, retry,
					 bus);
	if (ret >= 0)
		ret = sd_event_source_set_enabled(bus->retry_source, SD_EVENT_OFF);
	if (ret < 0) {
		bus_free(bus);
		return ret;
	}

	ret = connect_bus(bus, &doing);
	if (ret >= 0) {
		doing = "asking for the name " BUS_NAME;
		ret = sd_bus_request_name(bus->bus, BUS_NAME, 0);
	}
	if (ret >= 0) {
		name_acquired(bus);
	} else {
		const char *hint = ret == -EEXIST ? "; another scanoutd runs" :
				   ret == -EACCES ? "; is its D-Bus policy installed?" :
						    "";

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
	free(bus);
	return NULL;
}
