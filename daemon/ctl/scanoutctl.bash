# SPDX-License-Identifier: MIT
# bash completion for scanoutctl
_scanoutctl()
{
	local cur prev words cword command= i
	_init_completion -s 2>/dev/null || {
		cur=${COMP_WORDS[COMP_CWORD]}
		prev=${COMP_WORDS[COMP_CWORD - 1]}
		words=("${COMP_WORDS[@]}")
		cword=$COMP_CWORD
	}
	local commands='status top set resume trim hold list-holds record replay metrics doctor'

	for ((i = 1; i < cword; i++)); do
		if [[ " $commands " == *" ${words[i]} "* ]]; then
			command=${words[i]}
			break
		fi
	done

	case $prev in
	--json)
		mapfile -t COMPREPLY < <(compgen -W 'off short pretty' -- "$cur")
		return ;;
	--cache | -c)
		mapfile -t COMPREPLY < <(cd /sys/class/drm 2>/dev/null &&
			compgen -G 'card*' -- | grep -v - | grep "^$cur")
		return ;;
	--policy)
		mapfile -t COMPREPLY < <(compgen -W 'lru adaptive tuned belady all' -- "$cur")
		return ;;
	--svg | --sysfs-root | --config-root)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	esac

	case $command in
	'')
		mapfile -t COMPREPLY < <(compgen -W "$commands --cache --json --sysfs-root
			--config-root --bus --help --version" -- "$cur") ;;
	set)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -S = -W 'max_bytes max_entries idle_timeout_ms
			import_linger_ms' -- "$cur") ;;
	hold)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--reason --min-bytes --' -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		fi ;;
	record)
		mapfile -t COMPREPLY < <(compgen -W '--seconds' -- "$cur"; compgen -f -- "$cur") ;;
	doctor)
		mapfile -t COMPREPLY < <(compgen -W '--hardware' -- "$cur") ;;
	replay)
		mapfile -t COMPREPLY < <(compgen -W '--policy --max-bytes --max-entries --svg' -- "$cur"
			compgen -f -- "$cur") ;;
	esac
}
complete -F _scanoutctl scanoutctl
