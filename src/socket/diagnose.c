/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diagnose.h"

#include "ground/compare.h"
#include "ground/container.h"
#include "ground/errnos.h"
#include "ground/open_sockets.h"
#include "ground/procfs.h"
#include "ground/sysctl.h"
#include "ground/system.h"
#include "tables.h"

#include <fcntl.h>

#define PRIVILEGED_PORTS 1024

bool diagnose_overlaps(const struct endpoint *one, const struct endpoint *other)
{
	const struct address *a = &one->address, *b = &other->address;
	const struct address *of_ip6 = one->family == FAMILY_IP6 ? a : b;

	/* For an IPv6 socket, the wildcard and v4-mapped addresses include IPv4. */
	if (one->family != other->family && !address_is_any(of_ip6) && !address_is_ip4(of_ip6))
		return false;
	bool is_same_link = !one->scope_id || scope_holds(other->scope_id, one->scope_id);

	return (a->high == b->high && a->low == b->low && is_same_link) || address_is_any(a) ||
	       address_is_any(b);
}

static unsigned weight(const struct holder *holder, uid_t user)
{
	bool is_others = holder->inode != 0 && holder->user != user;

	return (holder->inode != 0) + 2U * is_others + 4U * holder->is_listening;
}

struct holder_search {
	const struct endpoint *endpoint;
	uid_t user;
	struct holder *best;
	bool is_found;
};

static void look_at(const struct table_entry *entry, void *context)
{
	struct holder_search *search = context;
	struct holder holder = {
		.endpoint = entry->local,
		.user = entry->user,
		.inode = entry->inode,
		.is_listening = entry->is_listening,
		.is_bound = entry->local.protocol == PROTOCOL_TCP && entry->state == TABLE_CLOSED,
	};

	if (!diagnose_overlaps(&holder.endpoint, search->endpoint) ||
		(entry->is_v6only && search->endpoint->family == FAMILY_IP4))
		return;
	if (search->is_found && weight(&holder, search->user) <= weight(search->best, search->user))
		return;
	*search->best = holder;
	search->is_found = true;
}

/* ---- processes ---- */

static bool is_owner(int proc, const char *name, void *context)
{
	struct holder *holder = context;
	pid_t process = procfs_number(name);

	(void)proc;
	if (process < 0 || !open_sockets_have(process, holder->inode))
		return false;
	holder->process = process;
	procfs_program(process, holder->program);
	return true;
}

int diagnose_holder(const struct endpoint *endpoint, uid_t user, struct holder *holder)
{
	struct holder_search search = {.endpoint = endpoint, .user = user, .best = holder};

	*holder = (struct holder){.process = 0};
	/* Both families: a wildcard IPv6 socket holds the port for IPv4 as well. */
	int error = tables_read(
		endpoint->protocol, endpoint->port, TABLE_EVERY_STATE, look_at, &search);
	if (search.is_found && holder->inode)
		procfs_walk_path("/proc", is_owner, holder);
	return search.is_found ? 1 : error;
}

/* ---- text ---- */

/* Whether a line of passwd(5) is about USER. */
static bool is_about(const char *line, uid_t user)
{
	char bytes[16];

	text_print(bytes, sizeof bytes, ":%u:", (unsigned)user);
	for (int field = 0; field < 2; field++) {
		line += string_until(line, ':');
		if (*line == '\0')
			return false;
		line += field == 0; /* the second colon is part of the comparison */
	}
	return string_starts(line, bytes);
}

/* The name of a local user, or the ID if /etc/passwd has no name. */
static void print_user(struct text *text, uid_t user)
{
	struct procfs_reader reader = {
		.fd = system_open(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC, 0)};
	char line[256];
	bool is_found = false;

	while (!is_found && procfs_next_line(&reader, line, sizeof line))
		is_found = is_about(line, user);
	if (is_found)
		text_add_printable(text, line, string_until(line, ':'));
	else
		text_format(text, "%u", (unsigned)user);
	system_close(reader.fd);
}

void diagnose_user_name(char *bytes, size_t size, uid_t user)
{
	struct text text;

	text_start(&text, bytes, size);
	print_user(&text, user);
}

