// SPDX-License-Identifier: MIT
/*
 * What is known of the outputs, and when it is told.
 *
 * Everything is added up in place, so what waits to be sent does not grow: figures of a period that
 * could not be reported are added to the next, until they are too old to be of use.
 */
#include "scanout-report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"

#define EXPORT __attribute__((visibility("default")))

#define INTERVAL_NS NS_PER_S
/* Between reports that nobody wants, or nobody answers. */
#define MAX_INTERVAL_NS (8 * NS_PER_S)
/* What is that much older than a report should be is dropped. */
#define TOO_OLD_NS (5 * NS_PER_S)
/* scanoutd counts an event from its first report, and forgets it with the first without it. */
#define EVENT_NS (5 * NS_PER_S)
/* Reports in a row, for events; scanoutd takes ten, then two a second. */
#define BURST 4

struct scanout_report_output {
	struct scanout_report *report;
	bool used;
	/* Removed: the slot is free once that has been told. */
	bool leaving;
	/* Shows nothing, which has been or is being told. */
	bool off;
	char name[WIRE_NAME];
	uint32_t refresh_mhz;
	/* Since the last report. */
	uint64_t flips;
	uint64_t missed;
	uint32_t planes;      /* the most at a time */
	uint64_t shortest_ns; /* between two flips; 0: not known */
	uint64_t presented_ns;
	uint32_t buffers;
	uint64_t buffer_bytes;
	enum scanout_report_event event; /* 0: none */
	bool event_told;
	uint32_t event_buffers;
	uint64_t event_bytes;
	uint64_t event_ns; /* since when */
};

struct scanout_report {
	struct scanout_report_output outputs[SCANOUT_REPORT_OUTPUTS];
	struct connection connection;
	struct scanout_report_stats stats;
	int timer_fd;
	uint64_t wake_ns; /* when it fires, or did; NEVER */
	bool starting;	  /* not connected yet for the first time */
	bool news;	  /* something to tell at the next report */
	bool urgent;	  /* something to tell at once */
	uint64_t due_ns;  /* the next report, if there are news */
	uint64_t interval_ns;
	/* Reports are counted as if there were one a second; this is when the last ends. */
	uint64_t paced_ns;
	/* As of the last report. */
	uint64_t answers;
	uint64_t refusals;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void wake_at(struct scanout_report *report, uint64_t ns)
{
	struct itimerspec timer = { 0 };

	/* All zero would stop the timer, which is what NEVER means. */
	if (ns != NEVER) {
		timer.it_value.tv_sec = (time_t)(ns / NS_PER_S);
		timer.it_value.tv_nsec = (long)(ns % NS_PER_S);
	}
	timerfd_settime(report->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL);
	report->wake_ns = ns;
}

static const char *event_name(enum scanout_report_event event)
{
	switch (event) {
	case SCANOUT_REPORT_FULLSCREEN_VIDEO:
		return "fullscreen-video";
	case SCANOUT_REPORT_OUTPUT_ADDED:
		return "output-added";
	case SCANOUT_REPORT_VT_SWITCH:
		return "vt-switch";
	case SCANOUT_REPORT_OUTPUT_OFF:
		return "output-off";
	}
	return NULL;
}

/*
 * What the compositor says
 */

/* There is something to tell, within a second. */
static void tell(struct scanout_report *report)
{
	if (report->news)
		return;
	report->news = true;
	report->due_ns = now_ns() + report->interval_ns;
	if (report->due_ns < report->wake_ns)
		wake_at(report, report->due_ns);
}

/* From the loop, not from here: what happens at the same time makes one report. */
static void tell_at_once(struct scanout_report *report)
{
	if (!report->urgent)
		wake_at(report, 1);
	report->urgent = true;
}

static void announce(struct scanout_report_output *output, enum scanout_report_event event,
		     uint32_t buffers, uint64_t bytes)
{
	struct scanout_report *report = output->report;

	if (output->event && !output->event_told)
		report->stats.dropped_events++;
	output->event = event;
	output->event_told = false;
	output->event_buffers = buffers;
	output->event_bytes = bytes;
	output->event_ns = now_ns();
	output->off = event == SCANOUT_REPORT_OUTPUT_OFF;
	tell_at_once(report);
}

static void clear_period(struct scanout_report_output *output)
{
	output->flips = 0;
	output->missed = 0;
	output->planes = 0;
	output->shortest_ns = 0;
}

/* A slot: that of an output of this name which is leaving, a free one, or any that is leaving. */
static struct scanout_report_output *find_slot(struct scanout_report *report, const char *name)
{
	struct scanout_report_output *found = NULL;

