# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=120
#
# A driver that cleans a framebuffer up more often than it prepared it must not take it for prepared
# from then on, and show address zero: it warns, once, and shows the buffer.
# shellcheck shell=sh

found=$("$RUN" --allow-splat --msm-variant "${RUN%/run}/selftest/variants/cleanup-twice" -- "
	scanout-flip foreign --buffers 4 --frames 40 --verify >/dev/null
	echo \"client \$?, warnings \$(dmesg | grep -c 'cleaned up more often than prepared'),\" \
		\"faults \$(awk '\$1 == \"scanout_faults\" { print \$2 }' /sys/kernel/debug/mdp4_model/stats)\"" |
	grep ^client)
if [ "$found" = "client 0, warnings 1, faults 0" ]; then
	echo "ok a_cleanup_too_many_is_a_warning"
else
	echo "not ok a_cleanup_too_many_is_a_warning - ${found:-no result}"
fi
