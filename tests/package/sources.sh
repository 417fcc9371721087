# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
: "${source:?}"

# copy_source FOLDER: what everything is made of.
copy_source() {
	mkdir -p "$1" && (cd "$source" && tar -c --exclude=./build --exclude=./.git .) | tar -x -C "$1"
}