enum user_number diagnose_user_number(uid_t user, pid_t process)
{
	enum user_number number = user_number_of(user);

	/* If we can see its process, that is in this user namespace, or in one inside it. */
	return number == USER_UNCLEAR && process ? USER_KNOWN : number;
}

static void print_holding_user(struct text *text, const struct holder *holder)
{
	enum user_number number = diagnose_user_number(holder->user, holder->process);

	if (number != USER_UNKNOWN) {
		text_format(text, "user ");
		print_user(text, holder->user);
	}
	if (number != USER_KNOWN)
		text_format(text,
			"%sa user without an ID in this user namespace (such as one of a "
			"container with another user mapping)",
			number == USER_UNCLEAR ? ", or by " : "");
}

void diagnose_print_holder(struct text *text, const struct holder *holder)
{
	endpoint_print(text, &holder->endpoint);
	if (!holder->is_listening)
		text_format(text, holder->is_bound ? " (bound, not listening)" : " (a connection)");
	if (holder->inode == 0) {
		text_format(text, " is in TIME_WAIT and was made without SO_REUSEADDR");
		return;
	}
	text_format(text, " is held by ");
	print_holding_user(text, holder);
	if (holder->process)
		text_format(
			text, ", program %s, process %d", holder->program, (int)holder->process);
}

enum obstacle diagnose_obstacle(const struct holder *holder, uid_t user)
{
	if (holder->inode == 0)
		return OBSTACLE_OVER;
	if (holder->user != user)
		return OBSTACLE_USER;
	return holder->sharing == SHARING_ON	? OBSTACLE_NONE
	       : holder->sharing == SHARING_OFF ? OBSTACLE_UNSHARED
						: OBSTACLE_UNSEEN;
}

void diagnose_print_obstacle(struct text *text, enum obstacle obstacle, const char *who, uid_t user)
{
	if (obstacle == OBSTACLE_USER) {
		text_format(text, "; only processes of one user can share a port, and %s runs as ",
			who);
		print_user(text, user);
	} else if (obstacle == OBSTACLE_UNSHARED) {
		text_format(text,
			"; that socket was opened without sharing: start its program with "
			"libreuse too");
	} else if (obstacle == OBSTACLE_UNSEEN) {
		text_format(text, "; whether that socket was opened with sharing cannot be seen");
	}
}

/* Linux 4.11; without the file, the ports below 1024 are privileged, as before. */
bool diagnose_print_privileged(struct text *text, uint16_t port)
{
	long first = sysctl_ipv4("ip_unprivileged_port_start");

	if (first < 0)
		first = PRIVILEGED_PORTS;
	if (port == 0 || port >= first)
		return false;
	text_format(text,
		"port %u is privileged, below net.ipv4.ip_unprivileged_port_start, which is %d",
		port, (int)first);
	return true;
}

void diagnose_print_permission(
	struct text *text, uint16_t port, const char *before, const char *between)
{
	text_format(text, "%s", before);
	if (container_is_plain())
		text_format(text,
			"start the container with --sysctl "
			"net.ipv4.ip_unprivileged_port_start=%u, or set that in its pod's "
			"securityContext, or on the host if it uses the host's network",
			port);
	else
		text_format(text, "give the program the capability: "
				  "AmbientCapabilities=CAP_NET_BIND_SERVICE in its unit");
	text_format(text, "%smove the port: reuse-run -p %u:8080 PROGRAM", between, port);
}

void diagnose_print(struct text *text, const struct endpoint *endpoint, uid_t user, bool is_shared)
{
	struct holder holder;
	int found = diagnose_holder(endpoint, user, &holder);

	if (found < 0) {
		text_format(text, "the process that holds it cannot be seen (sock_diag: %s)",
			errno_name(-found));
		return;
	}
	if (found == 0) {
		text_format(text, "no socket that holds it can be seen");
		return;
	}
	diagnose_print_holder(text, &holder);
	holder.sharing = SHARING_OFF; /* otherwise the two would share */
	if (is_shared)
		diagnose_print_obstacle(
			text, diagnose_obstacle(&holder, user), "this program", user);
}
