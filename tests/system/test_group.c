/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the kernel numbers the members of a group, and what a program attached to one makes of it. */
#include "harness.h"
#include "socket/steer.h"
#include "supervise/sockets/member_order.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMBERS_MOST 12

/* ---- a group of sockets ---- */

struct kind {
	const char *name, *address;
	int type;
};

static const struct kind kinds[] = {
	{"TCP over IPv4", "127.0.0.1", SOCK_STREAM},
	{"TCP over IPv6", "::1", SOCK_STREAM},
	{"UDP over IPv4", "127.0.0.1", SOCK_DGRAM},
	{"UDP over IPv6", "::1", SOCK_DGRAM},
};

struct member {
	int fd;
	uint32_t inode;
};

static const struct kind *kind;
static int port;
static struct member members[MEMBERS_MOST];
static unsigned count;

static void join(void)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, kind->address, port);
	int one = 1, fd = socket(address.ss_family, kind->type | SOCK_CLOEXEC, 0);
	struct stat status;

	cr_assert(fd >= 0 && fstat(fd, &status) == 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	cr_assert(kind->type == SOCK_DGRAM || listen(fd, 64) == 0);
	members[count++] = (struct member){fd, (uint32_t)status.st_ino};
}

static void leave(unsigned which)
{
	close(members[which].fd);
	members[which] = members[--count];
}

static void begin(const struct kind *which)
{
	kind = which;
	port = port_new();
	count = 0;
}

static void end(void)
{
	while (count > 0)
		leave(0);
}

/* ---- where a client arrives ---- */

/* The inode of the member at which a new client's connection or datagram arrives. */
static uint32_t arrival_from(const char *source)
{
	struct sockaddr_storage address, from;
	socklen_t length = make_address(&address, kind->address, port);
	struct pollfd fds[MEMBERS_MOST];
	int client = socket(address.ss_family, kind->type | SOCK_CLOEXEC, 0);
	char byte;

	cr_assert(client >= 0);
	if (source) {
		socklen_t from_length = make_address(&from, source, 0);
		cr_assert_eq(bind(client, (struct sockaddr *)&from, from_length), 0);
	}
	cr_assert_eq(connect(client, (struct sockaddr *)&address, length), 0);
	cr_assert(kind->type == SOCK_STREAM || send(client, "x", 1, 0) == 1);
	for (unsigned i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = members[i].fd, .events = POLLIN};
	cr_assert_eq(poll(fds, count, DEADLINE_SECONDS * 1000), 1);
	unsigned at = 0;
	while (!fds[at].revents)
		at++;
	if (kind->type == SOCK_STREAM)
		close(accept(members[at].fd, NULL, NULL));
	else
		cr_assert_eq(recv(members[at].fd, &byte, 1, 0), 1);
	close(client);
	return members[at].inode;
}

static uint32_t arrival(void)
{
	return arrival_from(NULL);
}

static const struct steer by_chance = {.mode = STEER_RANDOM};

static void attach(const struct steer *steer, unsigned all, const unsigned *closed, unsigned n)
{
	static struct steer_program program;

	steer_build(&program, steer, NULL, all, closed, n);
	int error = steer_attach(members[0].fd, &program);
	cr_assert_eq(error, 0, "%s", strerror(-error));
}

/* Closes all numbers but one. */
static void attach_only(unsigned number)
{
	unsigned closed[MEMBERS_MOST], n_closed = 0;

	for (unsigned i = 0; i < count; i++) {
		if (i != number)
			closed[n_closed++] = i;
	}
	attach(&by_chance, count, closed, n_closed);
}

/* ---- numbers ---- */

static void look(struct member_order *group)
{
	uint32_t inodes[MEMBERS_MOST];

	for (unsigned i = 0; i < count; i++)
		inodes[i] = members[count - 1 - i].inode;
	member_order_update(group, inodes, count);
}

static void expect_numbers(const struct member_order *group, unsigned step)
{
	for (unsigned i = 0; i < group->n_known; i++) {
		attach_only(i);
		uint32_t inode = arrival();
		cr_assert_eq(inode, group->members[i],
			"%s, step %u: number %u of %u is another socket", kind->name, step, i,
			count);
	}
}

static void change(void)
{
	if (count == 0 || (count < MEMBERS_MOST && rand() % 5 < 3))
		join();
	else
		leave((unsigned)rand() % count);
}

Test(group, members_that_join_and_leave_are_numbered_as_in_the_kernel)
{
	srand(20261121);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct member_order group = {.count = 0};
		begin(&kinds[i]);
		for (unsigned step = 0; step < 60; step++) {
			change();
			look(&group);
			cr_assert_eq(group.n_known, count, "one at a time, and not known");
			expect_numbers(&group, step);
		}
		end();
	}
}

Test(group, what_is_known_after_several_changes_at_once_is_right)
{
	unsigned known = 0;

	srand(20261121);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct member_order group = {.count = 0};
		begin(&kinds[i]);
		for (unsigned step = 0; step < 60; step++) {
			for (int changes = rand() % 6 ? 1 : 2; changes > 0; changes--)
				change();
			look(&group);
			expect_numbers(&group, step);
			known += group.n_known;
		}
		end();
	}
	cr_expect_gt(known, 100, "%u numbers were known", known);
}

