// SPDX-License-Identifier: MIT
#include "json.h"

#include <inttypes.h>

static void quote(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 0x20)
			fprintf(out, "\\u%04x", *c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

static void name(struct json *json, const char *key)
{
	if (!json->first)
		fputs(", ", json->out);
	json->first = false;
	if (key) {
		quote(json->out, key);
		fputs(": ", json->out);
	}
}

void json_begin(struct json *json, const char *key, char bracket)
{
	name(json, key);
	fputc(bracket, json->out);
	json->first = true;
}

void json_end(struct json *json, char bracket)
{
	fputc(bracket, json->out);
	json->first = false;
}

void json_string(struct json *json, const char *key, const char *value)
{
	name(json, key);
	quote(json->out, value);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	name(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	name(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	name(json, key);
	fputs("null", json->out);
}
