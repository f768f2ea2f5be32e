# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=full kernel=ours timeout=400
#
# scanoutd as installed, under systemd, on the real sysfs: how it starts, decides and sleeps.

# shellcheck source-path=SCRIPTDIR source=../guest/service-lib.sh
. /usr/lib/board/service-lib.sh

panel_bytes=4096000

fresh udev_starts_it_and_nobody_else_did
check_eq enabled disabled "$(systemctl is-enabled scanoutd.service)"
check_eq active active "$(systemctl is-active scanoutd.service)"
case $(unit WantedBy) in
*card0.device*) ;;
*) fail wanted_by "expected the unit of card0, got '$(unit WantedBy)'" ;;
esac
check_eq restarts 0 "$(unit NRestarts)"

fresh it_is_on_the_bus_and_finds_the_cache
check_eq name card0 "$(cache Name)"
check_eq sysfs_path "$(readlink -f "$CACHE")" "$(readlink -f "$(cache SysfsPath)")"

fresh the_sandbox_is_in_force
# A sandbox that the kernel or systemd could not set up is left out without a word.
pid=$(unit MainPID)
check_eq no_capabilities 0000000000000000 "$(awk '/^CapEff/ { print $2 }' "/proc/$pid/status")"
check_eq no_new_privileges 1 "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$pid/status")"
check_eq seccomp 2 "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")"
for file in /sys/kernel/mm/ksm/run /sys/module/kernel/parameters/panic /sys/power/pm_async \
	/sys/bus/platform/drivers_autoprobe /sys/devices/system/cpu/cpu1/online \
	/proc/sys/kernel/panic /etc/hostname /usr/lib/scanoutd.conf; do
	why=$(nsenter -t "$pid" -m sh -c "exec 3>>$file" 2>&1) && fail sandbox "$file can be written"
	case $why in
	*"Read-only file system"*) ;;
	*) fail sandbox "$file: expected 'Read-only file system', got '$why'" ;;
	esac
done
check_eq display_node no "$(nsenter -t "$pid" -m test -e /dev/dri/card0 && echo yes || echo no)"

fresh exposure_is_at_most_1_5
systemd-analyze security --no-pager --threshold=15 scanoutd.service >/tmp/security ||
	fail exposure "$(tail -n 1 /tmp/security)"

begin through_the_sandbox_it_changes_the_limit
check_eq before 134217728 "$(get max_bytes)"
play 3
until_ok 40 limit_below 33554432 || fail limit "still $(get max_bytes) after 40 s of three buffers"
# Three buffers, and one to spare.
check_eq enough yes "$(at_least $((2 * panel_bytes)) "$(get max_bytes)")"
stop_playing
check_eq state tuning "$(cache State)"

begin a_decision_is_one_line_with_its_numbers
play 3
until_ok 40 said "$DECISION" '"REASON":"unused"' || fail journal "no decision because of 'unused'"
stop_playing
sleep 3
# There may be another one since.
line=$(said "$DECISION" '"MAX_BYTES_NEW"' | tail -n 1)
check_eq in_force "$(echo "$line" | field MAX_BYTES_NEW)" "$(get max_bytes)"
check_eq entries_in_force "$(echo "$line" | field MAX_ENTRIES_NEW)" "$(get max_entries)"
check_eq same_on_the_bus "$(get max_bytes)" "$(cache MaxBytes)"
line=$(said "$DECISION" '"REASON":"unused"' | tail -n 1)
old=$(echo "$line" | field MAX_BYTES_OLD)
new=$(echo "$line" | field MAX_BYTES_NEW)
check_eq cache card0 "$(echo "$line" | field CACHE)"
check_eq shrinks yes "$(at_least $((new + 1)) "$old")"
check_eq priority 6 "$(echo "$line" | field PRIORITY)"
for name in REUSE_SHARE_OLD REUSE_SHARE_NEW IDLE_BYTES; do
	check_eq "has_$name" yes "$([ -n "$(echo "$line" | field $name)" ] && echo yes || echo no)"
done
case $(echo "$line" | field MESSAGE) in
'card0: shrink '*' lookups, which need '*) ;;
*) fail message "got '$(echo "$line" | field MESSAGE)'" ;;
esac

begin it_grows_for_a_larger_pool_until_nothing_misses
play 3
until_ok 40 limit_below 33554432 || fail shrink "still $(get max_bytes)"
stop_playing
mark_journal
play 12
until_ok 20 limit_reaches $((11 * panel_bytes)) || fail grow "still $(get max_bytes) after 20 s"
until_ok 5 said "$DECISION" '"REASON":"reuse"' || fail journal "no decision because of 'reuse'"
sleep 2
misses=$(get misses)
flips=$(get flips)
sleep 4
check_eq misses_after_it "$misses" "$(get misses)"
check_eq flips_meanwhile yes "$(at_least $((flips + 20)) "$(get flips)")"
stop_playing
sleep 3
limit=$(get max_bytes)
sleep 8
check_eq kept_without_evidence "$limit" "$(get max_bytes)"

begin it_sleeps_while_nothing_flips
scanout-flip foreign --frames 30 >/dev/null || fail client "status $?"
# Polls end after three without a flip, and two seconds.
sleep 8
before=$(switches)
sleep 20
check_eq wakeups_in_20_s 0 $(($(switches) - before))
# Nor does anybody have to ping.
check_eq watchdog_rests yes "$(case $(unit WatchdogUSec) in 0 | infinity) echo yes ;; *) unit WatchdogUSec ;; esac)"

begin a_flip_wakes_it
sleep 8
before=$(switches)
flips=$(get flips)
# Nothing asks it over the bus meanwhile: it is the kernel that wakes it.
scanout-flip foreign --frames 2 >/dev/null || fail client "status $?"
sleep 1.5
check_eq woken yes "$(at_least $((before + 1)) "$(switches)")"
check_eq flips yes "$(at_least $((flips + 2)) "$(get flips)")"
until_ok 10 knows_all_flips || fail flips_read "it knows of $(cache Figures), the kernel of $(get flips)"
