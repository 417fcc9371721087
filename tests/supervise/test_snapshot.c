/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/sockets/snapshot.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

static struct snapshot snapshot;

static struct sockaddr_in at(const char *address, int port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	cr_assert_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
	return in;
}

/* A socket that shares; PORT 0 is one that the kernel chooses. */
static int listen_at(const char *address, int port)
{
	struct sockaddr_in in = at(address, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	cr_assert_eq(listen(fd, 8), 0);
	return fd;
}

static int port_of(int fd)
{
	struct sockaddr_in in;
	socklen_t length = sizeof in;

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &length), 0);
	return ntohs(in.sin_port);
}

static uint32_t inode_of(int fd)
{
	struct stat status;

	cr_assert_eq(fstat(fd, &status), 0);
	return (uint32_t)status.st_ino;
}

static struct table_entry place(const char *address, int port)
{
	struct sockaddr_in in = at(address, port);
	struct table_entry entry = {.inode = 0};

	cr_assert(endpoint_from_sockaddr(&entry.local, (struct sockaddr *)&in, sizeof in, false));
	entry.local.protocol = PROTOCOL_TCP;
	return entry;
}

static struct slice listeners_at(const char *address, int port)
{
	struct table_entry entry = place(address, port);
	struct slice found;

	cr_assert_eq(snapshot_at(&snapshot, &entry, &found), 0);
	return found;
}

Test(snapshot, all_sockets_of_an_endpoint_are_found_and_none_of_another)
{
	int first = listen_at("127.0.0.1", 0), port = port_of(first);
	int second = listen_at("127.0.0.1", port);

	listen_at("127.0.0.2", port);
	listen_at("127.0.0.1", 0);
	struct slice found = listeners_at("127.0.0.1", port);
	cr_assert_eq(found.count, 2);
	cr_expect_eq(found.entries[0].inode + found.entries[1].inode,
		inode_of(first) + inode_of(second));
	cr_expect_lt(found.entries[0].inode, found.entries[1].inode);
	cr_expect_eq(listeners_at("127.0.0.2", port).count, 1);
	cr_expect_eq(listeners_at("127.0.0.3", port).count, 0);
	struct slice all;
	cr_assert_eq(snapshot_listeners(&snapshot, PROTOCOL_TCP, &all), 0);
	cr_expect_geq(all.count, 4);
	snapshot_forget(&snapshot);
}

Test(snapshot, what_was_read_is_the_answer_until_it_is_forgotten)
{
	int first = listen_at("127.0.0.1", 0), port = port_of(first);
	int second = listen_at("127.0.0.1", port);

	cr_expect_eq(listeners_at("127.0.0.1", port).count, 2);
	close(second);
	cr_expect_eq(listeners_at("127.0.0.1", port).count, 2);
	snapshot_forget(&snapshot);
	cr_expect_eq(listeners_at("127.0.0.1", port).count, 1);
	snapshot_forget(&snapshot);
}

static size_t connections_of(const char *address, int port)
{
	const struct table_ports ports = {(uint16_t)port, (uint16_t)port};
	struct table_entry entry = place(address, port);
	struct slice found;

	cr_assert_eq(snapshot_connections(&snapshot, ports, &entry.local, &found), 0);
	return found.count;
}

Test(snapshot, a_connection_belongs_to_its_address_and_to_the_wildcard)
{
	int listener = listen_at("0.0.0.0", 0), port = port_of(listener);
	struct sockaddr_in in = at("127.0.0.1", port);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(connect(client, (struct sockaddr *)&in, sizeof in), 0);
	int served = accept(listener, NULL, NULL);
	cr_assert_geq(served, 0);
	cr_expect_eq(connections_of("127.0.0.1", port), 1);
	cr_expect_eq(connections_of("0.0.0.0", port), 1);
	cr_expect_eq(connections_of("127.0.0.2", port), 0);
	snapshot_forget(&snapshot);
}

struct sum {
	struct table_ports ports;
	int first, last;
	int others;
};

static void count(const struct table_entry *entry, void *context)
{
	struct sum *sum = context;
	uint16_t port = entry->local.port;

	sum->first += port == sum->ports.first;
	sum->last += port == sum->ports.last;
	sum->others += port < sum->ports.first || port > sum->ports.last;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

Test(snapshot, a_range_includes_both_ends_and_nothing_beyond)
{
	int ports[4];

	for (int i = 0; i < 4; i++)
		ports[i] = port_of(listen_at("127.0.0.1", 0));
	qsort(ports, 4, sizeof *ports, compare);
	struct sum sum = {.ports = {(uint16_t)ports[1], (uint16_t)ports[2]}};
	cr_assert_eq(tables_read_range(PROTOCOL_TCP, sum.ports, TABLE_STATE_BIT(TABLE_LISTENING),
			     count, &sum),
		0);
	cr_expect_eq(sum.first, 1);
	cr_expect_eq(sum.last, 1);
	cr_expect_eq(sum.others, 0);
}
