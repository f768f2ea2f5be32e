#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, full root: GStreamer's kmssink with a camera's dma-bufs, and Weston's desktop.

# shellcheck source-path=SCRIPTDIR source=bench.sh
. /share/bench.sh
# shellcheck source-path=SCRIPTDIR source=../../demo/guest/weston.sh
. /share/weston.sh
# shellcheck source-path=SCRIPTDIR source=../../demo/guest/camera.sh
. /share/camera.sh

DESKTOP_S=10
PLAYER_FRAMES=200
FROM_FRAME=20
TO_FRAME=80

desktop()
{
	weston_desktop "$PLACE"
	mark from
	sleep "$DESKTOP_S"
	mark to
	weston_ends
	return 0
}

player()
{
	begin=$(flips_shown)
	(
		until_flip $((begin + FROM_FRAME))
		mark from
		until_flip $((begin + TO_FRAME))
		mark to
	) &
	marker=$!
	show_camera "$PLAYER_FRAMES"
	status=$?
	# Too few flips for the second mark is for the host to notice.
	kill "$marker" 2>/dev/null
	return "$status"
}

probes_on
camera_on
measured kmssink player
measured weston desktop
