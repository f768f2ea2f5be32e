// SPDX-License-Identifier: MIT
#include "authority.h"

#include <stdint.h>

#include <systemd/sd-login.h>

#define SECOND_US UINT64_C(1000000)
/* How long a person may think about polkit's question, and polkit itself. */
#define PERSON_US (300 * SECOND_US)
#define POLKIT_US (25 * SECOND_US)

bool authority_user_is_active(uid_t uid)
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
	struct question *question = userdata;
	struct waiting *waiting = &question->waiting;
	int authorized = 0, challenge = 0, ret;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		/* As its rule would have it. */
		authorized = polkit_is_absent(sd_bus_message_get_error(reply)) &&
			     question->for_active && authority_user_is_active(question->uid);
	} else {
		ret = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
		if (ret >= 0)
			ret = sd_bus_message_read(reply, "bb", &authorized, &challenge);
		if (ret < 0)
			authorized = 0;
	}

	if (authorized)
		ret = waiting->next(waiting->bus, waiting->message, question->uid);
	else
		ret = sd_bus_reply_method_errorf(
			waiting->message,
			challenge ? SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED :
				    SD_BUS_ERROR_ACCESS_DENIED,
			"user %u may not do this; polkit decides it, by default for users of the "
			"active session",
			(unsigned int)question->uid);
	return waiting_answered(waiting, ret);
}

int authority_ask(struct authority *authority, struct bus *bus, sd_bus_message *message, uid_t uid,
		  const char *action, call_fn allowed, bool for_active)
{
	int interactive = sd_bus_message_get_allow_interactive_authorization(message);
	sd_bus *sdbus = sd_bus_message_get_bus(message);
	struct question *question = NULL;
	sd_bus_message *call = NULL;
	unsigned int of_user = 0;
	int ret;

	if (!uid)
		return allowed(bus, message, uid);

	for (unsigned int i = 0; i < AUTHORITY_QUESTIONS; i++) {
		if (!authority->questions[i].waiting.message)
			question = &authority->questions[i];
		else
			of_user += authority->questions[i].uid == uid;
	}
	if (!question || of_user >= AUTHORITY_QUESTIONS_PER_USER)
		return sd_bus_reply_method_errorf(
			message, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"too many calls wait for authorization: accepted are %d, and %d of a user",
			AUTHORITY_QUESTIONS, AUTHORITY_QUESTIONS_PER_USER);

	ret = sd_bus_message_new_method_call(sdbus, &call, "org.freedesktop.PolicyKit1",
					     "/org/freedesktop/PolicyKit1/Authority",
					     "org.freedesktop.PolicyKit1.Authority",
					     "CheckAuthorization");
	if (ret >= 0)
		ret = sd_bus_message_append(call, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name",
					    "s", sd_bus_message_get_sender(message), action, 0,
					    interactive > 0 ? 1 : 0, "");
	if (ret >= 0)
		ret = sd_bus_call_async(sdbus, &question->waiting.slot, call, polkit_answered,
					question, interactive > 0 ? PERSON_US : POLKIT_US);
	sd_bus_message_unref(call);
	if (ret < 0)
		return ret;
	question->for_active = for_active;
	question->uid = uid;
	waiting_begin(&question->waiting, bus, message, allowed);
	return 1;
}

void authority_forget(struct authority *authority)
{
	for (unsigned int i = 0; i < AUTHORITY_QUESTIONS; i++)
		waiting_end(&authority->questions[i].waiting);
}
