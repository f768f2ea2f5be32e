# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=full kernel=ours timeout=500
#
# What scanoutd does when things go wrong around it: killed, stopped, the driver gone, memory short.

# shellcheck source-path=SCRIPTDIR source=../guest/service-lib.sh
. /usr/lib/board/service-lib.sh

restarted()
{
	[ "$(unit MainPID)" != "$pid" ] && [ "$(unit ActiveState)" = active ]
}

begin killed_it_leaves_a_valid_bound_and_goes_on_from_there
# It flips for as long as this test lasts, and looks at every frame.
scanout-flip foreign --buffers 4 --frames 100000 --pace-hz 20 --verify >/tmp/player.json &
player=$!
until_ok 40 limit_below 33554432 || fail before "still $(get max_bytes)"
limit=$(get max_bytes)
entries=$(get max_entries)
pid=$(unit MainPID)
mark_journal
kill -KILL "$pid"
misses=$(get misses)
sleep 1
check_eq bound_stays "$limit $entries" "$(get max_bytes) $(get max_entries)"
check_eq idle_bounded yes "$(at_least "$(get idle_bytes)" "$limit")"
until_ok 60 restarted || fail restart "$(unit ActiveState), $(unit Result)"
until_ok 20 said "$DEVICE" "found, max_bytes=$limit max_entries=$entries, tuning" ||
	fail resumes "it did not say that it found $limit bytes and $entries entries"
sleep 8
check_eq still_in_charge tuning "$(cache State)"
check_eq not_back_at_the_default yes "$(at_least "$(get max_bytes)" 33554432)"
check_eq no_misses_meanwhile "$misses" "$(get misses)"
kill -0 $player || fail player "ended: $(cat /tmp/player.json)"
stop_playing

begin stopped_it_hands_the_whole_budget_back
play 3
until_ok 40 limit_below 33554432 || fail before "still $(get max_bytes)"
stop_playing
systemctl stop scanoutd.service
check_eq budget 134217728 "$(get max_bytes)"
check_eq entries 256 "$(get max_entries)"
check_eq result success "$(unit Result)"

begin what_others_set_outlives_a_restart
put max_bytes 40M
until_ok 10 state_is external || fail state "is $(cache State), not external"
systemctl restart scanoutd.service
until_ok 10 state_is external || fail restarted "is $(cache State), not external"
# As when its package is upgraded.
systemctl stop scanoutd.service
systemctl start scanoutd.service
until_ok 10 state_is external || fail started "is $(cache State), not external"
check_eq left_alone 41943040 "$(get max_bytes)"

begin it_survives_the_driver_and_takes_the_next_one
scanout-flip foreign --frames 6 >/dev/null || fail client "status $?"
pid=$(unit MainPID)
device=$(basename "$(readlink -f /sys/class/drm/card0/device)")
driver=$(readlink -f /sys/class/drm/card0/device/driver)
disarm_probes
release_console
mark_journal
# Asleep on files of a directory that goes away under it.
sleep 8
echo "$device" >"$driver/unbind" || fail unbind "was refused"
until_ok 10 said "$DEVICE" card0 || fail gone "it did not say that card0 is gone"
check_eq no_cache 3 "$(scanoutctl status >/dev/null 2>&1; echo $?)"
check_eq alive "$pid" "$(unit MainPID)"
mark_journal
echo "$device" >"$driver/bind" || fail bind "was refused"
until_ok 30 said "$DEVICE" found || fail found "it did not say that it found card0"
check_eq same_process "$pid" "$(unit MainPID)"
wait_for_display || fail display "did not come back"
until_ok 10 state_is tuning || fail state "is $(cache State)"
play 3
until_ok 40 limit_below 33554432 || fail tunes "still $(get max_bytes)"
stop_playing

