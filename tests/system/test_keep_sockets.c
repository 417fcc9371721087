/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which kept socket a bind takes, and what of the program's own socket goes over to it. */
#include "systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a service that makes calls ---- */

static const char *folder; /* of the script with the calls */
static int starts;

/* Has the service "kept" make these calls of programs/sockets.py at its next start. */
static void write_calls(const char *calls)
{
	write_file(folder, "calls",
		format("exec %s %s %s stay\n", need_program("python3"), script_path("sockets.py"),
			calls));
}

static void add_service(const char *rules)
{
	folder = new_directory();
	systemd_add_service("kept", systemd_kept(rules, format("/bin/sh %s/calls", folder)));
}

/* Starts the service, or restarts it, with these calls; returns their results, in lines. */
static const char *make_calls(const char *calls)
{
	size_t before = starts ? strlen(systemd_log()) : 0;

	write_calls(calls);
	systemd_do("restart", "kept");
	systemd_wait_log("\nstay\n", ++starts);
	return format("\n%s", systemd_log() + before);
}

static const char *boot_and_make_calls(const char *rules, const char *calls)
{
	add_service(rules);
	systemd_boot();
	return make_calls(calls);
}

/* The line of the PLACEth call (from 0) of that name. */
static const char *line_of(const char *lines, const char *call, int place)
{
	const char *at = lines, *name = format("\n%s", call);

	for (; at && place > 0; place--)
		at = strstr(at, name) ? strstr(at, name) + 1 : NULL;
	at = at ? strstr(at, name) : NULL;
	cr_assert(at, "%s is not in: %s", call, lines);
	return format("%.*s", (int)strcspn(at + 1, "\n"), at + 1);
}

static unsigned long inode_of(const char *lines, int place)
{
	return strtoul(line_of(lines, "inode", place) + strlen("inode "), NULL, 10);
}

static void expect_line(const char *lines, const char *line)
{
	cr_expect(strstr(lines, format("\n%s\n", line)), "%s is not in: %s", line, lines);
}

static void expect_same(const char *first, const char *second, int count)
{
	for (int i = 0; i < count; i++)
		cr_expect_eq(
			inode_of(second, i), inode_of(first, i), "socket %d is another one", i);
}

/* ---- which one ---- */

