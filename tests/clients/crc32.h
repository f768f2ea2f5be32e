/* SPDX-License-Identifier: MIT */
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

/*
 * IEEE 802.3 CRC-32 (zlib's), the checksum in which the display model states what the panel shows.
 * Start with 0 and feed the result back in to continue: crc32_update(crc32_update(0, a), b) is the
 * checksum of a followed by b.
 */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size_bytes);

#endif
