// SPDX-License-Identifier: MIT
#include "json.h"

#include <inttypes.h>
#include <stdio.h>

#include "text.h"

static void text(const char *value)
{
	putchar('"');
	while (*value) {
		uint32_t character;
		size_t length = text_next(value, &character);

		if (character == '"' || character == '\\')
			printf("\\%c", *value);
		else if (character == TEXT_INVALID)
			fputs("\\ufffd", stdout);
		else if (text_is_control(character))
			printf("\\u%04x", character);
		else
			fwrite(value, 1, length, stdout);
		value += length;
	}
	putchar('"');
}

static void begin(struct json *json, const char *key)
{
	if (json->depth && !json->first)
		putchar(',');
	if (json->pretty && json->depth)
		printf("\n%*s", (int)json->depth * 2, "");
	json->first = false;
	if (key) {
		text(key);
		fputs(json->pretty ? ": " : ":", stdout);
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	putchar(bracket);
	json->depth++;
	json->first = true;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->pretty && !json->first)
		printf("\n%*s", (int)json->depth * 2, "");
	json->first = false;
	putchar(bracket);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	printf("%" PRIu64, value);
}

void json_text(struct json *json, const char *key, const char *value)
{
	begin(json, key);
	text(value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", stdout);
}

void json_end(struct json *json)
{
	json->first = true;
	putchar('\n');
	fflush(stdout);
}
