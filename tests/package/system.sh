# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# A clean system, in $root. To be read after tap.sh.
: "${source:?}" "${work:?}"
root=$work/root
need debootstrap debootstrap
[ "$(id -u)" -eq 0 ] || skip 'only root can make a system to change into'

make_root() {
	debootstrap --variant=minbase --include=python3 bookworm "$root" &&
		mkdir -p "$root/src/scripts" "$root/etc/systemd/system" &&
		cp "$source/scripts/demo" "$source/scripts/common.sh" "$root/src/scripts"
}

inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
		"$@"
}
