// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "options.h"
#include "session.h"

int main(int argc, char *argv[])
{
	struct options options;
	enum session_status status = SESSION_ERROR;

	switch (options_parse(argc, argv, &options, stdout, stderr)) {
	case OPTIONS_RUN:
		status = session_run(&options);
		break;
	case OPTIONS_HELP:
		status = SESSION_OK;
		break;
	case OPTIONS_BAD:
		break;
	}
	options_free(&options);
	return (int)status;
}
