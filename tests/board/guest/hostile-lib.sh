# SPDX-License-Identifier: MIT
#
# shellcheck shell=sh disable=SC2154
#
# For tests that let scanout-hostile loose; source it after lib.sh and judge-lib.sh.

HOSTILE_JSON=/tmp/hostile.json
GEM=/sys/kernel/debug/dri/0/gem

# hostile_value NAME: a figure of the last run.
hostile_value()
{
	sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" $HOSTILE_JSON
}

# gem_objects: how many buffers there are, of all processes.
gem_objects()
{
	awk '$1 == "Total:" { print $2 }' $GEM
}

# hostile SECONDS SEED [OPTION]...: the run, and what must be left of it: nothing.
hostile()
{
	objects_before=$(gem_objects)
	seconds=$1
	seed=$2
	shift 2
	scanout-hostile --seconds "$seconds" --seed "$seed" "$@" >$HOSTILE_JSON ||
		fail hostile "status $?: 2 is wrong frames, 3 exceeded bounds"
	cat $HOSTILE_JSON
	check_eq crc_mismatches 0 "$(hostile_value crc_mismatches)"
	check_eq bound_violations 0 "$(hostile_value bound_violations)"
	drained
}

# Nobody has the display any more but the console. If it came back while the cache was off, it is
# mapped by upstream's code until the next time that it makes room for somebody.
drained()
{
	default_knobs
	scanout-flip dumb --frames 2 >/dev/null || fail last_client "status $?"
	sleep 1.5
	check_eq lingering_entries 0 "$(stat_of lingering_entries)"
	put import_linger_ms 0
	echo 1 >"$DEBUG/drop"
	settle
	check_eq idle_bytes 0 "$(get idle_bytes)"
	check_eq idle_entries 0 "$(get idle_entries)"
	check_eq active_entries 1 "$(get active_entries)"
	# At rest, sysfs alone adds up as well.
	check_eq misses $(($(get inserts) + $(stat_of map_failures))) "$(get misses)"
	check_eq inserts $((1 + $(ended))) "$(get inserts)"
	tries=0
	while [ "$(gem_objects)" -gt "$objects_before" ] && [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	check_eq gem_objects "$objects_before" "$(gem_objects)"
}
