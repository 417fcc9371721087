# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Reads the table scripts/packages: what is missing here, and which packages have it. $source is the
# source tree.
: "${source:?}"

# package_lines: "USE NEED PACKAGE", with this release's own numbers.
package_lines() (
	python=$(readlink -f /usr/bin/python3)
	gcc=$(gcc -dumpversion 2>/dev/null)
	sed -e '/^#/d' -e "s/@python@/${python##*/}/g" -e "s/@gcc@/${gcc%%.*}/g" "$source/scripts/packages"
)

# is_there NEED
is_there() (
	case $1 in
	/*)
		for file in $1; do
			[ ! -e "$file" ] || return 0
		done
		return 1
		;;
	esac
	PATH=$PATH:/usr/sbin:/sbin
	command -v "$1" >/dev/null
)

# missing USE...: what is not there, "NEED PACKAGE", a line each.
missing() {
	package_lines | while read -r uses need names; do
		for use in "$@"; do
			case ,$uses, in
			*,"$use",*) is_there "$need" || printf '%s %s\n' "$need" "$names" ;;
			esac
		done
	done
}

# package_of NEED: for people.
package_of() {
	package_lines | awk -v need="$1" '$2 == need {
		gsub(/\|-$/, "", $3); gsub(/\|/, " or ", $3); print $3; exit }'
}
