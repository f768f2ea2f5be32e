/* SPDX-License-Identifier: MIT */
/* Workloads of displays, as traces: deterministic for a seed. */
#ifndef WORKLOADS_H
#define WORKLOADS_H

#include "trace.h"

/* Name of a workload, NULL after the last. */
const char *workload_name(unsigned int index);

/* Returns 0 or -ENOMEM. */
int workload_make(unsigned int index, uint64_t seed, unsigned int seconds, struct trace *trace);

#endif
