// SPDX-License-Identifier: MIT
#include "timeline.h"

#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
/* A pause, not a deadline missed. */
#define MAX_AFTER_NS NS_PER_S

/* What is left of a record. */
struct cursor {
	const char *at;
	const char *end;
};

static bool skip(struct cursor *cursor, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, text, length))
		return false;
	cursor->at += length;
	return true;
}

static bool read_number(struct cursor *cursor, uint64_t *number)
{
	const char *start = cursor->at;

	*number = 0;
	while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' &&
	       *number < UINT64_MAX / 100)
		*number = *number * 10 + (uint64_t)(*cursor->at++ - '0');
	return cursor->at > start;
}

/* "[seconds, nanoseconds]"; after a clock that failed, both are 0 or worse. */
static bool read_time(struct cursor *cursor, uint64_t *time_ns)
{
	uint64_t s, ns;

	if (!skip(cursor, "[") || !read_number(cursor, &s) || !skip(cursor, ", ") ||
	    !read_number(cursor, &ns) || !skip(cursor, "]") || s > UINT64_MAX / NS_PER_S / 2 ||
	    ns >= NS_PER_S)
		return false;
	*time_ns = s * NS_PER_S + ns;
	return true;
}

static struct timeline_output *find(struct timeline *timeline, uint64_t id)
{
	for (unsigned int i = 0; i < TIMELINE_OUTPUTS; i++)
		if (timeline->outputs[i].id == id)
			return &timeline->outputs[i];
	return NULL;
}

static void read_name(struct timeline *timeline, struct cursor *cursor, uint64_t id)
{
	struct timeline_output *output = find(timeline, id);
	const char *quote;
	size_t length;

	if (!skip(cursor, "\""))
		return;
	quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
	if (!quote)
		return;
	length = (size_t)(quote - cursor->at);
	if (length >= TIMELINE_NAME)
		length = TIMELINE_NAME - 1;
	for (unsigned int i = 0; i < TIMELINE_OUTPUTS && !output; i++)
		if (!timeline->outputs[i].id)
			output = &timeline->outputs[i];
	if (!output) {
		output = &timeline->outputs[0];
		for (unsigned int i = 1; i < TIMELINE_OUTPUTS; i++)
			if (timeline->outputs[i].heard < output->heard)
				output = &timeline->outputs[i];
	}
	*output = (struct timeline_output){ .id = id, .heard = timeline->records };
	memcpy(output->name, cursor->at, length);
}

static void finished(struct timeline *timeline, struct timeline_output *output,
		     struct cursor *cursor)
{
	uint64_t vblank_ns = 0, after_ns = 0;

	if (skip(cursor, ", \"vblank_monotonic\":"))
		read_time(cursor, &vblank_ns);
	if (output->posted) {
		if (output->vblank_ns && vblank_ns > output->vblank_ns)
			after_ns = vblank_ns - output->vblank_ns;
		if (after_ns > MAX_AFTER_NS)
			after_ns = 0;
		timeline->flips++;
		timeline->flip(timeline->userdata, output->name, vblank_ns, after_ns);
	}
	output->posted = false;
	output->vblank_ns = vblank_ns;
}

void timeline_record(struct timeline *timeline, const char *record, size_t size)
{
	struct cursor cursor = { record, record + size };
	struct timeline_output *output;
	const char *point;
	uint64_t id, time_ns;
	size_t length;

	timeline->records++;
	if (timeline->naming)
		read_name(timeline, &cursor, timeline->naming);
	timeline->naming = 0;
	if (skip(&cursor, "{ \"id\":")) {
		if (!read_number(&cursor, &id) ||
		    !skip(&cursor, ", \"type\":\"weston_output\", \"name\":"))
			return;
		if (cursor.at == cursor.end)
			timeline->naming = id;
		else if (id)
			read_name(timeline, &cursor, id);
		return;
	}
	if (!skip(&cursor, "{ \"T\":") || !read_time(&cursor, &time_ns) ||
	    !skip(&cursor, ", \"N\":\"core_repaint_"))
		return;
	point = cursor.at;
	while (cursor.at < cursor.end && *cursor.at != '"')
		cursor.at++;
	length = (size_t)(cursor.at - point);
	if (!skip(&cursor, "\", \"wo\":") || !read_number(&cursor, &id) || !id)
		return;
	output = find(timeline, id);
	if (!output)
		return;
	output->heard = timeline->records;
	if (length == 6 && !memcmp(point, "posted", 6)) {
		output->posted = true;
	} else if (length == 9 && !memcmp(point, "exit_loop", 9)) {
		output->vblank_ns = 0;
		output->posted = false;
	} else if (length == 8 && !memcmp(point, "finished", 8)) {
		finished(timeline, output, &cursor);
	}
}

static ssize_t write_record(void *cookie, const char *record, size_t size)
{
	timeline_record(cookie, record, size);
	return (ssize_t)size;
}

FILE *timeline_open(struct timeline *timeline)
{
	static const cookie_io_functions_t functions = { .write = write_record };
	FILE *file = fopencookie(timeline, "w", functions);

	/* No buffer: a record arrives when it is written, and by itself. */
	if (file)
		setvbuf(file, NULL, _IONBF, 0);
	return file;
}

uint32_t timeline_missed(uint64_t after_ns, uint32_t refresh_mhz)
{
	uint64_t vblanks;

	if (!after_ns || !refresh_mhz)
		return 0;
	/* To the nearest: time stamps are not quite regular. */
	vblanks = (after_ns * refresh_mhz + 500 * NS_PER_S) / (1000 * NS_PER_S);
	return vblanks > 1 ? (uint32_t)(vblanks - 1) : 0;
}
