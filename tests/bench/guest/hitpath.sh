#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, mini root: show a pool of buffers until each is mapped, then time prepare and cleanup
# of one that is not on screen. Prints "hitpath MODE FIGURE VALUE" for each of the given modes.
set -eu

RESULTS=/sys/module/bench_hitpath/parameters

die()
{
	echo "bench: $*" >&2
	exit 1
}

for mode in "$@"; do
	options=
	[ "$mode" != foreign ] || options=--close-fds
	rm -f /tmp/report
	# shellcheck disable=SC2086 # none or one word
	scanout-flip "$mode" $options --buffers 3 --frames 7 --hold-open 3600 >/tmp/report &
	client=$!
	tries=0
	# It writes its report once the last frame is on screen.
	until [ -s /tmp/report ]; do
		tries=$((tries + 1))
		[ "$tries" -le 600 ] || die "scanout-flip $mode has not flipped seven times after 60 s"
		kill -0 "$client" || die "scanout-flip $mode left"
		sleep 0.1
	done
	# What the kernel's worker still does for the last frame must not fall into the measurement.
	sleep 1
	insmod /share/bench_hitpath.ko || die "bench_hitpath.ko does not load: $(dmesg | tail -n 1)"
	for figure in timer_hz pair_ticks pair_ticks_min prepare_ticks empty_ticks; do
		echo "hitpath $mode $figure $(cat $RESULTS/$figure)"
	done
	rmmod bench_hitpath
	kill "$client"
	wait "$client" || true
done
