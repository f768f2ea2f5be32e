// SPDX-License-Identifier: MIT
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Buffers are numbered from 0 on by whoever writes a trace; more than this is a mistake. */
#define MOST_BUFFERS 10000000

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

static int parse(struct trace *trace, const char *line)
{
	uint64_t time_us, bytes = 0;
	uint32_t buffer;
	char kind[8];
	int fields = sscanf(line, "%" SCNu64 " %7s %" SCNu32 " %" SCNu64, &time_us, kind, &buffer,
			    &bytes);

	if (fields < 3 || buffer >= MOST_BUFFERS)
		return -EINVAL;
	if (trace->count && time_us < trace->events[trace->count - 1].time_us)
		return -ERANGE;
	if (!strcmp(kind, "use") && fields == 4 && bytes && bytes <= INT64_MAX)
		return trace_use(trace, time_us, buffer, bytes);
	if (!strcmp(kind, "idle") && fields == 3)
		return trace_idle(trace, time_us, buffer);
	if (!strcmp(kind, "free") && fields == 3)
		return trace_buffer_freed(trace, time_us, buffer);
	return -EINVAL;
}

int trace_read(struct trace *trace, const char *path, char *error, size_t error_size)
{
	FILE *file = fopen(path, "re");
	unsigned int number = 0;
	char line[256];
	int ret = 0;

	memset(trace, 0, sizeof(*trace));
	if (!file) {
		ret = -errno;
		snprintf(error, error_size, "%s: %s", path, strerror(errno));
		return ret;
	}
	while (!ret && fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] && line[0] != '#')
			ret = parse(trace, line);
	}
	if (ret)
		snprintf(error, error_size, "%s:%u: '%s': %s", path, number, line,
			 ret == -ERANGE ? "goes back in time" :
			 ret == -EINVAL ? "expected TIME_US use BUFFER BYTES, TIME_US "
					  "idle BUFFER or TIME_US free BUFFER" :
					  strerror(-ret));
	else if (!trace->count)
		snprintf(error, error_size, "%s: no events in it", path), ret = -ENODATA;
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
