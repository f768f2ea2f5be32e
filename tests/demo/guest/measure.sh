# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# How a workload is measured on the board, the same way for both drivers. Sourced.
#
# Every map and unmap of the display's MMU passes msm_iommu_map() and msm_iommu_unmap(), or, in the
# cache, msm_scanout_slot_unmap(), once for a buffer; every framebuffer passes
# msm_framebuffer_prepare() and _cleanup(). Probes on these write to the kernel's trace, which goes to
# the host as it is. /out/NAME/ gets for each workload:
#   trace           the kernel's trace, with marks "demo begin" and "demo end"
#   lost            trace entries that were overwritten, and probe hits that were missed
#   before, after   the display model's counters
#   idle            how often idle_bytes was read meanwhile, and the highest value (ours only)
#   max_bytes       the limit then (ours only)
#   stdout, stderr, status    of the command

PROGRAM=demo
# shellcheck source-path=SCRIPTDIR source=board.sh
. /share/board.sh

TRACE_KIB_A_CPU=16384

# It adds to the event of the same name.
cache_probe()
{
	echo "p:scanout/unmap msm:msm_scanout_slot_unmap iova=\$arg2:x64 bytes=\$arg3:u64"
}

probes_on()
{
	prepare_trace "$TRACE_KIB_A_CPU"
	while read -r event; do
		[ -n "$event" ] || continue
		echo "$event" >>"$TRACING/kprobe_events" || die "the kernel refused the probe '$event'"
	done <<-END
		p:scanout/map msm:msm_iommu_map iova=\$arg2:x64 bytes=\$arg5:u64
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

# measured NAME COMMAND...: run the command and keep what the trace and the counters say of it.
# WATCH_PAUSE_S: seconds between two looks at idle_bytes, empty for as often as possible.
measured()
{
	measured=$1
	shift
	place=/out/$measured
	mkdir -p "$place"
	say "$measured ..."
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
	keep_trace "$place"
	cat "$MODEL/stats" >"$place/after"
	echo "$status" >"$place/status"
	# A report about a failure is worth more than no report: the host decides.
	[ "$status" = 0 ] || say "$measured: the command's status is $status"
}
