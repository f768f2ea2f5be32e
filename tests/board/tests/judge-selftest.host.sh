# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=400
#
# The judge's own test: a driver that leaves translations in the TLB is caught by it, and by it
# alone, with the cache and without; and so is one that maps the wrong memory.
# shellcheck shell=sh

judge=/sys/kernel/debug/mdp4_model/judge
cache=/sys/class/drm/card0/device/scanout_cache

# found VARIANT COUNTER SETUP: print "COUNT FAULTS", what either judge has found.
found()
{
	"$RUN" --msm-variant "${RUN%/run}/selftest/variants/$1" -- "
		echo 1 >$judge/enable
		$3
		scanout-flip churn --frames 20 --size 640x400 >/dev/null
		echo 1 >/sys/kernel/debug/dri/0/scanout_cache/drop
		sleep 0.2
		echo \"\$(cat $judge/$2) \$(awk '\$1 == \"scanout_faults\" { print \$2 }' $judge/../stats)\""
}

# caught NAME VARIANT COUNTER SETUP
caught()
{
	result=$(found "$2" "$3" "$4") || result="no result"
	case $result in
	0\ * | *[!0-9\ ]* | '') echo "not ok $1 - $3 and scanout faults: $result" ;;
	*\ 0) echo "ok $1" ;;
	*) echo "not ok $1 - the other judge is not meant to see it: $result" ;;
	esac
}

caught a_cache_that_forgets_the_tlb_is_caught no-flush stale :
caught a_driver_that_forgets_the_tlb_is_caught no-flush stale "echo 0 >$cache/max_bytes"
caught a_cache_that_maps_the_wrong_memory_is_caught wrong-page wrong_bytes :
