/* SPDX-License-Identifier: MIT */
/*
 * A bus and a service in place of scanoutd, for tests of what reports to it.  The service is a
 * process of its own; what it was told is in memory that both share.
 */
#ifndef TEST_CLIENT_BUS_H
#define TEST_CLIENT_BUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "programs.h"

#define TOLD_OUTPUTS 32

struct told_output {
	char name[64];
	/* Of the last report; 0 or empty if it was left out. */
	uint32_t refresh_mhz;
	uint32_t planes;
	uint32_t buffers;
	uint64_t buffer_bytes;
	char event[32];
	uint32_t event_buffers;
	uint64_t event_bytes;
	/* Of all reports together. */
	uint64_t flips;
	uint64_t missed;
	unsigned int reports;
	unsigned int events; /* how often the event was another than in the report before */
};

/* What the service was told, and how it shall behave. */
struct told {
	volatile bool mute;   /* does not answer */
	volatile bool refuse; /* answers with an error */
	volatile unsigned int reports;
	volatile unsigned int questions; /* of these, that want an answer */
	volatile unsigned int malformed;
	volatile unsigned int last_outputs; /* in the last report */
	char sender[64];
	struct told_output outputs[TOLD_OUTPUTS];
	unsigned int output_count;
};

struct test_bus {
	char folder[64];
	struct bus_daemon dbus;
	pid_t service_pid;
	struct told *told;
};

/* All of them fail the test if something goes wrong. */
void test_bus_start(struct test_bus *bus);
/* At the same address, after it was killed. */
void test_bus_restart(struct test_bus *bus);
void test_bus_kill(struct test_bus *bus);
void test_service_start(struct test_bus *bus);
void test_service_kill(struct test_bus *bus);
void test_bus_stop(struct test_bus *bus);

/* What was told of that output; of one without a report all is 0. */
const struct told_output *test_told(const struct test_bus *bus, const char *name);

#endif
