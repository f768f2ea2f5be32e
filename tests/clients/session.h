/* SPDX-License-Identifier: MIT */
#ifndef SESSION_H
#define SESSION_H

#include "options.h"

/* The exit statuses of the program. */
enum session_status {
	SESSION_OK = 0,
	SESSION_ERROR = 1,
	SESSION_MISMATCH = 2,
	SESSION_TIMEOUT = 3,
};

/* Opens the display, flips as the options ask, prints the JSON on stdout, frees everything. */
enum session_status session_run(const struct options *options);

#endif
