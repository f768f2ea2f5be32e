/* SPDX-License-Identifier: MIT */
/* Sizes as people and the kernel write them: 128M, 1.5G.  No I/O. */
#ifndef UNITS_H
#define UNITS_H

#include <stddef.h>
#include <stdint.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* A decimal number with nothing around it.  Returns 0, -EINVAL or -ERANGE. */
int units_parse_number(const char *text, uint64_t *number);

/* The same with an optional K, M or G (powers of 1024), as the kernel's files accept it. */
int units_parse_bytes(const char *text, uint64_t *bytes);

/* Enough for what units_format_bytes() writes. */
#define UNITS_BYTES_TEXT 24

/* "96.0 MiB"; returns @text. */
const char *units_format_bytes(char text[UNITS_BYTES_TEXT], uint64_t bytes);

#endif
