/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the calls that a library in between could get wrong, and prints what each returns, the
 * errno, and whether a successful call left errno alone:
 *
 *     transparent PORT1 PORT2 PORT3
 *
 * Ports are given, so that two runs print the same. Every address ends where readable memory ends.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>

#define MAGIC 4711 /* no errno has this number */

static int ports[3];
static const char *topic;
static char *end; /* of a page after which nothing is readable */

static void say(const char *call, int detail, int result)
{
	int error = errno;

	printf("%s: %s(%d) = %s, %s\n", topic, call, detail, result < 0 ? "-1" : "0",
		result >= 0 && error == MAGIC ? "errno untouched" : strerrorname_np(error));
}

/* A copy whose last byte is the last readable one. */
static const struct sockaddr *at_end(const void *bytes, size_t length)
{
	return memcpy(end - length, bytes, length);
}

static void try_bind_at(int fd, const void *address, socklen_t length, int detail)
{
	errno = MAGIC;
	say("bind", detail, bind(fd, address, length));
}

static void try_bind(int fd, const void *address, socklen_t length)
{
	try_bind_at(fd, at_end(address, length), length, (int)length);
}

static void try_listen(int fd, int backlog)
{
	errno = MAGIC;
	say("listen", backlog, listen(fd, backlog));
}

static void try_connect(int fd, const void *address, socklen_t length)
{
	errno = MAGIC;
	say("connect", (int)length, connect(fd, at_end(address, length), length));
}

static int try_socket(int domain, int type, int protocol)
{
	errno = MAGIC;
	int fd = socket(domain, type, protocol);
	say("socket", domain, fd < 0 ? -1 : 0);
	return fd;
}

static struct sockaddr_in6 loopback6(int port)
{
	return (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
}

static bool is_bound(int fd)
{
	struct sockaddr_in address = {.sin_port = 0};
	socklen_t length = sizeof address;

	getsockname(fd, (struct sockaddr *)&address, &length);
	return address.sin_port != 0;
}

static void listen_without_bind(void)
{
	int fd = try_socket(AF_INET, SOCK_STREAM, 0);
	int fd6 = try_socket(AF_INET6, SOCK_STREAM, 0);
	int datagram = try_socket(AF_INET, SOCK_DGRAM, 0);

	try_listen(fd, 5);
	try_listen(fd, 0);
	try_listen(fd, -1);
	try_listen(fd6, 5);
	try_listen(datagram, 5);
	printf("%s: port %d %d %d\n", topic, is_bound(fd), is_bound(fd6), is_bound(datagram));
	close(fd);
	close(fd6);
	close(datagram);
}

static void bind_to_port_0(void)
{
	const struct sockaddr_in any = loopback(0);
	const struct sockaddr_in6 any6 = loopback6(0);
	int fds[] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_DGRAM, 0),
		socket(AF_INET6, SOCK_STREAM, 0), socket(AF_INET6, SOCK_DGRAM, 0)};

	for (int i = 0; i < 4; i++) {
		if (i < 2)
			try_bind(fds[i], &any, sizeof any);
		else
			try_bind(fds[i], &any6, sizeof any6);
		try_listen(fds[i], 5);
		printf("%s: port %d\n", topic, is_bound(fds[i]));
		close(fds[i]);
	}
}

static void no_socket(void)
{
	const struct sockaddr_in address = loopback(ports[0]);
	int pipes[2], file = open("/dev/null", O_RDWR);
	int fds[4] = {-1, file, 0, 0};

	if (pipe(pipes) < 0)
		exit(2);
	int closed = dup(pipes[0]);
	close(closed);
	fds[2] = pipes[0];
	fds[3] = closed;
	for (int i = 0; i < 4; i++) {
		try_bind(fds[i], &address, sizeof address);
		try_listen(fds[i], 5);
		try_connect(fds[i], &address, sizeof address);
		try_bind(fds[i], &address, 3);
		try_bind_at(fds[i], NULL, sizeof address, -1);
	}
	int opened_only = open("/dev/null", O_PATH);
	try_bind(opened_only, &address, sizeof address);
	close(opened_only);
	close(file);
	close(pipes[0]);
	close(pipes[1]);
}

