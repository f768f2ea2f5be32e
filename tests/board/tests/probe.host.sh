# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=200
#
# What the driver can do without when it is loaded: the cache's files.
# shellcheck shell=sh

name=no_memory_for_the_files_is_no_reason_for_no_display
if "$RUN" --msm-variant "${RUN%/run}/selftest/variants/no-files" -- '
		scanout-flip foreign --frames 10 --verify >/dev/null &&
		grep -q "^hits  *[1-9]" /sys/kernel/debug/dri/0/scanout_cache/stats &&
		dmesg | grep "no scanout_cache in sysfs" &&
		[ ! -e /sys/class/drm/card0/device/scanout_cache ] || exit 1
		. /usr/lib/board/lib.sh
		release_console
		rmmod msm && modprobe msm' >/dev/null; then
	echo "ok $name"
else
	echo "not ok $name - status $?"
fi
