/* SPDX-License-Identifier: MIT */
/*
 * Text of others, which ends in logs and on terminals: what would steer these, or show it in
 * another order than it is in, is not let through.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not UTF-8 */
#define TEXT_INVALID UINT32_MAX

/* The character that @text begins with; returns how many bytes it is, 1 if it is not valid. */
size_t text_next(const char *text, uint32_t *character);

/* A control character, C0 or C1; one that changes the direction of writing; an end of line. */
bool text_is_control(uint32_t character);

/*
 * Copy @from, of any bytes, with '?' in place of what is invalid or controls something, and cut it
 * between characters.  @to may be @from.
 */
void text_printable(char *to, size_t size, const char *from);

#endif
