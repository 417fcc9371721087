/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "membership.h"

#include "ground/procfs.h"
#include "ground/system.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#define GROUPS_MOST 64

struct membership {
	uint32_t interface;
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
};

/* All are read before the first group is left, because leaving changes the files. */
struct memberships {
	uint32_t interface; /* of the following lines */
	unsigned count;
	struct membership list[GROUPS_MOST];
};

/* ---- reading ---- */

static const char *skip_blanks(const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

static const char *skip_word(const char *text)
{
	while (*text && *text != ' ' && *text != '\t')
		text++;
	return skip_blanks(text);
}

static void add(struct memberships *groups, uint32_t interface, const void *address, size_t size)
{
	struct membership *group = &groups->list[groups->count++];

	group->interface = interface;
	memcpy(&group->address, address, size);
}

typedef void line_reader(struct memberships *groups, const char *line);

/* "2\teth0      :     1      V3", and then for each group "\t\t\t\t010000E0     1 ..." */
static void read_ip4(struct memberships *groups, const char *line)
{
	if (line[0] != '\t') {
		groups->interface = (uint32_t)procfs_number_at(line, 10);
		return;
	}
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = (uint32_t)procfs_number_at(skip_blanks(line), 16),
	};
	add(groups, groups->interface, &address, sizeof address);
}

/* "2    eth0            ff020000000000000000000000000001     1 0000000C 0" */
static void read_ip6(struct memberships *groups, const char *line)
{
	const char *digits = skip_word(skip_word(line));
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};

	for (int i = 0; i < 16; i++) {
		char byte[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
		if (!byte[0] || !byte[1])
			return;
		address.sin6_addr.s6_addr[i] = (uint8_t)procfs_number_at(byte, 16);
	}
	add(groups, (uint32_t)procfs_number_at(line, 10), &address, sizeof address);
}

static void read_groups(struct memberships *groups, const char *path, line_reader *read_line)
{
	struct procfs_reader reader = {.fd = system_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)};
	char line[128];

	groups->interface = groups->count = 0;
	while (groups->count < GROUPS_MOST && procfs_next_line(&reader, line, sizeof line))
		read_line(groups, line);
	system_close(reader.fd);
}

/* ---- moving ---- */

/* The kernel refuses to leave a group that the socket has not joined on that interface. */
static void move(int from, int to, int level, const struct membership *group)
{
	struct group_req request = {.gr_interface = group->interface};

	memcpy(&request.gr_group, &group->address, sizeof group->address);
	system_setsockopt(to, level, MCAST_LEAVE_GROUP, &request, sizeof request);
	if (system_setsockopt(from, level, MCAST_LEAVE_GROUP, &request, sizeof request) == 0)
		system_setsockopt(to, level, MCAST_JOIN_GROUP, &request, sizeof request);
}

static void move_all(int from, int to, int level, const char *path, line_reader *read_line)
{
	struct memberships groups;

	read_groups(&groups, path, read_line);
	for (unsigned i = 0; i < groups.count; i++)
		move(from, to, level, &groups.list[i]);
}

void membership_move(int from, int to)
{
	move_all(from, to, IPPROTO_IP, "/proc/net/igmp", read_ip4);
	move_all(from, to, IPPROTO_IPV6, "/proc/net/igmp6", read_ip6);
}
