/* SPDX-License-Identifier: MIT */
/*
 * What a compositor says of its outputs, out of the message that says it: the arguments of Report,
 * a(sa{sv}).  Keys that are not known are from the future and skipped.
 */
#ifndef REPORT_PARSE_H
#define REPORT_PARSE_H

#include <systemd/sd-bus.h>

#include "claims.h"

/*
 * Read the reports of @uid.  @count of @outputs are filled in; @dropped others had no name, values
 * of the wrong type, or no room.  Negative error if the message is not one of this kind.
 */
int report_parse(sd_bus_message *message, uid_t uid,
		 struct output_report outputs[CLAIMS_OUTPUTS_PER_CLIENT], unsigned int *count,
		 unsigned int *dropped);

#endif
