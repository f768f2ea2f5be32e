# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What the tests of scanoutd add to lib.sh; sourced by them. The service runs as it was installed and
# as udev started it.

# shellcheck disable=SC2034	# for those who source this
{
	DECISION=81a43dd7c5754870a32fd5322985deae
	EXTERNAL=3653400e855b477f9e1ff52434c09d2e
	DEVICE=5012c7aceaba451aab90f6d7ecabcf52
	PRESSURE=fc8db46161e04a9db503efd511028c98
}

# unit PROPERTY: what systemd says of the service.
unit()
{
	systemctl show --value -p "$1" scanoutd.service
}

# cache PROPERTY: what the service says of the cache.
cache()
{
	busctl get-property org.msmscanout.Cache1 /org/msmscanout/Cache1/caches/card0 \
		org.msmscanout.Cache1.Cache "$1" | sed 's/^[a-z]* //; s/^"//; s/"$//'
}

# until_ok SECONDS COMMAND...: try until it succeeds; fail if it does not in time.
until_ok()
{
	deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$(date +%s)" -ge $deadline ]; then
			"$@"
			return 1
		fi
		sleep 0.2
	done
}

state_is()
{
	[ "$(cache State)" = "$1" ]
}

limit_below()
{
	[ "$(get max_bytes)" -lt "$1" ]
}

limit_reaches()
{
	[ "$(get max_bytes)" -ge "$1" ]
}

knows_all_flips()
{
	[ "$(cache Figures | sed -n 's/.*"flips" \([0-9]*\).*/\1/p')" = "$(get flips)" ]
}

# said MESSAGE_ID [TEXT]: the lines of that kind since begin, one JSON object each, with TEXT in them.
said()
{
	lines=$(journalctl -q -o json --after-cursor "$cursor" _SYSTEMD_UNIT=scanoutd.service \
		"MESSAGE_ID=$1" | grep -F "${2-}")
	[ -n "$lines" ] && echo "$lines"
}

# field NAME: of the last JSON object on stdin, a text.
field()
{
	sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p" | tail -n 1
}

# How often the service's process gave up the CPU, or lost it: nothing wakes up without.
switches()
{
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$(unit MainPID)/status"
}

mark_journal()
{
	cursor=$(journalctl -q -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
	[ -n "$cursor" ] || cursor=$(journalctl -q -n 1 --show-cursor | sed -n 's/^-- cursor: //p')
}

# begin NAME: a fresh test with the service in charge. fresh writes limits, and it leaves alone what
# others wrote.
begin()
{
	fresh "$1"
	systemctl reset-failed scanoutd.service
	systemctl start scanoutd.service || fail start "systemctl start scanoutd: status $?"
	scanoutctl resume || fail resume "scanoutctl resume: status $?"
	until_ok 10 state_is tuning || fail state "is $(cache State), not tuning"
	mark_journal
}

# play BUFFERS: a player with so many foreign buffers, until stop_playing.
play()
{
	scanout-flip foreign --buffers "$1" --frames 100000 --pace-hz 20 >/tmp/player.json &
	player=$!
}

stop_playing()
{
	kill "$player" 2>/dev/null
	wait "$player" 2>/dev/null
}
