// SPDX-License-Identifier: MIT
#include "report_parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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
		else if (!strcmp(key, "EventBuffers"))
			ret = read_variant(message, 'u', &output->event_buffers);
		else if (!strcmp(key, "EventBytes"))
			ret = read_variant(message, 't', &output->event_bytes);
		else if (!strcmp(key, "Event")) {
			ret = read_variant(message, 's', &event);
			/* One not known here is none, and no reason to drop the rest. */
			if (ret > 0)
				output->event = claims_event(event);
		} else
			/* From the future; not wrong. */
			ret = sd_bus_message_skip(message, "v") < 0 ? -EBADMSG : 1;
		if (ret < 0)
			return ret;
		*good = *good && ret;
		ret = sd_bus_message_exit_container(message);
		if (ret < 0)
			return ret;
	}
	return ret < 0 ? ret : sd_bus_message_exit_container(message);
}

int report_parse(sd_bus_message *message, uid_t uid,
		 struct output_report outputs[CLAIMS_OUTPUTS_PER_CLIENT], unsigned int *count,
		 unsigned int *dropped)
{
	int ret = sd_bus_message_enter_container(message, 'a', "(sa{sv})");

	if (ret < 0)
		return ret;
	*count = 0;
	*dropped = 0;
	while ((ret = sd_bus_message_enter_container(message, 'r', "sa{sv}")) > 0) {
		struct output_report output = { .uid = uid };
		bool good;

		ret = read_output(message, &output, &good);
		if (ret >= 0)
			ret = sd_bus_message_exit_container(message);
		if (ret < 0)
			return ret;
		if (good && *count < CLAIMS_OUTPUTS_PER_CLIENT)
			outputs[(*count)++] = output;
		else
			++*dropped;
	}
	return ret;
}
