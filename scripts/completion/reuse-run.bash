# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Completes reuse-run(1) in bash: its options, the words of a rule, then the program and its own.

# The words of libreuse.conf(5); one that ends in "=" needs a value.
_reuse_run_matches=(tcp udp sctp ip4 ip6 connect port= addr= exe=)
_reuse_run_actions=(share exclusive to= once from= deny deny= pass backlog= keep adopt= steer= early
	reuseport reuseaddr broadcast busy-poll= device= dontroute incoming-cpu= mark= pacing-rate=
	priority= rcvbuf= sndbuf= freebind transparent tos= ttl= v6only congestion= defer-accept=
	fastopen= keepalive keepalive= keepalive-count= keepalive-interval= mss= nodelay
	notsent-lowat= syn-count= user-timeout=)

# Completes the last word of a rule, for which the quotation marks may be open.
_reuse_run_rule() {
	local rule=$1 is_quoted='' last before word
	if [[ $rule == [\"\']* ]]; then
		is_quoted=yes
		rule=${rule:1} # readline completes from after the quotation mark
	fi
	last=${rule##*[ ;]}
	before=${rule%"$last"}
	for word in "${_reuse_run_matches[@]}" "${_reuse_run_actions[@]}"; do
		[[ $word != "$last"* ]] || COMPREPLY+=("$before$word")
	done
	((${#COMPREPLY[@]} == 1)) || return 0
	# A single answer would end the word and its quotes, where the rule goes on: give two.
	word=${COMPREPLY[0]}
	if [[ $word != *= ]]; then
		[[ $is_quoted && " ${_reuse_run_matches[*]} " == *" ${word#"$before"} "* ]] &&
			COMPREPLY=("$word " "$word -> ")
	elif [[ $is_quoted ]]; then
		COMPREPLY=("$word" "${word}VALUE")
	else
		compopt -o nospace 2>/dev/null
	fi
	return 0
}

# Options that need a value.
_reuse_run_with_value=(-r --rule -f --file -a --addr -p --port -n --copies --roll --scale --queues --ready
	--ready-delay --ready-timeout --probation --drain-timeout --stop-signal --grace --stop-delay --stop-timeout --keep-timeout --restart
	--alive --alive-interval --alive-failures --max-memory --max-crashes
	--env-file --chdir --unlink --pid-file --steer --why --user --hook)
_reuse_run_alone=(-q --quiet -v --verbose --no-inherit -c --check --explain --keep --no-keep --expand --pin
	--who --status --stop --json --watch -V --version -h --help --)

# The value of an option.
_reuse_run_value() {
	local signals
	case $1 in
	-r | --rule) _reuse_run_rule "$2" ;;
	-f | --file | --env-file | --unlink | --pid-file) _filedir ;;
	--chdir) _filedir -d ;;
	-a | --addr)
		declare -F _ip_addresses >/dev/null && _ip_addresses -a
		__ltrim_colon_completions "$2"
		;;
	--roll | --scale | --status | --stop)
		_filedir
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
			compgen -W "$(pgrep -x reuse-run)" -- "$2"
		)
		;;
	--ready) mapfile -t COMPREPLY < <(compgen -W 'listen notify tcp http:' -- "$2") ;;
	--alive) mapfile -t COMPREPLY < <(compgen -W 'tcp http:' -- "$2") ;;
	--hook) mapfile -t COMPREPLY < <(compgen -W 'auto preload notify kernel strict' -- "$2") ;;
	--user) mapfile -t COMPREPLY < <(compgen -u -- "$2") ;;
	--steer) mapfile -t COMPREPLY < <(compgen -W 'hash random cpu source least flow source/' -- "$2") ;;
	--restart) mapfile -t COMPREPLY < <(compgen -W 'on-failure always no' -- "$2") ;;
	--stop-signal)
		signals=$(compgen -A signal SIG)
		mapfile -t COMPREPLY < <(compgen -W "${signals//SIG/}" -- "$2")
		;;
	--*-timeout | --*-delay | --*-interval | --grace)
		mapfile -t COMPREPLY < <(compgen -W '500ms 1s 5s 10s 30s 1min 5min' -- "$2")
		;;
	esac
}

# Hands over to the completion of the program, which is the word with this number.
_reuse_run_program() {
	local offset=0 word joined
	for word in "${words[@]:0:$1}"; do
		# What readline takes for several words is one here.
		joined=''
		until [[ $joined == "$word" ]] || ((offset > COMP_CWORD)); do
			joined+=${COMP_WORDS[offset++]}
		done
	done
	_command_offset "$offset"
}

_reuse_run() {
	local cur prev words cword i is_program=''
	_get_comp_words_by_ref -n ':=>' cur prev words cword

	for ((i = 1; i < cword; i++)); do
		[[ " ${_reuse_run_with_value[*]} " == *" ${words[i]} "* ]] && ((i++)) && continue
		[[ ${words[i]} == --who && ${words[i + 1]} =~ ^[0-9]+$ ]] && ((i++)) && continue
		case ${words[i]} in
		--)
			((i++))
			is_program=yes
			break
			;;
		-*) ;;
		*) break ;;
		esac
	done
	if ((i < cword)) || { ((i == cword)) && [[ $is_program || $cur != -* ]]; }; then
		_reuse_run_program "$i"
		return
	fi
	if [[ $cur == --*=* ]]; then
		prev=${cur%%=*}
		cur=${cur#*=}
	elif ((i == cword)); then
		prev=''
	fi
	if [[ $prev && " ${_reuse_run_with_value[*]} " == *" $prev "* ]]; then
		_reuse_run_value "$prev" "$cur"
	else
		mapfile -t COMPREPLY < <(
			compgen -W "${_reuse_run_with_value[*]} ${_reuse_run_alone[*]}" -- "$cur"
		)
	fi
}

complete -F _reuse_run reuse-run
