# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=300
#
# What the cache is for: once every buffer of the pool was shown, flips map and unmap nothing.

for api in atomic legacy; do
	for mode in foreign reimport dumb; do
		fresh "no_map_after_one_lap_${mode}_$api"
		# The console's buffer is idle meanwhile, and would time out at some point.
		put idle_timeout_ms 0
		# At a film's rate: if the framebuffer of an earlier import is still to be cleaned up when a
		# buffer comes back, that gets another object, and on a busy host this takes a while.
		pace=
		[ $mode != reimport ] || pace="--pace-hz 25"
		# shellcheck disable=SC2086
		scanout-flip $mode --api $api --frames 30 --verify --marker $pace >/dev/null ||
			fail client "status $?"
		check_eq maps 3 "$(maps)"
		check_eq maps_between_marks 0 "$(maps_between 'scanout-flip lap' 'scanout-flip end')"
		check_eq unmaps_between_marks 0 "$(unmaps_between 'scanout-flip lap' 'scanout-flip end')"
	done
done

fresh no_map_after_one_lap_multi
put idle_timeout_ms 0
scanout-flip multi --frames 40 --verify --marker >/dev/null || fail client "status $?"
check_eq maps_between_marks 0 "$(maps_between 'scanout-flip lap' 'scanout-flip end')"
check_eq unmaps_between_marks 0 "$(unmaps_between 'scanout-flip lap' 'scanout-flip end')"

fresh switched_off_it_maps_at_every_flip_as_upstream_does
put max_bytes 0
scanout-flip foreign --frames 30 --verify --marker >/dev/null || fail client "status $?"
# The first flip after the lap mark falls between the marks with its own map and its predecessor's
# unmap; so do all the others.
check_eq flips_mapped yes "$(at_least 27 "$(maps_between 'scanout-flip lap' 'scanout-flip end')")"
check_eq hits 0 "$(delta hits)"
check_eq misses 0 "$(delta misses)"

fresh idle_bytes_never_exceed_max
put max_bytes 64M
put max_entries 1000
put idle_timeout_ms 0
scanout-flip many --buffers 60 --watch "$CACHE/idle_bytes" >/tmp/many.json || fail client "status $?"
peak=$(sed -n 's/.*"max": \([0-9]*\).*/\1/p' /tmp/many.json)
check_eq sampled yes "$(at_least 60000000 "${peak:-0}")"
check_eq bounded yes "$(at_least "${peak:-0}" 67108864)"
high_water=$(awk '/^idle_bytes_peak/ {print $2}' "$DEBUG/stats")
check_eq high_water_covers_samples yes "$(at_least "${peak:-0}" "$high_water")"

fresh lowering_max_while_flipping_loses_no_frame
scanout-flip foreign --buffers 5 --frames 30 --verify --on-frame "5:echo 4M >$CACHE/max_bytes" \
	--on-frame "10:echo 0 >$CACHE/max_bytes" --on-frame "15:echo 128M >$CACHE/max_bytes" \
	--on-frame "20:echo 1 >$CACHE/max_entries" --on-frame "25:echo 0 >$CACHE/trim" >/dev/null ||
	fail client "status $?"
settle
check_eq idle_entries_bounded yes "$(at_least 1 "$(get idle_entries)")"
