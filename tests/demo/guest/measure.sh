# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# How a workload is measured on the board, the same way for both drivers. Sourced.
#
# Every map and unmap of the display's MMU passes msm_iommu_map() and msm_iommu_unmap(), or, in the
# cache, msm_scanout_slot_unmap(), once for a buffer; every framebuffer passes
# msm_framebuffer_prepare() and _cleanup(). Probes on these
# write to the kernel's trace, which goes to the host as it is. /out/NAME/ gets for each workload:
#   trace           the kernel's trace, with marks "demo begin" and "demo end"
#   lost            trace entries that were overwritten, and probe hits that were missed
#   before, after   the display model's counters
#   idle            how often idle_bytes was read meanwhile, and the highest value (ours only)
#   max_bytes       the limit then (ours only)
#   stdout, stderr, status    of the command

TRACING=/sys/kernel/tracing
MODEL=/sys/kernel/debug/mdp4_model
CACHE=/sys/class/drm/card0/device/scanout_cache
CACHE_DEBUG=/sys/kernel/debug/dri/0/scanout_cache
TRACE_KIB_A_CPU=16384

die()
{
	echo "demo: $*" >&2
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

# It adds to the event of the same name.
cache_probe()
{
	echo "p:scanout/unmap msm:msm_scanout_slot_unmap iova=\$arg2:x64 bytes=\$arg3:u64"
}

probes_on()
{
	put "$TRACING/buffer_size_kb" "$TRACE_KIB_A_CPU"
	put "$TRACING/trace_clock" mono
	put "$TRACING/kprobe_events" "p:scanout/map msm:msm_iommu_map iova=\$arg2:x64 bytes=\$arg5:u64"
	while read -r event; do
		[ -n "$event" ] || continue
		echo "$event" >>"$TRACING/kprobe_events" || die "the kernel refused the probe '$event'"
	done <<-END
		$(! have_cache || cache_probe)
		p:scanout/unmap msm:msm_iommu_unmap iova=\$arg2:x64 bytes=\$arg3:u64
		p:scanout/prepare msm:msm_framebuffer_prepare fb=\$arg1:x64
		r:scanout/prepared msm:msm_framebuffer_prepare
		p:scanout/cleanup msm:msm_framebuffer_cleanup fb=\$arg1:x64
		r:scanout/cleaned msm:msm_framebuffer_cleanup
	END
	put "$TRACING/events/scanout/enable" 1
}

# Reads idle_bytes again and again until it is told to stop.
watch_idle()
{
	samples=0
	highest=0
	trap 'echo "$samples $highest" >"$2"; exit 0' TERM
	while read -r now <"$CACHE/idle_bytes"; do
		samples=$((samples + 1))
		[ "$now" -le "$highest" ] || highest=$now
		[ -z "$1" ] || sleep "$1"
	done
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

# measured NAME COMMAND...: run the command and keep what the trace and the counters say of it.
# WATCH_PAUSE_S: seconds between two looks at idle_bytes, empty for as often as possible.
measured()
{
	measured=$1
	shift
	place=/out/$measured
	mkdir -p "$place"
	echo "demo: $measured ..."
	empty_cache
	cat "$MODEL/stats" >"$place/before"
	put "$TRACING/trace" ""
	watcher=
	if have_cache; then
		cat "$CACHE/max_bytes" >"$place/max_bytes"
		watch_idle "${WATCH_PAUSE_S-0.05}" "$place/idle" &
		watcher=$!
	fi
	put "$TRACING/trace_marker" "demo begin"
	"$@" >"$place/stdout" 2>"$place/stderr"
	status=$?
	put "$TRACING/trace_marker" "demo end"
	[ -z "$watcher" ] || {
		kill -TERM "$watcher"
		wait "$watcher"
	}
	# What the kernel does when a program has left is over soon, in a worker.
	sleep 0.3
	empty_cache
	cat "$TRACING/trace" >"$place/trace"
	{
		grep -h -e overrun -e 'dropped events' "$TRACING"/per_cpu/*/stats
		cat "$TRACING/kprobe_profile"
	} >"$place/lost"
	cat "$MODEL/stats" >"$place/after"
	echo "$status" >"$place/status"
	# A report about a failure is worth more than no report: the host decides.
	[ "$status" = 0 ] || echo "demo: $measured: the command's status is $status"
}
