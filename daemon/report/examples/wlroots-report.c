// SPDX-License-Identifier: MIT
#include "wlroots-report.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wlr/backend/session.h>
#include <wlr/types/wlr_buffer.h>
#include <wlr/types/wlr_output.h>

#include "scanout-report.h"

/* A client may have any number of objects; so many are looked at, once per video. */
#define MAX_LOOKS 4096
/* What wlroots draws into takes turns with up to so many. */
#define OWN_BUFFERS 4

struct wlroots_report {
	struct scanout_report *report;
	struct wl_event_source *source;
	struct wl_list outputs; /* struct reported::link */
	struct wl_listener active;
	struct wl_listener session_gone;
};

struct reported {
	struct wl_list link;
	struct wlroots_report *owner;
	struct wlr_output *output;
	struct scanout_report_output *handle;
	bool enabled;
	/* Presented last, and what wants to be presented at the next vblank; 0: not known. */
	unsigned int seq;
	unsigned int wanted_seq;
	uint32_t wanted_commit;
	struct wl_listener commit;
	struct wl_listener present;
	struct wl_listener destroy;
};

static uint64_t to_ns(const struct timespec *time)
{
	return time ? (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec : 0;
}

/* After every commit, whatever it was about. */
static void committed(struct wl_listener *listener, void *data)
{
	struct reported *reported = wl_container_of(listener, reported, commit);
	const struct wlr_output *output = reported->output;

	(void)data;
	scanout_report_set_refresh(reported->handle, (uint32_t)output->refresh);
	if (output->enabled && !reported->enabled)
		scanout_report_coming(reported->owner->report, reported->handle,
				      SCANOUT_REPORT_OUTPUT_ADDED, OWN_BUFFERS,
				      (uint64_t)output->width * (uint64_t)output->height * 4);
	else if (!output->enabled && reported->enabled)
		scanout_report_coming(reported->owner->report, reported->handle,
				      SCANOUT_REPORT_OUTPUT_OFF, 0, 0);
	reported->enabled = output->enabled;
	/*
	 * Compositors draw when they are told of a vblank, so the commit that follows is meant for
	 * the next.  One after a pause has no deadline.
	 */
	reported->wanted_seq = reported->seq ? reported->seq + 1 : 0;
	reported->wanted_commit = output->commit_seq;
	reported->seq = 0;
}

static void presented(struct wl_listener *listener, void *data)
{
	struct reported *reported = wl_container_of(listener, reported, present);
	const struct wlr_output_event_present *event = data;
	uint32_t missed = 0;

	if (!event->presented)
		return;
	if (reported->wanted_seq && event->commit_seq == reported->wanted_commit &&
	    event->seq > reported->wanted_seq)
		missed = event->seq - reported->wanted_seq;
	reported->seq = event->seq;
	/* wlroots does not say how many planes it used. */
	scanout_report_note_flip(reported->handle, 0, to_ns(event->when), missed);
}

static void forget(struct reported *reported)
{
	scanout_report_remove_output(reported->handle);
	wl_list_remove(&reported->commit.link);
	wl_list_remove(&reported->present.link);
	wl_list_remove(&reported->destroy.link);
	wl_list_remove(&reported->link);
	free(reported);
}

static void output_gone(struct wl_listener *listener, void *data)
{
	struct reported *reported = wl_container_of(listener, reported, destroy);

	(void)data;
	forget(reported);
}

void wlroots_report_output(struct wlroots_report *report, struct wlr_output *output)
{
	struct reported *reported = report ? calloc(1, sizeof(*reported)) : NULL;

	if (!reported)
		return;
	reported->owner = report;
	reported->output = output;
	reported->handle =
		scanout_report_add_output(report->report, output->name, (uint32_t)output->refresh);
	reported->commit.notify = committed;
	wl_signal_add(&output->events.commit, &reported->commit);
	reported->present.notify = presented;
	wl_signal_add(&output->events.present, &reported->present);
	reported->destroy.notify = output_gone;
	wl_signal_add(&output->events.destroy, &reported->destroy);
	wl_list_insert(&report->outputs, &reported->link);
}

struct count {
	uint32_t buffers;
	unsigned int looks;
};

static enum wl_iterator_result count_buffer(struct wl_resource *resource, void *userdata)
{
	struct count *count = userdata;

	if (!strcmp(wl_resource_get_class(resource), "wl_buffer") && !wl_shm_buffer_get(resource))
		count->buffers++;
	return ++count->looks < MAX_LOOKS ? WL_ITERATOR_CONTINUE : WL_ITERATOR_STOP;
}

void wlroots_report_fullscreen(struct wlroots_report *report, struct wlr_output *output,
			       struct wl_client *client, const struct wlr_buffer *buffer)
{
	struct count count = { 0 };
	struct reported *reported;

	if (!report)
		return;
	/* A player has made its whole pool before it shows the first buffer of it. */
	wl_client_for_each_resource(client, count_buffer, &count);
	wl_list_for_each(reported, &report->outputs, link) if (reported->output == output)
		scanout_report_coming(report->report, reported->handle,
				      SCANOUT_REPORT_FULLSCREEN_VIDEO, count.buffers,
				      (uint64_t)buffer->width * (uint64_t)buffer->height * 4);
}

static void session_switched(struct wl_listener *listener, void *data)
{
	struct wlroots_report *report = wl_container_of(listener, report, active);

	(void)data;
	scanout_report_coming(report->report, NULL, SCANOUT_REPORT_VT_SWITCH, 0, 0);
}

static void session_gone(struct wl_listener *listener, void *data)
{
	struct wlroots_report *report = wl_container_of(listener, report, session_gone);

	(void)data;
	wl_list_remove(&report->active.link);
	wl_list_remove(&report->session_gone.link);
	wl_list_init(&report->active.link);
	wl_list_init(&report->session_gone.link);
}

void wlroots_report_session(struct wlroots_report *report, struct wlr_session *session)
{
	if (!report || !session)
		return;
	report->active.notify = session_switched;
	wl_signal_add(&session->events.active, &report->active);
	report->session_gone.notify = session_gone;
	wl_signal_add(&session->events.destroy, &report->session_gone);
}

static int dispatch(int fd, uint32_t mask, void *data)
{
	struct wlroots_report *report = data;

	(void)fd, (void)mask;
	scanout_report_dispatch(report->report);
	return 0;
}

struct wlroots_report *wlroots_report_new(struct wl_event_loop *loop)
{
	struct wlroots_report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->report = scanout_report_new(NULL);
	if (!report->report) {
		free(report);
		return NULL;
	}
	report->source = wl_event_loop_add_fd(loop, scanout_report_fd(report->report),
					      WL_EVENT_READABLE, dispatch, report);
	wl_list_init(&report->outputs);
	wl_list_init(&report->active.link);
	wl_list_init(&report->session_gone.link);
	return report;
}

void wlroots_report_free(struct wlroots_report *report)
{
	struct reported *reported, *next;

	if (!report)
		return;
	wl_list_for_each_safe(reported, next, &report->outputs, link) forget(reported);
	wl_list_remove(&report->active.link);
	wl_list_remove(&report->session_gone.link);
	if (report->source)
		wl_event_source_remove(report->source);
	scanout_report_free(report->report);
	free(report);
}
