/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sequences SEED FIRST COUNT libc|direct|socketcall [apart]: makes COUNT sequences of socket calls,
 * from number FIRST on, with good and bad descriptors, addresses and lengths, and prints a line for
 * each call: what it was, what it returned, and errno. The same words make the same calls. With
 * "apart", no two sockets of a sequence are bound to one port.
 */
#include "calls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define DESCRIPTORS 5
#define CALLS	    16 /* of a sequence, besides those that make the sockets */

/* Below those that the kernel gives to clients: a client that is its own server is none of ours. */
#define PORT_FIRST 1024
#define PORTS	   30000

static bool is_apart;

/* ---- chance ---- */

static uint64_t chance;

static void chance_start(uint64_t seed, uint64_t number)
{
	chance = (seed + 1) * 0x9e3779b97f4a7c15 ^ (number + 1) * 0xbf58476d1ce4e5b9;
}

static unsigned below(unsigned count)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)(chance >> 33) % count;
}

#define ANY_OF(LIST) ((LIST)[below(sizeof(LIST) / sizeof *(LIST))])

/* ---- ports ---- */

/* A sequence and its few ports; those of the one before are free again. */
static unsigned sequence, n_ports;

static uint16_t port_of(unsigned number)
{
	return (uint16_t)(PORT_FIRST + (sequence * CALLS + number) % PORTS);
}

static uint16_t port_to_bind(void)
{
	if (below(8) == 0)
		return 0;
	if (!is_apart && n_ports > 0 && below(3) == 0)
		return port_of(below(n_ports));
	return port_of(n_ports++);
}

static uint16_t port_to_connect(void)
{
	return n_ports > 0 && below(4) ? port_of(below(n_ports)) : port_of(CALLS - 1);
}

/* ---- addresses ---- */

static const struct in6_addr ip6[] = {
	{{{0}}},
	{{{[15] = 1}}},
	{{{[15] = 1}}},
	{{{[10] = 0xff, 0xff, 127, 0, 0, 1}}},
	{{{[10] = 0xff, 0xff, 0, 0, 0, 0}}},
	{{{[10] = 0xff, 0xff, 192, 0, 2, 1}}},
	{{{0xfe, 0x80, [15] = 1}}},
	{{{0x20, 0x01, 0x0d, 0xb8, [15] = 1}}},
	{{{0xff, 0x02, [15] = 1}}},
};

static const uint32_t ip4[] = {0x7f000001, 0x7f000001, 0x7f000001, 0, 0, 0x7f000002, 0xc0000201,
	0xffffffff, 0xe0000001, 0x0a000001};

/* What comes after an address matters if the length says more than it has. */
static void make_address(struct sockaddr_storage *address, uint16_t port)
{
	static const sa_family_t families[] = {AF_INET, AF_INET, AF_INET, AF_INET, AF_INET,
		AF_INET6, AF_INET6, AF_INET6, AF_UNSPEC, AF_UNIX, AF_NETLINK, 0xffff};
	struct sockaddr_in *in = (void *)address;
	struct sockaddr_in6 *in6 = (void *)address;

	memset(address, below(4) ? 0 : 0xa5, sizeof *address);
	address->ss_family = ANY_OF(families);
	if (address->ss_family == AF_INET6) {
		*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
			.sin6_port = htons(port),
			.sin6_addr = ANY_OF(ip6),
			.sin6_flowinfo = below(8) ? 0 : 0x01020304,
			.sin6_scope_id = below(4) ? 0 : below(3)};
	} else if (address->ss_family == AF_UNIX) {
		((struct sockaddr_un *)address)->sun_path[0] = '\0';
	} else {
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(ANY_OF(ip4));
	}
}

/* ---- where an address is ---- */

static char *pages; /* one that can be read, and one that cannot */

/* Below where anything is ever put; a hole among the pages would be filled by the next who maps. */
#define NOT_THERE ((char *)(uintptr_t)0x8000)

