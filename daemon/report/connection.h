/* SPDX-License-Identifier: MIT */
/*
 * A connection to a message bus that never waits: it is opened, written to and read from as far as
 * that goes at once.  At most one message waits to be written, what comes is read into a buffer of
 * fixed size, and what does not fit there is thrown away.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "wire.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NEVER UINT64_MAX

enum connection_state {
	CONNECTION_CLOSED,
	CONNECTION_GREETING, /* the bus has not said yet that we may talk */
	CONNECTION_READY,
};

struct connection {
	struct sockaddr_un address;
	socklen_t address_bytes;
	int fd; /* -1: closed */
	enum connection_state state;
	uint64_t opened_ns;
	uint64_t next_ns;    /* when to look for the greeting, or to try again */
	uint64_t look_ns;    /* pause before the next look */
	uint64_t retry_ns;   /* pause before the next try */
	uint64_t written_ns; /* when the bus last took something, or had nothing to take */
	uint32_t last_serial;
	/* A report that asked for a reply has none yet; 0: none waits. */
	uint32_t asked_serial;
	uint64_t asked_ns;
	/* Not yet written. */
	uint8_t out[64 + WIRE_REPORT_BYTES];
	size_t out_used;
	size_t out_done;
	/* Read, and not yet understood. */
	uint8_t in[2048];
	size_t in_used;
	uint64_t in_skip;   /* bytes to throw away before what is next */
	uint64_t others_ns; /* when something else than an answer came */
	uint64_t connections;
	uint64_t answers;
	uint64_t refusals;
	char error[128];
};

/* @address as in scanout_report_options.  -EINVAL: not one that we can connect to. */
int connection_init(struct connection *connection, const char *address);

/*
 * Open, greet, read, write: whatever is due and can be done now.  Reads a bounded amount.  @wanted:
 * somebody has something to say; an unwanted connection is used, but not opened.
 */
void connection_advance(struct connection *connection, uint64_t now_ns, bool wanted);

/* Can a report be handed over now? */
bool connection_takes_report(const struct connection *connection);
void connection_report(struct connection *connection, uint64_t now_ns,
		       const struct wire_output *outputs, size_t count);

/* How long has an answer been due that nothing else on its way to us could hold up? */
uint64_t connection_unanswered_ns(const struct connection *connection, uint64_t now_ns);

/* When to call connection_advance() again at the latest; NEVER: when there is something to say. */
uint64_t connection_due_ns(const struct connection *connection, bool wanted);

void connection_close(struct connection *connection);

#endif
