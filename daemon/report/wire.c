// SPDX-License-Identifier: MIT
#include "wire.h"

#include <errno.h>
#include <string.h>

/* D-Bus: at most 64 MiB of header fields, 128 MiB in all. */
#define MAX_FIELDS (64u << 20)
#define MAX_MESSAGE (128u << 20)

enum {
	FIELD_PATH = 1,
	FIELD_INTERFACE,
	FIELD_MEMBER,
	FIELD_ERROR,
	FIELD_REPLY_SERIAL,
	FIELD_DESTINATION,
	FIELD_SENDER,
	FIELD_SIGNATURE
};

#define FLAG_NO_REPLY 1
/* Whoever installed the service decides when it runs. */
#define FLAG_NO_AUTO_START 2

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OWN_ORDER 'l'
#else
#define OWN_ORDER 'B'
#endif

/*
 * Writing
 */

struct writer {
	uint8_t *bytes;
	size_t size;
	size_t used;
	bool full; /* something did not fit; nothing is written any more */
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
	if (writer->full || size > writer->size - writer->used) {
		writer->full = true;
		return;
	}
	memcpy(writer->bytes + writer->used, bytes, size);
	writer->used += size;
}

static void put_byte(struct writer *writer, uint8_t byte)
{
	put(writer, &byte, 1);
}

/* Messages start at a multiple of 8, so that offsets within them do for alignment. */
static void align(struct writer *writer, size_t boundary)
{
	while (!writer->full && writer->used % boundary)
		put_byte(writer, 0);
}

static void put_u32(struct writer *writer, uint32_t number)
{
	align(writer, 4);
	put(writer, &number, 4);
}

static void put_u64(struct writer *writer, uint64_t number)
{
	align(writer, 8);
	put(writer, &number, 8);
}

static void put_string(struct writer *writer, const char *text)
{
	size_t length = strlen(text);

	put_u32(writer, (uint32_t)length);
	put(writer, text, length + 1);
}

static void put_signature(struct writer *writer, const char *text)
{
	size_t length = strlen(text);

	put_byte(writer, (uint8_t)length);
	put(writer, text, length + 1);
}

/* An array's length is not known before its end; returns where it belongs. */
static size_t open_array(struct writer *writer)
{
	size_t length_at;

	put_u32(writer, 0);
	length_at = writer->used;
	return length_at;
}

/* @boundary of the elements: the padding before the first does not count. */
static void close_array(struct writer *writer, size_t length_at, size_t boundary)
{
	size_t start = (length_at + boundary - 1) / boundary * boundary;
	uint32_t length;

	if (writer->full)
		return;
	length = (uint32_t)(writer->used > start ? writer->used - start : 0);
	memcpy(writer->bytes + length_at - 4, &length, 4);
}

static void put_field(struct writer *writer, uint8_t field, const char *type, const char *text)
{
	align(writer, 8);
	put_byte(writer, field);
	put_signature(writer, type);
	if (*type == 'g')
		put_signature(writer, text);
	else
		put_string(writer, text);
}

struct call {
	const char *destination;
	const char *path;
	const char *interface;
	const char *member;
	const char *signature; /* NULL: no arguments */
	uint8_t flags;
};

#define LENGTH_AT 4

static void start_call(struct writer *writer, const struct call *call, uint32_t serial)
{
	size_t fields;

	put_byte(writer, OWN_ORDER);
	put_byte(writer, WIRE_CALL);
	put_byte(writer, call->flags);
	put_byte(writer, 1);
	put_u32(writer, 0);
	put_u32(writer, serial);
	fields = open_array(writer);
	put_field(writer, FIELD_PATH, "o", call->path);
	put_field(writer, FIELD_INTERFACE, "s", call->interface);
	put_field(writer, FIELD_MEMBER, "s", call->member);
	put_field(writer, FIELD_DESTINATION, "s", call->destination);
	if (call->signature)
		put_field(writer, FIELD_SIGNATURE, "g", call->signature);
	close_array(writer, fields, 8);
	align(writer, 8);
}

static size_t finish(struct writer *writer, size_t body_at)
{
	uint32_t length;

	if (writer->full)
		return 0;
	length = (uint32_t)(writer->used - body_at);
	memcpy(writer->bytes + LENGTH_AT, &length, 4);
	return writer->used;
}

size_t wire_hello(uint8_t *buffer, size_t size, uint32_t serial)
{
	static const struct call call = {
		.destination = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "Hello",
	};
	struct writer writer = { .bytes = buffer, .size = size };

	start_call(&writer, &call, serial);
	return finish(&writer, writer.used);
}

static void put_key(struct writer *writer, const char *key, const char *type)
{
	align(writer, 8);
	put_string(writer, key);
	put_signature(writer, type);
}

static void put_u32_key(struct writer *writer, const char *key, uint32_t number)
{
	if (!number)
		return;
	put_key(writer, key, "u");
	put_u32(writer, number);
}

static void put_u64_key(struct writer *writer, const char *key, uint64_t number)
{
	if (!number)
		return;
	put_key(writer, key, "t");
	put_u64(writer, number);
}

