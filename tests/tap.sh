# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What the tests in shell have in common: they print TAP, a line for each result. Before it is read,
# $subject says what they are about. What a test needs stands in $work, which is removed at the end.
: "${subject:?}"

work=$(mktemp -d)
chmod 755 "$work" # programs of other users start from here
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
count=0 status=0

# result NAME COMMAND...: what COMMAND wrote is shown when it fails.
result() {
	result=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/output" 2>&1; then
		printf 'ok %d - %s: %s\n' "$count" "$subject" "$result"
	else
		status=1
		printf 'not ok %d - %s: %s\n' "$count" "$subject" "$result"
		sed 's/^/# /' "$work/output"
	fi
}

# skip REASON: all of it. Where nothing may be skipped, this is a failure.
skip() {
	if [ "${LIBREUSE_NO_SKIP-}" ]; then
		printf '1..1\nnot ok 1 - %s: %s\n' "$subject" "$1"
		exit 1
	fi
	printf '1..0 # SKIP %s: %s\n' "$subject" "$1"
	exit 0
}

# need COMMAND-OR-FILE PACKAGE
need() {
	case $1 in
	/*) [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac || skip "$1 is not there (Debian: $2)"
}

# The last line of all; returns the exit status.
finish() {
	printf '1..%d\n' "$count"
	return "$status"
}