begin unbound_while_it_polls
# Upstream's driver, ours included, does not survive a client that still has the device open; so the
# last one has just left.
pid=$(unit MainPID)
disarm_probes
release_console
scanout-flip foreign --frames 40 >/dev/null || fail client "status $?"
echo "$device" >"$driver/unbind" || fail unbind "was refused"
until_ok 10 said "$DEVICE" card0 || fail gone "it did not say that card0 is gone"
check_eq alive "$pid" "$(unit MainPID)"
mark_journal
echo "$device" >"$driver/bind" || fail bind "was refused"
until_ok 30 said "$DEVICE" found || fail found "it did not say that it found card0"
wait_for_display || fail display "did not come back"
check_eq same_process "$pid" "$(unit MainPID)"

# thrash: tasks wait for memory, because theirs is limited to less than they use.
thrash()
{
	systemd-run --quiet --scope -p MemoryHigh=4M -p MemoryMax=64M -p MemorySwapMax=0 \
		timeout 20 sh -c 'head -c 48M /dev/zero | tail -c 40M | sleep 20' 2>/dev/null
}

stall_us()
{
	sed -n 's/^some .*total=//p' /proc/pressure/memory
}

begin when_memory_is_short_it_keeps_what_flips_need
play 12
until_ok 20 limit_reaches 45056000 || fail before "still $(get max_bytes)"
scanoutctl hold --min-bytes=96M --reason=film -- sleep 100 &
holder=$!
until_ok 10 limit_reaches 100663296 || fail held "is $(get max_bytes)"
sleep 4
misses=$(get misses)
flips=$(get flips)
stalled=$(stall_us)
mark_journal
thrash &
thrasher=$!
until_ok 30 said "$PRESSURE" 'memory is short' || fail signal "stalls grew by $(($(stall_us) - stalled)) us"
until_ok 10 limit_below 100663296 || fail limit "still $(get max_bytes)"
check_eq reason pressure "$(said "$DECISION" | field REASON)"
check_eq real_stalls yes "$(at_least 150000 $(($(stall_us) - stalled)))"
wait $thrasher
sleep 3
check_eq what_flips_need yes "$(at_least 45056000 "$(get max_bytes)")"
check_eq misses_meanwhile "$misses" "$(get misses)"
check_eq flips_meanwhile yes "$(at_least $((flips + 20)) "$(get flips)")"
kill $holder
wait $holder
stop_playing

begin wrong_usage_is_not_tried_again
mkdir -p /run/systemd/system/scanoutd.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/libexec/scanoutd --odd\nRestartSec=1\n' \
	>/run/systemd/system/scanoutd.service.d/test.conf
systemctl daemon-reload
systemctl restart scanoutd.service 2>/dev/null && fail starts "with an option that there is not"
sleep 4
check_eq failed "failed exit-code 2" "$(unit ActiveState) $(unit Result) $(unit ExecMainStatus)"
check_eq restarts 0 "$(unit NRestarts)"
rm -r /run/systemd/system/scanoutd.service.d
systemctl daemon-reload

# As installed the watchdog waits three minutes; a test should not, so it gets twelve seconds.
mkdir -p /run/systemd/system/scanoutd.service.d
printf '[Service]\nWatchdogSec=12s\n' >/run/systemd/system/scanoutd.service.d/test.conf
systemctl daemon-reload
systemctl restart scanoutd.service

pinged()
{
	[ "$(unit WatchdogTimestampMonotonic)" != "$before" ]
}

begin it_pings_the_watchdog_while_something_flips
play 3
sleep 3
check_eq watched 12s "$(unit WatchdogUSec)"
before=$(unit WatchdogTimestampMonotonic)
until_ok 10 pinged || fail pings "none in 10 s"
before=$(unit WatchdogTimestampMonotonic)
until_ok 10 pinged || fail pings "no second one in 10 s"
stop_playing

begin hanging_it_is_restarted
play 3
sleep 3
pid=$(unit MainPID)
kill -STOP "$pid"
until_ok 60 restarted || fail restart "$(unit ActiveState), $(unit Result)"
check_eq because_of_the_watchdog 1 "$(journalctl -q -o cat --after-cursor "$cursor" \
	UNIT=scanoutd.service | grep -c 'Watchdog timeout')"
until_ok 10 state_is tuning || fail state "is $(cache State)"
stop_playing
rm -r /run/systemd/system/scanoutd.service.d
systemctl daemon-reload
