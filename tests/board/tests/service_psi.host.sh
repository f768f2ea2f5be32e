# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=full kernel=ours timeout=300
#
# Without pressure figures of the kernel the service runs all the same, and says what it lacks; so does
# scanoutctl doctor, with how to get it.

said=$("$RUN" --rootfs full --append psi=0 -- 'systemctl is-active scanoutd.service
	journalctl -q -o cat -u scanoutd.service; scanoutctl doctor; echo "doctor exits with $?"') || exit

# expect NAME TEXT: one test.
expect()
{
	case $said in
	*"$2"*) echo "ok $1" ;;
	*) echo "not ok $1 - no '$2' in: $(echo "$said" | tr '\n' ' ')" ;;
	esac
}

expect without_psi_the_service_runs 'active
'
expect without_psi_it_says_so 'running without backing off under memory pressure'
expect without_psi_doctor_says_how_to_get_it 'CONFIG_PSI=y, and psi=1 on its command line'
expect without_psi_doctor_fails 'doctor exits with 1'
