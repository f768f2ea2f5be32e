// SPDX-License-Identifier: MIT
/*
 * Sizes and times as text, against arithmetic that cannot overflow.  The times' parser is private
 * to config.c, so that is included.
 */
#include "../../config.c"

#include "fuzz.h"

/* Wide enough for any number with a suffix that is not rejected for its digits alone. */
__extension__ typedef unsigned __int128 wide;

/* The digits a text begins with, as far as they fit; returns how many there are. */
static size_t leading_number(const char *text, wide *number)
{
	size_t digits = 0;

	*number = 0;
	for (; text[digits] >= '0' && text[digits] <= '9'; digits++)
		if (*number <= UINT64_MAX)
			*number = *number * 10 + (wide)(text[digits] - '0');
	return digits;
}

static void compare(const char *what, const char *text, int ret, uint64_t value, bool valid,
		    wide expected)
{
	bool fits = valid && expected <= UINT64_MAX;

	FUZZ_REQUIRE(ret == 0 || ret == -EINVAL || ret == -ERANGE, "%s('%s') is %d", what, text,
		     ret);
	FUZZ_REQUIRE(!ret == fits, "%s('%s') is %d, but it is %s", what, text, ret,
		     fits ? "valid" : "not");
	FUZZ_REQUIRE(ret || value == (uint64_t)expected, "%s('%s') is %" PRIu64, what, text, value);
}

static void check_bytes(const char *text)
{
	uint64_t value = 0;
	wide expected, scale = 0;
	size_t digits = leading_number(text, &expected);
	const char *rest = text + digits;
	char formatted[UNITS_BYTES_TEXT];
	int ret = units_parse_bytes(text, &value);

	if (!*rest)
		scale = 1;
	else if (!rest[1])
		scale = *rest == 'K' || *rest == 'k' ? KIB :
			*rest == 'M' || *rest == 'm' ? MIB :
			*rest == 'G' || *rest == 'g' ? GIB :
						       0;
	compare("units_parse_bytes", text, ret, value, digits && scale, expected * scale);
	units_format_bytes(formatted, value);
	FUZZ_REQUIRE(strlen(formatted) < UNITS_BYTES_TEXT - 1, "'%s' was cut", formatted);
}

static void check_time(const char *text)
{
	uint64_t value = 0;
	wide expected, scale = 0;
	size_t digits = leading_number(text, &expected);
	const char *rest = text + digits;
	int ret = parse_us(text, &value);

	while (*rest == ' ')
		rest++;
	if (!strcmp(rest, "us"))
		scale = 1;
	else if (!strcmp(rest, "ms"))
		scale = 1000;
	else if (!strcmp(rest, "s") || !*rest)
		scale = 1000000;
	else if (!strcmp(rest, "min"))
		scale = 60000000;
	else if (!strcmp(rest, "h"))
		scale = 3600000000;
	/* More digits than any time needs are refused, zeroes or not. */
	compare("parse_us", text, ret, value, digits && digits < 24 && scale, expected * scale);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];
	uint64_t value = 0;
	wide expected;
	size_t digits;
	int ret;

	size = size < sizeof(text) ? size : sizeof(text) - 1;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';

	digits = leading_number(text, &expected);
	ret = units_parse_number(text, &value);
	compare("units_parse_number", text, ret, value, digits && !text[digits], expected);
	check_bytes(text);
	check_time(text);
	for (unsigned int type = BOOL; type <= US; type++)
		if (!parse_value(type, text, &value))
			FUZZ_REQUIRE(type != BOOL || value <= 1, "'%s' is %" PRIu64, text, value);
	return 0;
}
