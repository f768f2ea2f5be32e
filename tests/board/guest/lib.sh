# SPDX-License-Identifier: MIT
#
# What the board's tests are written with; sourced by run-tests. A test begins with fresh and ends
# where the next one begins. It passes if nothing in it called fail.

CACHE=/sys/class/drm/card0/device/scanout_cache
TRACING=/sys/kernel/tracing
DEBUG=/sys/kernel/debug/dri/0/scanout_cache
MODEL=/sys/kernel/debug/mdp4_model
AT_FRESH=/tmp/at-fresh

test_name=
test_failed=

# get FILE: a value of the cache; put FILE VALUE: write one.
get()
{
	cat "$CACHE/$1"
}

put()
{
	echo "$2" >"$CACHE/$1" || fail "$1" "cannot write '$2'"
}

# fail WHAT WHY: the test has failed; it goes on, to tell more.
fail()
{
	echo "# $test_name: $1: $2"
	test_failed="${test_failed:-$1: $2}"
}

check_eq()
{
	[ "$2" = "$3" ] || fail "$1" "expected '$2', got '$3'"
}

# at_least MIN VALUE: yes or no.
at_least()
{
	if [ "$2" -ge "$1" ]; then echo yes; else echo no; fi
}

# delta FILE [FIELD]: how much a counter, or one field of a histogram, has grown in this test.
delta()
{
	now=$(cut -d ' ' -f "${2:-1}" "$CACHE/$1")
	then=$(cut -d ' ' -f "${2:-1}" "$AT_FRESH/$1")
	echo $((now - then))
}

# settle: wait until what was evicted is unmapped.
settle()
{
	tries=0
	until [ "$(get quarantined_bytes)" = 0 ]; do
		tries=$((tries + 1))
		if [ $tries -gt 100 ]; then
			fail settle "quarantined_bytes is still $(get quarantined_bytes) after 5 s"
			return
		fi
		sleep 0.05
	done
}

# One event for each buffer that msm maps or unmaps, in this test. Not the iommu tracepoints: those
# fire for each piece of a scatterlist. What the cache unmaps does not pass msm_iommu_unmap(), unless
# the IOMMU cannot defer TLB invalidation.
arm_probes()
{
	echo 0 >$TRACING/events/enable
	echo >$TRACING/kprobe_events
	for probe in 'p:mmap msm:msm_iommu_map' 'p:munmap msm:msm_iommu_unmap' \
			'p:munmap msm:msm_scanout_slot_unmap'; do
		echo "$probe" >>$TRACING/kprobe_events || fail probes "the kernel refused '$probe'"
	done
	echo 1 >$TRACING/events/kprobes/enable || fail probes "cannot enable the probes"
}

disarm_probes()
{
	echo 0 >$TRACING/events/enable
	echo >$TRACING/kprobe_events
}

count_between()
{
	awk -v event="$1" -v from="${2-}" -v to="${3-}" '
		BEGIN { on = from == "" }
		from != "" && index($0, from) { on = 1 }
		to != "" && index($0, to) { on = 0 }
		on && index($0, " " event ":") { n++ }
		END { print n + 0 }' $TRACING/trace
}

maps()
{
	count_between mmap
}

unmaps()
{
	count_between munmap
}

# maps_between MARK MARK: between two texts that were written to trace_marker.
maps_between()
{
	count_between mmap "$1" "$2"
}

unmaps_between()
{
	count_between munmap "$1" "$2"
}

# What msm maps or unmaps between two of the kernel's steps into sleep and out of it; "never" if the
# first was not taken.
touched_between()
{
	awk -v from="suspend_resume: $1" -v to="suspend_resume: $2" '
		$0 ~ from { on = 1; begun = 1 }
		$0 ~ to { on = 0 }
		on && / (mmap|munmap): / { n++ }
		END { print begun ? n + 0 : "never" }' $TRACING/trace
}

