#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, mini root: show each buffer of a pool once. The trace tells how long each
# msm_framebuffer_prepare() took.
set -eu

TRACING=/sys/kernel/tracing
BUFFERS=20

echo mono >$TRACING/trace_clock
echo 'p:bench/prepare msm:msm_framebuffer_prepare' >$TRACING/kprobe_events
echo 'r:bench/prepared msm:msm_framebuffer_prepare' >>$TRACING/kprobe_events
echo 1 >$TRACING/events/bench/enable
echo >$TRACING/trace
# Memory as contiguous as it happens to be would tell two boots apart rather than two drivers.
scanout-flip foreign --exporter scatter --buffers $BUFFERS --frames $((BUFFERS - 1)) >/out/report
cat $TRACING/trace >/out/trace
