# SPDX-License-Identifier: MIT
# board: flavour=debug rootfs=mini kernel=ours timeout=900
#
# What fails on the way of a framebuffer to the panel: every allocation once, the driver's going
# away in the middle of a flip, an exporter that closes all it has.
# shellcheck shell=sh disable=SC2154,SC1091,SC2034

. /usr/lib/board/judge-lib.sh
. /usr/lib/board/hostile-lib.sh

# may_fail: allocations that may sleep are those that matter; without a line in the log for each.
may_fail()
{
	for attribute in failslab fail_page_alloc; do
		echo N >/sys/kernel/debug/$attribute/ignore-gfp-wait
		echo 0 >/sys/kernel/debug/$attribute/verbose
	done
	echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
	echo 0 >"$DEBUG/fail_scanout_map/verbose"
}

fresh every_allocation_fails_once_and_every_flip_shows_or_refuses
may_fail
objects_before=$(gem_objects)
judge_begin
scanout-failnth >/tmp/failnth || fail failnth "status $?: 2 is a wrong frame or error"
cat /tmp/failnth
check_eq wrong 0 "$(sed -n 's/.*"wrong": \([0-9]*\).*/\1/p' /tmp/failnth)"
check_eq injected yes "$(at_least 40 "$(sed -n 's/.*"injected": \([0-9]*\).*/\1/p' /tmp/failnth)")"
drained
judge_end

fresh exporters_that_close_everything_leave_a_picture
objects_before=$(gem_objects)
scanout-flip foreign --close-fds --frames 20 --verify >/dev/null || fail client "status $?"
drained

# Upstream's driver does not survive files that are open when it goes (msm_gem_free_object() then has
# no device), so these commits are the console's: a panel that goes off and on all the time.
fresh the_driver_goes_in_the_middle_of_commits
disarm_probes
driver=/sys/bus/platform/drivers/mdp4
device=$(basename "$(readlink -f /sys/class/drm/card0/device)")
for attempt in 1 2 3 4 5; do
	scanout-flip foreign --frames 5 >/dev/null || fail before_unbind "status $?"
	while echo 1 && echo 0; do :; done 2>/dev/null >/sys/class/graphics/fb0/blank &
	blanker=$!
	sleep "0.$((attempt * 2))"
	echo "$device" >$driver/unbind
	kill $blanker 2>/dev/null
	wait $blanker
	echo "$device" >$driver/bind
	wait_for_display || fail bind "no display after unbind $attempt"
	scanout-flip foreign --frames 10 --verify >/dev/null || fail after_unbind "status $?"
done
