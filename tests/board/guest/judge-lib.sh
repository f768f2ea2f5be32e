# SPDX-License-Identifier: MIT
#
# shellcheck shell=sh disable=SC2154
#
# For tests that ask the display model's judge of stale translations; source it after lib.sh.

JUDGE=/sys/kernel/debug/mdp4_model/judge

judge_count()
{
	cat "$JUDGE/$1"
}

# judge_begin: all its counts begin at zero.
judge_begin()
{
	echo 0 >$JUDGE/enable
	echo 1 >$JUDGE/enable || fail judge "cannot be switched on: $(dmesg | tail -n 1)"
}

# judge_end: nothing may be wrong, and it must have looked.
judge_end()
{
	for wrong in stale wrong_bytes live_faulted; do
		[ "$(judge_count $wrong)" = 0 ] ||
			fail judge "$wrong is $(judge_count $wrong): $(dmesg | grep judge: | tail -n 1)"
	done
	[ "$(judge_count live_ok)" != 0 ] || fail judge "has read nothing that is mapped"
	[ "$(judge_count missed)" = 0 ] || fail judge "has missed $(judge_count missed) calls"
	echo "# $test_name: judge: $(judge_count operations) maps and unmaps," \
		"$(judge_count sampled) of them sampled, $(judge_count samples) samples," \
		"$(judge_count dead_faulted) of them after an unmap"
	echo 0 >$JUDGE/enable
}
