#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, full root: programs that nobody changed for us. A desktop, and a player of dma-bufs
# that another driver made.

# shellcheck source-path=SCRIPTDIR source=measure.sh
. /share/measure.sh
# shellcheck source-path=SCRIPTDIR source=weston.sh
. /share/weston.sh
# shellcheck source-path=SCRIPTDIR source=camera.sh
. /share/camera.sh

DESKTOP_S=12
PLAYER_FRAMES=120

desktop()
{
	weston_desktop /out/weston
	echo "demo settled" >"$TRACING/trace_marker"
	sleep $((DESKTOP_S / 2))
	cat "$MODEL/frame.ppm" >/out/weston/frame.ppm
	sleep $((DESKTOP_S / 2))
	echo "demo leaving" >"$TRACING/trace_marker"
	weston_ends
	echo "weston's status is $?"
	return 0
}

player()
{
	half=$(($(flips_shown) + PLAYER_FRAMES / 2))
	(
		until_flip "$half"
		cat "$MODEL/frame.ppm" >/out/gstreamer/frame.ppm
	) &
	photographer=$!
	show_camera "$PLAYER_FRAMES"
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
camera_on
mkdir -p /out/weston /out/gstreamer
measured gstreamer player
measured weston desktop
