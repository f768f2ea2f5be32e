#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, full root: what programs flip, recorded by scanoutctl to /out/NAME.trace.

CACHE=/sys/class/drm/card0/device/scanout_cache

die()
{
	echo "record: $*" >&2
	exit 1
}

# recorded NAME COMMAND...: record while the command runs.
recorded()
{
	name=$1
	shift
	echo "record: $name ..."
	scanoutctl record "/out/$name.trace" 2>"/out/$name.recorded" &
	recorder=$!
	sleep 3
	"$@" >"/out/$name.log" 2>&1 || die "$name: status $?: $(tail -n 3 "/out/$name.log")"
	# What a program leaves is freed, and so written, a little later.
	sleep 2
	kill -INT "$recorder"
	wait "$recorder" || die "scanoutctl record $name: $(cat "/out/$name.recorded")"
	cat "/out/$name.recorded"
}

player()
{
	camera=$(grep -lx vivid-000-vid-cap /sys/class/video4linux/video*/name)
	camera=/dev/$(basename "$(dirname "$camera")")
	timeout 120 gst-launch-1.0 -q v4l2src "device=$camera" io-mode=dmabuf num-buffers=300 ! \
		video/x-raw,format=YUY2,width=640,height=360 ! kmssink driver-name=msm sync=false
}

desktop()
{
	export LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0
	weston --backend=drm --renderer=pixman --continue-without-input --socket=wayland-record \
		--idle-time=0 &
	weston=$!
	tries=0
	until [ -S "$XDG_RUNTIME_DIR/wayland-record" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 600 ] || die "weston made no socket within 60 s"
		sleep 0.1
	done
	for client in weston-flower weston-simple-damage weston-simple-shm; do
		WAYLAND_DISPLAY=wayland-record "$client" &
		sleep 1
	done
	sleep 15
	kill "$weston"
	wait "$weston"
}

# The kernel's own limits, so that what is recorded does not depend on what scanoutd thinks.
systemctl stop scanoutd.service
echo 128M >$CACHE/max_bytes
echo 32 >$CACHE/max_entries
modprobe vivid node_types=0x1 || die "modprobe vivid failed"
gst-inspect-1.0 kmssink >/dev/null
udevadm settle
recorded board-foreign scanout-flip foreign --buffers 5 --frames 600 --pace-hz 30
recorded board-two-planes scanout-flip multi --frames 600 --pace-hz 30 --overlay-buffers 12
recorded board-gstreamer player
recorded board-weston desktop
