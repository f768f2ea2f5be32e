# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=300
#
# A write that makes no sense fails and changes nothing.

# refused KNOB WHY ERROR FILE: writing FILE's content must fail with ERROR.
refused()
{
	before=$(cat "$CACHE"/max_bytes "$CACHE"/max_entries "$CACHE"/idle_timeout_ms \
		"$CACHE"/import_linger_ms "$CACHE"/policy "$CACHE"/generation "$CACHE"/idle_bytes)
	# dd writes it in one piece and reports the error by name.
	why=$(dd if="$4" of="$CACHE/$1" bs=8192 conv=notrunc 2>&1)
	status=$?
	after=$(cat "$CACHE"/max_bytes "$CACHE"/max_entries "$CACHE"/idle_timeout_ms \
		"$CACHE"/import_linger_ms "$CACHE"/policy "$CACHE"/generation "$CACHE"/idle_bytes)
	[ $status -ne 0 ] || fail "$2" "was accepted"
	case $why in
	*"$3"*) ;;
	*) fail "$2" "expected '$3', got '$why'" ;;
	esac
	check_eq "$2_changes_nothing" "$before" "$after"
}

inval='Invalid argument'

mkdir -p /tmp/bad
printf '\n' >/tmp/bad/empty
printf -- '-1\n' >/tmp/bad/negative
printf '+1\n' >/tmp/bad/plus
printf 'lots\n' >/tmp/bad/text
printf '12abc\n' >/tmp/bad/tail
printf '1 2\n' >/tmp/bad/two_numbers
printf '0x1000\n' >/tmp/bad/hexadecimal
printf '1.5M\n' >/tmp/bad/fraction
printf 'M\n' >/tmp/bad/suffix_only
printf '1MM\n' >/tmp/bad/two_suffixes
printf '\001\377\000\200' >/tmp/bad/binary
printf '12\00034' >/tmp/bad/nul
head -c 4096 /dev/zero | tr '\0' 7 >/tmp/bad/4096_bytes
printf '18446744073709551616\n' >/tmp/bad_two_to_the_64

idle=/tmp/idle
for knob in max_bytes max_entries idle_timeout_ms import_linger_ms trim policy; do
	fresh "bad_input_is_refused_by_$knob"
	# Something idle, so that a write to trim would be seen.
	put import_linger_ms 60000
	scanout-flip foreign --buffers 2 --frames 2 >/dev/null || fail client "status $?"
	for file in /tmp/bad/*; do
		refused $knob "${file##*/}" "$inval" "$file"
	done
	case $knob in
	policy) refused $knob two_to_the_64 "$inval" /tmp/bad_two_to_the_64 ;;
	*) refused $knob two_to_the_64 "out of range" /tmp/bad_two_to_the_64 ;;
	esac
done

fresh values_out_of_range_are_refused
printf '1025M\n' >$idle
refused max_bytes above_the_window 'out of range' $idle
printf '17179869184G\n' >$idle
refused max_bytes overflowing_suffix 'out of range' $idle
printf '65537\n' >$idle
refused max_entries above_its_maximum 'out of range' $idle
printf '86400001\n' >$idle
refused idle_timeout_ms above_a_day 'out of range' $idle
printf '60001\n' >$idle
refused import_linger_ms above_a_minute 'out of range' $idle

fresh the_limits_of_the_ranges_are_accepted
put max_bytes 1G
check_eq max_bytes 1073741824 "$(get max_bytes)"
put max_bytes 512k
check_eq kilobytes 524288 "$(get max_bytes)"
put max_bytes 0
check_eq off 0 "$(get max_bytes)"
put max_entries 65536
check_eq max_entries 65536 "$(get max_entries)"
put idle_timeout_ms 86400000
check_eq idle_timeout_ms 86400000 "$(get idle_timeout_ms)"
put import_linger_ms 60000
check_eq import_linger_ms 60000 "$(get import_linger_ms)"
put policy adaptive
check_eq policy 'lru [adaptive]' "$(get policy)"
put policy lru
check_eq policy '[lru] adaptive' "$(get policy)"

fresh figures_are_read_only_and_roots
mode=$(ls -ld "$CACHE/.")
check_eq mode_of_the_directory drwx--x--x "${mode%% *}"
for file in "$CACHE"/*; do
	case ${file##*/} in
	max_bytes | max_entries | idle_timeout_ms | import_linger_ms | policy) want=-rw-r--r-- ;;
	trim) want=--w------- ;;
	generation) want=-r--r--r-- ;;
	*) want=-r-------- ;;
	esac
	mode=$(ls -l "$file")
	check_eq "mode_of_${file##*/}" "$want" "${mode%% *}"
done
