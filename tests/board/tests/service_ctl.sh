# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=full kernel=ours timeout=400
#
# scanoutctl against the real sysfs and the service as installed, and who may do what.

# shellcheck source-path=SCRIPTDIR source=../guest/service-lib.sh
. /usr/lib/board/service-lib.sh

nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# json NAME: a number or text of the first object on stdin.
json()
{
	sed -n "s/.*\"$1\": *\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p" | head -n 1
}

begin status_says_what_the_kernel_says
scanout-flip foreign --frames 20 >/dev/null || fail client "status $?"
scanoutctl --json=short status >/tmp/status || fail status "exit status $?"
for name in max_bytes max_entries idle_timeout_ms import_linger_ms flips hits misses inserts; do
	check_eq "$name" "$(get $name)" "$(json $name </tmp/status)"
done
check_eq state tuning "$(json state </tmp/status)"
scanoutctl status >/tmp/status || fail text "exit status $?"
check_eq text 1 "$(grep -c '^card0.*  tuning, ' /tmp/status)"

# denied COMMAND...: nobody must not be allowed to.
denied()
{
	why=$(nobody "$@" 2>&1) && fail "$*" "nobody was allowed to"
	case $why in
	*'Permission denied'*) ;;
	*) fail "$*" "expected 'Permission denied', got '$why'" ;;
	esac
}

# What moves at every flip tells when keys are hit, and so does who is woken by it.
begin others_read_limits_and_nothing_that_flips_move
for file in $(cd "$CACHE" && echo *); do
	case $file in
	max_* | *_ms | policy | generation)
		nobody cat "$CACHE/$file" >/dev/null || fail "$file" "nobody may not read it"
		;;
	*) denied cat "$CACHE/$file" ;;
	esac
done
denied ls "$CACHE"
denied sysfs-wait 5 "$CACHE/flips"
# Whoever may watch the directory is told of what is announced in it.
denied sysfs-wait 5 "$CACHE"
systemctl stop scanoutd.service
sleep 2
sysfs-wait 20 "$CACHE" >/tmp/watched &
until [ -s /tmp/watched ]; do :; done
scanout-flip dumb --frames 2 >/dev/null || fail client "status $?"
wait $! || fail root "was not told of the flips"
check_eq announced flips "$(tail -n 1 /tmp/watched)"
systemctl start scanoutd.service

begin others_get_figures_from_the_service
nobody scanoutctl --json=short status >/tmp/status || fail status "exit status $?"
check_eq state tuning "$(json state </tmp/status)"
check_eq max_bytes "$(get max_bytes)" "$(json max_bytes </tmp/status)"
check_eq flips yes "$(at_least 20 "$(json flips </tmp/status)")"
nobody scanoutctl metrics >/tmp/metrics || fail metrics "exit status $?"
check_eq hits 1 "$(grep -c '_hits_total{card="card0"} [1-9]' /tmp/metrics)"
nobody scanoutctl doctor >/tmp/doctor
check_eq device 1 "$(grep -c '^ok .*scanout cache: card0' /tmp/doctor)"

begin top_prints_a_line_of_json_each_second
timeout -s INT 5 scanoutctl top >/tmp/top &
scanout-flip foreign --frames 60 >/dev/null || fail client "status $?"
wait $!
check_eq lines yes "$(at_least 3 "$(grep -c '"cache":' /tmp/top)")"
flips=$(sed -n 's/.*"new_flips": *\([0-9]*\).*/\1/p' /tmp/top | awk '{ n += $1 } END { print n + 0 }')
check_eq flips yes "$(at_least 30 "$flips")"

begin set_writes_a_limit_and_the_service_stands_down
scanoutctl set max_bytes=48M max_entries=20 || fail set "exit status $?"
check_eq max_bytes 50331648 "$(get max_bytes)"
check_eq max_entries 20 "$(get max_entries)"
until_ok 10 state_is external || fail state "is $(cache State), not external"
until_ok 5 said "$EXTERNAL" 'somebody else set max_bytes to 50331648' || fail journal "it did not say so"
why=$(scanoutctl set max_bytes=2G 2>&1) && fail range "2G was accepted"
case $why in
*'0 (off) to 1G'*) ;;
*) fail range "does not say what is accepted: $why" ;;
esac
check_eq unchanged 50331648 "$(get max_bytes)"

begin what_others_write_is_theirs_until_resume
put max_bytes 40M
until_ok 10 state_is external || fail state "is $(cache State), not external"
play 3
sleep 10
stop_playing
check_eq left_alone 41943040 "$(get max_bytes)"
scanoutctl resume || fail resume "exit status $?"
until_ok 5 state_is tuning || fail resumed "is $(cache State), not tuning"
said "$EXTERNAL" 'told to resume' >/dev/null || fail journal "it did not say so"
play 3
until_ok 40 limit_below 33554432 || fail tuned "still $(get max_bytes)"
stop_playing

begin trim_undoes_idle_mappings_and_changes_no_limit
put import_linger_ms 60000
scanoutctl resume
scanout-flip foreign --buffers 5 --frames 6 >/dev/null || fail client "status $?"
# What the service makes of these flips is not trim's.
until_ok 10 knows_all_flips || fail flips_read "it knows of $(cache Figures), the kernel of $(get flips)"
limit=$(get max_bytes)
check_eq idle yes "$(at_least 4 "$(get idle_entries)")"
scanoutctl trim 8192000 || fail trim "exit status $?"
check_eq two_left 2 "$(get idle_entries)"
scanoutctl trim || fail trim "exit status $?"
check_eq none_left 0 "$(get idle_entries)"
check_eq max_bytes "$limit" "$(get max_bytes)"

