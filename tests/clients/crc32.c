// SPDX-License-Identifier: MIT
/*
 * Eight bytes a step ("slicing by 8"): a panel is 3 MB a frame, and the processor that runs this is
 * usually an emulated one.
 */
#include "crc32.h"

#define POLYNOMIAL 0xedb88320u

static uint32_t table[8][256];

static void fill_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int slice = 1; slice < 8; slice++)
			table[slice][i] = (table[slice - 1][i] >> 8) ^
					  table[0][table[slice - 1][i] & 0xff];
}

static uint32_t load_le32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

uint32_t crc32_update(uint32_t crc, const void *data, size_t size_bytes)
{
	const uint8_t *bytes = data;

	if (!table[0][1])
		fill_table();
	crc = ~crc;
	for (; size_bytes >= 8; size_bytes -= 8, bytes += 8) {
		uint32_t low = crc ^ load_le32(bytes);
		uint32_t high = load_le32(bytes + 4);

		crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^
		      table[5][(low >> 16) & 0xff] ^ table[4][low >> 24] ^ table[3][high & 0xff] ^
		      table[2][(high >> 8) & 0xff] ^ table[1][(high >> 16) & 0xff] ^
		      table[0][high >> 24];
	}
	while (size_bytes--)
		crc = (crc >> 8) ^ table[0][(crc ^ *bytes++) & 0xff];
	return ~crc;
}
