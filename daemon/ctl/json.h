/* SPDX-License-Identifier: MIT */
/* Writes JSON to stdout, on one line or indented. */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct json {
	bool pretty;
	unsigned int depth;
	bool first; /* nothing was written yet on this level */
};

/* @key is NULL within arrays and at the top. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_number(struct json *json, const char *key, uint64_t value);
void json_text(struct json *json, const char *key, const char *value);
void json_bool(struct json *json, const char *key, bool value);
void json_end(struct json *json);

#endif