begin a_hold_is_a_floor_while_its_command_runs
play 3
until_ok 40 limit_below 33554432 || fail before "still $(get max_bytes)"
scanoutctl hold --min-bytes=96M --reason=film -- sleep 12 &
holder=$!
until_ok 10 limit_reaches 100663296 || fail held "is $(get max_bytes)"
scanoutctl --json=short list-holds >/tmp/holds || fail list "exit status $?"
check_eq reason film "$(json reason </tmp/holds)"
check_eq uid 0 "$(json uid </tmp/holds)"
check_eq min_bytes 100663296 "$(json min_bytes </tmp/holds)"
sleep 8
check_eq still_held yes "$(at_least 100663296 "$(get max_bytes)")"
wait $holder || fail hold "exit status $?"
check_eq released 0 "$(scanoutctl --json=short list-holds | grep -c film)"
until_ok 40 limit_below 33554432 || fail after "still $(get max_bytes)"
stop_playing

begin hold_ends_as_its_command_ends
scanoutctl hold --reason=test -- sh -c 'exit 7'
check_eq exit_status 7 $?

begin a_recording_is_of_the_card_that_is_named
scanoutctl --cache=card0 record --seconds=5 /tmp/trace 2>/tmp/recorded &
recorder=$!
sleep 2
scanout-flip foreign --buffers 3 --frames 20 >/dev/null || fail client "status $?"
wait $recorder || fail record "$(cat /tmp/recorded)"
check_eq uses yes "$(at_least 20 "$(grep -c ' use ' /tmp/trace)")"
check_eq idle yes "$(at_least 15 "$(grep -c ' idle ' /tmp/trace)")"
scanoutctl replay /tmp/trace >/dev/null || fail replay "exit status $?"
scanoutctl --cache=card9 record --seconds=1 /tmp/trace 2>/dev/null
check_eq another_card 3 $?

begin metrics_are_the_kernels_figures
scanoutctl metrics >/tmp/metrics || fail metrics "exit status $?"
check_eq max_bytes "$(get max_bytes)" "$(awk '/max_bytes\{/ { print $2 }' /tmp/metrics)"
check_eq flips "$(get flips)" "$(awk '/flips_total\{/ { print $2 }' /tmp/metrics)"
check_eq end '# EOF' "$(tail -n 1 /tmp/metrics)"

begin doctor_finds_nothing_missing
scanoutctl doctor >/tmp/doctor || fail doctor "$(grep -A 1 MISSING /tmp/doctor)"
check_eq device 1 "$(grep -c '^ok .*scanout cache: card0 .*qcom,mdp4' /tmp/doctor)"
check_eq pressure 1 "$(grep -c '^ok .*memory pressure' /tmp/doctor)"

begin doctor_says_what_is_missing
systemctl stop scanoutd.service
scanoutctl doctor >/tmp/doctor && fail doctor "is content without the service"
check_eq remedy 1 "$(grep -c 'systemctl start scanoutd' /tmp/doctor)"
scanoutctl resume 2>/dev/null
check_eq resume_without_it 4 $?
check_eq status_without_it 1 "$(scanoutctl status | grep -c unmanaged)"
check_eq status_of_others_without_it 1 \
	"$(nobody scanoutctl status 2>&1 | grep -c 'only root may read its figures; scanoutd, .* is not running')"

# refused WHAT COMMAND...: nobody, who has no session, must not be allowed to.
refused()
{
	what=$1
	shift
	why=$(nobody "$@" 2>&1)
	check_eq "${what}_exit_status" 1 $?
	case $why in
	*'user 65534 may not do this'*) ;;
	*) fail "$what" "expected 'user 65534 may not do this', got '$why'" ;;
	esac
}

begin polkit_refuses_users_without_a_session
refused hold scanoutctl hold --reason=mine -- true
refused resume scanoutctl resume
check_eq asked_polkit active "$(systemctl is-active polkit.service)"
check_eq holds 0 "$(scanoutctl --json=short list-holds | grep -c mine)"
# Root needs no permission.
scanoutctl hold --reason=root -- true || fail root "exit status $?"

begin without_polkit_they_are_refused_too
systemctl stop polkit.service
systemctl mask --runtime --quiet polkit.service
refused hold scanoutctl hold --reason=mine -- true
scanoutctl hold --reason=root -- true || fail root "exit status $?"
systemctl unmask --runtime --quiet polkit.service

begin users_of_the_active_session_may_hold
# A session on the first terminal, which is in front, as a login there would open it.
printf 'auth required pam_permit.so\naccount required pam_permit.so\nsession include common-session\n' \
	>/etc/pam.d/board-session
systemd-run --quiet --wait --pipe -p User=nobody -p PAMName=board-session -p TTYPath=/dev/tty1 \
	-E XDG_SESSION_TYPE=tty -E XDG_SESSION_CLASS=user \
	scanoutctl hold --reason=mine -- sh -c 'loginctl --no-legend; scanoutctl list-holds' \
	>/tmp/session 2>&1 || fail hold "$(cat /tmp/session)"
check_eq listed 1 "$(grep -c ' 65534 .* mine$' /tmp/session)"

begin not_everybody_writes_sysfs
nobody sh -c "echo 1 >$CACHE/max_bytes" 2>/dev/null && fail sysfs "nobody wrote max_bytes"
limit=$(get max_bytes)
refused set scanoutctl set max_bytes=1M
refused trim scanoutctl trim
check_eq unchanged "$limit" "$(get max_bytes)"
