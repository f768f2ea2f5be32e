#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, mini root: time the cache's operations. Prints "core ENTRIES FIGURE VALUE" for each of
# the given numbers of entries.
set -eu

RESULTS=/sys/module/bench_core/parameters

for entries in "$@"; do
	insmod /share/bench_core.ko "entries=$entries" || {
		echo "bench: bench_core.ko does not load: $(dmesg | tail -n 1)" >&2
		exit 1
	}
	for figure in timer_hz ring_get ring_put random_get random_put miss evict reap; do
		echo "core $entries $figure $(cat $RESULTS/$figure)"
	done
	rmmod bench_core
done
