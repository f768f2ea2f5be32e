# SPDX-License-Identifier: MIT
# board: flavour=debug rootfs=mini kernel=ours timeout=200
#
# The legacy cursor is switched in the vblank interrupt, where upstream's driver sleeps. The debug
# kernel says so if ours does.

for api in atomic legacy; do
	fresh "legacy_cursor_is_shown_$api"
	scanout-flip cursor --api $api --frames 20 --verify >/dev/null || fail client "status $?"
	settle
	put import_linger_ms 0
	put trim 0
	settle
	check_eq active_entries 1 "$(get active_entries)"
	check_eq still_mapped 0 $(($(maps) - $(unmaps)))
done

# The cursor's handle is closed while it is shown: it has to stay mapped.
fresh legacy_cursor_outlives_its_handle
scanout-flip cursor --exporter udmabuf --frames 20 --verify >/dev/null || fail client "status $?"
settle

# Nobody hides the cursor of a client that was killed. The display comes back as another card if
# something of the driver's first life is left.
fresh the_driver_goes_while_a_cursor_is_shown
scanout-flip cursor --exporter udmabuf --frames 1000 >/dev/null 2>&1 &
sleep 2
kill -9 $!
wait $! 2>/dev/null
reload_msm || fail reload "no display after it: $(ls /dev/dri)"
