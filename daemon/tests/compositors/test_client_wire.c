// SPDX-License-Identifier: MIT
/*
 * D-Bus as bytes: what is written is read back by libsystemd's rules elsewhere (test_client.c);
 * here is what a bus that is none, or not a friend, can send.
 */
#include "cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "connection.h"

#define ROUNDS 3000

static uint64_t random_state = 1;

static uint32_t random_number(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % below;
}

/* An error reply to serial 7, as a bus on a machine of the other byte order sends it. */
static const uint8_t big_error[] = {
	'B',
	3,
	1,
	1,
	0,
	0,
	0,
	9,
	0,
	0,
	0,
	5,
	0,
	0,
	0,
	31,
	/* REPLY_SERIAL u 7 */
	5,
	1,
	'u',
	0,
	0,
	0,
	0,
	7,
	/* ERROR_NAME s "a.b.No" */
	4,
	1,
	's',
	0,
	0,
	0,
	0,
	6,
	'a',
	'.',
	'b',
	'.',
	'N',
	'o',
	0,
	/* SIGNATURE g "s", after a byte of padding */
	0,
	8,
	1,
	'g',
	0,
	1,
	's',
	0,
	0,
};

static void replies_of_either_byte_order_are_understood(void **state)
{
	struct wire_message message;

	(void)state;
	assert_int_equal(wire_measure(big_error, &message), 0);
	assert_int_equal(message.type, WIRE_ERROR_REPLY);
	assert_int_equal(message.header_bytes, sizeof(big_error));
	assert_int_equal(message.body_bytes, 9);
	wire_read_fields(big_error, &message);
	assert_int_equal(message.reply_serial, 7);
	assert_string_equal(message.error, "a.b.No");
}

static void a_report_is_measured_as_it_was_written(void **state)
{
	const struct wire_output output = { .name = "DSI-1", .flips = 60, .event = "vt-switch" };
	uint8_t bytes[WIRE_REPORT_BYTES];
	struct wire_message message;
	size_t size;

	(void)state;
	size = wire_report(bytes, sizeof(bytes), 3, true, &output, 1);
	assert_true(size > WIRE_FIXED_BYTES);
	assert_int_equal(wire_measure(bytes, &message), 0);
	assert_int_equal(message.type, WIRE_CALL);
	assert_int_equal(message.header_bytes + message.body_bytes, size);
	/* Whatever room there is: all or nothing. */
	for (size_t room = 0; room < size; room++)
		assert_int_equal(wire_report(bytes, room, 3, true, &output, 1), 0);
	assert_int_equal(wire_report(bytes, size, 3, true, &output, 1), size);
}

static void the_largest_report_fits(void **state)
{
	struct wire_output outputs[16];
	uint8_t bytes[WIRE_REPORT_BYTES];
	char name[WIRE_NAME];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 16; i++)
		outputs[i] = (struct wire_output){
			.name = name,
			.refresh_mhz = 1,
			.flips = 1,
			.missed = 1,
			.planes = 1,
			.buffers = 1,
			.buffer_bytes = 1,
			.event = "fullscreen-video",
			.event_buffers = 1,
			.event_bytes = 1,
		};
	assert_true(wire_report(bytes, sizeof(bytes), 1, true, outputs, 16) > 0);
}

/* Fields cut off, overlong, of unknown types: never read beyond the header. */
static void broken_headers_end_the_reading(void **state)
{
	(void)state;
	for (int round = 0; round < 200 * ROUNDS; round++) {
		uint8_t *bytes = malloc(sizeof(big_error));
		struct wire_message message;

		assert_non_null(bytes);
		memcpy(bytes, big_error, sizeof(big_error));
		for (uint32_t i = random_number(4); i < 4; i++)
			bytes[random_number(sizeof(big_error))] = (uint8_t)random_number(256);
		if (!wire_measure(bytes, &message)) {
			assert_true(message.header_bytes >= WIRE_FIXED_BYTES);
			assert_true(message.body_bytes <= 128u << 20);
			/* As the connection does: only when all of it is there. */
			if (message.header_bytes <= sizeof(big_error))
				wire_read_fields(bytes, &message);
			assert_non_null(memchr(message.error, '\0', sizeof(message.error)));
		}
		free(bytes);
	}
}

/* Lengths that reach beyond the header: by one, by more, by much, and by nearly 4 GiB. */
static void texts_end_where_the_header_does(void **state)
{
	static const uint32_t lengths[] = { 8, 9, 200, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t header[32] = {
			'B', 3, 1, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 16, 4, 1, 's'
		};
		uint8_t *exact = malloc(sizeof(header));
		struct wire_message message;

		assert_non_null(exact);
		for (int byte = 0; byte < 4; byte++)
			header[20 + byte] = (uint8_t)(lengths[i] >> (24 - 8 * byte));
		memset(header + 24, 'a', 8);
		memcpy(exact, header, sizeof(header));
		assert_int_equal(wire_measure(exact, &message), 0);
		assert_int_equal(message.header_bytes, sizeof(header));
		wire_read_fields(exact, &message);
		assert_string_equal(message.error, "");
		free(exact);
	}
}

