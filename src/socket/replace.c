/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replace.h"

#include "ground/compare.h"
#include "ground/compat.h"
#include "ground/procfs.h"
#include "ground/system.h"
#include "membership.h"
#include "policy/sockopt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#define BUF_LOCK_SEND	 1
#define BUF_LOCK_RECEIVE 2

/* ---- options ---- */

/* Whether an option is a property of the socket, and not a wish of the program. */
static bool belongs_to_socket(struct sockopt_place place)
{
	static const struct sockopt_place own[] = {
		{SOL_SOCKET, SHARE_OPTION},
		{SOL_SOCKET, SO_REUSEADDR},
		{SOL_SOCKET, SO_BINDTODEVICE},
		{IPPROTO_IPV6, IPV6_V6ONLY},
		{IPPROTO_TCP, TCP_MAXSEG},
		{SOL_SOCKET, SO_SNDBUF}, /* see carry_buffers() */
		{SOL_SOCKET, SO_RCVBUF},
	};

	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (own[i].level == place.level && own[i].option == place.option)
			return true;
	}
	return false;
}

static void carry(int from, int to, struct sockopt_place place)
{
	char wanted[64] = {0}, present[sizeof wanted] = {0};
	socklen_t wanted_size = sizeof wanted, present_size = sizeof present;

	if (place.option == 0 || belongs_to_socket(place) ||
		system_getsockopt(from, place.level, place.option, wanted, &wanted_size) < 0 ||
		system_getsockopt(to, place.level, place.option, present, &present_size) < 0)
		return;
	if (wanted_size == present_size && string_same(wanted, present, wanted_size))
		return;
	system_setsockopt(to, place.level, place.option, wanted, wanted_size);
}

/* The kernel doubles the value that is set, and returns it doubled. */
static void carry_buffer(int from, int to, int option)
{
	int size;

	if (system_get_number(from, SOL_SOCKET, option, &size) < 0)
		return;
	size /= 2;
	system_setsockopt(to, SOL_SOCKET, option, &size, sizeof size);
}

static void carry_buffers(int from, int to)
{
	int locks = 0;

	if (system_get_number(from, SOL_SOCKET, SO_BUF_LOCK, &locks) < 0)
		return;
	if (locks & BUF_LOCK_SEND)
		carry_buffer(from, to, SO_SNDBUF);
	if (locks & BUF_LOCK_RECEIVE)
		carry_buffer(from, to, SO_RCVBUF);
}

static void carry_options(int from, int to, const struct endpoint *endpoint)
{
	for (unsigned i = 0; i < sockopt_count; i++) {
		const struct sockopt *option = &sockopt_table[i];
		if (!(option->protocols & endpoint->protocol) ||
			!(option->families & endpoint->family))
			continue;
		carry(from, to, option->flag);
		if (endpoint->family == FAMILY_IP6)
			carry(from, to, option->ip6);
		if (endpoint->family == FAMILY_IP4 || option->is_dual)
			carry(from, to, option->ip4);
	}
	carry_buffers(from, to);
}

/* ---- epoll ---- */

/* The place after the blanks after NAME in a line "name: value name: value", or NULL. */
static const char *value_of(const char *line, const char *name)
{
	for (; *line; line++) {
		if (!string_starts(line, name))
			continue;
		line += string_length(name);
		while (*line == ' ')
			line++;
		return line;
	}
	return NULL;
}

/*
 * A line of the fdinfo of an epoll descriptor: "tfd: 5 events: 19 data: 5 pos:0 ino:...", proc(5).
 */
static void read_registration(struct registrations *found, int epoll, const char *line)
{
	const char *target = value_of(line, "tfd:"), *events = value_of(line, "events:");
	const char *data = value_of(line, "data:");

	if (!target || !events || !data || procfs_number_at(target, 10) != (uint64_t)found->fd ||
		found->count == REGISTRATIONS_MOST)
		return;
	found->list[found->count++] = (struct registration){
		.epoll = epoll,
		.event = {.events = (uint32_t)procfs_number_at(events, 16),
			.data.u64 = procfs_number_at(data, 16)},
	};
}

struct epoll_search {
	pid_t process;
	struct registrations *found;
};

static bool read_epoll(int directory, const char *name, void *context)
{
	const struct epoll_search *search = context;
	struct procfs_reader reader = {.fd = -1};
	char file[32], line[256];

	if (!procfs_links_to(directory, name, "anon_inode:[eventpoll]"))
		return false;
	text_print(file, sizeof file, "fdinfo/%s", name);
	reader.fd = procfs_open(search->process, file);
	while (procfs_next_line(&reader, line, sizeof line))
		read_registration(search->found, procfs_number(name), line);
	system_close(reader.fd);
	return false;
}

void replace_find_registrations(struct registrations *found, pid_t process, int fd)
{
	struct epoll_search search = {process, found};

	found->fd = fd;
	found->count = 0;
	procfs_walk(process, "fd", read_epoll, &search);
}

/* ---- both ---- */

int replace_socket(int fd, int new, const struct endpoint *endpoint, bool is_shared)
{
	struct registrations found;
	int flags = system_fcntl(fd, F_GETFL, 0), own = system_fcntl(new, F_GETFL, 0);
	int close_flag = system_fcntl(fd, F_GETFD, 0);

	if (flags < 0 || own < 0 || close_flag < 0)
		return -EBADF;
	if (!is_shared)
		carry_options(fd, new, endpoint);
	if (endpoint->protocol == PROTOCOL_UDP)
		membership_move(fd, new);
	if ((flags ^ own) & O_NONBLOCK && !(is_shared && own & O_NONBLOCK))
		system_fcntl(new, F_SETFL, own ^ O_NONBLOCK);
	replace_find_registrations(&found, PROCFS_SELF, fd);
	int result = system_dup3(new, fd, close_flag & FD_CLOEXEC ? O_CLOEXEC : 0);
	if (result < 0)
		return result;
	for (unsigned i = 0; i < found.count; i++)
		system_epoll_ctl(found.list[i].epoll, EPOLL_CTL_ADD, fd, &found.list[i].event);
	return 0;
}
