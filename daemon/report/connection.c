// SPDX-License-Identifier: MIT
#include "connection.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ADDRESS "unix:path=/run/dbus/system_bus_socket"
/* The bus answers within a millisecond, if it answers. */
#define FIRST_LOOK_NS (5 * NS_PER_MS)
#define MAX_LOOK_NS NS_PER_S
#define GREETING_LIMIT_NS (10 * NS_PER_S)
/* A bus that takes nothing for that long is given up. */
#define WRITE_LIMIT_NS (10 * NS_PER_S)
#define FIRST_RETRY_NS NS_PER_S
#define MAX_RETRY_NS (32 * NS_PER_S)
/* An answer that is later than that will not come. */
#define ANSWER_LIMIT_NS (60 * NS_PER_S)
/* A connection that lasted that long was a good one: the next may be tried soon. */
#define GOOD_NS (10 * NS_PER_S)
/* Read in one go; others may send us more than that, but not make us read it. */
#define READS 32

/*
 * Addresses
 */

static int hex(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* A value ends at , or ; and has %XX for odd bytes.  Returns its length, or -EINVAL. */
static int unescape(const char *text, char *value, size_t size)
{
	size_t length = 0;

	for (; *text && *text != ',' && *text != ';'; text++) {
		char byte = *text;

		if (byte == '%') {
			int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);

			if (low < 0)
				return -EINVAL;
			byte = (char)(high << 4 | low);
			text += 2;
		}
		if (!byte || length + 1 >= size)
			return -EINVAL;
		value[length++] = byte;
	}
	value[length] = '\0';
	return length ? (int)length : -EINVAL;
}

/* One of an address list's; -EINVAL if it is of a kind that we do not know. */
static int use_address(struct connection *connection, const char *text)
{
	char *path = connection->address.sun_path;
	size_t size = sizeof(connection->address.sun_path);
	int length;

	if (strncmp(text, "unix:", 5))
		return -EINVAL;
	for (text += 5;; text++) {
		bool abstract = !strncmp(text, "abstract=", 9);

		if (abstract || !strncmp(text, "path=", 5)) {
			text += abstract ? 9 : 5;
			length = unescape(text, path + abstract, size - abstract);
			if (length < 0)
				return length;
			path[0] = abstract ? '\0' : path[0];
			/* An abstract name has no end but its length; a path has its NUL. */
			connection->address_bytes =
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					    (size_t)length + 1);
			return 0;
		}
		text += strcspn(text, ",;");
		if (*text != ',')
			return -EINVAL;
	}
}

int connection_init(struct connection *connection, const char *address)
{
	memset(connection, 0, sizeof(*connection));
	connection->fd = -1;
	connection->retry_ns = FIRST_RETRY_NS;
	connection->address.sun_family = AF_UNIX;
	if (!address)
		address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	if (!address || !*address)
		address = DEFAULT_ADDRESS;
	for (;;) {
		if (!use_address(connection, address))
			return 0;
		address += strcspn(address, ";");
		if (!*address++)
			return -EINVAL;
	}
}

/*
 * Opening
 */

void connection_close(struct connection *connection)
{
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	connection->state = CONNECTION_CLOSED;
	connection->out_used = 0;
	connection->out_done = 0;
	connection->in_used = 0;
	connection->in_skip = 0;
	connection->asked_serial = 0;
}

static void fail(struct connection *connection, uint64_t now_ns, const char *doing,
		 const char *problem)
{
	if (connection->state == CONNECTION_READY && now_ns - connection->opened_ns >= GOOD_NS)
		connection->retry_ns = FIRST_RETRY_NS;
	snprintf(connection->error, sizeof(connection->error), "%s: %s", doing, problem);
	connection_close(connection);
	connection->next_ns = now_ns + connection->retry_ns;
	connection->retry_ns *= 2;
	if (connection->retry_ns > MAX_RETRY_NS)
		connection->retry_ns = MAX_RETRY_NS;
}

