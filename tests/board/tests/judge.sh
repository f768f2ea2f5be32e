# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=240
#
# What the display can read, asked of a bus master behind the same SMMU, TLB included: the bytes of
# a buffer for as long as it is mapped, and nothing once it is unmapped.
# shellcheck shell=sh disable=SC2154,SC1091

. /usr/lib/board/judge-lib.sh

# sampled_all: every map and unmap has been looked at.
sampled_all()
{
	check_eq sampled "$(judge_count operations)" "$(judge_count sampled)"
	check_eq dead_samples yes "$(at_least "$1" "$(judge_count dead_faulted)")"
}

fresh the_display_reads_mapped_buffers_only_while_they_come_and_go
judge_begin
scanout-flip churn --frames 120 --verify >/dev/null || fail client "status $?"
echo 1 >"$DEBUG/drop"
settle
sampled_all 200
judge_end

fresh the_display_reads_mapped_buffers_only_when_imports_repeat
judge_begin
scanout-flip reimport --frames 60 --verify >/dev/null || fail client "status $?"
scanout-flip foreign --frames 60 --buffers 8 --verify >/dev/null || fail client "status $?"
echo 1 >"$DEBUG/drop"
settle
sampled_all 16
judge_end

fresh the_display_reads_mapped_buffers_only_while_limits_evict
judge_begin
put max_entries 3
put idle_timeout_ms 50
scanout-flip foreign --frames 120 --buffers 6 --verify >/dev/null || fail client "status $?"
sleep 0.2
settle
sampled_all 100
judge_end

fresh the_display_reads_mapped_buffers_only_with_the_cache_off
put max_bytes 0
judge_begin
scanout-flip foreign --frames 60 --verify >/dev/null || fail client "status $?"
sampled_all 100
judge_end

fresh the_judge_follows_the_driver_when_it_is_loaded_again
judge_begin
scanout-flip foreign --frames 10 >/dev/null || fail client "status $?"
reload_msm || fail reload "msm cannot be loaded again"
before=$(judge_count operations)
scanout-flip churn --frames 20 >/dev/null || fail client "status $?"
check_eq sees_the_new_one yes "$(at_least 20 $(($(judge_count operations) - before)))"
judge_end
