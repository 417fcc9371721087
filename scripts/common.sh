# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What bench, demo and test have in common: saying what goes on, installing what is missing, building.
# Before it is read, $source names the source tree, and $build the folder for all that is made.
: "${source:?}" "${build:?}"

# step TEXT: what comes next.
step() {
	printf '==> %s\n' "$*"
}

# stop TEXT: it cannot go on.
stop() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# missing COMMAND:PACKAGE...: the packages whose command, or file if it has a slash, is not there.
missing() {
	for need in "$@"; do
		what=${need%%:*}
		case $what in
		/*) [ -e "$what" ] ;;
		*) command -v "$what" >/dev/null ;;
		esac || printf '%s ' "${need#*:}"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# install_missing COMMAND:PACKAGE...: installs with apt-get, or says what to install and stops.
install_missing() {
	# shellcheck disable=SC2046 # one word a package
	set -- $(missing "$@" | tr ' ' '\n' | sort -u)
	[ $# -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		stop "please install what Debian calls: $*"
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
		stop "please install, as root: apt-get install $*"
	step "installing $*"
	log=$build/apt.log
	mkdir -p "$build"
	as_root env DEBIAN_FRONTEND=noninteractive sh -c \
		'apt-get update && apt-get install -y --no-install-recommends "$@"' sh "$@" \
		>"$log" 2>&1 </dev/null || {
		tail -n 20 "$log" >&2
		stop "apt-get could not install: $*"
	}
}

# build_in FOLDER [MESON OPTION]...: sets up, or sets up again, and builds; what is in $tree, if
# that is set.
build_in() {
	folder=$1
	shift
	step "building in $folder"
	mkdir -p "$build"
	if [ -e "$folder/build.ninja" ]; then
		set -- --reconfigure "$@"
	fi
	{ meson setup "$@" "$folder" "${tree:-$source}" && ninja -C "$folder"; } >"$build/build.log" 2>&1 || {
		tail -n 40 "$build/build.log" >&2
		stop "the build failed"
	}
	grep -E 'warning:' "$build/build.log" >&2 || :
}
