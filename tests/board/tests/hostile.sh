# SPDX-License-Identifier: MIT
# board: flavour=release rootfs=mini kernel=ours timeout=240
#
# Many processes mistreat the display at once while limits change and memory runs out: every frame
# that is checked is right, no page is missing, no translation is stale, no bound is exceeded, and
# nothing is left. tests/board/soak runs the same for longer, and on the kernels with checkers.
# shellcheck shell=sh disable=SC2154,SC1091,SC2034

. /usr/lib/board/judge-lib.sh
. /usr/lib/board/hostile-lib.sh

fresh one_file_neither_spoils_nor_gets_what_another_shows
objects_before=$(gem_objects)
judge_begin
put import_linger_ms 10000
scanout-sharing || fail sharing "status $?"
drained
judge_end

for seed in 1 2; do
	fresh "hostile_clients_break_nothing_seed_$seed"
	judge_begin
	hostile 20 $seed
	judge_end
done
