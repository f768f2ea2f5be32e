# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# How the benchmark counts on the board; sourced. Probes write each map and unmap of a buffer to the
# kernel's trace. Marks divide that trace, and the host's log of SMMU commands by its size at that time,
# and tell how many pages were flipped so far. /out/NAME/ gets for each workload: trace, lost, marks,
# status, stdout, stderr.

PROGRAM=bench
# shellcheck source-path=SCRIPTDIR source=../../demo/guest/board.sh
. /share/board.sh

SMMU_LOG=/out/smmu
TRACE_KIB_A_CPU=8192

# mark NAME: what the kernel's worker still does for the last flip lies before it. On a busy host it
# takes a while: commands are counted within the time that events are counted.
mark()
{
	sleep 0.2
	before=$(wc -c <$SMMU_LOG)
	put "$TRACING/trace_marker" "bench $1"
	after=$(wc -c <$SMMU_LOG)
	[ "$1" = to ] && bytes=$before || bytes=$after
	echo "$1 $(flips_shown) $bytes" >>"$PLACE/marks"
}

# On a busy host the board stands still for a second, and programs do for each mark. What ends by the
# clock then is no flip's doing.
no_expiry()
{
	have_cache || return 0
	put "$CACHE/import_linger_ms" 10000
	put "$CACHE/idle_timeout_ms" 0
}

probes_on()
{
	no_expiry
	prepare_trace "$TRACE_KIB_A_CPU"
	# One for each buffer, whichever way it is mapped. Not every alternative has all of them.
	for probe in map:msm_iommu_map unmap:msm_iommu_unmap unmap_slot:msm_scanout_slot_unmap; do
		grep -q " ${probe#*:}[[:space:]]\[msm\]" /proc/kallsyms || continue
		echo "p:bench/${probe%:*} msm:${probe#*:}" >>"$TRACING/kprobe_events" ||
			die "the kernel refused a probe on ${probe#*:}"
	done
	put "$TRACING/events/bench/enable" 1
}

# measured NAME COMMAND...
measured()
{
	PLACE=/out/$1
	export PLACE
	shift
	mkdir -p "$PLACE"
	say "${PLACE#/out/} ..."
	empty_cache
	put "$TRACING/trace" ""
	"$@" >"$PLACE/stdout" 2>"$PLACE/stderr"
	echo $? >"$PLACE/status"
	keep_trace "$PLACE"
}
