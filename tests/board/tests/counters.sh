# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=300
#
# Every counter has the value that the sequence of flips implies. What the console's framebuffer
# contributes is part of that: it is on screen before and after a client runs, and idle meanwhile.

panel_bytes=4096000

fresh counters_of_a_native_sequence
put idle_timeout_ms 0
# At leisure: a buffer counts as idle once its commit is cleaned up, and a busy machine flips before.
scanout-flip dumb --sequence 0,1,2,0,0,1 --frames 5 --pace-hz 5 --verify >/dev/null || fail client "status $?"
settle
# Three buffers seen for the first time; 0 and 1 again, and the console's at the end. Showing 0
# twice in a row is a flip, but no lookup. The client's buffers are freed while idle.
check_eq misses 3 "$(delta misses)"
check_eq inserts 3 "$(delta inserts)"
check_eq hits 3 "$(delta hits)"
check_eq flips 7 "$(delta flips)"
check_eq invalidations 3 "$(delta invalidations)"
check_eq evictions 0 "$(delta evictions)"
check_eq evictions_age 0 "$(delta evictions_age)"
check_eq evictions_pressure 0 "$(delta evictions_pressure)"
check_eq maps 3 "$(maps)"
check_eq unmaps 3 "$(unmaps)"
check_eq active_bytes $panel_bytes "$(get active_bytes)"
check_eq active_entries 1 "$(get active_entries)"
check_eq idle_bytes 0 "$(get idle_bytes)"
check_eq idle_entries 0 "$(get idle_entries)"
check_eq quarantined_bytes 0 "$(get quarantined_bytes)"
# 0 and 1 come back with one other buffer idle in between, the console's with none left.
check_eq depth_1 1 "$(delta reuse_depth 1)"
check_eq depth_2 2 "$(delta reuse_depth 2)"
check_eq depth_unknown 3 "$(delta reuse_depth 34)"

fresh counters_of_evictions_by_entries
put idle_timeout_ms 0
put max_entries 2
# The hook waits, so that no victim is taken back before it is unmapped.
quiet="until grep -qx 0 $CACHE/quarantined_bytes; do :; done"
scanout-flip dumb --buffers 4 --sequence 0,1,2,3,0 --frames 4 --verify --on-frame "1:$quiet" \
	--on-frame "2:$quiet" --on-frame "3:$quiet" --on-frame "4:$quiet" >/dev/null ||
	fail client "status $?"
settle
# Idle after each flip: C | C 0 | 0 1 (C out) | 1 2 (0 out) | 2 3 (1 out); 0 has to be mapped again,
# and so has the console's buffer at the end.
check_eq misses 6 "$(delta misses)"
check_eq hits 0 "$(delta hits)"
check_eq evictions 4 "$(delta evictions)"
check_eq maps 6 "$(maps)"
check_eq unmaps 6 "$(unmaps)"
# They are recognised although unmapped: 0 with 2 and 1 idle since, the console's with the rest freed.
check_eq depth_3 1 "$(delta reuse_depth 3)"
check_eq depth_1 1 "$(delta reuse_depth 1)"
check_eq depth_unknown 4 "$(delta reuse_depth 34)"

# A flip takes a victim back as long as it is not unmapped, and then it has not ended: whoever is
# first, the sums that finish_test looks at hold, and these are the same sums of sysfs at rest.
fresh counters_add_up_whether_or_not_victims_are_taken_back
put max_entries 2
scanout-flip foreign --buffers 4 --frames 60 --verify >/dev/null || fail client "status $?"
scanout-flip reimport --buffers 3 --frames 30 --pace-hz 25 --verify >/dev/null || fail client "status $?"
settle
check_eq evicted yes "$(at_least 10 "$(delta evictions)")"
check_eq inserts $(($(ended) + $(get active_entries) + $(get idle_entries))) "$(get inserts)"
check_eq misses $(($(get inserts) + $(stat_of map_failures))) "$(get misses)"
for histogram in reuse_depth reuse_bytes; do
	check_eq $histogram $(($(get hits) + $(get misses))) $(($(get $histogram | tr ' ' +)))
done

