/* SPDX-License-Identifier: MIT */
/*
 * The little of D-Bus that reporting needs, as bytes: a call of Hello, a call of Report, and the
 * headers of what comes back.  Buffers are the caller's; no I/O, no allocation.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_NAME 64
/* Every string of ours is shorter; what is longer is cut, which never happens to our own. */
#define WIRE_ERROR 128

/* One element of a(sa{sv}); what is 0 or NULL is left out. */
struct wire_output {
	const char *name; /* printable ASCII, shorter than WIRE_NAME */
	uint32_t refresh_mhz;
	uint64_t flips;
	uint64_t missed;
	uint32_t planes;
	uint32_t buffers;
	uint64_t buffer_bytes;
	const char *event;
	uint32_t event_buffers;
	uint64_t event_bytes;
};

/* As large as any report gets: SCANOUT_REPORT_OUTPUTS with every key. */
#define WIRE_REPORT_BYTES (512 + 16 * 512)

/*
 * Both return the bytes written, or 0 if there is no room.  @serial is not 0.
 */
size_t wire_hello(uint8_t *buffer, size_t size, uint32_t serial);
size_t wire_report(uint8_t *buffer, size_t size, uint32_t serial, bool want_reply,
		   const struct wire_output *outputs, size_t count);

enum wire_type { WIRE_CALL = 1, WIRE_RETURN, WIRE_ERROR_REPLY, WIRE_SIGNAL };

struct wire_message {
	uint8_t type;	       /* an enum wire_type, or something from the future */
	uint32_t reply_serial; /* 0: no reply */
	/* Of an error; empty if there is none, or none that is a name. */
	char error[WIRE_ERROR];
	size_t header_bytes; /* padding included */
	size_t body_bytes;
};

#define WIRE_FIXED_BYTES 16

/*
 * How long is the message that starts with these WIRE_FIXED_BYTES?  Fills in type, header_bytes and
 * body_bytes.  -EBADMSG: no message of D-Bus starts like that.
 */
int wire_measure(const uint8_t *bytes, struct wire_message *message);

/*
 * Read the rest of the header, of which all @message->header_bytes are there.  Fields that cannot
 * be understood end the reading; what was found before counts.
 */
void wire_read_fields(const uint8_t *bytes, struct wire_message *message);

#endif
