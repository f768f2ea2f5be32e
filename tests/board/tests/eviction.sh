# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=200
#
# With swap to go to, the shrinker takes the pages of buffers that are still wanted, and their
# mappings with them. They come back with their pictures intact.

shrink=/sys/kernel/debug/dri/0/shrink

fresh evicted_by_the_shrinker
put idle_timeout_ms 0
modprobe zram || fail zram "no such module"
echo 64M >/sys/block/zram0/disksize || fail zram "takes no size"
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0 || fail swap "cannot swap to zram"
# What was on screen since the shrinker last asked gets a second chance.
scanout-flip dumb --frames 9 --verify --on-frame "4:echo 100000 >$shrink" \
	--on-frame "4:cat $CACHE/evictions_pressure >/tmp/spared" \
	--on-frame "4:echo 100000 >$shrink" --on-frame "6:echo 100000 >$shrink" \
	--on-frame "6:echo 100000 >$shrink" >/dev/null || fail client "status $?"
settle
check_eq second_chance "$(cat "$AT_FRESH/evictions_pressure")" "$(cat /tmp/spared)"
# Two of three buffers are off screen each time the shrinker is asked, and the console's is too.
check_eq evictions_pressure yes "$(at_least 4 "$(delta evictions_pressure)")"
check_eq mapped_again yes "$(at_least 3 "$(($(delta inserts) - 3))")"
check_eq idle_entries 0 "$(get idle_entries)"
check_eq still_mapped 0 $(($(maps) - $(unmaps)))

# Once idle buffers are gone, all that is left is on screen. In real reclaim the shrinker may wait for
# the fences of a buffer, with its lock held: not for these. The last argument is that wait's limit.
fresh the_shrinker_does_not_wait_for_what_is_on_screen
echo 'p:wait dma_resv_wait_timeout jiffies=%x3:s64' >>"$TRACING/kprobe_events"
echo 'jiffies == 10' >"$TRACING/events/kprobes/wait/filter"
echo 1 >"$TRACING/events/kprobes/wait/enable"
scanout-flip dumb --frames 9 --verify --on-frame "6:echo 100000 >$shrink" \
	--on-frame "6:echo 100000 >$shrink" --on-frame "6:echo asked >$TRACING/trace_marker" \
	--on-frame "6:echo 2 >/proc/sys/vm/drop_caches" --on-frame "6:echo >/tmp/asked" >/dev/null ||
	fail client "status $?"
check_eq asked yes "$([ -e /tmp/asked ] && echo yes || echo no)"
check_eq waits 0 "$(count_between wait asked)"
swapoff /dev/zram0

# All the memory that reclaim can get is wanted for an image, after the display was switched off.
fresh nothing_is_unmapped_while_an_image_is_made_for_hibernation
sleeps disk devices 'dpm_prepare.*end' 'dpm_complete.*begin'
check_eq still_mapped 0 $(($(maps) - $(unmaps)))
