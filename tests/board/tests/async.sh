# SPDX-License-Identifier: MIT
# board: flavour=debug rootfs=mini kernel=ours variant=cursor-plane timeout=300
#
# Async commits, which MDP4 makes if it is given a plane for the cursor. What they replace stays
# mapped until their flush, although no handle keeps it. The debug kernel watches what they wait for
# on the way to a fence, and what they leave behind.
# shellcheck shell=sh disable=SC2154,SC1091

. /usr/lib/board/judge-lib.sh

# timers: flushes of this test that were left to the timer, and still to be done when it came
timers()
{
	awk '/ msm_atomic_async_commit_start:/ { began = 1 }
		/ msm_atomic_flush_commit:/ && began { n++ }
		/ msm_atomic_(flush_commit|async_commit_finish):/ { began = 0 }
		END { print n + 0 }' "$TRACING/trace"
}

# cursors: a client whose cursors' images have no handle once they are set
cursors()
{
	echo 1 >"$TRACING/events/drm_msm_atomic/enable"
	judge_begin
	scanout-flip cursor --exporter udmabuf --frames 60 >/dev/null || fail client "status $?"
	judge_end
	check_eq flushed_by_timer yes "$(at_least 10 "$(timers)")"
}

fresh what_an_async_commit_replaces_is_unmapped_in_the_end
cursors
put import_linger_ms 0
put trim 0
settle
check_eq active_entries 1 "$(get active_entries)"
check_eq still_mapped 0 $(($(maps) - $(unmaps)))

# The cache would keep it mapped, whatever the driver does.
fresh what_an_async_commit_replaces_stays_mapped_until_its_flush
put max_bytes 0
cursors

# Whoever cleans up may be late, the driver's going has to wait for it.
fresh the_driver_goes_right_after_an_async_commit
disarm_probes
driver=/sys/bus/platform/drivers/mdp4
device=$(basename "$(readlink -f /sys/class/drm/card0/device)")
for attempt in 1 2 3; do
	scanout-flip cursor --exporter udmabuf --frames 1000 >/dev/null 2>&1 &
	sleep 1.$attempt
	kill -9 $!
	wait $! 2>/dev/null
	echo "$device" >$driver/unbind
	echo "$device" >$driver/bind
	wait_for_display || fail bind "no display after unbind $attempt"
done
scanout-flip foreign --frames 10 --verify >/dev/null || fail client "status $?"
