# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What every removal says: who will miss the library. The dynamic linker would only warn.
name_users() {
	users=$(grep -rls 'libreuse\.so\|reuse-run' /etc/systemd/system /etc/systemd/user \
		/etc/default /etc/sysconfig /etc/environment /etc/ld.so.preload || :)
	[ "$users" ] || return 0
	printf 'These still name libreuse, and will run without it or not at all:\n' >&2
	printf '%s\n' "$users" | sed 's/^/  /' >&2
}
