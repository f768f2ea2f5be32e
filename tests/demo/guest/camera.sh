# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A camera, and GStreamer's kmssink that shows the dma-bufs which the camera's driver made. Sourced
# after board.sh.

# Sets $camera, its name in /dev.
camera_on()
{
	modprobe vivid node_types=0x1 || die "modprobe vivid failed"
	# A first look at every plugin takes long under emulation; it is not what is measured.
	gst-inspect-1.0 kmssink >/dev/null
	udevadm settle
	camera=
	for file in /sys/class/video4linux/video*/name; do
		read -r is <"$file"
		[ "$is" != vivid-000-vid-cap ] || camera=$(basename "$(dirname "$file")")
	done
	[ -n "$camera" ] || die "vivid made no capture device"
}

# show_camera FRAMES
show_camera()
{
	GST_DEBUG=2 timeout 120 gst-launch-1.0 v4l2src "device=/dev/$camera" io-mode=dmabuf \
		"num-buffers=$1" ! video/x-raw,format=YUY2,width=640,height=360 ! \
		kmssink driver-name=msm sync=false
}
