# SPDX-License-Identifier: MIT
# board: flavour=debug rootfs=mini kernel=ours timeout=1500
#
# Two minutes of hostile clients on the kernel with every checker. What it prints is the table of
# tests/board/soak, which runs the same for as long as one likes.
# shellcheck shell=sh

if "${RUN%/run}/soak" 2 --flavour debug; then
	echo "ok two_minutes_of_hostile_clients_under_every_checker"
else
	echo "not ok two_minutes_of_hostile_clients_under_every_checker - status $?, see above"
fi
