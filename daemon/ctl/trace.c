// SPDX-License-Identifier: MIT
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/*
 * Buffers are numbered from 0 on by whoever writes a trace; more than this is a mistake.  Together
 * with the largest buffer, no sum of bytes overflows; and memory for each second there is.
 */
#define MOST_BUFFERS 10000000
#define MOST_BYTES (UINT64_C(1) << 39)
#define MOST_SECONDS (30 * 24 * 3600)
/* What a line can have, with its newline: more than four numbers need. */
#define LINE_BYTES 255

static int add(struct trace *trace, struct trace_event event)
{
	if (trace->count == trace->room) {
		size_t room = trace->room ? 2 * trace->room : 1024;
		struct trace_event *events = realloc(trace->events, room * sizeof(*events));

		if (!events)
			return -ENOMEM;
		trace->events = events;
		trace->room = room;
	}
	if (event.buffer >= trace->buffers)
		trace->buffers = event.buffer + 1;
	trace->events[trace->count++] = event;
	return 0;
}

int trace_use(struct trace *trace, uint64_t time_us, uint32_t buffer, uint64_t bytes)
{
	return add(trace, (struct trace_event){ time_us, bytes, buffer, TRACE_USE });
}

int trace_idle(struct trace *trace, uint64_t time_us, uint32_t buffer)
{
	return add(trace, (struct trace_event){ time_us, 0, buffer, TRACE_IDLE });
}

int trace_buffer_freed(struct trace *trace, uint64_t time_us, uint32_t buffer)
{
	return add(trace, (struct trace_event){ time_us, 0, buffer, TRACE_FREE });
}

/* "  app-123 [000] d..1.  5.123456: msm_scanout_hit: card0 obj=(____ptrval____) iova=0 bytes=1 ..."
 */
bool trace_parse_line(const char *text, const char *card, struct trace_line *line)
{
	const char *event = strstr(text, ": msm_scanout_"), *stamp;
	char name[32], own[32], rest[128] = "";
	uint64_t seconds, us;

	if (!event)
		return false;
	for (stamp = event; stamp > text && stamp[-1] != ' '; stamp--)
		;
	if (sscanf(stamp, "%" SCNu64 ".%6" SCNu64, &seconds, &us) != 2 ||
	    sscanf(event, ": msm_scanout_%31[a-z_]: %31s obj=%31s iova=%*s bytes=%" SCNu64 " %127s",
		   name, own, line->object, &line->bytes, rest) < 4 ||
	    strcmp(own, card))
		return false;
	line->time_us = seconds * 1000000 + us;
	if (!strcmp(name, "hit") || !strcmp(name, "miss"))
		line->kind = TRACE_USE;
	else if (!strcmp(name, "idle"))
		line->kind = TRACE_IDLE;
	else if (!strcmp(rest, "reason=free") || !strcmp(rest, "reason=drain"))
		line->kind = TRACE_FREE;
	else
		return false;
	return true;
}

/* The next word of a line as a number up to @most; a sign or what follows it makes it none. */
static int next_number(char **rest, uint64_t most, uint64_t *number)
{
	const char *word = strtok_r(NULL, " \t", rest);

	return word && !units_parse_number(word, number) && *number <= most ? 0 : -EINVAL;
}

static int parse(struct trace *trace, char *line)
{
	uint64_t time_us, buffer, bytes;
	char *rest = NULL, *word = strtok_r(line, " \t", &rest);
	const char *kind;

	if (!word || units_parse_number(word, &time_us))
		return -EINVAL;
	kind = strtok_r(NULL, " \t", &rest);
	if (!kind || next_number(&rest, MOST_BUFFERS - 1, &buffer))
		return -EINVAL;
	if (trace->count && time_us < trace->events[trace->count - 1].time_us)
		return -ERANGE;
	if (trace->count && time_us - trace->events[0].time_us >= MOST_SECONDS * UINT64_C(1000000))
		return -EFBIG;
	if (!strcmp(kind, "use")) {
		if (next_number(&rest, MOST_BYTES, &bytes) || !bytes ||
		    strtok_r(NULL, " \t", &rest))
			return -EINVAL;
		return trace_use(trace, time_us, (uint32_t)buffer, bytes);
	}
	if (strtok_r(NULL, " \t", &rest))
		return -EINVAL;
	if (!strcmp(kind, "idle"))
		return trace_idle(trace, time_us, (uint32_t)buffer);
	if (!strcmp(kind, "free"))
		return trace_buffer_freed(trace, time_us, (uint32_t)buffer);
	return -EINVAL;
}

static const char *explain(int error)
{
	switch (error) {
	case -ERANGE:
		return "goes back in time";
	case -EFBIG:
		return "more than 30 days after the first event";
	case -EMSGSIZE:
		return "longer than the 255 bytes that a line can have";
	case -EILSEQ:
		return "a NUL byte in it";
	case -EINVAL:
		return "expected TIME_US use BUFFER BYTES, TIME_US idle BUFFER or TIME_US free "
		       "BUFFER, with numbers of buffers below 10000000 and of bytes up to 512 GiB";
	default:
		return strerror(-error);
	}
}

/* Cut the end of a line off; comments may be of any length. */
static int check_line(char *line, size_t length)
{
	if (line[0] != '#' && strlen(line) != length)
		return -EILSEQ;
	if (line[0] != '#' && length > LINE_BYTES)
		return -EMSGSIZE;
	line[strcspn(line, "\r\n")] = '\0';
	return 0;
}

int trace_read(struct trace *trace, const char *path, char *error, size_t error_size)
{
	FILE *file = fopen(path, "re");
	char *line = NULL, words[LINE_BYTES + 1];
	unsigned int number = 0;
	size_t room = 0;
	ssize_t length;
	int ret = 0;

	memset(trace, 0, sizeof(*trace));
	if (!file) {
		ret = -errno;
		snprintf(error, error_size, "%s: %s", path, strerror(errno));
		return ret;
	}
	while (!ret && (length = getline(&line, &room, file)) > 0) {
		number++;
		ret = check_line(line, (size_t)length);
		if (!ret && line[0] && line[0] != '#')
			ret = parse(trace, strcpy(words, line));
	}
	if (ret)
		snprintf(error, error_size, "%s:%u: '%.40s%s': %s", path, number, line,
			 strlen(line) > 40 ? "..." : "", explain(ret));
	else if (ferror(file))
		snprintf(error, error_size, "%s: %s", path, strerror(EIO)), ret = -EIO;
	else if (!trace->count)
		snprintf(error, error_size, "%s: no events in it", path), ret = -ENODATA;
	free(line);
	fclose(file);
	if (ret)
		trace_release(trace);
	return ret;
}

void trace_release(struct trace *trace)
{
	free(trace->events);
	memset(trace, 0, sizeof(*trace));
}
