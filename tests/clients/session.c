// SPDX-License-Identifier: MIT
#include "session.h"

#include <inttypes.h>

#include "clock.h"
#include "complain.h"
#include "drm_device.h"
#include "hook.h"
#include "json.h"
#include "kernel_file.h"
#include "modes.h"
#include "present.h"
#include "samples.h"
#include "verifier.h"

/*
 * Before a marker or a hook: the kernel's worker cleans up after a flip when its event is long out,
 * and what it does belongs before the mark.
 */
#define QUIET_NS (100 * NS_PER_MS)
#define POWER_OFF_NS (100 * NS_PER_MS)
#define CURSOR_SIDE_PIXELS 64
#define SPARE_BYTES (64u << 20)
/* The overlay's pictures must differ from the primary's of the same number. */
#define OVERLAY_SEED_OFFSET 0x51ed2700u

struct watch {
	const char *path;
	uint64_t samples, first, min, max, last;
};

struct session {
	const struct options *options;
	struct drm_device device;
	struct presenter presenter;
	struct mode_state state;
	const struct mode_ops *ops;
	struct verifier verifier;
	struct frame current;
	unsigned int lap_flips;
	/** @vblanks_per_flip: how far apart flips are meant to be */
	uint32_t vblanks_per_flip;

	/* What the JSON tells. */
	uint64_t flips, missed_vblanks, start_ns, end_ns;
	bool lapped;
	/**
	 * @timed: nothing but flipping happened since @last_event, so its distance means something
	 */
	bool timed;
	struct flip_event last_event;
	struct samples ioctl_ns, event_ns;
	struct watch watches[OPTIONS_MAX_WATCHES];
};

static enum session_status status_of(enum present_result result)
{
	switch (result) {
	case PRESENT_OK:
		return SESSION_OK;
	case PRESENT_TIMEOUT:
		return SESSION_TIMEOUT;
	case PRESENT_FAILED:
		break;
	}
	return SESSION_ERROR;
}

static enum session_status status_of_int(int ret)
{
	return ret ? SESSION_ERROR : SESSION_OK;
}

/* Setting up */

static int choose_overlay(struct session *session, uint32_t *fourcc)
{
	static const char *const preferred[] = { "NV12", "YUYV", "XR24" };
	uint32_t wanted = session->options->overlay_format;
	char name[5];
	int found = 0;

	if (wanted) {
		*fourcc = wanted;
		found = drm_device_find_overlay(&session->device, wanted);
	}
	for (size_t i = 0; !wanted && !found && i < sizeof(preferred) / sizeof(preferred[0]); i++) {
		*fourcc = format_from_name(preferred[i])->fourcc;
		found = drm_device_find_overlay(&session->device, *fourcc);
	}
	if (!found) {
		format_name(*fourcc, name);
		complain("%s: CRTC %u has no overlay plane that takes %s", session->device.path,
			 session->device.crtc_id, name);
	}
	return found > 0 ? 0 : -1;
}

/* A buffer that is too small for the panel shows as many whole rows as it holds. */
static int shrink_to_buffer(const struct options *options, struct image_layout *layout)
{
	const struct pixel_format *format = layout->format;
	uint32_t height = layout->height;

	if (!options->buffer_bytes)
		return 0;
	while (layout->size_bytes > options->buffer_bytes && height > 2) {
		height -= 2;
		format_layout(format, layout->width, height, layout);
	}
	if (layout->size_bytes > options->buffer_bytes) {
		complain("--buffer-bytes %zu: two rows of %u pixels need %zu",
			 options->buffer_bytes, layout->width, layout->size_bytes);
		return -1;
	}
	return 0;
}

