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

# What a worker would have to allocate could fail where nobody can be told. The same trace sees
# what a flip allocates.
fresh workers_that_evict_expire_and_release_allocate_nothing
put max_entries 4
put idle_timeout_ms 500
put import_linger_ms 300
disarm_probes
echo 8192 >"$TRACING/buffer_size_kb"
echo 1 >"$TRACING/options/stacktrace"
for event in kmalloc kmem_cache_alloc mm_page_alloc; do
	echo 1 >"$TRACING/events/kmem/$event/enable"
done
ended_before=$(ended)
scanout-flip many --frames 40 >/dev/null || fail client "status $?"
scanout-flip reimport --frames 20 >/dev/null || fail client "status $?"
sleep 2
echo 0 >"$TRACING/options/stacktrace"
disarm_probes
# allocations_under FUNCTION: with it among their callers
allocations_under()
{
	awk -v function_name="$1" '/^ => / && $2 == function_name { n++ } END { print n + 0 }' \
		"$TRACING/trace"
}
check_eq under_a_flip yes "$(at_least 1 "$(allocations_under msm_scanout_pin)")"
for worker in reap_work msm_scanout_cache_reap expire_work release_work; do
	check_eq under_$worker 0 "$(allocations_under $worker)"
done
check_eq unmapped_meanwhile yes "$(at_least 40 $(($(ended) - ended_before)))"
echo >"$TRACING/trace"

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