	for (unsigned int i = 0; i < SCANOUT_REPORT_OUTPUTS; i++) {
		struct scanout_report_output *output = &report->outputs[i];

		if (output->leaving && !strcmp(output->name, name))
			return output;
		if (!output->used ? !found || found->used : output->leaving && !found)
			found = output;
	}
	return found;
}

EXPORT struct scanout_report_output *
scanout_report_add_output(struct scanout_report *report, const char *name, uint32_t refresh_mhz)
{
	struct scanout_report_output *output;
	char clean[WIRE_NAME];
	size_t length = 0;

	if (!report || !name)
		return NULL;
	/* The bus hangs up on what is not UTF-8, and scanoutd drops outputs without a name. */
	for (; name[length] && length < sizeof(clean) - 1; length++)
		clean[length] = name[length] >= ' ' && name[length] <= '~' ? name[length] : '?';
	if (!length)
		clean[length++] = '?';
	clean[length] = '\0';
	output = find_slot(report, clean);
	if (!output)
		return NULL;
	if (output->used)
		report->stats.dropped_events += output->event && !output->event_told;
	*output = (struct scanout_report_output){
		.report = report,
		.used = true,
		.refresh_mhz = refresh_mhz,
	};
	memcpy(output->name, clean, length + 1);
	return output;
}

EXPORT void scanout_report_remove_output(struct scanout_report_output *output)
{
	if (!output)
		return;
	output->leaving = true;
	clear_period(output);
	announce(output, SCANOUT_REPORT_OUTPUT_OFF, 0, 0);
}

EXPORT void scanout_report_set_refresh(struct scanout_report_output *output, uint32_t refresh_mhz)
{
	if (output)
		output->refresh_mhz = refresh_mhz;
}

EXPORT void scanout_report_note_flip(struct scanout_report_output *output, uint32_t planes,
				     uint64_t presented_ns, uint32_t missed_vblanks)
{
	uint64_t apart_ns;

	if (!output)
		return;
	output->report->stats.flips++;
	output->flips++;
	output->missed += missed_vblanks;
	if (planes > output->planes)
		output->planes = planes;
	if (presented_ns > output->presented_ns && output->presented_ns) {
		apart_ns = presented_ns - output->presented_ns;
		if (!output->shortest_ns || apart_ns < output->shortest_ns)
			output->shortest_ns = apart_ns;
	}
	output->presented_ns = presented_ns;
	if (output->off) {
		output->off = false;
		output->event = 0;
	}
	tell(output->report);
}

EXPORT void scanout_report_set_buffers(struct scanout_report_output *output, uint32_t buffers,
				       uint64_t bytes_each)
{
	if (!output || (output->buffers == buffers && output->buffer_bytes == bytes_each))
		return;
	output->buffers = buffers;
	output->buffer_bytes = bytes_each;
	tell(output->report);
}

EXPORT void scanout_report_coming(struct scanout_report *report,
				  struct scanout_report_output *output,
				  enum scanout_report_event event, uint32_t buffers,
				  uint64_t bytes_each)
{
	if (!report || !event_name(event))
		return;
	for (unsigned int i = 0; i < SCANOUT_REPORT_OUTPUTS; i++) {
		struct scanout_report_output *each = &report->outputs[i];

		if (each->used && !each->leaving && (!output || each == output))
			announce(each, event, buffers, bytes_each);
	}
}

/*
 * What scanoutd is told
 */

static uint32_t refresh_of(const struct scanout_report_output *output)
{
	/* Faster than any display: two flips that were noted together. */
	if (output->refresh_mhz || output->shortest_ns < NS_PER_MS)
		return output->refresh_mhz;
	return (uint32_t)(1000 * NS_PER_S / output->shortest_ns);
}

static void send_report(struct scanout_report *report, uint64_t now)
{
	struct wire_output wire[SCANOUT_REPORT_OUTPUTS];
	struct connection *connection = &report->connection;
	size_t count = 0;

	for (unsigned int i = 0; i < SCANOUT_REPORT_OUTPUTS; i++) {
		struct scanout_report_output *output = &report->outputs[i];

		if (output->event && output->event_told && now - output->event_ns > EVENT_NS)
			output->event = 0;
		if (!output->used || (output->off && !output->event))
			continue;
		wire[count++] = (struct wire_output){
			.name = output->name,
			.refresh_mhz = refresh_of(output),
			.flips = output->flips,
			.missed = output->missed,
			.planes = output->planes,
			.buffers = output->buffers,
			.buffer_bytes = output->buffer_bytes,
			.event = event_name(output->event),
			.event_buffers = output->event_buffers,
			.event_bytes = output->event_bytes,
		};
		clear_period(output);
		output->event_told = true;
		output->used = !output->leaving;
		output->leaving = false;
	}

	/* Nobody there, nobody who may, or nobody who answers: ask less often. */
	if (connection_unanswered_ns(connection, now) >= INTERVAL_NS ||
	    connection->refusals > report->refusals)
		report->interval_ns *= 2;
	else if (connection->answers > report->answers)
		report->interval_ns = INTERVAL_NS;
	if (report->interval_ns > MAX_INTERVAL_NS)
		report->interval_ns = MAX_INTERVAL_NS;
	report->answers = connection->answers;
	report->refusals = connection->refusals;

	connection_report(connection, now, wire, count);
	report->stats.reports++;
	report->paced_ns = (report->paced_ns > now ? report->paced_ns : now) + INTERVAL_NS;
	report->news = false;
	report->urgent = false;
}

static void drop_old(struct scanout_report *report, uint64_t now)
{
	bool flips_too = report->news && now >= report->due_ns + TOO_OLD_NS;
	bool urgent = false;

	for (unsigned int i = 0; i < SCANOUT_REPORT_OUTPUTS; i++) {
		struct scanout_report_output *output = &report->outputs[i];

		if (output->event && !output->event_told && now - output->event_ns > TOO_OLD_NS) {
			report->stats.dropped_events++;
			output->event = 0;
			output->used = !output->leaving;
			output->leaving = false;
		}
		urgent |= output->used && output->event && !output->event_told;
		if (flips_too) {
			report->stats.dropped_flips += output->flips;
			clear_period(output);
		}
	}
	report->urgent = urgent;
	if (flips_too)
		report->news = false;
}

/* When may an urgent report be sent? */
static uint64_t paced_ns(const struct scanout_report *report)
{
	uint64_t ahead_ns = (BURST - 1) * INTERVAL_NS;

	return report->paced_ns > ahead_ns ? report->paced_ns - ahead_ns : 0;
}

EXPORT void scanout_report_dispatch(struct scanout_report *report)
{
	struct connection *connection;
	uint64_t now, due, fired;
	bool wanted;

	if (!report)
		return;
	connection = &report->connection;
	if (read(report->timer_fd, &fired, sizeof(fired)) < 0 && errno != EAGAIN)
		return;
	now = now_ns();
	wanted = report->news || report->urgent;
	connection_advance(connection, now, wanted || report->starting);
	if (connection->state != CONNECTION_GREETING)
		report->starting = false;

	if (connection_takes_report(connection) && ((report->urgent && now >= paced_ns(report)) ||
						    (report->news && now >= report->due_ns)))
		send_report(report, now);
	else if (wanted)
		drop_old(report, now);

	due = connection_due_ns(connection, report->news || report->urgent);
	if (report->urgent && connection_takes_report(connection) && paced_ns(report) < due)
		due = paced_ns(report);
	if (report->news && report->due_ns > now && report->due_ns < due)
		due = report->due_ns;
	/* What cannot be sent gets old: look again in a second. */
	if ((report->news || report->urgent) && due > now + INTERVAL_NS && report->due_ns <= now)
		due = now + INTERVAL_NS;
	wake_at(report, due);
}

/*
 * Life
 */

/* Of a later version, but with nothing in what this one does not have? */
static bool knows(const struct scanout_report_options *options)
{
	const char *bytes = (const char *)options;

	if (options->size < sizeof(*options))
		return false;
	for (size_t i = sizeof(*options); i < options->size; i++)
		if (bytes[i])
			return false;
	return true;
}

EXPORT struct scanout_report *scanout_report_new(const struct scanout_report_options *options)
{
	struct scanout_report *report;
	int ret;

	if (options && !knows(options)) {
		errno = EINVAL;
		return NULL;
	}
	report = calloc(1, sizeof(*report));
	if (!report)
		return NULL;
	report->timer_fd = -1;
	report->interval_ns = INTERVAL_NS;
	report->starting = true;
	ret = connection_init(&report->connection, options ? options->bus_address : NULL);
	if (!ret) {
		report->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		ret = report->timer_fd < 0 ? -errno : 0;
	}
	if (ret) {
		scanout_report_free(report);
		errno = -ret;
		return NULL;
	}
	wake_at(report, 1);
	return report;
}

EXPORT void scanout_report_free(struct scanout_report *report)
{
	if (!report)
		return;
	connection_close(&report->connection);
	if (report->timer_fd >= 0)
		close(report->timer_fd);
	free(report);
}

EXPORT int scanout_report_fd(const struct scanout_report *report)
{
	return report ? report->timer_fd : -1;
}

EXPORT void scanout_report_get_stats(const struct scanout_report *report,
				     struct scanout_report_stats *stats)
{
	struct scanout_report_stats now = { 0 };
	size_t size = stats->size;

	if (report) {
		now = report->stats;
		now.answers = report->connection.answers;
		now.refusals = report->connection.refusals;
		now.connections = report->connection.connections;
		snprintf(now.error, sizeof(now.error), "%s", report->connection.error);
	}
	now.size = size;
	memset(stats, 0, size);
	memcpy(stats, &now, size < sizeof(now) ? size : sizeof(now));
}