static int set_up_primary(struct session *session)
{
	const struct options *options = session->options;
	const drmModeModeInfo *mode = &session->device.mode;
	bool own_size = options->width && options->mode != MODE_MULTI;
	struct pool *pool = &session->state.primary;
	unsigned int count = options->mode == MODE_CHURN ? 2 : options->buffers;

	if (drm_device_check_primary(&session->device, options->format))
		return -1;
	*pool = (struct pool){
		.device = &session->device,
		.exporter = options->exporter,
		.seed = options->seed,
	};
	format_layout(format_from_fourcc(options->format),
		      own_size ? options->width : mode->hdisplay,
		      own_size ? options->height : mode->vdisplay, &pool->layout);
	if (pool->layout.width > mode->hdisplay || pool->layout.height > mode->vdisplay) {
		complain("--size %ux%u: the panel is %ux%u", pool->layout.width,
			 pool->layout.height, mode->hdisplay, mode->vdisplay);
		return -1;
	}
	if (shrink_to_buffer(options, &pool->layout))
		return -1;
	if (options->api == API_LEGACY && pool->layout.height < mode->vdisplay) {
		complain("--buffer-bytes %zu with --api legacy: a framebuffer must fill the panel, "
			 "expected --api atomic or more bytes",
			 options->buffer_bytes);
		return -1;
	}
	pool->buffer_bytes = options->buffer_bytes ? options->buffer_bytes :
						     pool->layout.size_bytes;
	return pool_init(pool, count);
}

static int set_up_overlay(struct session *session)
{
	const struct options *options = session->options;
	const drmModeModeInfo *mode = &session->device.mode;
	struct pool *pool = &session->state.overlay;
	uint32_t fourcc;

	*pool = (struct pool){
		.device = &session->device,
		.exporter = options->exporter,
		.seed = options->seed + OVERLAY_SEED_OFFSET,
	};
	if (options->mode == MODE_CURSOR) {
		format_layout(format_from_name("AR24"), CURSOR_SIDE_PIXELS, CURSOR_SIDE_PIXELS,
			      &pool->layout);
		pool->buffer_bytes = pool->layout.size_bytes;
		return pool_init(pool, 1);
	}
	if (options->mode != MODE_MULTI)
		return 0;
	if (options->width > mode->hdisplay || options->height > mode->vdisplay) {
		complain("--size %ux%u: the panel is %ux%u", options->width, options->height,
			 mode->hdisplay, mode->vdisplay);
		return -1;
	}
	if (choose_overlay(session, &fourcc))
		return -1;
	format_layout(format_from_fourcc(fourcc), options->width, options->height, &pool->layout);
	pool->buffer_bytes = pool->layout.size_bytes;
	/* even, for chroma's sake */
	session->state.overlay_x = (mode->hdisplay - options->width) / 4 * 2;
	session->state.overlay_y = (mode->vdisplay - options->height) / 4 * 2;
	return pool_init(pool, options->overlay_buffers);
}

/*
 * Buffers are pinned while they are imported: without room for all of them the kernel kills
 * somebody, and that is hard to read from outside.
 */
static int check_memory(const struct session *session)
{
	const struct pool *primary = &session->state.primary, *overlay = &session->state.overlay;
	uint64_t wanted = (uint64_t)primary->count * primary->buffer_bytes +
			  (uint64_t)overlay->count * overlay->buffer_bytes;
	uint64_t available;

	if (kernel_file_read_available_bytes(&available))
		return -1;
	if (wanted + wanted / 16 + SPARE_BYTES <= available)
		return 0;
	complain("%u buffers of %zu bytes: MemAvailable is %" PRIu64 " MiB, %u MiB of it to be "
		 "spared; expected fewer --buffers or less --buffer-bytes",
		 primary->count, primary->buffer_bytes, available >> 20, SPARE_BYTES >> 20);
	return -1;
}

static int set_up_verifier(struct session *session)
{
	const struct options *options = session->options;
	/* a moving cursor makes every frame its own */
	bool returning = options->mode != MODE_CHURN && options->mode != MODE_MANY &&
			 options->mode != MODE_CURSOR;

	if (!options->verify)
		return 0;
	session->verifier = (struct verifier){
		.frame_crc_path = options->frame_crc_path,
		.panel_width = session->device.mode.hdisplay,
		.panel_height = session->device.mode.vdisplay,
		.settling = options->mode == MODE_CURSOR,
		.primary_count = returning ? options->buffers : 0,
		.overlay_count = options->overlay_buffers,
	};
	return verifier_init(&session->verifier);
}