static void unix_sockets(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "libreuse-test-%d-%d",
		(int)getpid(), ports[0]);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
	int fd = try_socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct sockaddr_in wrong = loopback(ports[0]);

	errno = MAGIC;
	say("bind", 0, bind(fd, at_end(&name, size), size));
	errno = MAGIC;
	say("bind", 1, bind(fd, at_end(&name, size), size));
	errno = MAGIC;
	say("connect", 0, connect(other, at_end(&name, size), size));
	try_listen(fd, 5);
	errno = MAGIC;
	say("connect", 1, connect(other, at_end(&name, size), size));
	close(other);
	other = socket(AF_UNIX, SOCK_STREAM, 0);
	try_bind(other, &wrong, sizeof wrong);
	try_connect(other, &wrong, sizeof wrong);
	try_bind(other, &name, 1);
	try_bind(other, &name, 2);
	close(other);
	close(fd);
}

static void other_families(void)
{
	const struct sockaddr_nl netlink = {.nl_family = AF_NETLINK};
	const struct sockaddr_ll packet = {.sll_family = AF_PACKET, .sll_ifindex = 1};
	const struct sockaddr_in address = loopback(ports[0]);
	int fd = try_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	try_bind(fd, &netlink, sizeof netlink);
	try_bind(fd, &address, sizeof address);
	try_listen(fd, 5);
	close(fd);
	fd = try_socket(AF_PACKET, SOCK_DGRAM, 0);
	try_bind(fd, &packet, sizeof packet);
	try_bind(fd, &address, sizeof address);
	try_listen(fd, 5);
	close(fd);
	fd = try_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	try_bind(fd, &address, sizeof address);
	try_connect(fd, &address, sizeof address);
	try_listen(fd, 5);
	close(fd);
	close(try_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	close(try_socket(AF_MAX, SOCK_STREAM, 0));
	close(try_socket(-1, SOCK_STREAM, 0));
	close(try_socket(AF_INET, 0, 0));
	close(try_socket(AF_INET6, SOCK_SEQPACKET, 0));
}

/* Every length that a sockaddr can have and a few more, on each kind of socket. */
static void short_addresses(void)
{
	const struct sockaddr_in address = loopback(ports[0]);
	struct sockaddr_storage in = {.ss_family = AF_INET}, in6 = {.ss_family = AF_INET6};
	const struct sockaddr_in6 address6 = loopback6(ports[0]);
	const int domains[] = {AF_INET, AF_INET6};

	memcpy(&in, &address, sizeof address);
	memcpy(&in6, &address6, sizeof address6);
	for (int i = 0; i < 8; i++) {
		const struct sockaddr_storage *from = i & 1 ? &in6 : &in;
		for (socklen_t length = 0; length <= sizeof *from; length++) {
			int fd = socket(domains[i >> 1 & 1], i & 4 ? SOCK_DGRAM : SOCK_STREAM, 0);
			try_bind(fd, from, length);
			close(fd);
		}
	}
	for (int i = 0; i < 4; i++) {
		int fd = socket(domains[i >> 1], SOCK_DGRAM, 0);
		for (socklen_t length = 0; length <= sizeof in; length++)
			try_connect(fd, i & 1 ? &in6 : &in, length);
		close(fd);
	}
}

static void bad_pointers(void)
{
	static const uintptr_t places[] = {
		0, 1, 2, 4095, UINTPTR_MAX, UINTPTR_MAX - 15, UINTPTR_MAX - 4095};
	static const socklen_t lengths[] = {
		0, 1, 2, 16, 28, 128, 129, INT32_MAX, (socklen_t)INT32_MAX + 1, UINT32_MAX};
	const struct sockaddr_in address = loopback(ports[0]);

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
			int fd = socket(AF_INET, SOCK_STREAM, 0);
			const struct sockaddr *at = (const struct sockaddr *)places[i];
			try_bind_at(fd, at, lengths[j], (int)i);
			errno = MAGIC;
			say("connect", (int)lengths[j], connect(fd, at, lengths[j]));
			close(fd);
		}
	}
	for (size_t j = 6; j < sizeof lengths / sizeof *lengths; j++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		try_bind_at(fd, at_end(&address, sizeof address), lengths[j], -1);
		close(fd);
	}
}

