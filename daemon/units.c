// SPDX-License-Identifier: MIT
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_leading(const char *text, uint64_t *number, const char **rest)
{
	unsigned long long value;
	char *end;

	/* strtoull() also takes blanks and signs, even minus. */
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	*number = value;
	*rest = end;
	return 0;
}

int units_parse_number(const char *text, uint64_t *number)
{
	const char *rest;
	uint64_t value;
	int ret = parse_leading(text, &value, &rest);

	if (ret)
		return ret;
	if (*rest)
		return -EINVAL;
	*number = value;
	return 0;
}

int units_parse_bytes(const char *text, uint64_t *bytes)
{
	static const char suffixes[] = "KMG";
	unsigned int shift = 0;
	const char *rest, *suffix;
	uint64_t value;
	int ret = parse_leading(text, &value, &rest);

	if (ret)
		return ret;
	if (*rest) {
		suffix = strchr(suffixes, toupper((unsigned char)*rest));
		if (!suffix || rest[1])
			return -EINVAL;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
	}
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = value << shift;
	return 0;
}

const char *units_format_bytes(char text[UNITS_BYTES_TEXT], uint64_t bytes)
{
	if (bytes < KIB)
		snprintf(text, UNITS_BYTES_TEXT, "%" PRIu64 " B", bytes);
	else if (bytes < MIB)
		snprintf(text, UNITS_BYTES_TEXT, "%.1f KiB", (double)bytes / (double)KIB);
	else if (bytes < GIB)
		snprintf(text, UNITS_BYTES_TEXT, "%.1f MiB", (double)bytes / (double)MIB);
	else
		snprintf(text, UNITS_BYTES_TEXT, "%.1f GiB", (double)bytes / (double)GIB);
	return text;
}
