/* SPDX-License-Identifier: MIT */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the command line asks for. Pure parsing: nothing here opens a device. */

enum flip_mode {
	MODE_DUMB,
	MODE_FOREIGN,
	MODE_REIMPORT,
	MODE_CHURN,
	MODE_MANY,
	MODE_MULTI,
	MODE_CURSOR,
};

enum flip_api {
	API_ATOMIC,
	API_LEGACY,
};

enum exporter {
	EXPORTER_DUMB,	  /* DRM_IOCTL_MODE_CREATE_DUMB */
	EXPORTER_MSM,	  /* DRM_IOCTL_MSM_GEM_NEW */
	EXPORTER_UDMABUF, /* a memfd's pages as a dma-buf of /dev/udmabuf */
	EXPORTER_SCATTER, /* the same, of pages none of which is next to its neighbour */
	EXPORTER_HEAP,	  /* a dma-buf of /dev/dma_heap/system */
};

#define OPTIONS_MAX_HOOKS 32
#define OPTIONS_MAX_WATCHES 8

struct frame_hook {
	/** @frame: run after this flip completed; 0 is the mode set */
	unsigned int frame;
	const char *command;
};

struct options {
	enum flip_mode mode;
	enum flip_api api;
	enum exporter exporter;
	const char *device;
	/** @frames: page flips after the mode set, which shows the first buffer */
	unsigned int frames;
	unsigned int buffers;
	/** @buffer_bytes: of each buffer; 0 for what the picture needs */
	size_t buffer_bytes;
	/**
	 * @width, @height: of the plane (multi: of the overlay); 0 for the panel's (multi: 640x360)
	 */
	uint32_t width, height;
	/** @format, @overlay_format: fourcc; @overlay_format 0 for the first of NV12, YUYV, XR24 */
	uint32_t format, overlay_format;
	unsigned int overlay_buffers;
	/** @primary_every, @overlay_every: a plane gets its next buffer every so many flips */
	unsigned int primary_every, overlay_every;
	/**
	 * @sequence: buffer indices in order of appearance, repeated as needed; NULL for a plain
	 * ring
	 */
	unsigned int *sequence;
	unsigned int sequence_length;
	uint32_t seed;
	/** @pace_hz: flips a second, 0 for as fast as the display takes them */
	double pace_hz;
	double hold_open_s;
	bool verify;
	bool marker;
	bool close_fds;
	bool keep_handles;
	bool madvise_idle;
	bool disable_at_end;
	bool dpms_cycle;
	const char *frame_crc_path;
	const char *on_lap;
	struct frame_hook on_frame[OPTIONS_MAX_HOOKS];
	unsigned int hooks;
	const char *watches[OPTIONS_MAX_WATCHES];
	unsigned int watch_count;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP, /* --help was given and the text printed on @out */
	OPTIONS_BAD,  /* one line on @error says what, and what would be accepted */
};

enum options_result options_parse(int argc, char *argv[], struct options *options, FILE *out,
				  FILE *error);
void options_free(struct options *options);

const char *mode_name(enum flip_mode mode);
const char *api_name(enum flip_api api);
const char *exporter_name(enum exporter exporter);

#endif
