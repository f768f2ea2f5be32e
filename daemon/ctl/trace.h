/* SPDX-License-Identifier: MIT */
/*
 * A trace of what was flipped: which buffer came into use, left the screen, or was freed, and when.
 *
 * As a file, one event a line, times in microseconds, sizes in bytes, '#' begins a comment:
 *
 *	# scanout-trace 1
 *	0 use 1 8294400
 *	16667 use 2 8294400
 *	16667 idle 1
 *	20000 free 1
 *
 * Numbers of buffers are below ten million, no buffer is larger than 512 GiB, and the last event is
 * less than 30 days after the first.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_kind {
	TRACE_USE,
	TRACE_IDLE,
	TRACE_FREE,
};

struct trace_event {
	uint64_t time_us;
	uint64_t bytes; /* of uses */
	uint32_t buffer;
	enum trace_kind kind;
};

struct trace {
	struct trace_event *events;
	size_t count;
	size_t room;
	uint32_t buffers; /* one more than the highest number */
};

/* All return 0 or -ENOMEM. */
int trace_use(struct trace *trace, uint64_t time_us, uint32_t buffer, uint64_t bytes);
int trace_idle(struct trace *trace, uint64_t time_us, uint32_t buffer);
int trace_buffer_freed(struct trace *trace, uint64_t time_us, uint32_t buffer);

/* An event of the kernel's tracepoints, as record has them. */
struct trace_line {
	enum trace_kind kind;
	uint64_t time_us;
	uint64_t bytes;
	/* what the kernel calls the buffer */
	char object[32];
};

/* Understand a line of trace_pipe.  False if it is none of these events, or not one of @card. */
bool trace_parse_line(const char *text, const char *card, struct trace_line *line);

/* Returns 0 or a negative error, explained in @error. */
int trace_read(struct trace *trace, const char *path, char *error, size_t error_size);
void trace_release(struct trace *trace);

#endif