fresh counters_of_expiry
put idle_timeout_ms 200
scanout-flip foreign --buffers 3 --frames 4 --hold-open 1 >/dev/null || fail client "status $?"
sleep 1
settle
check_eq evictions_age_at_least_3 yes "$(at_least 3 "$(delta evictions_age)")"
check_eq idle_entries 0 "$(get idle_entries)"
check_eq maps_minus_unmaps 0 $(($(maps) - $(unmaps)))

fresh trim_shrinks_idle_bytes_once
put idle_timeout_ms 0
put import_linger_ms 60000
scanout-flip foreign --buffers 5 --frames 6 >/dev/null || fail client "status $?"
check_eq idle_before 5 "$(get idle_entries)"
put trim 8192000
check_eq idle_after 2 "$(get idle_entries)"
put trim 0
check_eq idle_none 0 "$(get idle_entries)"
settle
check_eq unmaps 5 "$(unmaps)"
check_eq max_bytes 134217728 "$(get max_bytes)"

fresh a_limit_changes_the_generation
before=$(get generation)
put max_bytes 64M
check_eq max_bytes 67108864 "$(get max_bytes)"
put max_entries 16
put idle_timeout_ms 5
put import_linger_ms 7
check_eq generation $((before + 4)) "$(get generation)"

fresh gem_shows_cached_mappings
put import_linger_ms 60000
scanout-flip foreign --buffers 3 --frames 3 >/dev/null || fail client "status $?"
check_eq idle_in_gem 3 "$(grep -c 'scanout: \[.*, idle,' /sys/kernel/debug/dri/0/gem)"
check_eq active_in_gem 1 "$(grep -c 'scanout: \[.*, active,' /sys/kernel/debug/dri/0/gem)"
check_eq idle_in_entries 3 "$(grep -c ' idle ' /sys/kernel/debug/dri/0/scanout_cache/entries)"

# announced FILE COMMAND SECONDS: whether COMMAND makes the kernel announce a change of FILE in time.
announced()
{
	rm -f /tmp/announced
	sysfs-wait "$3" "$CACHE/$1" >/tmp/announced &
	until [ -s /tmp/announced ]; do :; done
	sh -c "$2" >/dev/null
	if wait $!; then echo yes; else echo no; fi
}

fresh changes_are_announced
check_eq a_limit yes "$(announced generation "echo 64M >$CACHE/max_bytes" 10)"
check_eq a_refused_limit no "$(announced generation "echo lots >$CACHE/max_bytes 2>/dev/null" 1)"
sleep 2
check_eq flips_after_a_pause yes "$(announced flips "scanout-flip dumb --frames 2" 10)"

# Nothing of the import is anew but the handle, so its exporter neither maps it again nor cleans caches
# then. That is left to DMA_BUF_IOCTL_SYNC, see design.md.
fresh an_import_that_comes_back_is_not_mapped_by_its_exporter
echo 'p:exporter_maps map_udmabuf' >>"$TRACING/kprobe_events" || fail probes "no map_udmabuf()"
echo 1 >"$TRACING/events/kprobes/enable"
scanout-flip reimport --buffers 3 --frames 30 --pace-hz 25 --verify >/dev/null || fail client "status $?"
check_eq exporter_maps 3 "$(count_between exporter_maps)"
disarm_probes

# The panel takes its time, longer than the driver waits: what it cleans up is on screen for another
# 150 ms. What went idle meanwhile is still mapped; a fault would be seen.
fresh flushes_that_are_not_seen_in_time_are_counted
before=$(cat "$DEBUG/flush_timeouts")
scanout-flip foreign --buffers 3 --frames 6 >/dev/null || fail client "status $?"
check_eq in_time 0 $(($(cat "$DEBUG/flush_timeouts") - before))
refresh_mhz=$(cat "$MODEL/refresh_mhz")
echo 5000 >"$MODEL/refresh_mhz"
scanout-flip foreign --buffers 3 --frames 6 >/dev/null || fail client "status $?"
echo "$refresh_mhz" >"$MODEL/refresh_mhz"
check_eq late yes "$(at_least 4 $(($(cat "$DEBUG/flush_timeouts") - before)))"