/* The first byte is part of the protocol: credentials used to travel with it. */
static void write_greeting(struct connection *connection)
{
	char user[16], *out = (char *)connection->out;
	int length = snprintf(user, sizeof(user), "%u", (unsigned int)geteuid());
	size_t used = 1 + (size_t)snprintf(out + 1, sizeof(connection->out) - 1, "AUTH EXTERNAL ");

	out[0] = '\0';
	for (int i = 0; i < length; i++)
		used += (size_t)snprintf(out + used, sizeof(connection->out) - used, "%02x",
					 (unsigned int)user[i]);
	out[used++] = '\r';
	out[used++] = '\n';
	connection->out_used = used;
	connection->out_done = 0;
}

static void open_it(struct connection *connection, uint64_t now_ns)
{
	connection->opened_ns = now_ns;
	connection->written_ns = now_ns;
	connection->look_ns = FIRST_LOOK_NS;
	connection->next_ns = now_ns + connection->look_ns;
	connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connection->fd < 0) {
		fail(connection, now_ns, "socket", strerror(errno));
		return;
	}
	/* If the bus accepts nobody for the moment, this is EAGAIN, at once. */
	if (connect(connection->fd, (const struct sockaddr *)&connection->address,
		    connection->address_bytes)) {
		fail(connection, now_ns, "connecting to the bus", strerror(errno));
		return;
	}
	connection->state = CONNECTION_GREETING;
	write_greeting(connection);
}

/*
 * Writing
 */

static void flush(struct connection *connection, uint64_t now_ns)
{
	while (connection->out_done < connection->out_used) {
		ssize_t done = send(connection->fd, connection->out + connection->out_done,
				    connection->out_used - connection->out_done,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			if (errno != EAGAIN)
				fail(connection, now_ns, "writing to the bus", strerror(errno));
			else if (now_ns - connection->written_ns > WRITE_LIMIT_NS)
				fail(connection, now_ns, "writing to the bus", "it takes nothing");
			return;
		}
		connection->written_ns = now_ns;
		connection->out_done += (size_t)done;
	}
	connection->written_ns = now_ns;
	connection->out_used = 0;
	connection->out_done = 0;
}

static uint32_t next_serial(struct connection *connection)
{
	connection->last_serial++;
	/* 0 means none. */
	connection->last_serial += !connection->last_serial;
	return connection->last_serial;
}

bool connection_takes_report(const struct connection *connection)
{
	return connection->state == CONNECTION_READY && !connection->out_used;
}

void connection_report(struct connection *connection, uint64_t now_ns,
		       const struct wire_output *outputs, size_t count)
{
	uint32_t serial = next_serial(connection);
	/*
	 * One question at a time: the bus counts those without an answer, and a service that is
	 * stopped answers none.
	 */
	bool ask = !connection->asked_serial || now_ns - connection->asked_ns > ANSWER_LIMIT_NS;

	connection->out_used =
		wire_report(connection->out, sizeof(connection->out), serial, ask, outputs, count);
	if (ask) {
		connection->asked_serial = serial;
		connection->asked_ns = now_ns;
	}
	flush(connection, now_ns);
}

uint64_t connection_unanswered_ns(const struct connection *connection, uint64_t now_ns)
{
	uint64_t since_ns = connection->asked_ns > connection->others_ns ? connection->asked_ns :
									   connection->others_ns;

	return connection->asked_serial ? now_ns - since_ns : 0;
}

/*
 * Reading
 */

static void drop(struct connection *connection, size_t bytes)
{
	connection->in_used -= bytes;
	memmove(connection->in, connection->in + bytes, connection->in_used);
}

/* "OK" and the bus's id; anything else is a refusal. */
static bool understand_greeting(struct connection *connection, uint64_t now_ns)
{
	static const char begin[] = "BEGIN\r\n";
	const char *in = (const char *)connection->in;
	const char *end = memmem(in, connection->in_used, "\r\n", 2);

	if (!end) {
		if (connection->in_used == sizeof(connection->in))
			fail(connection, now_ns, "greeting the bus", "too long an answer");
		return false;
	}
	if (connection->in_used < 3 || memcmp(in, "OK ", 3)) {
		fail(connection, now_ns, "greeting the bus", "it does not accept this user");
		return false;
	}
	drop(connection, (size_t)(end - in) + 2);
	memcpy(connection->out, begin, sizeof(begin) - 1);
	connection->out_used = sizeof(begin) - 1;
	connection->out_used += wire_hello(connection->out + connection->out_used,
					   sizeof(connection->out) - connection->out_used,
					   next_serial(connection));
	connection->state = CONNECTION_READY;
	connection->connections++;
	flush(connection, now_ns);
	return connection->state == CONNECTION_READY;
}

