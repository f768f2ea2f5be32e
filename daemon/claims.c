// SPDX-License-Identifier: MIT
#include "claims.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

struct client *claims_client(struct claims *claims, const struct config *config, const char *name,
			     uint64_t now_ms, bool *is_new)
{
	struct client *oldest = &claims->clients[0];

	*is_new = false;
	for (unsigned int i = 0; i < CLAIMS_CLIENTS; i++) {
		struct client *client = &claims->clients[i];

		if (!strcmp(client->name, name))
			return client;
		if (!client->name[0] ||
		    (oldest->name[0] && client->tokens.last_ms < oldest->tokens.last_ms))
			oldest = client;
	}

	*is_new = true;
	memset(oldest, 0, sizeof(*oldest));
	snprintf(oldest->name, sizeof(oldest->name), "%s", name);
	oldest->uid = (uid_t)-1;
	oldest->tokens = (struct tokens){ config->calls_burst, now_ms };
	return oldest;
}

static bool take_token(struct tokens *tokens, double per_second, double burst, uint64_t now_ms)
{
	tokens->left += (double)(now_ms - tokens->last_ms) * per_second / 1000;
	tokens->last_ms = now_ms;
	if (tokens->left > burst)
		tokens->left = burst;
	if (tokens->left < 1)
		return false;
	tokens->left--;
	return true;
}

bool claims_may_call(struct client *client, const struct config *config, uint64_t now_ms)
{
	return take_token(&client->tokens, config->calls_per_second, config->calls_burst, now_ms);
}

bool claims_user_may_call(struct claims *claims, const struct config *config, uid_t uid,
			  uint64_t now_ms)
{
	double burst = (double)CLAIMS_CLIENTS_OF_USER * config->calls_burst;
	struct user *user = &claims->users[0];

	for (unsigned int i = 0; i < CLAIMS_USERS; i++) {
		struct user *other = &claims->users[i];

		if (other->used && other->uid == uid) {
			user = other;
			break;
		}
		if (!other->used || (user->used && other->tokens.last_ms < user->tokens.last_ms))
			user = other;
	}
	if (!user->used || user->uid != uid)
		*user = (struct user){ true, uid, { burst, now_ms } };
	return take_token(&user->tokens, (double)CLAIMS_CLIENTS_OF_USER * config->calls_per_second,
			  burst, now_ms);
}

int64_t claims_hold(struct claims *claims, const struct config *config, const char *owner,
		    uid_t uid, uint64_t min_bytes, const char *reason)
{
	unsigned int count = 0, of_user = 0;
	struct hold *free = NULL;

	if (min_bytes > config->hold_max_bytes)
		return -ERANGE;
	for (unsigned int i = 0; i < CLAIMS_HOLDS; i++) {
		struct hold *hold = &claims->holds[i];

		if (!hold->cookie) {
			free = free ? free : hold;
			continue;
		}
		count++;
		of_user += hold->uid == uid;
	}
	if (of_user >= config->holds_per_user)
		return -EDQUOT;
	if (count >= config->holds || !free)
		return -ENOSPC;

	if (!++claims->last_cookie)
		claims->last_cookie = 1;
	free->cookie = claims->last_cookie;
	free->uid = uid;
	free->min_bytes = min_bytes;
	snprintf(free->owner, sizeof(free->owner), "%s", owner);
	text_printable(free->reason, sizeof(free->reason), reason);
	return free->cookie;
}

const struct hold *claims_find(const struct claims *claims, uint32_t cookie)
{
	for (unsigned int i = 0; i < CLAIMS_HOLDS; i++)
		if (cookie && claims->holds[i].cookie == cookie)
			return &claims->holds[i];
	return NULL;
}

int claims_release(struct claims *claims, uint32_t cookie, uid_t uid)
{
	for (unsigned int i = 0; i < CLAIMS_HOLDS; i++) {
		struct hold *hold = &claims->holds[i];

		if (!cookie || hold->cookie != cookie)
			continue;
		if (uid && uid != hold->uid)
			return -EPERM;
		memset(hold, 0, sizeof(*hold));
		return 0;
	}
	return -ENOENT;
}

static const char *const event_names[EVENTS] = {
	[EVENT_NONE] = "none",
	[EVENT_FULLSCREEN_VIDEO] = "fullscreen-video",
	[EVENT_OUTPUT_ADDED] = "output-added",
	[EVENT_VT_SWITCH] = "vt-switch",
	[EVENT_OUTPUT_OFF] = "output-off",
};

enum coming_event claims_event(const char *name)
{
	for (unsigned int i = 1; i < EVENTS; i++)
		if (!strcmp(event_names[i], name))
			return i;
	return EVENT_NONE;
}

const char *claims_event_name(enum coming_event event)
{
	return event_names[event];
}

/* Until when what a new report announces counts: from when its owner first said it on end. */
static void time_announcements(const struct claims *claims, const struct config *config,
			       const char *owner, struct output_report *output, uint64_t now_ms)
{
	output->event_until_ms = output->event ? now_ms + config->event_ms : 0;
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++) {
		const struct output_report *before = &claims->outputs[i];

		if (strcmp(before->owner, owner) || strcmp(before->name, output->name) ||
		    before->until_ms <= now_ms)
			continue;
		if (output->event && before->event == output->event)
			output->event_until_ms = before->event_until_ms;
	}
}

