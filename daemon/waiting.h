/* SPDX-License-Identifier: MIT */
/*
 * A client's call that is answered later, because somebody else has to answer first.  The service
 * goes on meanwhile.
 */
#ifndef WAITING_H
#define WAITING_H

#include <sys/types.h>

#include <systemd/sd-bus.h>

struct bus;

/* What is done with a call of a user: answers it, now or later, or returns a negative error. */
typedef int (*call_fn)(struct bus *bus, sd_bus_message *message, uid_t uid);

struct waiting {
	struct bus *bus;
	sd_bus_message *message; /* NULL: free slot */
	sd_bus_slot *slot;	 /* of the question that was asked */
	call_fn next;		 /* if the answer is yes */
};

/* Keep the call until there is an answer; @waiting->slot is that of the question already. */
void waiting_begin(struct waiting *waiting, struct bus *bus, sd_bus_message *message, call_fn next);

/* Forget the call, answered or not, and the question. */
void waiting_end(struct waiting *waiting);

/*
 * The answer came and was acted on, with @ret: if that is an error the caller is told now, as it
 * was not when the call came.  Returns what the answer's handler shall return.
 */
int waiting_answered(struct waiting *waiting, int ret);

#endif
