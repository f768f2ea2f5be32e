// SPDX-License-Identifier: MIT
#include "text.h"

#include <string.h>

size_t text_next(const char *text, uint32_t *character)
{
	/* The least that each length is for: what is shorter than it is written is not valid. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = bytes[0] < 0x80 ? 1 :
			bytes[0] < 0xc0 ? 0 :
			bytes[0] < 0xe0 ? 2 :
			bytes[0] < 0xf0 ? 3 :
			bytes[0] < 0xf8 ? 4 :
					  0;
	uint32_t number = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);

	*character = TEXT_INVALID;
	for (size_t i = 1; i < length; i++) {
		/* Also where the text ends. */
		if ((bytes[i] & 0xc0) != 0x80)
			return 1;
		number = number << 6 | (bytes[i] & 0x3f);
	}
	if (!length || number < least[length] || number > 0x10ffff ||
	    (number >= 0xd800 && number <= 0xdfff))
		return 1;
	*character = number;
	return length;
}

bool text_is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character <= 0x9f) || character == 0x61c ||
	       character == 0x200e || character == 0x200f ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x206f);
}

void text_printable(char *to, size_t size, const char *from)
{
	uint32_t character;
	size_t used = 0;

	while (*from) {
		size_t length = text_next(from, &character);
		bool good = character != TEXT_INVALID && !text_is_control(character);

		if (used + (good ? length : 1) >= size)
			break;
		/* Never longer than what was read, so that this may be done in place. */
		if (good)
			memmove(to + used, from, length);
		else
			to[used] = '?';
		used += good ? length : 1;
		from += length;
	}
	to[used] = '\0';
}
