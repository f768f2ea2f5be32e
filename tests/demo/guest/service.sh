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

CACHE=/sys/class/drm/card0/device/scanout_cache
SAMPLE_MS=100
# tests/demo/evening.py knows them in this order.
FIGURES="flips hits misses max_bytes idle_bytes idle_entries active_bytes"
DESKTOP_S=18
VIDEO_S=16
VIDEO_HZ=40
VIDEO_BUFFERS=12
# The desktop is left alone for so long before its output goes off.
IDLE_S=20

die()
{
	echo "demo: $*" >&2
	exit 1
}

# stamp WHAT: a command that notes when something begins.
stamp()
{
	echo "read -r now _ </proc/uptime; echo \"\$now $1\" >>/out/phases"
}

phase()
{
	read -r now _ </proc/uptime
	echo "$now $1" >>/out/phases
	echo "demo: $1 ..."
}

desktop()
{
	rm -f "$XDG_RUNTIME_DIR/wayland-demo"
	# No seat manager, no virtual terminals and no input devices, but the module that tells scanoutd
	# what is on the screen and what is coming.
	LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0 weston --config=/share/weston.ini --backend=drm \
		--renderer=pixman --continue-without-input --socket=wayland-demo --idle-time="$1" \
		--modules=scanout-report.so --log="/out/weston-$2.log" &
	weston=$!
	tries=0
	until [ -S "$XDG_RUNTIME_DIR/wayland-demo" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 600 ] || die "weston made no socket within 60 s"
		kill -0 "$weston" || die "weston left, see weston-$2.log"
		sleep 0.1
	done
	WAYLAND_DISPLAY=wayland-demo weston-flower >/out/flower.log 2>&1 &
	WAYLAND_DISPLAY=wayland-demo weston-simple-shm >/out/simple-shm.log 2>&1 &
}

[ "$(systemctl is-active scanoutd.service)" = active ] || die "scanoutd does not run"
# A limit that nothing fills is left for ten minutes by default, and this lasts two.
mkdir -p /etc/scanoutd.conf.d
printf '[Tuner]\nShrinkUnusedAfterSec=5\n' >/etc/scanoutd.conf.d/60-demo.conf
systemctl reload scanoutd.service || die "systemctl reload scanoutd: status $?"
sleep 2

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
kill "$weston"
wait "$weston"

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
sleep 8
phase end
kill "$sampler"
journalctl -q -o json _SYSTEMD_UNIT=scanoutd.service >/out/journal
kill "$weston"
wait "$weston"
exit 0