static size_t page;

static void make_pages(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) < 0)
		exit(2);
}

/* An address, and how much of it can be read. */
struct place {
	const char *name;
	void *at;
	size_t room;
};

static struct place put(const struct sockaddr_storage *address, size_t at, const char *name)
{
	size_t room = page - at, size = sizeof *address;

	memcpy(pages + at, address, size < room ? size : room);
	return (struct place){name, pages + at, room};
}

/* The first and the last page never belong to a program. */
static struct place choose_place(const struct sockaddr_storage *address)
{
	switch (below(24)) {
	case 0:
		return put(address, 1 + below(7), "misaligned");
	case 1:
		return put(address, page - sizeof(struct sockaddr_in), "at the end");
	case 2:
		return put(address, page - 1 - below(40), "near the end");
	case 3:
		return (struct place){"not readable", pages + page + below(64), 0};
	case 4:
		return (struct place){"not there", NOT_THERE + below(64), 0};
	case 5:
		return (struct place){"null", NULL, SIZE_MAX};
	case 6:
		return (struct place){"first page", (void *)(uintptr_t)(1 + below(64)), SIZE_MAX};
	case 7:
		return (struct place){"last page", (void *)(UINTPTR_MAX - below(64)), SIZE_MAX};
	default:
		return put(address, 64, "good");
	}
}

static unsigned length_of(const struct sockaddr_storage *address)
{
	static const unsigned lengths[] = {0, 1, 2, 3, 8, 15, 16, 17, 20, 23, 24, 25, 27, 28, 29,
		110, 127, 128, 129, 4096, INT32_MAX, (unsigned)INT32_MAX + 1, UINT32_MAX - 15,
		UINT32_MAX};

	if (below(4) == 0)
		return ANY_OF(lengths);
	return address->ss_family == AF_INET6  ? sizeof(struct sockaddr_in6)
	       : address->ss_family == AF_UNIX ? sizeof(sa_family_t)
					       : sizeof(struct sockaddr_in);
}

/* ---- descriptors ---- */

static int descriptors[DESCRIPTORS];

