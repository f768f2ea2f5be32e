#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, full root: programs that nobody changed for us. A desktop, and a player of dma-bufs
# that another driver made.

# shellcheck source-path=SCRIPTDIR source=measure.sh
. /share/measure.sh

DESKTOP_S=12
PLAYER_FRAMES=120

desktop()
{
	# No seat manager, no virtual terminals, no input devices; and so no pointer and no cursor, which
	# upstream's MDP4 driver would not survive.
	LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0 weston --config=/share/weston.ini \
		--backend=drm --renderer=pixman --continue-without-input --socket=wayland-demo \
		--log=/out/weston/weston.log &
	weston=$!
	tries=0
	until [ -S "$XDG_RUNTIME_DIR/wayland-demo" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 600 ] || die "weston made no socket within 60 s"
		kill -0 "$weston" || die "weston left, see /out/weston/weston.log"
		sleep 0.1
	done
	for client in weston-flower weston-simple-damage weston-presentation-shm weston-simple-shm; do
		WAYLAND_DISPLAY=wayland-demo "$client" >"/out/weston/$client.log" 2>&1 &
		sleep 1
	done
	echo "demo settled" >"$TRACING/trace_marker"
	sleep $((DESKTOP_S / 2))
	cat "$MODEL/frame.ppm" >/out/weston/frame.ppm
	sleep $((DESKTOP_S / 2))
	echo "demo leaving" >"$TRACING/trace_marker"
	kill "$weston"
	wait "$weston"
	echo "weston's status is $?"
	return 0
}

flips_shown()
{
	sed -n 's/^flips //p' "$MODEL/stats"
}

player()
{
	vivid=
	for file in /sys/class/video4linux/video*/name; do
		read -r is <"$file"
		[ "$is" != vivid-000-vid-cap ] || vivid=$(basename "$(dirname "$file")")
	done
	[ -n "$vivid" ] || die "vivid made no capture device"
	half=$(($(flips_shown) + PLAYER_FRAMES / 2))
	(
		until [ "$(flips_shown)" -ge "$half" ]; do
			sleep 0.1
		done
		cat "$MODEL/frame.ppm" >/out/gstreamer/frame.ppm
	) &
	photographer=$!
	GST_DEBUG=2 timeout 120 gst-launch-1.0 v4l2src "device=/dev/$vivid" io-mode=dmabuf \
		"num-buffers=$PLAYER_FRAMES" ! video/x-raw,format=YUY2,width=640,height=360 ! \
		kmssink driver-name=msm sync=false
	status=$?
	kill "$photographer" 2>/dev/null
	return "$status"
}

# It would size the cache, and here the driver's own defaults are measured; service.sh has its turn.
systemctl stop scanoutd.service
probes_on
{
	cat /proc/version
	weston --version
	gst-launch-1.0 --version | head -n 1
} >/out/version
modprobe vivid node_types=0x1 || die "modprobe vivid failed"
# A first look at every plugin takes long under emulation; it is not what is measured.
gst-inspect-1.0 kmssink >/dev/null
udevadm settle
mkdir -p /out/weston /out/gstreamer
measured gstreamer player
measured weston desktop
