# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What the tests in shell have in common: they print TAP, a line for each result. Before this file is
# read, $subject must be set to what they test, and $source to the source tree. Files of a test are in
# $work, which is removed at the end.
: "${subject:?}" "${source:?}"
. "$source/scripts/packages.sh"

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

# need NEED [PACKAGE]: PACKAGE, or else the table scripts/packages, says which package has it.
need() {
	is_there "$1" || skip "$1 is not there (Debian: ${2-$(package_of "$1")})"
}

# The last line of all; returns the exit status.
finish() {
	printf '1..%d\n' "$count"
	return "$status"
}
