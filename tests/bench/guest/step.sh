#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, mini root: like hitpath.sh, but the host steps through the calls, once it was told
# where they are. The host says so by making /out/stepping. With "new" instead of a mode, each call is
# for a buffer that was never shown.
set -eu

wait_for_host()
{
	cat /proc/kallsyms >/out/kallsyms.part
	mv /out/kallsyms.part /out/kallsyms
	until [ -e /out/stepping ]; do
		sleep 0.1
	done
}

mode=$1
if [ "$mode" = new ]; then
	wait_for_host
	scanout-flip foreign --buffers 20 --frames 19 >/dev/null
	exit
fi
options=
[ "$mode" != foreign ] || options=--close-fds
# shellcheck disable=SC2086 # none or one word
scanout-flip "$mode" $options --buffers 3 --frames 7 --hold-open 3600 >/tmp/report &
client=$!
until [ -s /tmp/report ]; do
	kill -0 "$client"
	sleep 0.1
done
sleep 1
wait_for_host
insmod /share/bench_hitpath.ko
rmmod bench_hitpath
kill "$client"
