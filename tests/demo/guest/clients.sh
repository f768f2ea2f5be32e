#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, mini root: the flip clients, one after another. tests/demo/workloads.py says what each
# of them stands for.

# shellcheck source-path=SCRIPTDIR source=measure.sh
. /share/measure.sh

FRAMES=60
# 200 buffers of a full panel do not fit into the board's memory.
SMALL=640x400
# An emulated machine on a busy host stands still at times. What a pause does to a cache with time limits
# is not what is asked here, so if one comes near a limit, it is measured again: imports may linger for
# 1 s, and everything may be idle for 10 s.
LONGEST_PAUSE_S=5
LONGEST_REIMPORT_PAUSE_S=0.5
ATTEMPTS=4

longest_pause_s()
{
	awk '/scanout-flip lap/ { on = 1; last = 0 }
		/scanout-flip end/ { on = 0 }
		on && / prepare: / {
			if (last && $4 - last > longest)
				longest = $4 - last
			last = $4
		}
		END { print longest + 0 }' "$1"
}

# flips NAME MODE FRAME-TO-KEEP [OPTION...]
flips()
{
	workload=$1 mode=$2 keep=$3
	shift 3
	mkdir -p "/out/$workload"
	attempt=1
	while :; do
		measured "$workload" scanout-flip "$mode" --verify --marker \
			--on-frame "$keep:cat $MODEL/frame.ppm >/out/$workload/frame.ppm" "$@"
		echo "$attempt" >"/out/$workload/attempts"
		pause_s=$(longest_pause_s "/out/$workload/trace")
		limit_s=$LONGEST_PAUSE_S
		[ "$mode" != reimport ] || limit_s=$LONGEST_REIMPORT_PAUSE_S
		[ "$attempt" -lt "$ATTEMPTS" ] || break
		awk "BEGIN { exit !($pause_s > $limit_s) }" || break
		attempt=$((attempt + 1))
		say "$workload: the machine stood still for $pause_s s, so once more"
	done
}

probes_on
cat /proc/version >/out/version
flips dumb dumb 45 --frames "$FRAMES"
flips foreign foreign 45 --frames "$FRAMES"
# At a film's rate: a buffer that comes back before the framebuffer of its last import is cleaned up
# gets another object, and on a busy host that takes a while.
flips reimport reimport 45 --frames "$FRAMES" --pace-hz 25
flips multi multi 45 --frames "$FRAMES"
flips churn churn 45 --frames "$FRAMES" --size "$SMALL"

if have_cache; then
	# The byte bound is what is looked at, so no other bound may come first.
	put "$CACHE/max_bytes" 64M
	put "$CACHE/max_entries" 1024
	put "$CACHE/idle_timeout_ms" 0
fi
# As often as this machine can.
export WATCH_PAUSE_S=
flips many many 150 --buffers 200 --size "$SMALL"
flips keep dumb 75 --buffers 80 --frames 79 --size "$SMALL"
unset WATCH_PAUSE_S

if have_cache; then
	put "$CACHE/max_bytes" 0
	for mode in dumb foreign reimport; do
		flips "$mode-off" "$mode" 45 --frames "$FRAMES"
	done
fi
