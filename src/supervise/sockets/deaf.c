/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deaf.h"

#include "duplicates.h"
#include "socket/undo_end.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

static void change(int fd, int level, int option, bool is_deaf)
{
	int now = 0, wanted = is_deaf ? UNDO_END_DEAF : 0;
	socklen_t length = sizeof now;

	if (getsockopt(fd, level, option, &now, &length) == 0 && now == UNDO_END_DEAF - wanted)
		setsockopt(fd, level, option, &wanted, sizeof wanted);
}

void deaf_set(int fd, bool is_ip6, bool is_deaf)
{
	change(fd, IPPROTO_IP, IP_MINTTL, is_deaf);
	if (is_ip6)
		change(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, is_deaf);
}

static void cure(int fd, uint64_t inode, void *context)
{
	(void)inode;
	(void)context;
	deaf_set(fd, true, false);
	close(fd);
}

void deaf_cure(pid_t process, duplicates_wanted *is_wanted, void *context)
{
	duplicates_take(process, is_wanted, cure, context);
}
