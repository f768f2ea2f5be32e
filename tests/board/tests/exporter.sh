# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=full kernel=ours timeout=400
#
# The driver that exported a buffer goes away: while a player shows its buffers, and while the cache
# keeps them after the player was killed. Nothing is missing on the display, nothing keeps the
# exporter for good, and who comes next finds everything as it was.
# shellcheck shell=sh

PLANE_FRAMES=40

camera()
{
	modprobe vivid node_types=0x1 || fail vivid "cannot be loaded"
	udevadm settle
	camera=
	for name in /sys/class/video4linux/video*/name; do
		[ "$(cat "$name")" != vivid-000-vid-cap ] || camera=/dev/$(basename "${name%/name}")
	done
	[ -n "$camera" ] || fail vivid "made no capture device"
}

# Returns when it shows frames.
play()
{
	shown=$(model_stat flips)
	gst-launch-1.0 v4l2src "device=$camera" io-mode=dmabuf ! \
		video/x-raw,format=YUY2,width=640,height=360 ! \
		kmssink driver-name=msm sync=false >/tmp/player.log 2>&1 &
	player=$!
	tries=0
	until [ $(($(model_stat flips) - shown)) -ge $PLANE_FRAMES ]; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ] || ! kill -0 $player 2>/dev/null; then
			fail player "showed $(($(model_stat flips) - shown)) frames: $(tail -n 1 /tmp/player.log)"
			return
		fi
		sleep 0.1
	done
}

unbind()
{
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind || fail unbind "vivid.0 stays"
}

# Its module leaves the kernel.
unload()
{
	tries=0
	until rmmod vivid 2>/tmp/rmmod; do
		tries=$((tries + 1))
		if [ $tries -gt 50 ]; then
			fail rmmod "$(cat /tmp/rmmod)"
			return
		fi
		sleep 0.1
	done
}

gst-inspect-1.0 kmssink >/dev/null

fresh the_exporter_goes_while_its_buffers_linger
put import_linger_ms 10000
camera
play
kill -9 $player
wait $player
check_eq lingering yes "$(at_least 1 "$(stat_of lingering_entries)")"
unbind
unload
check_eq lingering_after_it_went yes "$(at_least 1 "$(stat_of lingering_entries)")"
put import_linger_ms 1000
sleep 1.5
check_eq lingering_in_the_end 0 "$(stat_of lingering_entries)"
settle

fresh the_exporter_goes_while_its_buffers_are_shown
camera
play
unbind
tries=0
while kill -0 $player 2>/dev/null && [ $tries -lt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
kill -9 $player 2>/dev/null
wait $player
sleep 1.5
unload
check_eq module gone "$([ -d /sys/module/vivid ] && echo there || echo gone)"

fresh who_comes_next_is_shown
scanout-flip foreign --frames 20 --verify >/dev/null || fail client "status $?"
settle
