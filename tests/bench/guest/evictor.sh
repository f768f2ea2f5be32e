#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, mini root: flip between three buffers, first alone, then while other buffers are mapped
# and unmapped flat out. The trace tells how long each commit took; "idle" and "busy" are its two parts.
set -eu

TRACING=/sys/kernel/tracing
FLIPS=$1

part()
{
	echo "bench $1" >$TRACING/trace_marker
}

echo 32768 >$TRACING/buffer_size_kb
echo mono >$TRACING/trace_clock
echo 'p:bench/commit drm:drm_mode_atomic_ioctl' >$TRACING/kprobe_events
echo 'r:bench/committed drm:drm_mode_atomic_ioctl' >>$TRACING/kprobe_events
echo 'p:bench/map msm:msm_iommu_map' >>$TRACING/kprobe_events
echo 1 >$TRACING/events/bench/enable
echo >$TRACING/trace
part warm
scanout-flip foreign --buffers 19 --sequence 0,1,2 \
	--frames $((2 * FLIPS + 40)) \
	--on-frame "20:echo bench idle >$TRACING/trace_marker" \
	--on-frame "$((FLIPS + 20)):echo bench warm >$TRACING/trace_marker" \
	--on-frame "$((FLIPS + 21)):insmod /share/bench_evictor.ko" \
	--on-frame "$((FLIPS + 25)):echo bench busy >$TRACING/trace_marker" \
	--on-frame "$((2 * FLIPS + 25)):echo bench warm >$TRACING/trace_marker" \
	--on-frame "$((2 * FLIPS + 26)):cat /sys/module/bench_evictor/parameters/evictions >/out/evictions" \
	--on-frame "$((2 * FLIPS + 27)):rmmod bench_evictor" >/out/report
cat $TRACING/trace >/out/trace
grep -h -e overrun -e 'dropped events' $TRACING/per_cpu/*/stats >/out/lost
