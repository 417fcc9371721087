# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# A clean system, in $root. To be read after tap.sh.
: "${source:?}" "${work:?}"
root=$work/root
need debootstrap
[ "$(id -u)" -eq 0 ] || skip 'only root can make a system to change into'

# Of the release that packages are made on here: one of another release may have no libc for them.
make_root() {
	release=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
	debootstrap --variant=minbase --include=python3 "$release" "$root" &&
		mkdir -p "$root/src/scripts" "$root/etc/systemd/system" &&
		(cd "$source/scripts" && cp demo common.sh packages.sh "$root/src/scripts")
}

inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
		"$@"
}
