/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peer.h"

#include "ground/procfs.h"
#include "ground/user.h"

#include <sys/stat.h>
#include <unistd.h>

/* That is not visible for processes of another user. */
static bool is_in_our_user_namespace(pid_t process)
{
	struct stat ours, theirs;
	char path[PROCFS_PATH_SIZE];

	return stat("/proc/self/ns/user", &ours) == 0 &&
	       stat(procfs_path(path, process, "ns/user"), &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

bool peer_is_ours(uid_t user, pid_t process)
{
	if (user == 0)
		return true;
	return user == geteuid() && (user != OVERFLOW_UID || is_in_our_user_namespace(process));
}
