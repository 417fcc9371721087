# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# A dockerd of the test's own, that ends with it, and an image with a server in it. Is read after
# tests/tap.sh; $built is the folder of reuse-run.
: "${built:?}" "${work:?}"

need dockerd
[ "$(id -u)" -eq 0 ] || skip 'only root can run dockerd'
. "$source/tests/clients.sh"
dockerd=''

# Everything of the daemon's is in $work; it makes no network and no rules of a firewall.
docker() {
	command docker -H "unix://$work/docker.sock" "$@"
}

stop_daemon() {
	[ "$dockerd" ] || return 0
	docker ps -aq | xargs -r docker rm -f
	docker swarm leave --force
	kill "$dockerd"
	wait "$dockerd"
	awk -v work="$work" '$2 ~ "^" work { print $2 }' /proc/mounts | sort -r |
		xargs -r umount -l
} >/dev/null 2>&1
trap 'stop_daemon; rm -rf "$work"' EXIT

start_daemon() {
	files=$($python -c 'import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[1])')
	dockerd --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs \
		--default-ulimit "nofile=$files:$files" \
		--data-root "$work/data" --exec-root "$work/exec" -p "$work/dockerd.pid" \
		-H "unix://$work/docker.sock" >"$work/dockerd.log" 2>&1 &
	dockerd=$!
	if ! until_true docker info; then
		tail -n 20 "$work/dockerd.log"
		return 1
	fi
}

# A shell, python, what was built, and "server PORT": with the libraries that they need.
make_image() {
	root=$work/image
	mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/srv" "$root/tmp" &&
		for name in bin lib lib64; do ln -s "usr/$name" "$root/$name" || return; done
	cp -L /bin/sh /usr/bin/python3 "$built/reuse-run" "$built/reuse-supervise" \
		"$built/libreuse.so" "$root/usr/bin/" &&
		cp -r "$(dirname "$($python -c 'import os; print(os.__file__)')")" "$root/usr/lib/" &&
		cp "$programs/slow.py" "$root/srv/" || return
	[ ! -e "$built/tests/system/programs/server_go" ] ||
		cp "$built/tests/system/programs/server_go" "$root/usr/bin/" || return
	printf '#!/bin/sh\nexec python3 -u /srv/slow.py "$@"\n' >"$root/usr/bin/server" &&
		chmod +x "$root/usr/bin/server" || return
	ldd /bin/sh $python "$built/reuse-supervise" "$built/libreuse.so" |
		grep -o '/[^ ]*' | grep -v ':$' | sort -u |
		while read -r library; do
			mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library" || return
		done
	tar -C "$root" -c . | docker import - web:1
}
