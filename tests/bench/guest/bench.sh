# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# How the benchmark counts on the board; sourced. Probes write each map and unmap of a buffer to the
# kernel's trace. Marks divide that trace, and the host's log of SMMU commands by its size at that time,
# and tell how many pages were flipped so far. /out/NAME/ gets for each workload: trace, lost, marks,
# status, stdout, stderr.

TRACING=/sys/kernel/tracing
MODEL=/sys/kernel/debug/mdp4_model
CACHE_DEBUG=/sys/kernel/debug/dri/0/scanout_cache
SMMU_LOG=/out/smmu
TRACE_KIB_A_CPU=8192

die()
{
	echo "bench: $*" >&2
	exit 1
}

put()
{
	echo "$2" >"$1" || die "cannot write '$2' to $1"
}

flips_shown()
{
	sed -n 's/^flips //p' "$MODEL/stats"
}

# mark NAME: what the kernel's worker still does for the last flip lies before it.
mark()
{
	sleep 0.2
	put "$TRACING/trace_marker" "bench $1"
	echo "$1 $(flips_shown) $(wc -c <$SMMU_LOG)" >>"$PLACE/marks"
}

probes_on()
{
	put "$TRACING/buffer_size_kb" "$TRACE_KIB_A_CPU"
	put "$TRACING/trace_clock" mono
	put "$TRACING/kprobe_events" ""
	# One for each buffer, whichever way it is mapped. Not every alternative has all of them.
	for probe in map:msm_iommu_map unmap:msm_iommu_unmap map_slot:msm_scanout_slot_map \
		unmap_slot:msm_scanout_slot_unmap; do
		grep -q " ${probe#*:}[[:space:]]\[msm\]" /proc/kallsyms || continue
		echo "p:bench/${probe%:*} msm:${probe#*:}" >>"$TRACING/kprobe_events" ||
			die "the kernel refused a probe on ${probe#*:}"
	done
	put "$TRACING/events/bench/enable" 1
}

# Nothing of an earlier workload may be counted for the next one.
empty_cache()
{
	[ -d "$CACHE_DEBUG" ] || return 0
	put "$CACHE_DEBUG/drop" 1
	sleep 0.5
}

# measured NAME COMMAND...
measured()
{
	PLACE=/out/$1
	export PLACE
	shift
	mkdir -p "$PLACE"
	echo "bench: ${PLACE#/out/} ..."
	empty_cache
	put "$TRACING/trace" ""
	"$@" >"$PLACE/stdout" 2>"$PLACE/stderr"
	echo $? >"$PLACE/status"
	cat "$TRACING/trace" >"$PLACE/trace"
	{
		grep -h -e overrun -e 'dropped events' "$TRACING"/per_cpu/*/stats
		cat "$TRACING/kprobe_profile"
	} >"$PLACE/lost"
}
