// SPDX-License-Identifier: MIT
#include "claims.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct client *claims_client(struct claims *claims, const struct config *config, const char *name,
			     uint64_t now_ms, bool *is_new)
{
	struct client *oldest = &claims->clients[0];

	*is_new = false;
	for (unsigned int i = 0; i < CLAIMS_CLIENTS; i++) {
		struct client *client = &claims->clients[i];

		if (!strcmp(client->name, name))
			return client;
		if (!client->name[0] || (oldest->name[0] && client->last_ms < oldest->last_ms))
			oldest = client;
	}

	*is_new = true;
	memset(oldest, 0, sizeof(*oldest));
	snprintf(oldest->name, sizeof(oldest->name), "%s", name);
	oldest->uid = (uid_t)-1;
	oldest->tokens = config->calls_burst;
	oldest->last_ms = now_ms;
	return oldest;
}

bool claims_may_call(struct client *client, const struct config *config, uint64_t now_ms)
{
	client->tokens += (double)(now_ms - client->last_ms) * config->calls_per_second / 1000;
	client->last_ms = now_ms;
	if (client->tokens > config->calls_burst)
		client->tokens = config->calls_burst;
	if (client->tokens < 1)
		return false;
	client->tokens--;
	return true;
}

/* Text of others ends in logs and on terminals. */
static void copy_printable(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i < size - 1 && from[i]; i++)
		to[i] = (unsigned char)from[i] < ' ' || from[i] == 0x7f ? '?' : from[i];
	/* Do not end in the middle of a character. */
	if (from[i])
		while (i && (to[i - 1] & 0xc0) == 0x80)
			i--;
	if (from[i] && i && (unsigned char)to[i - 1] >= 0xc0)
		i--;
	to[i] = '\0';
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
	copy_printable(free->reason, sizeof(free->reason), reason);
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

unsigned int claims_report(struct claims *claims, const struct config *config, const char *owner,
			   const struct output_report *outputs, unsigned int count, uint64_t now_ms)
{
	unsigned int taken = 0;

	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++) {
		struct output_report *slot = &claims->outputs[i];

		if (!strcmp(slot->owner, owner) || slot->until_ms <= now_ms)
			memset(slot, 0, sizeof(*slot));
		if (slot->owner[0] || taken == count || taken == CLAIMS_OUTPUTS_PER_CLIENT)
			continue;
		*slot = outputs[taken++];
		copy_printable(slot->name, sizeof(slot->name), outputs[taken - 1].name);
		snprintf(slot->owner, sizeof(slot->owner), "%s", owner);
		slot->until_ms = now_ms + config->report_ms;
	}
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

uint64_t claims_wanted_bytes(struct claims *claims, const struct config *config, uint64_t now_ms)
{
	uint64_t held = 0, reported = 0;

	for (unsigned int i = 0; i < CLAIMS_HOLDS; i++)
		if (claims->holds[i].cookie && claims->holds[i].min_bytes > held)
			held = claims->holds[i].min_bytes;
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++) {
		const struct output_report *output = &claims->outputs[i];
		uint64_t idle =
			output->buffers > output->planes ? output->buffers - output->planes : 0;

		if (!output->owner[0] || output->until_ms <= now_ms)
			continue;
		/* Also of what would overflow, no more than a hold may be counts. */
		if (idle && output->buffer_bytes > config->hold_max_bytes / idle)
			reported = config->hold_max_bytes;
		else
			reported += idle * output->buffer_bytes;
		if (reported > config->hold_max_bytes)
			reported = config->hold_max_bytes;
	}
	return held > reported ? held : reported;
}

bool claims_expect_change(const struct claims *claims, uint64_t now_ms)
{
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS; i++)
		if (claims->outputs[i].owner[0] && claims->outputs[i].coming &&
		    claims->outputs[i].until_ms > now_ms)
			return true;
	return false;
}
