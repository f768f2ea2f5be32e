// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>

#include "buffer.h"
#include "clock.h"
#include "complain.h"
#include "drm_device.h"
#include "kernel_file.h"
#include "picture.h"
#include "present.h"

/*
 * Every allocation on the way of a framebuffer to the panel fails once, by enumeration: for n = 1,
 * 2, 3, ... the n-th one in a call does, until the call has fewer. Mapping for scanout counts as
 * one. Each time the call has to succeed all the same, or fail with ENOMEM and change nothing: the
 * panel shows the new picture or the old one, and the next flip works.
 */

#define FRAME_CRC "/sys/kernel/debug/mdp4_model/frame_crc"
#define FAIL_NTH "/proc/thread-self/fail-nth"
#define MAX_NTH 2000
#define BUFFERS 2
#define SETTLE_NS (1000 * NS_PER_MS)

struct test {
	struct drm_device device;
	struct presenter presenter;
	struct buffer buffers[BUFFERS];
	uint32_t crc[BUFFERS];
	/** @shown: the buffer on the panel */
	unsigned int shown;
	uint32_t fb_ids[BUFFERS];
	int fail_nth;
	uint64_t injected, survived, refused, wrong;
};

/* A call that is tried with every failure. */
struct call {
	const char *name;
	/** @set_up: 0 or -1 after one line on stderr; nothing fails on purpose */
	int (*set_up)(struct test *test);
	/** @run: the call itself: 0 or -errno */
	int (*run)(struct test *test);
	/** @shows: on success the other buffer is on the panel */
	bool shows;
};

static unsigned int other(const struct test *test)
{
	return (test->shown + 1) % BUFFERS;
}

static int commit(struct test *test, uint32_t fb_id)
{
	const struct drm_device *device = &test->device;
	drmModeAtomicReq *request = drmModeAtomicAlloc();
	int ret;

	if (!request)
		return -ENOMEM;
	drmModeAtomicAddProperty(request, device->primary.id, device->primary.fb_id, fb_id);
	ret = drmModeAtomicCommit(device->fd, request, 0, NULL);
	drmModeAtomicFree(request);
	return ret;
}

static int add_framebuffer(struct test *test, unsigned int number)
{
	struct buffer *buffer = &test->buffers[number];

	if (buffer_import(buffer) || buffer_add_fb(buffer, &test->fb_ids[number]))
		return -1;
	return buffer_close_handle(buffer);
}

static void remove_framebuffer(struct test *test, unsigned int number)
{
	if (test->fb_ids[number])
		drmModeRmFB(test->device.fd, test->fb_ids[number]);
	test->fb_ids[number] = 0;
}

/* Import, framebuffer and mapping are new: what is idle was dropped. */
static int set_up_cold(struct test *test)
{
	int fd = open("/sys/kernel/debug/dri/0/scanout_cache/drop", O_WRONLY | O_CLOEXEC);
	bool dropped = fd < 0 || write(fd, "1", 1) == 1;

	if (fd >= 0)
		close(fd);
	remove_framebuffer(test, other(test));
	if (!dropped)
		complain("scanout_cache/drop: %s", strerror(errno));
	return dropped ? add_framebuffer(test, other(test)) : -1;
}

static int set_up_warm(struct test *test)
{
	return test->fb_ids[other(test)] ? 0 : add_framebuffer(test, other(test));
}

static int set_up_nothing(struct test *test)
{
	(void)test;
	return 0;
}

static int run_flip(struct test *test)
{
	return commit(test, test->fb_ids[other(test)]);
}

static int run_import(struct test *test)
{
	struct drm_gem_close request = { 0 };

	if (drmPrimeFDToHandle(test->device.fd, test->buffers[other(test)].dmabuf_fd,
			       &request.handle))
		return -errno;
	drmIoctl(test->device.fd, DRM_IOCTL_GEM_CLOSE, &request);
	return 0;
}

static int run_dirty(struct test *test)
{
	struct drm_clip_rect clip = { .x1 = 8, .y1 = 8, .x2 = 64, .y2 = 64 };

	return drmModeDirtyFB(test->device.fd, test->fb_ids[test->shown], &clip, 1);
}

static const struct call calls[] = {
	{ "flip to a buffer that is not mapped", set_up_cold, run_flip, true },
	{ "flip to a buffer that is mapped", set_up_warm, run_flip, true },
	{ "import", set_up_nothing, run_import, false },
	{ "mark a framebuffer dirty", set_up_nothing, run_dirty, false },
};

/* Waits for what is expected; a commit is done when it returns, so the first look usually does. */
static int check_panel(struct test *test, const char *when, unsigned int nth)
{
	uint64_t deadline_ns = clock_now_ns() + SETTLE_NS, sequence;
	uint32_t shown;

	for (;;) {
		bool last = clock_now_ns() >= deadline_ns;

		if (kernel_file_read_frame_crc(FRAME_CRC, &sequence, &shown))
			return -1;
		if (shown == test->crc[test->shown])
			return 0;
		if (last)
			break;
		clock_sleep_ns(20 * NS_PER_MS);
	}
	complain("%s, allocation %u: the panel shows CRC %08" PRIx32 ", expected %08" PRIx32, when,
		 nth, shown, test->crc[test->shown]);
	test->wrong++;
	return 0;
}

