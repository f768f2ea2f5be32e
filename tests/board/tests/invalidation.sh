# SPDX-License-Identifier: MIT
# board: flavour=debug rootfs=mini kernel=ours timeout=900
#
# However a mapping ends, nothing stays mapped and nothing leaks. The debug kernel's checkers
# (pages freed while mapped, lock order, use after free, leaks) watch; a word from one of them
# fails the whole boot.

SHRINK=/sys/kernel/debug/dri/0/shrink

# What the client mapped is unmapped; the console's buffer is all that is left.
nothing_left()
{
	settle
	check_eq idle_entries 0 "$(get idle_entries)"
	check_eq active_entries 1 "$(get active_entries)"
	check_eq quarantined_bytes 0 "$(get quarantined_bytes)"
	check_eq still_mapped 0 $(($(maps) - $(unmaps)))
}

fresh freed_while_idle
put idle_timeout_ms 0
scanout-flip dumb --frames 6 --verify >/dev/null || fail client "status $?"
nothing_left
check_eq invalidations 3 "$(delta invalidations)"

fresh freed_while_quarantined
put max_entries 1
put import_linger_ms 0
scanout-flip churn --frames 12 >/dev/null || fail client "status $?"
put trim 0
nothing_left

fresh freed_after_lingering
put idle_timeout_ms 0
put import_linger_ms 5000
scanout-flip reimport --frames 6 --verify >/dev/null || fail client "status $?"
check_eq lingers yes "$(at_least 3 "$(get idle_entries)")"
sleep 7
nothing_left

fresh killed_while_flipping
put import_linger_ms 300
scanout-flip reimport --frames 1000 >/dev/null 2>&1 &
sleep 3
kill -9 $!
wait $! 2>/dev/null
sleep 2
nothing_left

fresh lingering_switched_off
put import_linger_ms 60000
scanout-flip reimport --frames 6 >/dev/null || fail client "status $?"
check_eq lingers yes "$(at_least 3 "$(get idle_entries)")"
put import_linger_ms 0
sleep 1
nothing_left

fresh purged_by_the_shrinker
put idle_timeout_ms 0
scanout-flip dumb --exporter msm --madvise-dontneed-idle --frames 8 --verify \
	--on-frame "3:echo 100000 >$SHRINK" --on-frame "5:echo 100000 >$SHRINK" >/tmp/purge.json ||
	fail client "status $?"
purged=$(sed -n 's/.*"purged": \([0-9]*\).*/\1/p' /tmp/purge.json)
check_eq purged yes "$(at_least 1 "${purged:-0}")"
check_eq evictions_pressure yes "$(at_least 1 "$(delta evictions_pressure)")"
nothing_left

fresh a_map_that_fails_shows_the_frame_all_the_same
echo 1 >/sys/kernel/debug/dri/0/scanout_cache/fail_scanout_map/times
echo 100 >/sys/kernel/debug/dri/0/scanout_cache/fail_scanout_map/probability
put import_linger_ms 0
scanout-flip foreign --frames 8 --verify >/dev/null || fail client "status $?"
echo 0 >/sys/kernel/debug/dri/0/scanout_cache/fail_scanout_map/probability
put trim 0
nothing_left

fresh limits_lowered_while_flipping
scanout-flip foreign --buffers 5 --frames 24 --verify --on-frame "4:echo 4M >$CACHE/max_bytes" \
	--on-frame "8:echo 0 >$CACHE/max_bytes" --on-frame "12:echo 128M >$CACHE/max_bytes" \
	--on-frame "16:echo 1 >$CACHE/max_entries" --on-frame "20:echo 0 >$CACHE/trim" >/dev/null ||
	fail client "status $?"
put import_linger_ms 0
put trim 0
sleep 1
nothing_left

fresh display_off_and_on
scanout-flip foreign --frames 10 --verify --dpms-cycle --disable-at-end >/dev/null ||
	fail client "status $?"
put import_linger_ms 0
put trim 0
sleep 1
nothing_left

fresh nothing_is_unmapped_while_user_space_is_frozen
sleeps freeze freezer 'freeze_processes.*end' 'thaw_processes.*begin'
nothing_left

fresh nothing_is_unmapped_while_devices_sleep
sleeps freeze devices 'dpm_prepare.*end' 'dpm_complete.*begin'
nothing_left

fresh unloaded_with_idle_mappings
put import_linger_ms 60000
scanout-flip foreign --frames 6 >/dev/null || fail client "status $?"
check_eq idle yes "$(at_least 3 "$(get idle_entries)")"
reload_msm || fail reload "status $?"
check_eq hits 0 "$(get hits)"
scanout-flip foreign --frames 6 --verify >/dev/null || fail client_after "status $?"

fresh unbound_with_idle_mappings
put import_linger_ms 60000
scanout-flip foreign --frames 6 >/dev/null || fail client "status $?"
device=$(basename "$(readlink -f /sys/class/drm/card0/device)")
driver=$(readlink -f /sys/class/drm/card0/device/driver)
release_console
echo "$device" >"$driver/unbind" || fail unbind "was refused"
check_eq gone no "$([ -e "$CACHE" ] && echo yes || echo no)"
echo "$device" >"$driver/bind" || fail bind "was refused"
wait_for_display
scanout-flip foreign --frames 6 --verify >/dev/null || fail client_after "status $?"
