# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=200
#
# What the shrinker takes. Imports that outlive their player go before anybody is killed. With swap to
# go to, the pages of buffers that are still wanted go as well, and their mappings with them. They
# come back with their pictures intact.

shrink=/sys/kernel/debug/dri/0/shrink

stat_of()
{
	awk -v key="$1" '$1 == key { print $2 }' "$2"
}

# More memory than there is, unless half of what lingers is given back. Without swap.
fresh lingering_imports_go_before_anybody_is_killed
put max_bytes 512M
put idle_timeout_ms 0
put import_linger_ms 60000
scanout-flip foreign --buffers 20 --buffer-bytes 16M --frames 24 --hold-open 60 >/tmp/player.json &
player=$!
tries=0
until [ -s /tmp/player.json ] || [ $tries -gt 300 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
kill -9 $player
wait $player
sleep 0.5
lingering=$(stat_of lingering_entries "$DEBUG/stats")
check_eq lingering yes "$(at_least 16 "$lingering")"
killed=$(stat_of oom_kill /proc/vmstat)
want_mib=$(($(stat_of MemAvailable: /proc/meminfo) / 1024 + lingering * 16 / 2))
dd if=/dev/zero of=/dev/null bs=${want_mib}M count=1 2>/dev/null ||
	fail hog "status $? with $want_mib MiB"
check_eq killed "$killed" "$(stat_of oom_kill /proc/vmstat)"
check_eq went yes "$(at_least $((lingering / 4)) \
	$((lingering - $(stat_of lingering_entries "$DEBUG/stats"))))"

# To let go what the player imports again and again would free nothing: the memory is its own.
fresh buffers_of_a_living_player_stay_mapped_under_pressure
put idle_timeout_ms 0
put import_linger_ms 60000
scanout-flip reimport --frames 12 --verify --on-frame "6:echo 100000 >$shrink" \
	--on-frame "9:echo 100000 >$shrink" >/dev/null || fail client "status $?"
check_eq inserts 3 "$(delta inserts)"

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
