// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <msm_drm.h>
#include <xf86drm.h>

#include "buffer.h"
#include "clock.h"
#include "complain.h"
#include "drm_device.h"
#include "kernel_file.h"
#include "picture.h"
#include "present.h"

/*
 * Two files of one device, as two processes have, that know the same dma-buf. The first shows it.
 * What the second may do with its own handle of it must not touch the first's picture; and what the
 * cache remembers of an import is for that very dma-buf, not for another one that comes later.
 */

/* As the kernel has them; libdrm's copy of the header may be of 2013. */
struct gem_info {
	uint32_t handle, info;
	uint64_t value;
	uint32_t len, pad;
};
enum { INFO_SET_NAME = 2, INFO_GET_NAME = 3, INFO_SET_METADATA = 6, INFO_GET_METADATA = 7 };
#define IOCTL_GEM_INFO DRM_IOWR(DRM_COMMAND_BASE + DRM_MSM_GEM_INFO, struct gem_info)

#define FRAME_CRC "/sys/kernel/debug/mdp4_model/frame_crc"
#define INSERTS "/sys/class/drm/card0/device/scanout_cache/inserts"
#define SETTLE_NS (1000 * NS_PER_MS)
#define BUFFERS 2

struct test {
	struct drm_device first;
	struct presenter presenter;
	int second_fd;
	struct buffer buffers[BUFFERS];
	uint32_t crc[BUFFERS];
	bool mode_is_set;
};

static int write_number(const char *path, const char *number)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, number, strlen(number)) > 0;

	if (!written)
		complain("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return written ? 0 : -1;
}

/* Nothing that is idle stays: the kernel takes all memory that it may. */
static int shrink(void)
{
	return write_number("/sys/kernel/debug/dri/0/shrink", "1000000");
}

static int set_up(struct test *test)
{
	if (drm_device_open(&test->first, "/dev/dri/card0", true))
		return -1;
	presenter_init(&test->presenter, &test->first, API_ATOMIC);
	test->second_fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	if (test->second_fd < 0) {
		complain("/dev/dri/card0: %s", strerror(errno));
		return -1;
	}
	for (uint32_t i = 0; i < BUFFERS; i++) {
		const struct pattern pattern = { .width = test->first.mode.hdisplay,
						 .height = test->first.mode.vdisplay,
						 .seed = 7,
						 .number = i };
		struct image_layout layout;
		struct picture_layer layer;

		format_layout(format_from_fourcc(DRM_FORMAT_XRGB8888), pattern.width,
			      pattern.height, &layout);
		layer = (struct picture_layer){ .pattern = pattern, .layout = &layout };
		if (buffer_create(&test->buffers[i], &test->first, EXPORTER_UDMABUF, &layout,
				  layout.size_bytes, &pattern) ||
		    picture_panel_crc(pattern.width, pattern.height, &layer, 1, &test->crc[i]))
			return -1;
	}
	return 0;
}

/* As players do: import, framebuffer, close the handle, show, and forget the one before. */
static int show(struct test *test, unsigned int number)
{
	struct buffer *buffer = &test->buffers[number];
	struct scene scene = { .primary = { .width = buffer->layout.width,
					    .height = buffer->layout.height } };
	struct flip_event event;
	enum present_result result;
	uint64_t ns;

	if (buffer_import(buffer) || buffer_add_fb(buffer, &scene.primary.fb_id) ||
	    buffer_close_handle(buffer))
		return -1;
	if (test->mode_is_set) {
		result = present_flip(&test->presenter, &scene, &ns);
		if (result == PRESENT_OK)
			result = present_wait(&test->presenter, &event);
	} else {
		result = present_modeset(&test->presenter, &scene);
		test->mode_is_set = result == PRESENT_OK;
	}
	for (unsigned int i = 0; i < BUFFERS; i++) {
		if (!test->buffers[i].fb_id)
			continue;
		buffer_remove_fb(&test->first, test->buffers[i].fb_id);
		test->buffers[i].fb_id = 0;
	}
	buffer->fb_id = scene.primary.fb_id;
	return result == PRESENT_OK ? 0 : -1;
}

static int panel_shows(struct test *test, unsigned int number, const char *when)
{
	uint64_t deadline_ns = clock_now_ns() + SETTLE_NS, sequence;
	uint32_t shown;

	do {
		if (kernel_file_read_frame_crc(FRAME_CRC, &sequence, &shown))
			return -1;
		if (shown == test->crc[number])
			return 0;
		clock_sleep_ns(20 * NS_PER_MS);
	} while (clock_now_ns() < deadline_ns);
	complain("%s: the panel shows CRC %08" PRIx32 ", expected %08" PRIx32, when, shown,
		 test->crc[number]);
	return -1;
}

