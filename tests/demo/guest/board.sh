# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Where things are on the board, and what every measurement there needs. Sourced; PROGRAM is whose
# messages these are.

TRACING=/sys/kernel/tracing
MODEL=/sys/kernel/debug/mdp4_model
CACHE=/sys/class/drm/card0/device/scanout_cache
CACHE_DEBUG=/sys/kernel/debug/dri/0/scanout_cache

say()
{
	echo "$PROGRAM: $*"
}

die()
{
	say "$*" >&2
	exit 1
}

put()
{
	echo "$2" >"$1" || die "cannot write '$2' to $1"
}

have_cache()
{
	[ -d "$CACHE" ]
}

# Nothing of an earlier workload may be counted for the next one. What is cached after a program has
# left is emptied, so that every map has its unmap in the same trace.
empty_cache()
{
	have_cache || return 0
	put "$CACHE_DEBUG/drop" 1
	tries=0
	until read -r left <"$CACHE/quarantined_bytes" && [ "$left" = 0 ]; do
		tries=$((tries + 1))
		[ "$tries" -le 50 ] || die "$CACHE/quarantined_bytes is still $left after 5 s"
		sleep 0.1
	done
}

# prepare_trace KIB: so much for each CPU, and no probes yet.
prepare_trace()
{
	put "$TRACING/buffer_size_kb" "$1"
	put "$TRACING/trace_clock" mono
	put "$TRACING/kprobe_events" ""
}

# keep_trace DIRECTORY: the trace, and in "lost" entries that were overwritten and hits that were missed.
keep_trace()
{
	cat "$TRACING/trace" >"$1/trace"
	{
		grep -h -e overrun -e 'dropped events' "$TRACING"/per_cpu/*/stats
		cat "$TRACING/kprobe_profile"
	} >"$1/lost"
}

flips_shown()
{
	sed -n 's/^flips //p' "$MODEL/stats"
}

# until_flip N: the Nth since boot.
until_flip()
{
	until [ "$(flips_shown)" -ge "$1" ]; do
		sleep 0.05
	done
}