static void put_output(struct writer *writer, const struct wire_output *output)
{
	size_t keys;

	align(writer, 8);
	put_string(writer, output->name);
	keys = open_array(writer);
	/* Also before an array without elements. */
	align(writer, 8);
	put_u32_key(writer, "RefreshMilliHertz", output->refresh_mhz);
	put_u64_key(writer, "Flips", output->flips);
	put_u64_key(writer, "Missed", output->missed);
	put_u32_key(writer, "Planes", output->planes);
	put_u32_key(writer, "Buffers", output->buffers);
	put_u64_key(writer, "BufferBytes", output->buffer_bytes);
	if (output->event) {
		put_key(writer, "Event", "s");
		put_string(writer, output->event);
		put_u32_key(writer, "EventBuffers", output->event_buffers);
		put_u64_key(writer, "EventBytes", output->event_bytes);
	}
	close_array(writer, keys, 8);
}

size_t wire_report(uint8_t *buffer, size_t size, uint32_t serial, bool want_reply,
		   const struct wire_output *outputs, size_t count)
{
	struct call call = {
		.destination = "org.msmscanout.Cache1",
		.path = "/org/msmscanout/Cache1",
		.interface = "org.msmscanout.Cache1.Manager",
		.member = "Report",
		.signature = "a(sa{sv})",
		.flags = FLAG_NO_AUTO_START,
	};
	struct writer writer = { .bytes = buffer, .size = size };
	size_t body_at, array;

	if (!want_reply)
		call.flags |= FLAG_NO_REPLY;
	start_call(&writer, &call, serial);
	body_at = writer.used;
	array = open_array(&writer);
	align(&writer, 8);
	for (size_t i = 0; i < count; i++)
		put_output(&writer, &outputs[i]);
	close_array(&writer, array, 8);
	return finish(&writer, body_at);
}

/*
 * Reading
 */

static uint32_t get_u32(const uint8_t *bytes, bool little)
{
	return little ? (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
				(uint32_t)bytes[3] << 24 :
			(uint32_t)bytes[3] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[1] << 16 |
				(uint32_t)bytes[0] << 24;
}

int wire_measure(const uint8_t *bytes, struct wire_message *message)
{
	bool little = bytes[0] == 'l';
	uint32_t body, fields;

	memset(message, 0, sizeof(*message));
	if ((!little && bytes[0] != 'B') || !bytes[1] || bytes[3] != 1)
		return -EBADMSG;
	body = get_u32(bytes + LENGTH_AT, little);
	fields = get_u32(bytes + 12, little);
	if (fields > MAX_FIELDS || body > MAX_MESSAGE)
		return -EBADMSG;
	message->type = bytes[1];
	message->header_bytes = WIRE_FIXED_BYTES + ((size_t)fields + 7) / 8 * 8;
	message->body_bytes = body;
	return 0;
}

struct reader {
	const uint8_t *bytes;
	size_t size;
	size_t at;
	bool little;
};

static bool read_align(struct reader *reader, size_t boundary)
{
	reader->at = (reader->at + boundary - 1) / boundary * boundary;
	return reader->at <= reader->size;
}

static bool read_u32(struct reader *reader, uint32_t *number)
{
	if (!read_align(reader, 4) || reader->size - reader->at < 4)
		return false;
	*number = get_u32(reader->bytes + reader->at, reader->little);
	reader->at += 4;
	return true;
}

/* A length, that many bytes, and a NUL. */
static bool read_text(struct reader *reader, bool short_length, const uint8_t **text,
		      size_t *length)
{
	uint32_t number;

	if (short_length) {
		if (reader->at >= reader->size)
			return false;
		number = reader->bytes[reader->at++];
	} else if (!read_u32(reader, &number)) {
		return false;
	}
	if (number >= reader->size - reader->at)
		return false;
	*text = reader->bytes + reader->at;
	*length = number;
	reader->at += (size_t)number + 1;
	return true;
}

/* A name on D-Bus has letters, digits, '.', '_' and '-' only. */
static void copy_name(char name[WIRE_ERROR], const uint8_t *text, size_t length)
{
	size_t i;

	for (i = 0; i < length && i < WIRE_ERROR - 1; i++) {
		if (text[i] <= ' ' || text[i] > '~') {
			i = 0;
			break;
		}
		name[i] = (char)text[i];
	}
	name[i] = '\0';
}

void wire_read_fields(const uint8_t *bytes, struct wire_message *message)
{
	struct reader reader = { .bytes = bytes, .at = WIRE_FIXED_BYTES, .little = *bytes == 'l' };
	const uint8_t *type, *text;
	size_t type_length, length;

	reader.size = WIRE_FIXED_BYTES + get_u32(bytes + 12, reader.little);
	while (read_align(&reader, 8) && reader.at < reader.size) {
		uint8_t field = bytes[reader.at++];
		uint32_t number;

		if (!read_text(&reader, true, &type, &type_length) || type_length != 1)
			return;
		if (*type == 'u') {
			if (!read_u32(&reader, &number))
				return;
			if (field == FIELD_REPLY_SERIAL)
				message->reply_serial = number;
		} else if (*type == 's' || *type == 'o' || *type == 'g') {
			if (!read_text(&reader, *type == 'g', &text, &length))
				return;
			if (field == FIELD_ERROR && *type == 's')
				copy_name(message->error, text, length);
		} else {
			return;
		}
	}
}
