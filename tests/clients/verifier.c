// SPDX-License-Identifier: MIT
#include "verifier.h"

#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "complain.h"
#include "kernel_file.h"
#include "picture.h"

#define SETTLE_NS (500 * NS_PER_MS)
#define SETTLE_PAUSE_NS (10 * NS_PER_MS)
#define TOLD_MISMATCHES 5

int verifier_init(struct verifier *verifier)
{
	size_t combinations = (size_t)verifier->primary_count *
			      (verifier->overlay_count ? verifier->overlay_count : 1);
	uint64_t sequence;
	uint32_t crc;

	if (combinations) {
		verifier->known = calloc(combinations, sizeof(*verifier->known));
		if (!verifier->known) {
			complain("no memory for %zu expected checksums", combinations);
			return -1;
		}
	}
	return kernel_file_read_frame_crc(verifier->frame_crc_path, &sequence, &crc);
}

void verifier_fini(struct verifier *verifier)
{
	free(verifier->known);
	verifier->known = NULL;
}

int verifier_expect(struct verifier *verifier, const struct frame *frame, uint32_t *crc)
{
	const struct buffer *primary = frame->primary.buffer, *overlay = frame->overlay.buffer;
	struct picture_layer layers[2] = {
		{ .pattern = primary->pattern, .layout = &primary->layout },
	};
	struct known_crc *known = NULL;

	if (verifier->known) {
		known = &verifier->known[primary->pattern.number];
		if (overlay)
			known += overlay->pattern.number * verifier->primary_count;
		if (known->valid) {
			*crc = known->crc;
			return 0;
		}
	}
	if (overlay)
		layers[1] = (struct picture_layer){
			.pattern = overlay->pattern,
			.layout = &overlay->layout,
			.x = frame->overlay.x,
			.y = frame->overlay.y,
		};
	if (picture_panel_crc(verifier->panel_width, verifier->panel_height, layers,
			      overlay ? 2 : 1, crc)) {
		complain("no memory to work out a checksum");
		return -1;
	}
	if (known)
		*known = (struct known_crc){ .valid = true, .crc = *crc };
	return 0;
}

static void count(struct verifier *verifier, unsigned int number, uint64_t sequence, uint32_t shown,
		  uint32_t expected)
{
	verifier->checked++;
	if (shown == expected)
		return;
	verifier->mismatches++;
	if (verifier->mismatches <= TOLD_MISMATCHES)
		complain("flip %u: the panel shows CRC %08" PRIx32 " (model's frame %" PRIu64
			 "), expected %08" PRIx32,
			 number, shown, sequence, expected);
	if (verifier->mismatches == TOLD_MISMATCHES)
		complain("further mismatches are only counted");
}

int verifier_check(struct verifier *verifier, unsigned int number, uint32_t expected)
{
	uint64_t sequence;
	uint32_t shown;

	if (verifier->settling)
		return verifier_check_settled(verifier, number, expected);
	if (kernel_file_read_frame_crc(verifier->frame_crc_path, &sequence, &shown))
		return -1;
	count(verifier, number, sequence, shown, expected);
	return 0;
}

int verifier_check_settled(struct verifier *verifier, unsigned int number, uint32_t expected)
{
	uint64_t deadline_ns = clock_now_ns() + SETTLE_NS;
	uint64_t sequence;
	uint32_t shown;

	for (;;) {
		bool last = clock_now_ns() >= deadline_ns;

		if (kernel_file_read_frame_crc(verifier->frame_crc_path, &sequence, &shown))
			return -1;
		if (shown == expected || last)
			break;
		clock_sleep_ns(SETTLE_PAUSE_NS);
	}
	count(verifier, number, sequence, shown, expected);
	return 0;
}