/* The second file gives up what the first one shows, and the kernel is told to take it. */
static int advice_of_another_file(struct test *test)
{
	struct drm_msm_gem_madvise advice = { .madv = MSM_MADV_DONTNEED };
	struct drm_gem_close request = { 0 };
	int ret = -1;

	if (show(test, 0) || panel_shows(test, 0, "at first"))
		return -1;
	if (drmPrimeFDToHandle(test->second_fd, test->buffers[0].dmabuf_fd, &advice.handle)) {
		complain("importing into the second file: %s", strerror(errno));
		return -1;
	}
	drmIoctl(test->second_fd, DRM_IOCTL_MSM_GEM_MADVISE, &advice);
	if (!shrink() && !panel_shows(test, 0, "while another file does not need it") &&
	    !show(test, 1) && !panel_shows(test, 1, "the other buffer") && !shrink() &&
	    !show(test, 0) && !panel_shows(test, 0, "again"))
		ret = 0;
	request.handle = advice.handle;
	drmIoctl(test->second_fd, DRM_IOCTL_GEM_CLOSE, &request);
	return ret;
}

/* The first file's import of a buffer lingers; the second's import of it is that object. */
static int import_of_another_file(struct test *test)
{
	struct drm_prime_handle handle = { .fd = test->buffers[0].dmabuf_fd };
	struct drm_gem_close request = { 0 };
	uint64_t before, after;

	if (show(test, 0) || show(test, 1) || kernel_file_read_number(INSERTS, &before))
		return -1;
	/* Idle, without a name, and wanted by somebody else */
	if (drmIoctl(test->second_fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &handle)) {
		complain("importing into the second file: %s", strerror(errno));
		return -1;
	}
	request.handle = handle.handle;
	drmIoctl(test->second_fd, DRM_IOCTL_GEM_CLOSE, &request);
	if (show(test, 0) || panel_shows(test, 0, "after another file had it") ||
	    kernel_file_read_number(INSERTS, &after))
		return -1;
	if (after == before)
		return 0;
	complain("mapped %" PRIu64 " times more, expected none: it was a new object",
		 after - before);
	return -1;
}

/* What the file says of a buffer: its name, and how large its metadata are. */
static int describes(int fd, uint32_t handle, char name[33], uint32_t *metadata_bytes)
{
	struct gem_info info = {
		.handle = handle, .info = INFO_GET_NAME, .value = (uintptr_t)name, .len = 32
	};

	if (drmIoctl(fd, IOCTL_GEM_INFO, &info)) {
		complain("asking for a name: %s", strerror(errno));
		return -1;
	}
	name[info.len] = '\0';
	info = (struct gem_info){ .handle = handle, .info = INFO_GET_METADATA };
	if (drmIoctl(fd, IOCTL_GEM_INFO, &info)) {
		complain("asking for metadata: %s", strerror(errno));
		return -1;
	}
	*metadata_bytes = info.len;
	return 0;
}

static int describe(int fd, uint32_t handle, const char *name)
{
	struct gem_info info = { .handle = handle,
				 .info = INFO_SET_NAME,
				 .value = (uintptr_t)name,
				 .len = (uint32_t)strlen(name) };

	if (drmIoctl(fd, IOCTL_GEM_INFO, &info))
		goto fail;
	info.info = INFO_SET_METADATA;
	if (drmIoctl(fd, IOCTL_GEM_INFO, &info))
		goto fail;
	return 0;
fail:
	complain("setting name and metadata '%s': %s", name, strerror(errno));
	return -1;
}

static int is_described(int fd, uint32_t handle, const char *expected, const char *when)
{
	uint32_t metadata_bytes;
	char name[33];

	if (describes(fd, handle, name, &metadata_bytes))
		return -1;
	if (!strcmp(name, expected) && metadata_bytes == strlen(expected))
		return 0;
	complain("%s: the name is '%s' and there are %" PRIu32 " bytes of metadata, expected '%s'",
		 when, name, metadata_bytes, expected);
	return -1;
}

/* Both have a handle: then neither's object is the other's. */
static int two_files_with_handles(struct test *test)
{
	struct drm_prime_handle own = { .fd = test->buffers[0].dmabuf_fd };
	struct drm_prime_handle other = own;
	struct drm_gem_close request = { 0 };
	uint64_t before, after;
	int ret = -1;

	if (show(test, 0) || drmIoctl(test->first.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &own) ||
	    describe(test->first.fd, own.handle, "first") ||
	    drmIoctl(test->second_fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &other) ||
	    kernel_file_read_number(INSERTS, &before)) {
		complain("importing into two files: %s", strerror(errno));
		return -1;
	}
	if (is_described(test->second_fd, other.handle, "", "in the second file") ||
	    describe(test->second_fd, other.handle, "the second") ||
	    is_described(test->first.fd, own.handle, "first", "in the first file"))
		goto out;
	request.handle = other.handle;
	if (drmIoctl(test->second_fd, DRM_IOCTL_GEM_CLOSE, &request) ||
	    is_described(test->first.fd, own.handle, "first", "once the second has closed it") ||
	    panel_shows(test, 0, "once the second has closed it") || show(test, 1) ||
	    show(test, 0) || panel_shows(test, 0, "again") ||
	    kernel_file_read_number(INSERTS, &after))
		goto out;
	/* The other buffer may have to be mapped; this one stayed. */
	if (after - before <= 1)
		ret = 0;
	else
		complain("mapped %" PRIu64 " times more, expected once", after - before);
out:
	request.handle = own.handle;
	drmIoctl(test->first.fd, DRM_IOCTL_GEM_CLOSE, &request);
	request.handle = other.handle;
	drmIoctl(test->second_fd, DRM_IOCTL_GEM_CLOSE, &request);
	return ret;
}

