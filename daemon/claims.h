/* SPDX-License-Identifier: MIT */
/*
 * What others want of the cache: holds, and reports of compositors.  Who may claim how much, and
 * how often.  Structs of fixed size; no bus, no clock: callers say what time it is.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config.h"

#define CLAIMS_HOLDS 256
#define CLAIMS_OUTPUTS 64
#define CLAIMS_OUTPUTS_PER_CLIENT 16
#define CLAIMS_OUTPUTS_PER_USER 32
/* More than a user may connect to the system's bus, so that nobody drives others out of it. */
#define CLAIMS_CLIENTS 512
#define CLAIMS_USERS 64
/* All clients of a user together may call as often as so many of them. */
#define CLAIMS_CLIENTS_OF_USER 4
#define CLAIMS_NAME 64
#define CLAIMS_CARD 32
#define CLAIMS_REASON 128

/* The cache shall not be smaller than that, until released or its owner is gone. */
struct hold {
	uint32_t cookie; /* 0: free slot */
	uid_t uid;
	char owner[CLAIMS_NAME]; /* unique name on the bus */
	char reason[CLAIMS_REASON];
	uint64_t min_bytes;
};

/* What a compositor says will happen, by name: it knows before the first buffer is missed. */
enum coming_event {
	EVENT_NONE,
	EVENT_FULLSCREEN_VIDEO,
	EVENT_OUTPUT_ADDED,
	EVENT_VT_SWITCH,
	EVENT_OUTPUT_OFF,
	EVENTS,
};

/* What a compositor said of one of its outputs. */
struct output_report {
	char owner[CLAIMS_NAME]; /* empty: free slot */
	uid_t uid;
	char name[CLAIMS_NAME];
	/* The card whose connector it is; empty if no card has it: then it counts for all. */
	char card[CLAIMS_CARD];
	uint32_t refresh_mhz;
	uint64_t flips;	 /* since its previous report */
	uint64_t missed; /* vblanks, of those */
	uint32_t planes;
	uint32_t buffers;      /* of all planes together */
	uint64_t buffer_bytes; /* of one, on average */
	/* What is about to happen, and what it needs on top: so many buffers of that size. */
	enum coming_event event;
	uint32_t event_buffers;
	uint64_t event_bytes;
	/*
	 * It counts for that long from when it was first said: saying it again in the next
	 * reports does not prolong it.  By then there are flips that tell, or it did not come.
	 */
	uint64_t event_until_ms;
	uint64_t until_ms;
};

/* Calls that may still be made at once, as of a point in time. */
struct tokens {
	double left;
	uint64_t last_ms;
};

/* Somebody who calls: to count calls, and to remember who it is. */
struct client {
	char name[CLAIMS_NAME]; /* empty: free slot */
	uid_t uid;
	struct tokens tokens;
};

/* A user with calls, of whichever clients: a new connection does not begin anew. */
struct user {
	bool used;
	uid_t uid;
	struct tokens tokens;
};

struct claims {
	struct hold holds[CLAIMS_HOLDS];
	struct output_report outputs[CLAIMS_OUTPUTS];
	struct client clients[CLAIMS_CLIENTS];
	struct user users[CLAIMS_USERS];
	uint32_t last_cookie;
};

/* Remember a caller; replaces the one that was quiet for longest. */
struct client *claims_client(struct claims *claims, const struct config *config, const char *name,
			     uint64_t now_ms, bool *is_new);

/* May it call now?  Counts the call. */
bool claims_may_call(struct client *client, const struct config *config, uint64_t now_ms);

/* And may its user, with all of its clients? */
bool claims_user_may_call(struct claims *claims, const struct config *config, uid_t uid,
			  uint64_t now_ms);

/*
 * Returns a cookie above 0, or -EDQUOT (too many of this user), -ENOSPC (too many in all), -ERANGE
 * (larger than may be held).  A reason too long, or with control characters, is tidied up.
 */
int64_t claims_hold(struct claims *claims, const struct config *config, const char *owner,
		    uid_t uid, uint64_t min_bytes, const char *reason);

/* NULL if there is none. */
const struct hold *claims_find(const struct claims *claims, uint32_t cookie);

/* -ENOENT if there is none, -EPERM if it is another user's (root may). */
int claims_release(struct claims *claims, uint32_t cookie, uid_t uid);

/* Take reports of an owner in place of its previous ones; returns how many there was room for. */
unsigned int claims_report(struct claims *claims, const struct config *config, const char *owner,
			   const struct output_report *outputs, unsigned int count,
			   uint64_t now_ms);

/* Forget all of an owner that vanished; returns whether it had holds or reports. */
bool claims_forget(struct claims *claims, const char *owner);

/*
 * The bus went, and with it the meaning of all names: the next one hands them out anew, to others.
 * What users have called is still counted, and a cookie is never that of an earlier hold.
 */
void claims_forget_clients(struct claims *claims);

bool claims_has(const struct claims *claims, const char *owner);

/*
 * What the cache of a card should at least be: the largest hold, or all reported buffers that are
 * not on the screen, whichever is more.  Those of an output that goes off do not count.
 */
uint64_t claims_wanted_bytes(const struct claims *claims, const struct config *config,
			     const char *card, uint64_t now_ms);

/* What was announced for the outputs of a card and has not timed out, of all compositors. */
struct coming {
	/* Room for it, on top of what there is; never more than a hold may be. */
	uint64_t bytes;
	uint64_t entries;
	/* Which; of several, the one that needs most. */
	enum coming_event event;
};

struct coming claims_coming(const struct claims *claims, const struct config *config,
			    const char *card, uint64_t now_ms);

/* "fullscreen-video" and so on; EVENT_NONE for what is not known. */
enum coming_event claims_event(const char *name);
const char *claims_event_name(enum coming_event event);

#endif
