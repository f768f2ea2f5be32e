# SPDX-License-Identifier: MIT
"""The full root is a Debian that a compositor and a player run on."""

import os
import subprocess
import unittest

from harness import cache

RUN = os.path.join(cache.HERE, "run")

PLAYER = r"""
modprobe vivid
for node in /sys/class/video4linux/*; do
	[ "$(cat "$node/name")" = vivid-000-vid-cap ] && camera=/dev/${node##*/}
done
gst-launch-1.0 -q v4l2src device="$camera" io-mode=dmabuf num-buffers=20 ! \
	video/x-raw,format=YUY2,width=640,height=360 ! kmssink driver-name=msm sync=false
"""
COMPOSITOR = r"""
export LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0
weston --backend=drm --renderer=pixman --continue-without-input >/run/weston.log 2>&1 &
tries=0
until [ -S "$XDG_RUNTIME_DIR/wayland-1" ]; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || { cat /run/weston.log; exit 1; }
	sleep 0.2
done
WAYLAND_DISPLAY=wayland-1 timeout 5 weston-simple-shm
grep -q 'Using Pixman renderer' /run/weston.log
"""
FLIPS = "awk '$1 == \"flips\" { print $2 }' /sys/kernel/debug/mdp4_model/stats"


def run(command):
    return subprocess.run([RUN, "--rootfs", "full", "--", command], capture_output=True, text=True,
                          check=False)


class Full(unittest.TestCase):
    def test_systemd_is_init_and_nothing_failed(self):
        done = run("cat /proc/1/comm; systemctl --failed --no-legend; "
                   "busctl --no-pager --no-legend list | grep -o org.freedesktop.login1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "systemd\norg.freedesktop.login1\n")

    def test_weston_shows_a_moving_client(self):
        done = run(COMPOSITOR + FLIPS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(int(done.stdout.split()[-1]), 10)

    def test_gstreamer_shows_foreign_buffers(self):
        done = run(PLAYER + FLIPS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(int(done.stdout.split()[-1]), 10)

    def test_a_clients_status_comes_through(self):
        done = run("scanout-flip dumb --frames 10 && exit 11")
        self.assertEqual(done.returncode, 11, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
