# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Weston on the board's panel. Sourced after board.sh.

SOCKET=wayland-board

# weston_begins LOG [OPTION...]: clients can connect when it returns.
weston_begins()
{
	log=$1
	shift
	rm -f "$XDG_RUNTIME_DIR/$SOCKET"
	# No seat manager, no virtual terminals, no input devices; and so no pointer and no cursor, which
	# upstream's MDP4 driver would not survive.
	LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0 weston --config=/share/weston.ini --backend=drm \
		--renderer=pixman --continue-without-input --socket="$SOCKET" --log="$log" "$@" &
	weston=$!
	tries=0
	until [ -S "$XDG_RUNTIME_DIR/$SOCKET" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 600 ] || die "weston made no socket within 60 s"
		kill -0 "$weston" || die "weston left, see $log"
		sleep 0.1
	done
}

# weston_client NAME LOG: it leaves with Weston.
weston_client()
{
	WAYLAND_DISPLAY=$SOCKET "$1" >"$2" 2>&1 &
}

# weston_desktop DIRECTORY: Weston with some windows, and their logs.
weston_desktop()
{
	weston_begins "$1/weston.log"
	for client in weston-flower weston-simple-damage weston-presentation-shm weston-simple-shm; do
		weston_client "$client" "$1/$client.log"
		sleep 1
	done
}

# Returns Weston's status.
weston_ends()
{
	kill "$weston"
	wait "$weston"
}
