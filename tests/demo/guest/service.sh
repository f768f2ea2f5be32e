#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, full root, our side: an evening with scanoutd, as installed and as udev started it.
# A desktop, a player with a pool of foreign buffers that takes the display over, the desktop again, and
# at last nobody looks. /out gets
#   samples     seconds since boot and the cache's figures, one line for each look
#   phases      seconds since boot and what begins then
#   outputs     what Weston's module has told scanoutd, as the desktop is there
#   journal     scanoutd's messages, one JSON object a line
#   *.log       what the programs said

PROGRAM=demo
# shellcheck source-path=SCRIPTDIR source=board.sh
. /share/board.sh
# shellcheck source-path=SCRIPTDIR source=weston.sh
. /share/weston.sh

SAMPLE_MS=100
# tests/demo/evening.py knows them in this order.
FIGURES="flips hits misses max_bytes idle_bytes idle_entries active_bytes"
DESKTOP_S=18
VIDEO_S=16
VIDEO_HZ=40
VIDEO_BUFFERS=12
# The desktop is left alone for so long before its output goes off.
IDLE_S=30

# stamp WHAT: a command that notes when something begins.
stamp()
{
	echo "read -r now _ </proc/uptime; echo \"\$now $1\" >>/out/phases"
}

phase()
{
	read -r now _ </proc/uptime
	echo "$now $1" >>/out/phases
	say "$1 ..."
}

# desktop IDLE-SECONDS NTH: with the module that tells scanoutd what is on the screen and what is coming.
desktop()
{
	weston_begins "/out/weston-$2.log" --idle-time="$1" --modules=scanout-report.so
	weston_client weston-flower /out/flower.log
	weston_client weston-simple-shm /out/simple-shm.log
}

[ "$(systemctl is-active scanoutd.service)" = active ] || die "scanoutd does not run"

paths=
for figure in $FIGURES; do
	paths="$paths $CACHE/$figure"
done
# First in line for the processor: what is measured must not decide how often.
# shellcheck disable=SC2086
nice -n -20 sysfs-sample "$SAMPLE_MS" $paths >/out/samples &
sampler=$!
phase desktop
desktop 0 1
sleep "$DESKTOP_S"
busctl get-property org.msmscanout.Cache1 /org/msmscanout/Cache1 org.msmscanout.Cache1.Manager Outputs \
	>/out/outputs
weston_ends

phase 'player starts'
timeout -s INT 120 scanout-flip foreign --buffers "$VIDEO_BUFFERS" --pace-hz "$VIDEO_HZ" \
	--frames $((VIDEO_S * VIDEO_HZ)) \
	--on-frame "1:$(stamp video)" --on-frame "$((VIDEO_S * VIDEO_HZ)):$(stamp 'video ends')" \
	>/out/player.json || die "the player's status is $?"
phase 'desktop again'
desktop "$IDLE_S" 2
waited=0
while read -r active <"$CACHE/active_bytes" && [ "$active" != 0 ]; do
	waited=$((waited + 1))
	[ "$waited" -le 300 ] || die "the output is not off 60 s after the desktop came back"
	sleep 0.2
done
phase 'output off'
# By then all is older than idle_timeout_ms.
sleep 14
phase end
kill "$sampler"
journalctl -q -o json _SYSTEMD_UNIT=scanoutd.service >/out/journal
weston_ends
exit 0
