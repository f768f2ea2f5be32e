// SPDX-License-Identifier: MIT
#include "callers.h"

#include <stdbool.h>
#include <stdint.h>

#include "manager.h"

void callers_init(struct callers *callers, struct manager *manager)
{
	callers->manager = manager;
	for (unsigned int i = 0; i < CALLERS_LOOKUPS; i++)
		callers->lookups[i].callers = callers;
}

static int admit_user(struct manager *manager, struct bus *bus, sd_bus_message *message, uid_t uid,
		      call_fn admitted)
{
	if (!claims_user_may_call(&manager->claims, &manager->config, uid, manager_now_ms(manager)))
		return sd_bus_reply_method_errorf(
			message, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"too many calls of user %u: %u a second are accepted", (unsigned int)uid,
			CLAIMS_CLIENTS_OF_USER * manager->config.calls_per_second);
	return admitted(bus, message, uid);
}

static int user_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct lookup *lookup = userdata;
	struct waiting *waiting = &lookup->waiting;
	struct manager *manager = lookup->callers->manager;
	sd_bus_message *message = waiting->message;
	uint32_t uid;
	bool is_new;
	int ret;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL) ||
	    sd_bus_message_read(reply, "u", &uid) < 0)
		return waiting_answered(waiting, sd_bus_reply_method_errorf(
							 message, SD_BUS_ERROR_ACCESS_DENIED,
							 "the bus does not say which user calls"));
	claims_client(&manager->claims, &manager->config, sd_bus_message_get_sender(message),
		      manager_now_ms(manager), &is_new)
		->uid = uid;
	ret = admit_user(manager, waiting->bus, message, uid, waiting->next);
	return waiting_answered(waiting, ret);
}

int callers_admit(struct callers *callers, struct bus *bus, sd_bus_message *message,
		  call_fn admitted, sd_bus_error *error)
{
	const char *name = sd_bus_message_get_sender(message);
	struct manager *manager = callers->manager;
	struct lookup *lookup = NULL;
	struct client *client;
	bool is_new;
	int ret;

	if (!name)
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
					"callers need a name on the bus");
	client = claims_client(&manager->claims, &manager->config, name, manager_now_ms(manager),
			       &is_new);
	if (!claims_may_call(client, &manager->config, manager_now_ms(manager)))
		return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
					 "too many calls: %u a second are accepted, %u at once",
					 manager->config.calls_per_second,
					 manager->config.calls_burst);
	if (client->uid != (uid_t)-1)
		return admit_user(manager, bus, message, client->uid, admitted);

	for (unsigned int i = 0; i < CALLERS_LOOKUPS && !lookup; i++)
		if (!callers->lookups[i].waiting.message)
			lookup = &callers->lookups[i];
	if (!lookup)
		return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
					 "%d calls of new clients wait already", CALLERS_LOOKUPS);
	ret = sd_bus_call_method_async(sd_bus_message_get_bus(message), &lookup->waiting.slot,
				       "org.freedesktop.DBus", "/org/freedesktop/DBus",
				       "org.freedesktop.DBus", "GetConnectionUnixUser",
				       user_answered, lookup, "s", name);
	if (ret < 0)
		return ret;
	waiting_begin(&lookup->waiting, bus, message, admitted);
	return 1;
}

void callers_forget(struct callers *callers)
{
	for (unsigned int i = 0; i < CALLERS_LOOKUPS; i++)
		waiting_end(&callers->lookups[i].waiting);
}