/* All on one port but one, each another socket by one thing alone. */
static const char *const kinds[] = {
	"tcp4 bind=127.0.0.1,8080 listen",
	"tcp4 bind=127.0.0.2,8080 listen",
	"tcp4 bind=127.0.0.1,8081 listen",
	"tcp4 set=SO_BINDTODEVICE,lo bind=127.0.0.1,8080 listen",
	"tcp6 set=IPV6_V6ONLY,1 bind=::,8080 listen",
	"tcp6 set=IPV6_V6ONLY,0 bind=::,8080 listen",
	"tcp6 bind=::1,8080 listen",
	"tcp6 set=IPV6_V6ONLY,0 bind=::ffff:127.0.0.1,8080 listen",
	"udp4 bind=127.0.0.1,8080",
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Calls of all kinds, in that order or backwards. */
static const char *all_kinds(bool is_backwards)
{
	const char *calls = "";

	for (int i = 0; i < KINDS; i++)
		calls = format("%s %s inode", calls, kinds[is_backwards ? KINDS - 1 - i : i]);
	return calls;
}

/* In both orders, because what comes first may be taken by chance. */
Test(keep_sockets, a_bind_takes_the_one_of_its_protocol_family_address_device_and_v6only)
{
	enter_network_namespace();
	const char *first =
		boot_and_make_calls("tcp udp port=8080,8081 -> share keep", all_kinds(false));
	const char *second = make_calls(all_kinds(true)), *third = make_calls(all_kinds(false));
	for (int i = 0; i < KINDS; i++) {
		unsigned long inode = inode_of(first, i);
		cr_expect_eq(inode_of(second, KINDS - 1 - i), inode, "%s: another one", kinds[i]);
		cr_expect_eq(inode_of(third, i), inode, "%s: another one", kinds[i]);
	}
	cr_expect_eq(systemd_stored("kept"), KINDS);
}

Test(keep_sockets, two_sockets_of_one_program_at_one_endpoint_are_both_taken_back)
{
	int port = port_new();
	const char *one = format("tcp4 bind=127.0.0.1,%d listen inode", port);
	const char *two = format("%s %s", one, one);

	boot_and_make_calls(format("tcp port=%d -> share keep", port), two);
	unsigned long before = sum_listening("tcp", port);
	const char *second = make_calls(two);
	cr_expect_eq(inode_of(second, 0) + inode_of(second, 1), before);
	cr_expect_neq(inode_of(second, 0), inode_of(second, 1));
	cr_expect_eq(sum_listening("tcp", port), before);
}

/* Without the script, which would remove the name when it passes the socket on. */
Test(keep_sockets, a_kept_socket_has_a_name_that_says_what_it_is)
{
	int port = port_new();

	systemd_add_service(
		"kept", systemd_kept(format("tcp port=%d -> share keep", port),
				format("%s %s tcp6 bind=::1,%d listen inode names stay",
					need_program("python3"), script_path("sockets.py"), port)));
	systemd_boot();
	systemd_do("start", "kept");
	systemd_wait_log("stay", 1);
	systemd_do("restart", "kept");
	systemd_wait_log("stay", 2);
	const char *log = systemd_log();
	expect_line(log, "names None"); /* of the first one */
	expect_line(log, format("names libreuse-%lu-tcp-__1-%d", inode_of(log, 0), port));
	cr_expect_eq(inode_of(log, 1), inode_of(log, 0));
}

/* ---- what goes over ---- */

Test(keep_sockets, the_flags_of_the_descriptor_are_the_program_s)
{
	int port = port_new();
	const char *bind = format("bind=127.0.0.1,%d listen flags inode", port);
	const char *first = boot_and_make_calls(format("tcp port=%d -> share keep", port),
		format("tcp4 blocking=1 inheritable=0 %s", bind));
	const char *second = make_calls(format("tcp4 blocking=0 inheritable=1 %s", bind));
	const char *third = make_calls(format("tcp4 blocking=1 inheritable=0 %s", bind));

	expect_line(first, "flags blocking cloexec");
	expect_line(second, "flags nonblocking");
	expect_line(third, "flags blocking cloexec");
	expect_same(first, second, 1);
	expect_same(first, third, 1);
}

#define GETS                                                                                       \
	"get=SO_KEEPALIVE get=TCP_KEEPIDLE get=IP_TTL get=TCP_NODELAY get=SO_RCVBUF "              \
	"get=SO_SNDBUF get=TCP_MAXSEG inode"

Test(keep_sockets, options_are_those_that_the_new_program_sets)
{
	int port = port_new();
	const char *bind = format("bind=127.0.0.1,%d listen " GETS, port);
	const char *first = boot_and_make_calls(format("tcp port=%d -> share keep", port),
		format("tcp4 set=SO_KEEPALIVE,1 set=TCP_KEEPIDLE,77 set=IP_TTL,33 %s", bind));
	const char *second = make_calls(format("tcp4 set=IP_TTL,44 set=TCP_NODELAY,1 %s", bind));

	expect_line(first, "get=TCP_KEEPIDLE 77");
	expect_line(second, "get=SO_KEEPALIVE 0");
	expect_line(second, "get=TCP_KEEPIDLE 7200");
	expect_line(second, "get=IP_TTL 44");
	expect_line(second, "get=TCP_NODELAY 1");
	expect_same(first, second, 1);
}

/* The kernel doubles a size that is set, and does not tell the MSS of a socket that listens. */
Test(keep_sockets, buffers_stay_what_the_program_has_set_and_the_mss_what_it_was)
{
	int port = port_new();
	const char *bind = format("bind=127.0.0.1,%d listen " GETS, port);
	const char *sizes = format("tcp4 set=SO_RCVBUF,20000 set=SO_SNDBUF,30000 %s", bind);
	const char *first = boot_and_make_calls(format("tcp port=%d -> share keep", port),
		format("tcp4 set=TCP_MAXSEG,1000 set=SO_RCVBUF,20000 set=SO_SNDBUF,30000 %s",
			bind));
	const char *second = make_calls(sizes), *third = make_calls(sizes);
	const char *fourth = make_calls(format("tcp4 set=SO_RCVBUF,10000 %s", bind));
	const char *fifth = make_calls(format("tcp4 %s", bind));

	expect_line(first, "get=SO_RCVBUF 40000");
	expect_line(second, "get=SO_RCVBUF 40000");
	expect_line(third, "get=SO_RCVBUF 40000");
	expect_line(third, "get=SO_SNDBUF 60000");
	expect_line(third, "get=TCP_MAXSEG 1000");
	expect_line(fourth, "get=SO_RCVBUF 20000");
	expect_line(fifth, "get=SO_RCVBUF 20000"); /* nothing was set, so nothing is changed */
	expect_same(first, fifth, 1);
}

static int somaxconn(void)
{
	return atoi(read_file("/proc/sys/net/core/somaxconn"));
}

Test(keep_sockets, the_backlog_is_the_system_s_maximum)
{
	int port = port_new();
	const char *calls = format("tcp4 bind=127.0.0.1,%d listen=5 backlog", port);
	const char *first = boot_and_make_calls(format("tcp port=%d -> share keep", port), calls);

	expect_line(first, format("backlog %d", somaxconn()));
	expect_line(make_calls(calls), format("backlog %d", somaxconn()));
}

Test(keep_sockets, a_rule_with_a_backlog_applies)
{
	int port = port_new();
	const char *calls = format("tcp4 bind=127.0.0.1,%d listen=5 backlog", port);

	boot_and_make_calls(format("tcp port=%d -> share keep backlog=9", port), calls);
	expect_line(make_calls(calls), "backlog 9");
}

/* ---- who else gets it ---- */

Test(keep_sockets, children_get_kept_sockets_until_the_first_bind)
{
	int port = port_new();
	const char *calls = format("child tcp4 bind=127.0.0.1,%d child listen child", port);

	boot_and_make_calls(format("tcp port=%d -> share keep", port), calls);
	const char *second = make_calls(calls);
	cr_expect_str_eq(line_of(second, "child", 0), "child 1");
	cr_expect_str_eq(line_of(second, "child", 1), "child 0");
	cr_expect_str_eq(line_of(second, "child", 2), "child 0");
}

Test(keep_sockets, a_program_that_knows_activation_sees_only_what_a_socket_unit_gave)
{
	int port = port_new(), activated = port_new();
	const char *calls =
		format("activation inherited=3 name tcp4 bind=127.0.0.1,%d listen inode", port);

	systemd_add("web.socket",
		format("[Socket]\nListenStream=127.0.0.1:%d\nFileDescriptorName=web\nService=kept."
		       "service\n",
			activated));
	add_service(format("tcp port=%d -> share keep", port));
	systemd_boot();
	systemd_do("start", "web.socket");
	const char *first = make_calls(calls), *second = make_calls(calls);
	expect_line(second, format("name 127.0.0.1,%d", activated));
	cr_expect(strstr(second, "activation ('1', 'web')\n"), "%s", second);
	expect_same(first, second, 1);
}

Test(keep_sockets, a_program_with_nothing_but_kept_sockets_sees_no_activation)
{
	int port = port_new();
	const char *calls = format("activation tcp4 bind=127.0.0.1,%d listen", port);

	boot_and_make_calls(format("tcp port=%d -> share keep", port), calls);
	cr_expect(strstr(make_calls(calls), "activation (None, None)\n"));
}

/* The second time it does not listen any more, and the kernel remembers it. */
Test(keep_sockets, a_tcp_socket_that_was_shut_down_before_it_listened_serves_again)
{
	const char *binds[] = {
		format("tcp4 bind=127.0.0.1,%d", port_new()),
		format("tcp6 bind=::1,%d", port_new()),
		format("mptcp4 bind=127.0.0.1,%d", port_new()),
	};

	add_service("tcp port=1-65535 -> share keep");
	systemd_boot();
	for (int i = 0; i < 3; i++) {
		const char *first =
			make_calls(format("%s listen inode shutdown shutdown", binds[i]));
		const char *second = make_calls(format("%s listen inode greeting", binds[i]));
		expect_line(second, "greeting hello");
		expect_same(first, second, 1);
	}
}

/* ---- UDP ---- */

Test(keep_sockets, a_udp_socket_that_was_shut_down_is_not_kept)
{
	int port = port_new();
	const char *calls = format("udp4 bind=127.0.0.1,%d inode", port);
	const char *first = boot_and_make_calls(
		format("udp port=%d -> share keep", port), format("%s shutdown", calls));
	const char *second = make_calls(calls);
	const char *third = make_calls(format("%s greeting", calls));

	cr_expect_neq(inode_of(first, 0), inode_of(second, 0));
	expect_same(second, third, 1);
	expect_line(third, "greeting hello");
	cr_expect_eq(systemd_stored("kept"), 1, "%d are kept", systemd_stored("kept"));
}

Test(keep_sockets, a_udp_socket_that_is_connected_is_not_kept)
{
	int port = port_new();
	const char *calls = format("udp4 bind=127.0.0.1,%d inode connect=127.0.0.1,9", port);
	const char *first = boot_and_make_calls(format("udp port=%d -> share keep", port), calls);

	cr_expect_eq(systemd_stored("kept"), 0);
	const char *second = make_calls(calls);
	expect_line(second, "connect=127.0.0.1,9 ok");
	cr_expect_neq(inode_of(first, 0), inode_of(second, 0));
}

/* The table of kept sockets has fewer entries than that. */
Test(keep_sockets, any_number_of_udp_sockets_can_be_connected_one_after_the_other)
{
	int port = port_new();
	const char *calls = format("udp4 bind=127.0.0.1,%d inode", port);
	const char *one = format("udp4 bind=127.0.0.1,%d connect=127.0.0.1,9 close", port);
	const char *first = boot_and_make_calls(format("udp port=%d -> share keep", port),
		format("$(yes %s | head -n 1100) %s", one, calls));

	cr_expect_eq(systemd_stored("kept"), 1, "%d are kept", systemd_stored("kept"));
	cr_expect_not(strstr(systemd_log(), "not kept"));
	expect_same(first, make_calls(calls), 1);
}

Test(keep_sockets, a_multicast_group_can_be_joined_after_each_start)
{
	const char *after = "udp4 bind=0.0.0.0,8080 join=224.0.0.99 inode";

	enter_network_namespace();
	ip("route", "add", "default", "dev", "lo");
	const char *first = boot_and_make_calls("udp port=8080 -> share keep", after);
	const char *second = make_calls(after);
	expect_line(first, "join=224.0.0.99 ok");
	expect_line(second, "join=224.0.0.99 ok");
	expect_same(first, second, 1);
}

/* Which groups there are in the network is what the kernel tells; no other socket is there. */
Test(keep_sockets, groups_that_were_joined_before_the_bind_are_joined_after_it)
{
	const char *before = "udp4 join=224.0.0.99 bind=0.0.0.0,8080 inode "
			     "udp6 join=ff02::99 bind=::,8081 inode";

	enter_network_namespace();
	ip("route", "add", "default", "dev", "lo");
	const char *first = boot_and_make_calls("udp port=8080,8081 -> share keep", before);
	for (int i = 0; i < 2; i++) {
		expect_same(first, make_calls(before), 2);
		cr_expect(strstr(read_file("/proc/net/igmp"), "630000E0"));
		cr_expect(strstr(read_file("/proc/net/igmp6"), "ff020000000000000000000000000099"));
	}
	make_calls("udp4 bind=0.0.0.0,8080 udp6 bind=::,8081");
	cr_expect_not(strstr(read_file("/proc/net/igmp"), "630000E0"));
	cr_expect_not(strstr(read_file("/proc/net/igmp6"), "ff020000000000000000000000000099"));
}
