/* SPDX-License-Identifier: MIT */
/*
 * Who may do what: root may, others are asked about at polkit.  Without polkit those may who sit at
 * the machine, where its rule would have it so.
 */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include <stdbool.h>

#include "waiting.h"

/* Questions to polkit under way at the same time; it answers when the user did. */
#define AUTHORITY_QUESTIONS 16
#define AUTHORITY_QUESTIONS_PER_USER 4

struct question {
	struct waiting waiting;
	bool for_active;
	uid_t uid;
};

/* Zeroed to begin with. */
struct authority {
	struct question questions[AUTHORITY_QUESTIONS];
};

/* Does the user sit at the machine now?  Root always does. */
bool authority_user_is_active(uid_t uid);

/*
 * Have @allowed called, with @bus, if the caller may do @action, now or when polkit has answered.
 * Without polkit root may, and users at the machine if @for_active.  Others are refused here.
 */
int authority_ask(struct authority *authority, struct bus *bus, sd_bus_message *message, uid_t uid,
		  const char *action, call_fn allowed, bool for_active);

/* The connection goes: calls that wait are not answered any more. */
void authority_forget(struct authority *authority);

#endif