unsigned int claims_report(struct claims *claims, const struct config *config, const char *owner,
			   const struct output_report *outputs, unsigned int count, uint64_t now_ms)
{
	struct output_report taking[CLAIMS_OUTPUTS_PER_CLIENT];
	unsigned int taken = 0, of_user = 0;

	count = count < CLAIMS_OUTPUTS_PER_CLIENT ? count : CLAIMS_OUTPUTS_PER_CLIENT;
	for (unsigned int i = 0; i < count; i++) {
		struct output_report *output = &taking[i];

		*output = outputs[i];
		text_printable(output->name, sizeof(output->name), outputs[i].name);
		time_announcements(claims, config, owner, output, now_ms);
		snprintf(output->owner, sizeof(output->owner), "%s", owner);
		output->until_ms = now_ms + config->report_ms;
	}

	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++) {
		struct output_report *slot = &claims->outputs[i];

		if (!strcmp(slot->owner, owner) || slot->until_ms <= now_ms)
			memset(slot, 0, sizeof(*slot));
		of_user += slot->owner[0] && count && slot->uid == taking[0].uid;
	}
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++)
		if (!claims->outputs[i].owner[0] && taken < count &&
		    of_user + taken < CLAIMS_OUTPUTS_PER_USER)
			claims->outputs[i] = taking[taken++];
	return taken;
}

bool claims_forget(struct claims *claims, const char *owner)
{
	bool had = claims_has(claims, owner);

	for (unsigned int i = 0; i < CLAIMS_HOLDS; i++)
		if (!strcmp(claims->holds[i].owner, owner))
			memset(&claims->holds[i], 0, sizeof(claims->holds[i]));
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++)
		if (!strcmp(claims->outputs[i].owner, owner))
			memset(&claims->outputs[i], 0, sizeof(claims->outputs[i]));
	for (unsigned int i = 0; i < CLAIMS_CLIENTS; i++)
		if (!strcmp(claims->clients[i].name, owner))
			memset(&claims->clients[i], 0, sizeof(claims->clients[i]));
	return had;
}

void claims_forget_clients(struct claims *claims)
{
	memset(claims->holds, 0, sizeof(claims->holds));
	memset(claims->outputs, 0, sizeof(claims->outputs));
	memset(claims->clients, 0, sizeof(claims->clients));
}

bool claims_has(const struct claims *claims, const char *owner)
{
	for (unsigned int i = 0; i < CLAIMS_HOLDS; i++)
		if (claims->holds[i].cookie && !strcmp(claims->holds[i].owner, owner))
			return true;
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++)
		if (!strcmp(claims->outputs[i].owner, owner))
			return true;
	return false;
}

/* Also of what would overflow, no more than @most counts. */
static uint64_t add_capped(uint64_t sum, uint64_t count, uint64_t bytes, uint64_t most)
{
	if (count && bytes > most / count)
		return most;
	return sum + count * bytes < most ? sum + count * bytes : most;
}

/* Is that a report which has not timed out, and is about this card? */
static bool counts(const struct output_report *output, const char *card, uint64_t now_ms)
{
	return output->owner[0] && output->until_ms > now_ms &&
	       (!output->card[0] || !strcmp(output->card, card));
}

uint64_t claims_wanted_bytes(const struct claims *claims, const struct config *config,
			     const char *card, uint64_t now_ms)
{
	uint64_t held = 0, reported = 0;

	for (unsigned int i = 0; i < CLAIMS_HOLDS; i++)
		if (claims->holds[i].cookie && claims->holds[i].min_bytes > held)
			held = claims->holds[i].min_bytes;
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++) {
		const struct output_report *output = &claims->outputs[i];
		uint64_t idle =
			output->buffers > output->planes ? output->buffers - output->planes : 0;

		if (counts(output, card, now_ms) && output->event != EVENT_OUTPUT_OFF)
			reported = add_capped(reported, idle, output->buffer_bytes,
					      config->hold_max_bytes);
	}
	return held > reported ? held : reported;
}

struct coming claims_coming(const struct claims *claims, const struct config *config,
			    const char *card, uint64_t now_ms)
{
	struct coming coming = { 0 };
	uint64_t most = 0;

	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++) {
		const struct output_report *output = &claims->outputs[i];
		uint64_t bytes;

		if (!counts(output, card, now_ms) || !output->event ||
		    output->event_until_ms <= now_ms)
			continue;
		bytes = add_capped(0, output->event_buffers, output->event_bytes,
				   config->hold_max_bytes);
		if (!coming.event || bytes > most) {
			coming.event = output->event;
			most = bytes;
		}
		if (output->event == EVENT_OUTPUT_OFF)
			continue;
		coming.bytes = add_capped(coming.bytes, output->event_buffers, output->event_bytes,
					  config->hold_max_bytes);
		coming.entries += output->event_buffers;
	}
	return coming;
}
