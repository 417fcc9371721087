/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "closed.h"

#include "ground/procfs.h"
#include "ground/system.h"
#include "socket/unix_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX	  "libreuse-closed/"
#define EACH_MOST 8 /* inodes in one name, of at most 9 characters each */

/* ---- telling ---- */

/* The name is a new one each time: the old one stays until the new one exists. */
static int tell_some(const uint32_t *inodes, size_t count)
{
	static unsigned sequence;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *name = address.sun_path + 1;
	size_t room = sizeof address.sun_path - 1;
	int length = snprintf(name, room, PREFIX "%x.%x", (unsigned)getpid(), sequence++);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < count; i++)
		length +=
			snprintf(name + length, room - (size_t)length, ",%x", (unsigned)inodes[i]);
	socklen_t size = (socklen_t)(sizeof address.sun_family + 1 + (size_t)length);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void fall_silent(int *sockets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (sockets[i] >= 0)
			close(sockets[i]);
	}
	free(sockets);
}

static void tell_anew(struct closed *closed, const uint32_t *inodes, size_t count)
{
	closed->inodes = malloc(count * sizeof *inodes);
	closed->sockets = malloc((count + EACH_MOST - 1) / EACH_MOST * sizeof *closed->sockets);
	if (!closed->inodes || !closed->sockets)
		return;
	memcpy(closed->inodes, inodes, count * sizeof *inodes);
	closed->count = count;
	for (size_t at = 0; at < count; at += EACH_MOST) {
		size_t left = count - at;
		closed->sockets[closed->n_sockets++] =
			tell_some(inodes + at, left < EACH_MOST ? left : EACH_MOST);
	}
}

void closed_tell(struct closed *closed, const uint32_t *inodes, size_t count)
{
	struct closed before = *closed;

	if (count == before.count &&
		(count == 0 || memcmp(inodes, before.inodes, count * sizeof *inodes) == 0))
		return;
	*closed = (struct closed){.count = 0};
	if (count > 0)
		tell_anew(closed, inodes, count);
	/* Not before: so what stays closed is told without a gap. */
	fall_silent(before.sockets, before.n_sockets);
	free(before.inodes);
}

/* ---- hearing ---- */

void heard_add(struct heard *heard, uint32_t inode)
{
	uint32_t *larger = realloc(heard->inodes, (heard->count + 1) * sizeof *larger);

	if (!larger)
		return;
	heard->inodes = larger;
	heard->inodes[heard->count++] = inode;
}

static bool has(const uint32_t *inodes, size_t count, uint32_t inode)
{
	for (size_t i = 0; i < count; i++) {
		if (inodes[i] == inode)
			return true;
	}
	return false;
}

/* Before Linux 5.3, which does not tell the user, everybody is trusted. */
static bool is_trusted(uint32_t socket, const char *name, uid_t user)
{
	uid_t owner;
	int error = unix_owner_of_name(socket, name, strlen(name), &owner);

	return error ? error != -ENOENT : owner == 0 || owner == user;
}

/* "...: 00000002 00000000 00010000 0002 01 4711 @libreuse-closed/1a2b.0,12ab,12ac" */
static void read_line(struct heard *heard, const struct closed *own, uid_t user, char *line)
{
	char *name = strstr(line, " @" PREFIX), *inode = name;

	if (!name)
		return;
	while (inode > line && inode[-1] != ' ')
		inode--;
	if (!is_trusted((uint32_t)strtoul(inode, NULL, 10), name + 2, user))
		return;
	for (char *at = strchr(name, ','); at; at = strchr(at + 1, ',')) {
		uint32_t closed = (uint32_t)strtoul(at + 1, NULL, 16);
		if (!has(own->inodes, own->count, closed))
			heard_add(heard, closed);
	}
}

void closed_hear(struct heard *heard, const struct closed *own, uid_t user)
{
	struct procfs_reader reader = {.fd = procfs_open(PROCFS_SELF, "net/unix")};
	char line[256];

	*heard = (struct heard){.count = 0};
	while (reader.fd >= 0 && procfs_next_line(&reader, line, sizeof line))
		read_line(heard, own, user, line);
	if (reader.fd >= 0)
		system_close(reader.fd);
}

bool closed_is_heard(const struct heard *heard, uint32_t inode)
{
	return has(heard->inodes, heard->count, inode);
}