static void what_is_no_message_is_refused(void **state)
{
	struct wire_message message;
	uint8_t bytes[WIRE_FIXED_BYTES];

	(void)state;
	memcpy(bytes, big_error, sizeof(bytes));
	bytes[0] = 'x';
	assert_int_equal(wire_measure(bytes, &message), -EBADMSG);
	memcpy(bytes, big_error, sizeof(bytes));
	bytes[3] = 2;
	assert_int_equal(wire_measure(bytes, &message), -EBADMSG);
	memcpy(bytes, big_error, sizeof(bytes));
	bytes[4] = 0x7f;
	assert_int_equal(wire_measure(bytes, &message), -EBADMSG);
	memcpy(bytes, big_error, sizeof(bytes));
	bytes[12] = 0x7f;
	assert_int_equal(wire_measure(bytes, &message), -EBADMSG);
}

/*
 * A bus that is none
 */

static char folder[64], address[128];
static int listening = -1;

static int setup(void **state)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	(void)state;
	strcpy(folder, "/tmp/scanout-wire-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/bus", folder);
	snprintf(address, sizeof(address), "unix:path=%s", name.sun_path);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listening, (const struct sockaddr *)&name, sizeof(name)) || listen(listening, 4))
		return -1;
	alarm(120);
	return 0;
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	close(listening);
	snprintf(path, sizeof(path), "%s/bus", folder);
	unlink(path);
	rmdir(folder);
	alarm(0);
	return 0;
}

/* Open a connection anew up to where the bus says @greeting; returns the bus's end. */
static int greet_again(struct connection *connection, uint64_t *now_ns, const char *greeting)
{
	char heard[64] = "";
	int bus;

	connection_advance(connection, *now_ns, true);
	connection_advance(connection, *now_ns += NS_PER_MS, true);
	bus = accept(listening, NULL, NULL);
	assert_true(bus >= 0);
	assert_true(read(bus, heard, sizeof(heard) - 1) > 0);
	assert_int_equal(heard[0], '\0');
	assert_int_equal(strncmp(heard + 1, "AUTH EXTERNAL ", 14), 0);
	assert_int_equal(write(bus, greeting, strlen(greeting)), (ssize_t)strlen(greeting));
	connection_advance(connection, *now_ns += NS_PER_MS, true);
	return bus;
}

static int greet(struct connection *connection, uint64_t *now_ns, const char *greeting)
{
	assert_int_equal(connection_init(connection, address), 0);
	return greet_again(connection, now_ns, greeting);
}

static void a_refusal_closes_it_and_the_next_try_is_later_each_time(void **state)
{
	struct connection connection;
	uint64_t now_ns = NS_PER_S, last_ns = 0;
	int bus;

	(void)state;
	bus = greet(&connection, &now_ns, "REJECTED EXTERNAL\r\n");
	close(bus);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(connection.state, CONNECTION_CLOSED);
		assert_non_null(strstr(connection.error, "does not accept"));
		assert_true(connection_due_ns(&connection, true) - now_ns >= last_ns);
		assert_true(connection_due_ns(&connection, false) == NEVER);
		last_ns = connection_due_ns(&connection, true) - now_ns;
		now_ns += last_ns;
		connection_advance(&connection, now_ns, true);
		bus = accept(listening, NULL, NULL);
		assert_int_equal(write(bus, "ERROR\r\n", 7), 7);
		connection_advance(&connection, now_ns, true);
		close(bus);
	}
	assert_true(last_ns == 32 * NS_PER_S);
	connection_close(&connection);
}

static void a_greeting_without_end_is_not_waited_for(void **state)
{
	struct connection connection;
	uint64_t now_ns = NS_PER_S;
	char noise[4096];
	int bus;

	(void)state;
	memset(noise, 'x', sizeof(noise));
	bus = greet(&connection, &now_ns, "OK nearly");
	assert_int_equal(connection.state, CONNECTION_GREETING);
	assert_int_equal(write(bus, noise, sizeof(noise)), sizeof(noise));
	connection_advance(&connection, now_ns, true);
	assert_int_equal(connection.state, CONNECTION_CLOSED);
	close(bus);

	/* Nor is one that does not come. */
	bus = greet(&connection, &now_ns, "OK nearly");
	for (int i = 0; i < 100 && connection.state == CONNECTION_GREETING; i++) {
		assert_true(connection_due_ns(&connection, true) > now_ns);
		now_ns = connection_due_ns(&connection, true);
		connection_advance(&connection, now_ns, true);
	}
	assert_int_equal(connection.state, CONNECTION_CLOSED);
	assert_non_null(strstr(connection.error, "no answer"));
	close(bus);
}