/* Nobody has a handle any more: who imports it next gets the mapping, and nothing else. */
static int next_owner(struct test *test)
{
	struct drm_prime_handle handle = { .fd = test->buffers[0].dmabuf_fd };
	struct drm_gem_close request = { 0 };
	int ret;

	if (show(test, 0) || drmIoctl(test->first.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &handle)) {
		complain("importing into the first file: %s", strerror(errno));
		return -1;
	}
	request.handle = handle.handle;
	if (describe(test->first.fd, handle.handle, "first") ||
	    drmIoctl(test->first.fd, DRM_IOCTL_GEM_CLOSE, &request) ||
	    drmIoctl(test->second_fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &handle)) {
		complain("importing into the second file: %s", strerror(errno));
		return -1;
	}
	ret = is_described(test->second_fd, handle.handle, "", "with its next owner");
	request.handle = handle.handle;
	drmIoctl(test->second_fd, DRM_IOCTL_GEM_CLOSE, &request);
	return ret;
}

/* A dma-buf that comes after another one has gone, perhaps to the same address. */
static int import_of_another_buffer(struct test *test)
{
	for (uint32_t i = 0; i < 16; i++) {
		struct buffer *buffer = &test->buffers[1];
		struct pattern pattern = buffer->pattern;
		struct image_layout layout = buffer->layout;
		struct picture_layer layer = { .layout = &layout };

		if (show(test, 0))
			return -1;
		buffer_destroy(buffer);
		pattern.number = 100 + i;
		layer.pattern = pattern;
		if (buffer_create(buffer, &test->first, EXPORTER_UDMABUF, &layout,
				  layout.size_bytes, &pattern) ||
		    picture_panel_crc(layout.width, layout.height, &layer, 1, &test->crc[1]) ||
		    show(test, 1) || panel_shows(test, 1, "a new dma-buf"))
			return -1;
	}
	return 0;
}

/*
 * 64 by 64 pixels, of which the buffer has the first quarter: the display would read the three
 * pages behind it, whosever they are.
 */
static int cursor_beyond_its_buffer(struct test *test)
{
	struct image_layout layout;
	const struct pattern pattern = { .width = 32, .height = 32, .seed = 7 };
	struct buffer buffer = { 0 };
	int ret = -1, too_large, fitting;

	format_layout(format_from_fourcc(DRM_FORMAT_ARGB8888), pattern.width, pattern.height,
		      &layout);
	if (show(test, 0) || buffer_create(&buffer, &test->first, EXPORTER_DUMB, &layout,
					   layout.size_bytes, &pattern))
		return -1;
	too_large = drmModeSetCursor(test->first.fd, test->first.crtc_id, buffer.handle, 64, 64);
	fitting = drmModeSetCursor(test->first.fd, test->first.crtc_id, buffer.handle, 32, 32);
	if (too_large != -EINVAL)
		complain("a cursor of 64x64 in a buffer of 32x32: %d, expected %d", too_large,
			 -EINVAL);
	else if (fitting)
		complain("a cursor of 32x32 in a buffer of 32x32: %s", strerror(-fitting));
	else
		ret = 0;
	drmModeSetCursor(test->first.fd, test->first.crtc_id, 0, 0, 0);
	buffer_destroy(&buffer);
	return ret;
}

static int verdict(const char *name, int ret)
{
	printf("%s %s\n", ret ? "failed" : "passed", name);
	fflush(stdout);
	return !!ret;
}

int main(void)
{
	struct test test = { 0 };
	int failed;

	if (set_up(&test))
		return 1;
	failed = verdict("advice_of_another_file", advice_of_another_file(&test));
	failed += verdict("import_of_another_file", import_of_another_file(&test));
	failed += verdict("two_files_with_handles", two_files_with_handles(&test));
	failed += verdict("next_owner", next_owner(&test));
	failed += verdict("import_of_another_buffer", import_of_another_buffer(&test));
	failed += verdict("cursor_beyond_its_buffer", cursor_beyond_its_buffer(&test));
	return failed ? 2 : 0;
}
