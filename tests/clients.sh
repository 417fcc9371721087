# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Clients that ask a server while it is replaced. Is read after tests/tap.sh; $source is the source tree.
: "${source:?}" "${work:?}"

python=/usr/bin/python3
programs=$source/tests/system/programs
clients=''

new_port() {
	$python -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

until_true() {
	for _ in $(seq 600); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	printf '60 seconds were not enough for: %s\n' "$*"
	return 1
}

# listens PORT COUNT: so many sockets are there.
listens() {
	[ "$(ss -Hltn "sport = :$1" | wc -l)" -eq "$2" ]
}

# start_clients PORT
start_clients() {
	$python "$programs/clients.py" "$1" 16 >"$work/clients" 2>&1 &
	clients=$!
	until_true grep -q asking "$work/clients"
}

all_were_answered() {
	kill "$clients"
	wait "$clients"
	cat "$work/clients"
	grep -Eq 'answered [1-9][0-9]* refused 0 cut off 0 hung 0 ' "$work/clients"
}
