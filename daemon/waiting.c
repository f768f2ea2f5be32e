// SPDX-License-Identifier: MIT
#include "waiting.h"

#include <stddef.h>

void waiting_begin(struct waiting *waiting, struct bus *bus, sd_bus_message *message, call_fn next)
{
	waiting->bus = bus;
	waiting->next = next;
	waiting->message = sd_bus_message_ref(message);
}

void waiting_end(struct waiting *waiting)
{
	sd_bus_slot_unref(waiting->slot);
	sd_bus_message_unref(waiting->message);
	waiting->slot = NULL;
	waiting->message = NULL;
}

int waiting_answered(struct waiting *waiting, int ret)
{
	if (ret < 0)
		sd_bus_reply_method_errno(waiting->message, ret, NULL);
	waiting_end(waiting);
	return 1;
}