static int make_socket(void)
{
	static const int kinds[][3] = {
		{AF_INET, SOCK_STREAM, 0},
		{AF_INET, SOCK_STREAM, 0},
		{AF_INET, SOCK_STREAM, IPPROTO_TCP},
		{AF_INET, SOCK_DGRAM, 0},
		{AF_INET, SOCK_DGRAM, IPPROTO_UDP},
		{AF_INET6, SOCK_STREAM, 0},
		{AF_INET6, SOCK_STREAM, 0},
		{AF_INET6, SOCK_DGRAM, 0},
		{AF_INET, SOCK_STREAM, IPPROTO_MPTCP},
		{AF_INET, SOCK_RAW, IPPROTO_UDP},
		{AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
		{AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
		{AF_INET, SOCK_STREAM, IPPROTO_UDP},
		{AF_INET, SOCK_SEQPACKET, 0},
		{AF_UNIX, SOCK_STREAM, 0},
		{AF_UNIX, SOCK_DGRAM, 0},
		{AF_NETLINK, SOCK_RAW, 0},
		{AF_UNSPEC, SOCK_STREAM, 0},
		{AF_INET, 0, 0},
		{-1, SOCK_STREAM, 0},
		{AF_INET, SOCK_STREAM, -1},
		{AF_INET, SOCK_STREAM, 1 << 16},
		{1000, 1000, 1000},
	};
	const unsigned all = sizeof kinds / sizeof *kinds, usual = 8;
	const int *kind = kinds[below(below(4) ? usual : all)];
	struct action action = {.call = CALL_SOCKET, .name = "socket"};

	action.arguments[0] = kind[0];
	action.arguments[1] = kind[1] | (kind[1] > 0 && below(4) == 0 ? SOCK_CLOEXEC : 0);
	action.arguments[2] = kind[2];
	return calls_make(&action);
}

static int make_other(void)
{
	int fds[2];

	switch (below(6)) {
	case 0:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case 1:
		return open("/", O_PATH | O_CLOEXEC);
	case 2:
		return epoll_create1(EPOLL_CLOEXEC);
	case 3:
		if (pipe(fds) < 0)
			return -1;
		close(fds[1]);
		return fds[0];
	case 4:
		return 1000 + (int)below(100); /* of no file */
	default:
		return -1 - (int)below(3);
	}
}

static void open_descriptors(void)
{
	for (int i = 0; i < DESCRIPTORS; i++) {
		descriptors[i] = i > 0 && below(8) == 0 ? dup(descriptors[i - 1])
				 : below(16) == 0	? make_other()
							: make_socket();
		calls_settle(descriptors[i]);
	}
}

static void close_descriptors(void)
{
	for (int i = 0; i < DESCRIPTORS; i++) {
		if (descriptors[i] > 2)
			close(descriptors[i]);
	}
}

/* ---- one sequence ---- */

static const enum way ways[] = {WAY_PLAIN, WAY_PLAIN, WAY_PLAIN, WAY_PLAIN, WAY_PLAIN, WAY_PLAIN,
	WAY_THREAD, WAY_CHILD, WAY_HANDLER};

static void call_with_address(enum call call, const char *name, uint16_t port)
{
	struct sockaddr_storage address;
	struct action action = {.call = call, .name = name, .number = (int)below(DESCRIPTORS)};

	make_address(&address, port);
	struct place place = choose_place(&address);
	unsigned length = length_of(&address);
	action.arguments[0] = descriptors[action.number];
	action.arguments[1] = (long)place.at;
	action.arguments[2] = (long)length;
	action.place = place.name;
	action.is_bad = length > place.room;
	action.block = below(32) ? NULL : choose_place(&address).at;
	action.way = ANY_OF(ways);
	action.family = address.ss_family;
	calls_make(&action);
	calls_tell_name(descriptors[action.number]);
}

static void call_listen(void)
{
	static const int backlogs[] = {0, 1, 8, 128, 4096, -1, INT32_MIN, INT32_MAX};
	struct action action = {
		.call = CALL_LISTEN, .name = "listen", .number = (int)below(DESCRIPTORS)};

	action.arguments[0] = descriptors[action.number];
	action.arguments[1] = ANY_OF(backlogs);
	action.way = ANY_OF(ways);
	calls_make(&action);
	calls_tell_name(descriptors[action.number]);
}

static void run_sequence(void)
{
	n_ports = 0;
	open_descriptors();
	for (int i = 0; i < CALLS; i++) {
		switch (below(8)) {
		case 0:
		case 1:
		case 2:
			call_with_address(CALL_BIND, "bind", port_to_bind());
			break;
		case 3:
		case 4:
			call_listen();
			break;
		case 5:
			if (below(3) == 0)
				close(descriptors[below(DESCRIPTORS)]);
			break;
		default:
			call_with_address(CALL_CONNECT, "connect", port_to_connect());
		}
	}
	close_descriptors();
}

int main(int argc, char **argv)
{
	static const char *const modes[] = {"libc", "direct", "socketcall"};
	int mode = 0;

	while (argc >= 5 && mode < 3 && strcmp(argv[4], modes[mode]) != 0)
		mode++;
	if (argc < 5 || mode == 3 || !calls_start((enum mode)mode))
		return 2;
	is_apart = argc > 5;
	make_pages();
	unsigned first = (unsigned)atoi(argv[2]), count = (unsigned)atoi(argv[3]);
	for (sequence = first; sequence < first + count; sequence++) {
		chance_start(strtoull(argv[1], NULL, 10), sequence);
		calls_begin(sequence);
		run_sequence();
	}
	calls_end();
	return 0;
}
