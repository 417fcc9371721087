# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What bench, demo and test have in common: saying what goes on, installing what is missing, building.
# Before it is read, $source names the source tree, and $build the folder for all that is made.
: "${source:?}" "${build:?}"
. "$source/scripts/packages.sh"

# step TEXT: what comes next.
step() {
	printf '==> %s\n' "$*"
}

# stop TEXT: it cannot go on.
stop() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# apt COMMAND...: writes its output to $build/apt.log.
apt() {
	as_root env DEBIAN_FRONTEND=noninteractive "$@" >>"$build/apt.log" 2>&1 </dev/null || {
		tail -n 20 "$build/apt.log" >&2
		stop "failed: $*"
	}
}

# choose FILE: prints, for each line "NEED PACKAGES", the first package that apt can install. If there is
# none, the line goes into $build/not-packaged, and is not looked for again.
choose() {
	# shellcheck disable=SC2046 # one word a package
	apt-cache policy $(cut -d ' ' -f 2 "$1" | tr '|' '\n' | grep -vx -e - | sort -u) >"$build/policy"
	while read -r need names; do
		chosen=$(printf '%s\n' "$names" | tr '|' '\n' | while read -r name; do
			if grep -A 2 -Fx -e "$name:" "$build/policy" | grep -q '^  Candidate: [^(]'; then
				printf '%s\n' "$name"
				break
			fi
		done)
		case $chosen,$names in
		,*'|-') printf '%s %s\n' "$need" "$names" >>"$build/not-packaged" ;;
		,*) stop "no package of this system contains $need (in Debian: $names)" ;;
		*) printf '%s\n' "$chosen" ;;
		esac
	done <"$1"
}

# install_missing USE...: installs what the table scripts/packages names for them, or says what to
# install and stops.
install_missing() {
	mkdir -p "$build"
	: >>"$build/not-packaged"
	missing "$@" | grep -vxF -f "$build/not-packaged" | sort -u >"$build/missing" || return 0
	# shellcheck disable=SC2046 # one word a package
	set -- $(cut -d ' ' -f 2 "$build/missing" | sed 's/|.*//' | sort -u)
	command -v apt-get >/dev/null || stop "install these packages (named as in Debian): $*"
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
		stop "run as root: apt-get install $*"
	: >"$build/apt.log"
	apt apt-get update
	choose "$build/missing" >"$build/chosen"
	# shellcheck disable=SC2046 # one word a package
	set -- $(sort -u "$build/chosen")
	[ $# -gt 0 ] || return 0
	step "installing $*"
	apt apt-get install -y --no-install-recommends "$@"
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
