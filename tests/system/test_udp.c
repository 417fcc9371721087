/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unmodified UDP receivers share a port: each datagram reaches one, a multicast one reaches all;
 * and what is no UDP socket, or is not to be shared.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DATAGRAMS 400
#define GROUP	  "239.255.12.34"

/*
 * Each of two receivers gets a part with the binomial distribution, mean 200, standard deviation
 * sqrt(400 * 1/2 * 1/2) = 10. The exact sum of its two tails beyond 60 is 9.7e-10.
 */
#define FEWEST (DATAGRAMS / 2 - 60)

static struct process *start_receiver(const char *address, bool is_bare)
{
	return process_start(
		WORDS(need_program("socat"), "-u", address, "STDOUT"), .is_bare = is_bare);
}

/* Sends TEXT from a socket of its own, so from a port of its own. */
static void send_datagram(const char *address, int port, const char *text)
{
	struct sockaddr_storage peer;
	socklen_t length = make_address(&peer, address, port);
	int fd = socket(peer.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct in_addr loopback = {htonl(INADDR_LOOPBACK)};

	cr_assert(fd >= 0);
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof loopback);
	cr_assert_eq(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&peer, length),
		(ssize_t)strlen(text), "%s", strerror(errno));
	close(fd);
}

static int count_lines(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

struct receipt {
	struct process *first, *second;
	int lines;
};

static bool have_all_come(void *context)
{
	const struct receipt *receipt = context;

	return count_lines(process_output(receipt->first)) +
		       count_lines(process_output(receipt->second)) >=
	       receipt->lines;
}

static void expect_shared(const char *kind, const char *address)
{
	int port = port_new();
	const char *receiver = format("%s:%d", kind, port);
	struct process *first = start_receiver(receiver, false);
	struct process *second = start_receiver(receiver, false);
	struct receipt receipt = {first, second, DATAGRAMS};

	process_wait_port(first, "udp", port);
	process_wait_port(second, "udp", port);
	for (int i = 0; i < DATAGRAMS; i++)
		send_datagram(address, port, format("datagram %d\n", i));
	wait_until(have_all_come, &receipt, "every datagram");
	int of_first = count_lines(process_output(first));
	int of_second = count_lines(process_output(second));
	cr_expect_eq(of_first + of_second, DATAGRAMS);
	cr_expect(of_first >= FEWEST && of_second >= FEWEST,
		"%d datagrams reached the first receiver, %d the second", of_first, of_second);
}

Test(udp, two_receivers_share_a_port)
{
	expect_shared("UDP4-RECV", "127.0.0.1");
}

Test(udp, two_receivers_share_a_port_of_ip6)
{
	expect_shared("UDP6-RECV", "::1");
}

Test(udp, without_libreuse_a_second_receiver_fails)
{
	int port = port_new();
	struct process *first = start_receiver(format("UDP4-RECV:%d", port), true);

	process_wait_port(first, "udp", port);
	struct process *second = start_receiver(format("UDP4-RECV:%d", port), true);
	cr_expect_neq(process_wait(second), 0);
	process_wait_text(second, "Address already in use");
}

Test(udp, two_multicast_receivers_each_get_every_datagram)
{
	int port = port_new();
	const char *receiver = format("UDP4-RECV:%d,ip-add-membership=" GROUP ":127.0.0.1", port);
	struct process *first = start_receiver(receiver, false);
	struct process *second = start_receiver(receiver, false);
	const char *sent = "";

	process_wait_port(first, "udp", port);
	process_wait_port(second, "udp", port);
	for (int i = 0; i < 20; i++) {
		const char *text = format("datagram %d\n", i);
		struct receipt receipt = {first, second, 2 * (i + 1)};
		/* One by one, so that none is dropped and none comes before its forerunner. */
		send_datagram(GROUP, port, text);
		wait_until(have_all_come, &receipt, "the datagram at both receivers");
		sent = format("%s%s", sent, text);
	}
	cr_expect_str_eq(process_output(first), sent);
	cr_expect_str_eq(process_output(second), sent);
}

/* ---- raw sockets ---- */

static void expect_calls(const char *rules, const char *socket, const char *output)
{
	struct process *process =
		process_start(WORDS(program_path("calls"), socket,
				      format("bind=127.0.0.1:%d", port_new()), "options"),
			.environment = WORDS(format("REUSE_RULES=%s", rules)));

	expect_output(process, output);
}

/* The kernel gives SO_REUSEADDR to every raw socket. */
#define RAW_UNSHARED "bind: ok\nreuseport=0 reuseaddr=1\n"
#define RAW_REFUSED  "bind: EACCES\nreuseport=0 reuseaddr=1\n"

Test(udp, a_raw_socket_has_no_protocol_with_a_name)
{
	not_under_kernel("raw sockets are not seen");
	need_root();
	expect_calls("udp share", "udp", "bind: ok\nreuseport=1 reuseaddr=0\n");
	expect_calls("udp share", "raw=17", RAW_UNSHARED);
	expect_calls("udp share; deny", "raw=17", RAW_REFUSED);
	expect_calls("udp deny", "udp", "bind: EACCES\nreuseport=0 reuseaddr=0\n");
	expect_calls("udp deny", "raw=17", RAW_UNSHARED);
	expect_calls("tcp deny", "tcp", "bind: EACCES\nreuseport=0 reuseaddr=0\n");
	expect_calls("tcp deny", "raw=6", RAW_UNSHARED);
	expect_calls("tcp share; deny", "raw=6", RAW_REFUSED);
}

Test(udp, a_raw_socket_is_left_alone_by_early_rules_for_udp)
{
	need_root();
	for (int is_raw = 0; is_raw < 2; is_raw++) {
		struct process *process = process_start(
			WORDS(program_path("calls"), is_raw ? "raw=17" : "udp", "options"),
			.environment = WORDS("REUSE_RULES=udp early share"));
		expect_output(process,
			is_raw ? "reuseport=0 reuseaddr=1\n" : "reuseport=1 reuseaddr=0\n");
	}
}

/* ---- exclusive ---- */

static struct process *bind_exclusively(const char *before, const char *log)
{
	struct process *process = process_start(
		WORDS(program_path("calls"), "udp", before, format("bind=127.0.0.1:%d", port_new()),
			"options"),
		.environment = WORDS("REUSE_RULES=udp exclusive", format("REUSE_LOG=%s", log)));

	cr_assert_eq(process_wait(process), 0);
	cr_expect(strstr(process_output(process), "bind: ok\nreuseport=0 reuseaddr=0\n"), "%s",
		process_output(process));
	return process;
}

#define TOOK_AWAY "exclusive cleared SO_REUSEADDR"

Test(udp, exclusive_logs_that_it_clears_an_option_of_the_program)
{
	not_under_kernel("it writes no log");
	expect_says(bind_exclusively("reuseaddr", "info"), TOOK_AWAY);
	cr_expect_null(strstr(process_errors(bind_exclusively("errno=0", "info")), TOOK_AWAY));
	cr_expect_null(strstr(process_errors(bind_exclusively("reuseaddr", "warn")), TOOK_AWAY));
}