static void noise_after_the_greeting_does_no_harm(void **state)
{
	struct connection connection;
	uint64_t now_ns = NS_PER_S;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int bus = greet(&connection, &now_ns, "OK 0123456789\r\n");
		const struct wire_output output = { .name = "x", .flips = 1 };
		uint8_t noise[512];

		assert_int_equal(connection.state, CONNECTION_READY);
		connection_report(&connection, now_ns, &output, 1);
		for (int i = 0; i < 20 && connection.fd >= 0; i++) {
			size_t size = 1 + random_number(sizeof(noise) - 1);

			for (size_t n = 0; n < size; n++)
				noise[n] = (uint8_t)random_number(256);
			/* Often like a message, or nothing would get past the first byte. */
			if (random_number(4) && size >= sizeof(big_error)) {
				memcpy(noise, big_error, sizeof(big_error));
				noise[random_number(sizeof(big_error))] =
					(uint8_t)random_number(256);
			}
			if (send(bus, noise, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
				break;
			connection_advance(&connection, now_ns += NS_PER_MS, true);
			assert_true(connection.in_used <= sizeof(connection.in));
		}
		connection_close(&connection);
		close(bus);
	}
}

static void an_answer_in_single_bytes_is_understood(void **state)
{
	struct connection connection;
	const struct wire_output output = { .name = "x", .flips = 1 };
	uint64_t now_ns = NS_PER_S;
	uint8_t answer[sizeof(big_error)];
	int bus;

	(void)state;
	bus = greet(&connection, &now_ns, "OK 0123456789\r\n");
	connection_report(&connection, now_ns, &output, 1);
	memcpy(answer, big_error, sizeof(answer));
	answer[7] = 0;
	answer[23] = (uint8_t)connection.asked_serial;
	for (size_t i = 0; i < sizeof(answer); i++) {
		assert_int_equal(connection.refusals, 0);
		assert_int_equal(write(bus, &answer[i], 1), 1);
		connection_advance(&connection, now_ns, true);
	}
	assert_int_equal(connection.refusals, 1);
	assert_string_equal(connection.error, "a.b.No");
	assert_int_equal(connection.in_used, 0);
	connection_close(&connection);
	close(bus);
}

static void a_message_that_was_cut_off_is_not_looked_for_on_the_next_connection(void **state)
{
	struct connection connection;
	const struct wire_output output = { .name = "x", .flips = 1 };
	uint64_t now_ns = NS_PER_S;
	uint8_t answer[sizeof(big_error)];
	int bus;

	(void)state;
	bus = greet(&connection, &now_ns, "OK 0123456789\r\n");
	/* A kilobyte more, which does not come. */
	memcpy(answer, big_error, sizeof(answer));
	answer[6] = 4;
	assert_int_equal(write(bus, answer, sizeof(answer)), sizeof(answer));
	connection_advance(&connection, now_ns, true);
	assert_true(connection.in_skip > 0);
	close(bus);
	connection_advance(&connection, now_ns, true);
	assert_int_equal(connection.state, CONNECTION_CLOSED);

	now_ns = connection_due_ns(&connection, true);
	bus = greet_again(&connection, &now_ns, "OK 0123456789\r\n");
	connection_report(&connection, now_ns, &output, 1);
	answer[6] = answer[7] = 0;
	answer[23] = (uint8_t)connection.asked_serial;
	assert_int_equal(write(bus, answer, sizeof(answer)), sizeof(answer));
	connection_advance(&connection, now_ns, true);
	assert_int_equal(connection.refusals, 1);
	connection_close(&connection);
	close(bus);
}

static void a_bus_that_takes_nothing_is_given_up(void **state)
{
	struct wire_output outputs[16];
	struct connection connection;
	uint64_t now_ns = NS_PER_S;
	int bus;

	(void)state;
	for (int i = 0; i < 16; i++)
		outputs[i] = (struct wire_output){ .name = "x", .flips = 1 };
	bus = greet(&connection, &now_ns, "OK 0123456789\r\n");
	for (int i = 0; i < 100000 && connection_takes_report(&connection); i++)
		connection_report(&connection, now_ns, outputs, 16);
	/* Full: a part of the last is still to be written. */
	assert_int_equal(connection.state, CONNECTION_READY);
	assert_true(connection.out_used > 0);
	connection_advance(&connection, now_ns + 9 * NS_PER_S, false);
	assert_int_equal(connection.state, CONNECTION_READY);
	assert_true(connection_due_ns(&connection, false) != NEVER);
	connection_advance(&connection, connection_due_ns(&connection, false), false);
	assert_int_equal(connection.state, CONNECTION_CLOSED);
	assert_non_null(strstr(connection.error, "takes nothing"));
	close(bus);
}

#define WITH_LISTENER(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_of_either_byte_order_are_understood),
		cmocka_unit_test(a_report_is_measured_as_it_was_written),
		cmocka_unit_test(the_largest_report_fits),
		cmocka_unit_test(broken_headers_end_the_reading),
		cmocka_unit_test(texts_end_where_the_header_does),
		cmocka_unit_test(what_is_no_message_is_refused),
		WITH_LISTENER(a_refusal_closes_it_and_the_next_try_is_later_each_time),
		WITH_LISTENER(a_greeting_without_end_is_not_waited_for),
		WITH_LISTENER(noise_after_the_greeting_does_no_harm),
		WITH_LISTENER(an_answer_in_single_bytes_is_understood),
		WITH_LISTENER(a_message_that_was_cut_off_is_not_looked_for_on_the_next_connection),
		WITH_LISTENER(a_bus_that_takes_nothing_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
