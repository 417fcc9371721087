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
	uint8_t address[16]; /* the first four bytes, or all */
};

/* Read as a whole before the first one is left, because that changes what the files hold. */
struct memberships {
	uint32_t interface; /* that the next lines are about */
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
	memcpy(group->address, address, size);
}

typedef void line_reader(struct memberships *groups, const char *line);

/* "2\teth0      :     1      V3", and then for each group "\t\t\t\t010000E0     1 ..." */
static void read_ip4(struct memberships *groups, const char *line)
{
	if (line[0] != '\t') {
		groups->interface = (uint32_t)procfs_number_at(line, 10);
		return;
	}
	uint32_t address = (uint32_t)procfs_number_at(skip_blanks(line), 16);
	add(groups, groups->interface, &address, sizeof address);
}

/* "2    eth0            ff020000000000000000000000000001     1 0000000C 0" */
static void read_ip6(struct memberships *groups, const char *line)
{
	const char *digits = skip_word(skip_word(line));
	uint8_t address[16];

	for (int i = 0; i < 16; i++) {
		char byte[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
		if (!byte[0] || !byte[1])
			return;
		address[i] = (uint8_t)procfs_number_at(byte, 16);
	}
	add(groups, (uint32_t)procfs_number_at(line, 10), address, sizeof address);
}

static void read_groups(struct memberships *groups, const char *path, line_reader *read_line)
{
	struct procfs_reader reader = {.fd = system_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)};
	char line[128];

	groups->count = 0;
	while (groups->count < GROUPS_MOST && procfs_next_line(&reader, line, sizeof line))
		read_line(groups, line);
	system_close(reader.fd);
}

/* ---- moving ---- */

/* The kernel refuses what a socket is not in, on that interface. */
static void move(int from, int to, int level, const struct group_req *group)
{
	system_setsockopt(to, level, MCAST_LEAVE_GROUP, group, sizeof *group);
	if (system_setsockopt(from, level, MCAST_LEAVE_GROUP, group, sizeof *group) == 0)
		system_setsockopt(to, level, MCAST_JOIN_GROUP, group, sizeof *group);
}

static void move_ip4(int from, int to, const struct membership *group)
{
	struct group_req request = {.gr_interface = group->interface};
	struct sockaddr_in address = {.sin_family = AF_INET};

	memcpy(&address.sin_addr, group->address, sizeof address.sin_addr);
	memcpy(&request.gr_group, &address, sizeof address);
	move(from, to, IPPROTO_IP, &request);
}

static void move_ip6(int from, int to, const struct membership *group)
{
	struct group_req request = {.gr_interface = group->interface};
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};

	memcpy(&address.sin6_addr, group->address, sizeof address.sin6_addr);
	memcpy(&request.gr_group, &address, sizeof address);
	move(from, to, IPPROTO_IPV6, &request);
}

void membership_move(int from, int to)
{
	struct memberships groups = {.interface = 0};

	read_groups(&groups, "/proc/net/igmp", read_ip4);
	for (unsigned i = 0; i < groups.count; i++)
		move_ip4(from, to, &groups.list[i]);
	read_groups(&groups, "/proc/net/igmp6", read_ip6);
	for (unsigned i = 0; i < groups.count; i++)
		move_ip6(from, to, &groups.list[i]);
}
