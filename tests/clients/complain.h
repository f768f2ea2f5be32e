/* SPDX-License-Identifier: MIT */
#ifndef COMPLAIN_H
#define COMPLAIN_H

/* One line on stderr, prefixed with the program's name. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