static void unspecified_family(void)
{
	struct sockaddr_in any = {.sin_family = AF_UNSPEC, .sin_port = htons((uint16_t)ports[0])};
	struct sockaddr_in specific = loopback(ports[1]);
	const int domains[] = {AF_INET, AF_INET6};

	specific.sin_family = AF_UNSPEC;
	for (int i = 0; i < 2; i++) {
		for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
			int fd = socket(domains[i], type, 0);
			try_bind(fd, &specific, sizeof specific);
			try_bind(fd, &any, 2);
			try_bind(fd, &any, sizeof any);
			printf("%s: port %d\n", topic, is_bound(fd));
			close(fd);
		}
	}
}

static void wrong_family(void)
{
	const struct sockaddr_in address = loopback(ports[0]);
	const struct sockaddr_in6 address6 = loopback6(ports[0]);
	const struct sockaddr_in elsewhere = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)ports[0]),
		.sin_addr.s_addr = htonl(0xc0000201)}; /* 192.0.2.1, for documentation */
	int fd = socket(AF_INET, SOCK_STREAM, 0), fd6 = socket(AF_INET6, SOCK_STREAM, 0);

	try_bind(fd, &address6, sizeof address6);
	try_bind(fd6, &address, sizeof address);
	try_bind(fd, &elsewhere, sizeof elsewhere);
	try_bind(fd, &address, sizeof address); /* what failed before does no harm */
	try_bind(fd6, &address6, sizeof address6);
	close(fd);
	close(fd6);
}

static void bind_twice(void)
{
	const struct sockaddr_in first = loopback(ports[0]), second = loopback(ports[1]);

	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		int fd = socket(AF_INET, type, 0);
		try_bind(fd, &first, sizeof first);
		try_bind(fd, &first, sizeof first);
		try_bind(fd, &second, sizeof second);
		try_listen(fd, 5);
		try_listen(fd, 6);
		try_bind(fd, &second, sizeof second);
		close(fd);
	}
}

static int wait_for(int fd)
{
	struct pollfd writable = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t length = sizeof error;

	poll(&writable, 1, -1);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	return error;
}

static void connects(void)
{
	const struct sockaddr_in server = loopback(ports[0]), nobody = loopback(ports[2]);
	const struct sockaddr_in6 nobody6 = loopback6(ports[2]);
	const struct sockaddr_in none = {.sin_family = AF_UNSPEC};
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	try_bind(listener, &server, sizeof server);
	try_listen(listener, 16);
	try_connect(listener, &server, sizeof server);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	try_connect(fd, &nobody, sizeof nobody);
	try_connect(fd, &server, sizeof server);
	try_connect(fd, &server, sizeof server);
	try_connect(fd, &none, sizeof none);
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	try_connect(fd, &nobody6, sizeof nobody6);
	try_connect(fd, &server, sizeof server);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	try_connect(fd, &server, sizeof server);
	printf("%s: later %d\n", topic, wait_for(fd));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	try_connect(fd, &nobody, sizeof nobody);
	printf("%s: later %d\n", topic, wait_for(fd));
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	try_connect(fd, &none, sizeof none);
	try_connect(fd, &server, sizeof server);
	try_connect(fd, &none, sizeof none);
	try_connect(fd, &none, 2);
	try_connect(fd, &nobody, sizeof nobody);
	close(fd);
	close(listener);
}

static const struct {
	const char *name;
	void (*run)(void);
} topics[] = {
	{"listen without bind", listen_without_bind},
	{"bind to port 0", bind_to_port_0},
	{"no socket", no_socket},
	{"unix", unix_sockets},
	{"other families", other_families},
	{"short addresses", short_addresses},
	{"bad pointers", bad_pointers},
	{"unspecified family", unspecified_family},
	{"wrong family", wrong_family},
	{"bind twice", bind_twice},
	{"connect", connects},
};

int main(int argc, char **argv)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc < 4 || memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE) < 0)
		return 2;
	end = memory + page;
	for (int i = 0; i < 3; i++)
		ports[i] = atoi(argv[i + 1]);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
		topic = topics[i].name;
		topics[i].run();
	}
	return 0;
}