static int set_up(struct session *session)
{
	const struct options *options = session->options;
	double refresh_hz;

	if (drm_device_open(&session->device, options->device, options->api == API_ATOMIC))
		return -1;
	presenter_init(&session->presenter, &session->device, options->api);
	session->ops = mode_ops(options->mode);
	session->state.options = options;
	session->state.device = &session->device;
	session->lap_flips = mode_lap_flips(options);
	refresh_hz = session->device.refresh_mhz / 1000.0;
	session->vblanks_per_flip = 1;
	if (options->pace_hz > 0 && refresh_hz > options->pace_hz)
		session->vblanks_per_flip = (uint32_t)(refresh_hz / options->pace_hz + 0.999);
	for (unsigned int i = 0; i < options->watch_count; i++)
		session->watches[i].path = options->watches[i];
	if (session->lap_flips > options->frames && (options->marker || options->on_lap))
		complain("note: %u flips do not make a lap of %u, so no lap mark will come",
			 options->frames, session->lap_flips);
	if (set_up_primary(session) || set_up_overlay(session) || check_memory(session) ||
	    set_up_verifier(session))
		return -1;
	return session->ops->start ? session->ops->start(&session->state) : 0;
}

/* Flipping */

static int read_watches(struct session *session)
{
	for (unsigned int i = 0; i < session->options->watch_count; i++) {
		struct watch *watch = &session->watches[i];
		uint64_t value;

		if (kernel_file_read_number(watch->path, &value))
			return -1;
		if (!watch->samples++)
			watch->first = watch->min = watch->max = value;
		if (value < watch->min)
			watch->min = value;
		if (value > watch->max)
			watch->max = value;
		watch->last = value;
	}
	return 0;
}

static int run_hooks(struct session *session, unsigned int number)
{
	const struct options *options = session->options;
	bool lap = number == session->lap_flips;

	if (lap)
		session->lapped = true;
	if (lap && (options->marker || options->on_lap)) {
		session->timed = false;
		clock_sleep_ns(QUIET_NS);
		if (options->marker && kernel_file_mark_trace("scanout-flip lap"))
			return -1;
		if (options->on_lap && hook_run(options->on_lap))
			return -1;
	}
	for (unsigned int i = 0; i < options->hooks; i++) {
		if (options->on_frame[i].frame != number)
			continue;
		session->timed = false;
		if (hook_run(options->on_frame[i].command))
			return -1;
	}
	return 0;
}

static int after_frame(struct session *session, unsigned int number)
{
	if (read_watches(session))
		return -1;
	return run_hooks(session, number);
}

static void place(struct plane_update *update, const struct shown *shown)
{
	if (!shown->fb_id)
		return;
	*update = (struct plane_update){
		.fb_id = shown->fb_id,
		.x = shown->x,
		.y = shown->y,
		.width = shown->buffer->layout.width,
		.height = shown->buffer->layout.height,
	};
}

/* What has to change on the panel; an atomic commit leaves out the planes that stay as they are. */
static struct scene scene_of(const struct session *session, const struct frame *frame, bool all)
{
	struct scene scene = { 0 };

	place(&scene.primary, &frame->primary);
	place(&scene.overlay, &frame->overlay);
	if (all)
		return scene;
	if (scene.overlay.fb_id == session->current.overlay.fb_id)
		scene.overlay.fb_id = 0;
	/* a ring of one, or a script, may ask for the same again: that is a flip too */
	if (session->options->api == API_ATOMIC && scene.overlay.fb_id &&
	    scene.primary.fb_id == session->current.primary.fb_id)
		scene.primary.fb_id = 0;
	return scene;
}

static int expect(struct session *session, const struct frame *frame, uint32_t *crc)
{
	return session->options->verify ? verifier_expect(&session->verifier, frame, crc) : 0;
}

static enum session_status show_first(struct session *session)
{
	struct frame frame = { 0 };
	struct scene scene;
	enum session_status status;
	uint32_t crc;