static void understand(struct connection *connection, uint64_t now_ns,
		       const struct wire_message *message)
{
	if (!message->reply_serial || message->reply_serial != connection->asked_serial) {
		connection->others_ns = now_ns;
		return;
	}
	if (message->type == WIRE_RETURN) {
		connection->answers++;
	} else if (message->type == WIRE_ERROR_REPLY) {
		connection->refusals++;
		snprintf(connection->error, sizeof(connection->error), "%s", message->error);
	} else {
		return;
	}
	connection->asked_serial = 0;
}

/* Take one message, or a part of one that is thrown away.  Returns whether there may be more. */
static bool understand_message(struct connection *connection, uint64_t now_ns)
{
	struct wire_message message;
	size_t bytes;

	if (connection->in_skip) {
		bytes = connection->in_used < connection->in_skip ? connection->in_used :
								    (size_t)connection->in_skip;
		drop(connection, bytes);
		connection->in_skip -= bytes;
		connection->others_ns = now_ns;
		return connection->in_used;
	}
	if (connection->in_used < WIRE_FIXED_BYTES)
		return false;
	if (wire_measure(connection->in, &message)) {
		fail(connection, now_ns, "reading from the bus", "this is not D-Bus");
		return false;
	}
	if (message.header_bytes > sizeof(connection->in)) {
		/* None of ours. */
		connection->in_skip = message.header_bytes + message.body_bytes;
		connection->others_ns = now_ns;
		return true;
	}
	if (connection->in_used < message.header_bytes)
		return false;
	wire_read_fields(connection->in, &message);
	understand(connection, now_ns, &message);
	drop(connection, message.header_bytes);
	connection->in_skip = message.body_bytes;
	return connection->in_used;
}

static void receive(struct connection *connection, uint64_t now_ns)
{
	for (int i = 0; i < READS && connection->fd >= 0; i++) {
		ssize_t got = recv(connection->fd, connection->in + connection->in_used,
				   sizeof(connection->in) - connection->in_used, MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			fail(connection, now_ns, "reading from the bus",
			     got ? strerror(errno) : "it closed the connection");
			return;
		}
		connection->in_used += (size_t)got;
		if (connection->state == CONNECTION_GREETING &&
		    !understand_greeting(connection, now_ns))
			continue;
		while (connection->state == CONNECTION_READY &&
		       understand_message(connection, now_ns))
			;
	}
}

/*
 * All of it
 */

void connection_advance(struct connection *connection, uint64_t now_ns, bool wanted)
{
	if (connection->state == CONNECTION_CLOSED && wanted && now_ns >= connection->next_ns)
		open_it(connection, now_ns);
	if (connection->fd >= 0)
		flush(connection, now_ns);
	if (connection->fd >= 0)
		receive(connection, now_ns);
	if (connection->state != CONNECTION_GREETING || now_ns < connection->next_ns)
		return;
	if (now_ns - connection->opened_ns > GREETING_LIMIT_NS) {
		fail(connection, now_ns, "greeting the bus", "no answer");
		return;
	}
	connection->look_ns *= 2;
	if (connection->look_ns > MAX_LOOK_NS)
		connection->look_ns = MAX_LOOK_NS;
	connection->next_ns = now_ns + connection->look_ns;
}

uint64_t connection_due_ns(const struct connection *connection, bool wanted)
{
	if (connection->state == CONNECTION_GREETING ||
	    (connection->state == CONNECTION_CLOSED && wanted))
		return connection->next_ns;
	return connection->out_used ? connection->written_ns + WRITE_LIMIT_NS + 1 : NEVER;
}