# sleeps STATE LEVEL FROM TO: a client is caught by it in the middle of its flips, and goes on. Both
# time limits end while the kernel waits at LEVEL, for five seconds. The IOMMU may be off by then, so
# nothing is mapped or unmapped between FROM and TO.
sleeps()
{
	put import_linger_ms 1000
	put idle_timeout_ms 2000
	echo 1 >$TRACING/events/power/suspend_resume/enable
	echo "$2" >/sys/power/pm_test
	scanout-flip foreign --frames 16 --verify --on-frame "7:cat $CACHE/idle_entries >/tmp/idle" \
		--on-frame "8:echo $1 >/sys/power/state" >/dev/null || fail client "status $?"
	echo none >/sys/power/pm_test
	check_eq idle_before yes "$(at_least 2 "$(cat /tmp/idle)")"
	check_eq while_frozen 0 "$(touched_between "$3" "$4")"
	# Each of three buffers was new once, and known again after the sleep.
	check_eq unknown_distances 3 "$(delta reuse_depth 34)"
	put import_linger_ms 0
	put trim 0
	sleep 1
}

model_stat()
{
	awk -v key="$1" '$1 == key { print $2 }' $MODEL/stats
}

# The display is up once the console shows on it, which happens a little after it appeared, and in
# more than one commit.
wait_for_display()
{
	tries=0
	flips=
	until [ -e /dev/dri/card0 ] && [ "$(get active_entries 2>/dev/null)" = 1 ] &&
			[ "$(get flips)" = "$flips" ]; do
		tries=$((tries + 1))
		[ $tries -le 100 ] || return 1
		flips=$(get flips 2>/dev/null)
		sleep 0.3
	done
}

# release_console: the framebuffer console holds the driver's module.
release_console()
{
	for console in /sys/class/vtconsole/vtcon*; do
		if grep -q 'frame buffer' "$console/name" 2>/dev/null; then
			echo 0 >"$console/bind"
		fi
	done
}

reload_msm()
{
	disarm_probes
	release_console
	rmmod msm || return 1
	modprobe msm || return 1
	wait_for_display || return 1
	arm_probes
}

default_knobs()
{
	put max_bytes 128M
	put max_entries 32
	put idle_timeout_ms 10000
	put import_linger_ms 1000
	# Not what it is at first, but one whose victims can be told beforehand.
	put policy lru
}

# stat_of NAME: a figure that is in debugfs.
stat_of()
{
	awk -v name="$1" '$1 == name { print $2 }' "$DEBUG/stats"
}

# ended: how many mappings were undone, for all reasons.
ended()
{
	echo $(($(get evictions) + $(get evictions_age) + $(get evictions_pressure) +
		$(get invalidations)))
}

# figures_add_up: what kernel/ABI says they do, in one snapshot of all of them.
figures_add_up()
{
	wrong=$(awk '
		/^reuse distance/ { histogram = $NF; next }
		histogram && /^ / { sum[histogram] += $NF; next }
		{ value[$1] = $2 }
		function claim(what, is, should_be) {
			if (is != should_be)
				print what ": " is ", not " should_be
		}
		END {
			lookups = value["hits"] + value["misses"]
			claim("sum of reuse_depth", sum["buffers:"], lookups)
			claim("sum of reuse_bytes", sum["bytes:"], lookups)
			mapped = value["active_entries"] + value["idle_entries"]
			mapped += value["quarantined_entries"]
			ended = value["evictions"] + value["evictions_age"]
			ended += value["evictions_pressure"] + value["invalidations"]
			claim("inserts", value["inserts"], mapped + ended)
		}' $DEBUG/stats)
	[ -z "$wrong" ] || fail figures "$wrong"
}

finish_test()
{
	[ -n "$test_name" ] || return 0
	figures_add_up
	faults=$(($(model_stat scanout_faults) - faults_at_fresh))
	[ $faults = 0 ] || fail scanout_faults "$faults: $(tail -n 1 $MODEL/faults)"
	if [ -n "$test_failed" ]; then
		echo "not ok $test_name - $test_failed"
	else
		echo "ok $test_name"
	fi
	test_name=
}

# fresh NAME: begin a test, with an empty cache and default limits.
fresh()
{
	finish_test
	test_name=$1
	test_failed=
	put import_linger_ms 0
	echo 1 >$DEBUG/drop
	sleep 0.1
	default_knobs
	faults_at_fresh=$(model_stat scanout_faults)
	rm -rf $AT_FRESH
	mkdir $AT_FRESH
	cp "$CACHE"/[a-su-z]* $AT_FRESH/
	arm_probes
	echo >$TRACING/trace
}