	if (session->ops->show(&session->state, 0, &frame))
		return SESSION_ERROR;
	/* current from here on: teardown owns what it holds */
	session->current = frame;
	if (expect(session, &frame, &crc))
		return SESSION_ERROR;
	scene = scene_of(session, &frame, true);
	status = status_of(present_modeset(&session->presenter, &scene));
	if (status)
		return status;
	if (session->options->verify && verifier_check_settled(&session->verifier, 0, crc))
		return SESSION_ERROR;
	return status_of_int(after_frame(session, 0));
}

static int record_flip(struct session *session, uint64_t asked_ns, uint64_t ioctl_ns,
		       const struct flip_event *event)
{
	uint64_t now_ns = clock_now_ns();
	uint32_t passed = event->sequence - session->last_event.sequence;

	if (session->timed && passed > session->vblanks_per_flip)
		session->missed_vblanks += passed - session->vblanks_per_flip;
	session->flips++;
	session->timed = true;
	session->last_event = *event;
	session->end_ns = now_ns;
	if (samples_add(&session->ioctl_ns, ioctl_ns) ||
	    samples_add(&session->event_ns, now_ns - asked_ns)) {
		complain("no memory for measured times");
		return -1;
	}
	return 0;
}

static enum session_status show_next(struct session *session, unsigned int number)
{
	struct frame frame = { 0 }, old = session->current;
	struct flip_event event;
	struct scene scene;
	enum session_status status;
	uint64_t asked_ns, ioctl_ns;
	uint32_t crc;

	if (session->ops->show(&session->state, number, &frame) || expect(session, &frame, &crc))
		return SESSION_ERROR;
	scene = scene_of(session, &frame, false);
	asked_ns = clock_now_ns();
	status = status_of(present_flip(&session->presenter, &scene, &ioctl_ns));
	if (!status)
		status = status_of(present_wait(&session->presenter, &event));
	if (status)
		return status;
	session->current = frame;
	if (record_flip(session, asked_ns, ioctl_ns, &event))
		return SESSION_ERROR;
	if (session->options->verify && verifier_check(&session->verifier, number, crc))
		return SESSION_ERROR;
	if (session->ops->hide && old.primary.fb_id != frame.primary.fb_id &&
	    session->ops->hide(&session->state, &old.primary))
		return SESSION_ERROR;
	return status_of_int(after_frame(session, number));
}

static enum session_status cycle_power(struct session *session, unsigned int number)
{
	enum session_status status = status_of(present_power(&session->presenter, false));
	uint32_t crc;

	session->timed = false;
	if (status)
		return status;
	clock_sleep_ns(POWER_OFF_NS);
	status = status_of(present_power(&session->presenter, true));
	if (status || !session->options->verify)
		return status;
	if (expect(session, &session->current, &crc))
		return SESSION_ERROR;
	return status_of_int(verifier_check_settled(&session->verifier, number, crc));
}

static enum session_status flip_all(struct session *session)
{
	const struct options *options = session->options;
	enum session_status status = show_first(session);
	uint64_t period_ns =
		options->pace_hz > 0 ? (uint64_t)((double)NS_PER_S / options->pace_hz) : 0;

	session->start_ns = clock_now_ns();
	session->end_ns = session->start_ns;
	for (unsigned int number = 1; !status && number <= options->frames; number++) {
		if (period_ns)
			clock_sleep_until_ns(session->start_ns + (number - 1) * period_ns);
		status = show_next(session, number);
		if (!status && options->dpms_cycle && number == (options->frames + 1) / 2)
			status = cycle_power(session, number);
	}
	if (!status && options->marker) {
		clock_sleep_ns(QUIET_NS);
		status = status_of_int(kernel_file_mark_trace("scanout-flip end"));
	}
	return status;
}

/* Telling and tidying up */

