#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, full root: GStreamer's kmssink with a camera's dma-bufs, and Weston's desktop.

# shellcheck source-path=SCRIPTDIR source=bench.sh
. /share/bench.sh

DESKTOP_S=10
PLAYER_FRAMES=200
FROM_FRAME=20
TO_FRAME=80

desktop()
{
	# No seat manager, no virtual terminals, no input devices, and no pointer, whose cursor upstream's
	# MDP4 driver would not survive.
	LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0 weston --config=/share/weston.ini \
		--backend=drm --renderer=pixman --continue-without-input --socket=wayland-bench \
		--log="$PLACE/weston.log" &
	weston=$!
	tries=0
	until [ -S "$XDG_RUNTIME_DIR/wayland-bench" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 600 ] || die "weston made no socket within 60 s"
		kill -0 "$weston" || die "weston left, see weston.log"
		sleep 0.1
	done
	for client in weston-flower weston-simple-damage weston-presentation-shm weston-simple-shm; do
		WAYLAND_DISPLAY=wayland-bench "$client" >"$PLACE/$client.log" 2>&1 &
		sleep 1
	done
	mark from
	sleep "$DESKTOP_S"
	mark to
	kill "$weston"
	wait "$weston"
	return 0
}

reached()
{
	until [ "$(flips_shown)" -ge "$1" ]; do
		sleep 0.05
	done
}

player()
{
	vivid=
	for file in /sys/class/video4linux/video*/name; do
		read -r is <"$file"
		[ "$is" != vivid-000-vid-cap ] || vivid=$(basename "$(dirname "$file")")
	done
	[ -n "$vivid" ] || die "vivid made no capture device"
	begin=$(flips_shown)
	(
		reached $((begin + FROM_FRAME))
		mark from
		reached $((begin + TO_FRAME))
		mark to
	) &
	marker=$!
	timeout 120 gst-launch-1.0 v4l2src "device=/dev/$vivid" io-mode=dmabuf \
		"num-buffers=$PLAYER_FRAMES" ! video/x-raw,format=YUY2,width=640,height=360 ! \
		kmssink driver-name=msm sync=false
	status=$?
	# Too few flips for the second mark is for the host to notice.
	kill "$marker" 2>/dev/null
	return "$status"
}

probes_on
modprobe vivid node_types=0x1 || die "modprobe vivid failed"
# A first look at every plugin takes long under emulation; it is not what is measured.
gst-inspect-1.0 kmssink >/dev/null
udevadm settle
measured kmssink player
measured weston desktop
