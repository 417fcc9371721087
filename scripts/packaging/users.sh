# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Every removal lists the units that need the library. The dynamic linker would only warn.
name_users() {
	users=$(grep -rls 'libreuse\.so\|reuse-run' /etc/systemd/system /etc/systemd/user \
		/etc/default /etc/sysconfig /etc/environment /etc/ld.so.preload || :)
	[ "$users" ] || return 0
	printf 'These still refer to libreuse. They will run without it, or not start:\n' >&2
	printf '%s\n' "$users" | sed 's/^/  /' >&2
}