/* ---- programs ---- */

static void begin_with(const struct kind *which, unsigned n_members)
{
	begin(which);
	while (count < n_members)
		join();
}

static unsigned number_of(uint32_t inode)
{
	unsigned number = 0;

	while (members[number].inode != inode)
		number++;
	return number;
}

Test(group, closed_members_get_no_client_and_all_others_their_share)
{
	static const unsigned closed[] = {0, 3, 4, 7};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		unsigned got[8] = {0};
		begin_with(&kinds[i], 8);
		attach(&by_chance, 8, closed, 4);
		for (unsigned client = 0; client < 200; client++)
			got[number_of(arrival())]++;
		for (unsigned number = 0; number < 8; number++) {
			bool is_closed = memchr("\0\3\4\7", (int)number, 4) != NULL;
			cr_expect_eq(got[number] == 0, is_closed, "%s: number %u got %u",
				kind->name, number, got[number]);
		}
		end();
	}
}

Test(group, members_that_join_after_those_in_the_program_get_no_client)
{
	begin_with(&kinds[0], 2);
	attach(&by_chance, 2, NULL, 0);
	join();
	join();
	for (unsigned client = 0; client < 100; client++)
		cr_assert_lt(number_of(arrival()), 2);
	cr_assert_eq(steer_detach(members[0].fd), 0);
	cr_expect_eq(steer_detach(members[0].fd), -ENOENT);
	unsigned latecomers = 0;
	for (unsigned client = 0; client < 100; client++)
		latecomers += number_of(arrival()) >= 2;
	cr_expect_gt(latecomers, 0);
}

Test(group, a_number_that_no_member_has_leaves_the_choice_to_the_kernel)
{
	unsigned got[2] = {0};

	begin_with(&kinds[0], 2);
	attach(&by_chance, 3, (const unsigned[]){0, 1}, 2);
	for (unsigned client = 0; client < 100; client++)
		got[number_of(arrival())]++;
	cr_expect(got[0] > 0 && got[1] > 0, "%u and %u", got[0], got[1]);
}

Test(group, the_length_of_a_program_limits_how_many_can_be_closed)
{
	static unsigned closed[STEER_CLOSED_MOST];

	for (unsigned i = 0; i < STEER_CLOSED_MOST; i++)
		closed[i] = i < 1 ? i : i + 1;
	begin_with(&kinds[0], 3);
	attach(&by_chance, STEER_CLOSED_MOST + 1, closed, STEER_CLOSED_MOST);
	for (unsigned client = 0; client < 20; client++)
		cr_assert_eq(number_of(arrival()), 1);
}

Test(group, a_source_always_reaches_the_same_member)
{
	static const struct steer by_source = {STEER_SOURCE, 32, 128},
				  by_net = {STEER_SOURCE, 24, 64};
	unsigned got[4] = {0};

	begin_with(&kinds[0], 4);
	attach(&by_source, 4, NULL, 0);
	for (int host = 1; host <= 60; host++) {
		const char *source = format("127.0.1.%d", host);
		unsigned number = number_of(arrival_from(source));
		for (int again = 0; again < 3; again++)
			cr_assert_eq(number_of(arrival_from(source)), number);
		got[number]++;
	}
	for (unsigned number = 0; number < 4; number++)
		cr_expect_gt(got[number], 0, "number %u got nobody", number);
	attach(&by_net, 4, NULL, 0);
	unsigned number = number_of(arrival_from("127.0.2.1"));
	for (int host = 2; host <= 20; host++)
		cr_assert_eq(number_of(arrival_from(format("127.0.2.%d", host))), number);
}

Test(group, a_source_reaches_the_same_member_over_ip6_and_udp)
{
	static const struct steer by_source = {STEER_SOURCE, 32, 128};

	for (size_t i = 1; i < sizeof kinds / sizeof *kinds; i++) {
		begin_with(&kinds[i], 4);
		attach(&by_source, 4, NULL, 0);
		uint32_t first = arrival();
		for (int again = 0; again < 20; again++)
			cr_assert_eq(arrival(), first, "%s", kind->name);
		end();
	}
}

/* What comes over loopback is taken up by the CPU that sent it. */
Test(group, the_cpu_chooses_the_member_of_its_number)
{
	static const struct steer by_cpu = {.mode = STEER_CPU};
	cpu_set_t allowed, one;

	cr_assert_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
	begin_with(&kinds[0], 4);
	attach(&by_cpu, 4, NULL, 0);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
		for (int client = 0; client < 10; client++)
			cr_assert_eq(number_of(arrival()), cpu % 4);
	}
}

Test(group, a_socket_that_does_not_share_cannot_be_steered)
{
	static struct steer_program program;
	int fd = server_listen("127.0.0.1", port_new());

	steer_build(&program, &by_chance, NULL, 1, NULL, 0);
	cr_expect_eq(steer_attach(fd, &program), -EINVAL);
	close(fd);
}