static void print_watches(const struct session *session, struct json *json)
{
	json_begin(json, "watch", '[');
	for (unsigned int i = 0; i < session->options->watch_count; i++) {
		const struct watch *watch = &session->watches[i];

		json_begin(json, NULL, '{');
		json_string(json, "path", watch->path);
		json_number(json, "samples", watch->samples);
		json_number(json, "first", watch->first);
		json_number(json, "min", watch->min);
		json_number(json, "max", watch->max);
		json_number(json, "last", watch->last);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void print_pool(const struct pool *pool, struct json *json, const char *key)
{
	char format[5];

	format_name(pool->layout.format->fourcc, format);
	json_begin(json, key, '{');
	json_string(json, "exporter", exporter_name(pool->exporter));
	json_string(json, "format", format);
	json_number(json, "width", pool->layout.width);
	json_number(json, "height", pool->layout.height);
	json_number(json, "buffer_bytes", pool->buffer_bytes);
	json_number(json, "created", pool->created);
	json_end(json, '}');
}

static const char *status_text(enum session_status status)
{
	static const char *const texts[] = {
		[SESSION_OK] = "ok",
		[SESSION_ERROR] = "error",
		[SESSION_MISMATCH] = "crc mismatch",
		[SESSION_TIMEOUT] = "flip timeout",
	};

	return texts[status];
}

static void print_report(struct session *session, enum session_status status)
{
	const struct options *options = session->options;
	struct json json = { .out = stdout, .first = true };

	json_begin(&json, NULL, '{');
	json_string(&json, "mode", mode_name(options->mode));
	json_string(&json, "api", api_name(options->api));
	json_string(&json, "status", status_text(status));
	json_number(&json, "frames", options->frames);
	json_number(&json, "flips", session->flips);
	if (session->lapped)
		json_number(&json, "lap_flips", session->lap_flips);
	else
		json_null(&json, "lap_flips");
	json_number(&json, "buffers", options->buffers);
	json_number(&json, "overlay_buffers", options->overlay_buffers);
	print_pool(&session->state.primary, &json, "primary");
	if (session->state.overlay.count)
		print_pool(&session->state.overlay, &json,
			   options->mode == MODE_CURSOR ? "cursor" : "overlay");
	json_number(&json, "imports", session->state.imports);
	json_number(&json, "purged", session->state.purged);
	json_bool(&json, "verify", options->verify);
	json_number(&json, "crc_checked", session->verifier.checked);
	json_number(&json, "crc_mismatches", session->verifier.mismatches);
	json_number(&json, "refresh_mhz", session->device.refresh_mhz);
	json_number(&json, "missed_vblanks", session->missed_vblanks);
	json_number(&json, "ebusy_retries", session->presenter.ebusy_retries);
	json_number(&json, "flip_ioctl_ns_p50", samples_percentile(&session->ioctl_ns, 50));
	json_number(&json, "flip_ioctl_ns_p99", samples_percentile(&session->ioctl_ns, 99));
	json_number(&json, "flip_event_ns_p50", samples_percentile(&session->event_ns, 50));
	json_number(&json, "flip_event_ns_p99", samples_percentile(&session->event_ns, 99));
	json_number(&json, "duration_ns", session->end_ns - session->start_ns);
	print_watches(session, &json);
	json_end(&json, '}');
	fputc('\n', stdout);
	fflush(stdout);
}

static enum session_status leave(struct session *session)
{
	const struct options *options = session->options;
	enum session_status status = SESSION_OK;

	if (options->hold_open_s > 0)
		clock_sleep_ns((uint64_t)(options->hold_open_s * (double)NS_PER_S));
	if (options->disable_at_end)
		status = status_of(present_disable(&session->presenter));
	if (session->ops->finish && session->ops->finish(&session->state, &session->current))
		status = SESSION_ERROR;
	return status;
}

enum session_status session_run(const struct options *options)
{
	struct session session = { .options = options, .device = { .fd = -1 } };
	enum session_status status, left;

	if (set_up(&session)) {
		status = SESSION_ERROR;
	} else {
		status = flip_all(&session);
		if (!status && session.verifier.mismatches)
			status = SESSION_MISMATCH;
		print_report(&session, status);
		left = leave(&session);
		if (!status)
			status = left;
	}
	verifier_fini(&session.verifier);
	samples_free(&session.ioctl_ns);
	samples_free(&session.event_ns);
	pool_destroy(&session.state.overlay);
	pool_destroy(&session.state.primary);
	presenter_fini(&session.presenter);
	drm_device_close(&session.device);
	return status;
}