static int set_fail_nth(struct test *test, unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(test->fail_nth, text, (size_t)length, 0) == length)
		return 0;
	complain(FAIL_NTH ": %s", strerror(errno));
	return -1;
}

/* How many more it would have taken: 0 if the failure has been. */
static int fail_nth_left(struct test *test, unsigned int *left)
{
	char text[16] = "";

	if (pread(test->fail_nth, text, sizeof(text) - 1, 0) < 0 || sscanf(text, "%u", left) != 1) {
		complain(FAIL_NTH ": '%s': %s", text, strerror(errno));
		return -1;
	}
	return set_fail_nth(test, 0);
}

/* 1: the call has fewer allocations than @nth; 0, or -1 after one line on stderr. */
static int try_once(struct test *test, const struct call *call, unsigned int nth)
{
	unsigned int left;
	int ret;

	if (call->set_up(test) || set_fail_nth(test, nth))
		return -1;
	ret = call->run(test);
	if (fail_nth_left(test, &left))
		return -1;
	if (left && ret) {
		complain("%s: %s, though nothing failed", call->name, strerror(-ret));
		return -1;
	}
	if (!left) {
		test->injected++;
		*(ret ? &test->refused : &test->survived) += 1;
	}
	if (ret && ret != -ENOMEM) {
		complain("%s, allocation %u: %s, expected success or ENOMEM", call->name, nth,
			 strerror(-ret));
		test->wrong++;
	}
	if (!ret && call->shows)
		test->shown = other(test);
	if (check_panel(test, call->name, nth))
		return -1;
	/* And on it goes, to the other buffer and the way that everything works */
	if (set_up_warm(test))
		return -1;
	ret = run_flip(test);
	if (ret) {
		complain("%s, allocation %u: the next flip: %s", call->name, nth, strerror(-ret));
		test->wrong++;
	} else {
		test->shown = other(test);
	}
	return check_panel(test, "the next flip", nth) ? -1 : !!left;
}

static int try_all(struct test *test, const struct call *call)
{
	uint64_t injected = test->injected, survived = test->survived;

	for (unsigned int nth = 1; nth < MAX_NTH; nth++) {
		int ret = try_once(test, call, nth);

		if (ret < 0)
			return -1;
		if (!ret)
			continue;
		printf("%s: %" PRIu64 " failures, %" PRIu64 " of them survived\n", call->name,
		       test->injected - injected, test->survived - survived);
		fflush(stdout);
		return 0;
	}
	complain("%s: no end after %d allocations", call->name, MAX_NTH);
	return -1;
}

static int set_up(struct test *test)
{
	const struct drm_device *device = &test->device;
	struct scene scene;

	test->fail_nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (test->fail_nth < 0) {
		complain(FAIL_NTH ": %s (CONFIG_FAULT_INJECTION)", strerror(errno));
		return -1;
	}
	if (drm_device_open(&test->device, "/dev/dri/card0", true))
		return -1;
	presenter_init(&test->presenter, &test->device, API_ATOMIC);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct image_layout layout;
		struct picture_layer layer;
		const struct pattern pattern = { .width = device->mode.hdisplay,
						 .height = device->mode.vdisplay,
						 .seed = 1,
						 .number = i };

		format_layout(format_from_fourcc(DRM_FORMAT_XRGB8888), pattern.width,
			      pattern.height, &layout);
		layer = (struct picture_layer){ .pattern = pattern, .layout = &layout };
		if (buffer_create(&test->buffers[i], &test->device, EXPORTER_UDMABUF, &layout,
				  layout.size_bytes, &pattern) ||
		    add_framebuffer(test, i) ||
		    picture_panel_crc(pattern.width, pattern.height, &layer, 1, &test->crc[i]))
			return -1;
	}
	scene = (struct scene){ .primary = { .fb_id = test->fb_ids[0],
					     .width = device->mode.hdisplay,
					     .height = device->mode.vdisplay } };
	return present_modeset(&test->presenter, &scene) == PRESENT_OK ? 0 : -1;
}

int main(void)
{
	struct test test = { 0 };
	int ret = set_up(&test);

	for (size_t i = 0; !ret && i < sizeof(calls) / sizeof(calls[0]); i++)
		ret = try_all(&test, &calls[i]);
	printf("{\"injected\": %" PRIu64 ", \"survived\": %" PRIu64 ", \"refused\": %" PRIu64
	       ", \"wrong\": %" PRIu64 "}\n",
	       test.injected, test.survived, test.refused, test.wrong);
	if (ret)
		return 1;
	return test.wrong ? 2 : 0;
}
