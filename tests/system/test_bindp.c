/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bindp's five variables do what its README describes, for servers and for clients; and for IPv6.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HTTP_ANSWER "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct process *start_http_server(
	const char *address, int port, const char *const *environment)
{
	return process_start(WORDS(need_program("python3"), "-m", "http.server", "--bind", address,
				     format("%d", port)),
		.environment = environment);
}

/* What the program's socket calls gave, under the variables. */
#define run_calls(ENVIRONMENT, ...)                                                                \
	process_run(WORDS(need_program("python3"), script_path("sockets.py"), __VA_ARGS__),        \
		.environment = ENVIRONMENT)

static void expect_said(const struct process *process, const char *words)
{
	cr_expect(strstr(process_errors(process), words), "it says \"%s\", not \"%s\"",
		process_errors(process), words);
}

/* That exactly one socket, with that address and port, listens in this network. */
static void expect_alone(const char *address, int port)
{
	struct socket_line line;

	cr_assert_eq(socket_list("tcp", ANY_PORT, &line, 1), 1);
	cr_expect(line.is_listening);
	cr_expect_str_eq(line.address, address, "%s", line.address);
	cr_expect_eq(line.port, port);
}

/* Answers the next client as an HTTP server, and returns where it came from. */
static const char *answer_client(int server)
{
	char peer[PEER_SIZE], request[4096] = "";
	int fd = server_accept(server, peer);
	size_t length = 0;

	while (!strstr(request, "\r\n\r\n")) {
		ssize_t got = recv(fd, request + length, sizeof request - length - 1, 0);
		cr_assert(got > 0);
		length += (size_t)got;
	}
	cr_assert(send(fd, HTTP_ANSWER, strlen(HTTP_ANSWER), MSG_NOSIGNAL) > 0);
	close(fd);
	return format("%s", peer);
}

/* ---- servers ---- */

Test(bindp, bind_addr_and_bind_port_say_where_a_server_listens)
{
	need_root();
	enter_network_namespace();

	struct process *server =
		start_http_server("0.0.0.0", 8000, WORDS("BIND_ADDR=127.0.0.1", "BIND_PORT=8888"));
	process_wait_port(server, "tcp", 8888);
	expect_alone("127.0.0.1", 8888);
}

Test(bindp, bind_addr_alone_keeps_the_port)
{
	need_root();
	enter_network_namespace();

	struct process *server = start_http_server("0.0.0.0", 8000, WORDS("BIND_ADDR=127.0.0.2"));
	process_wait_port(server, "tcp", 8000);
	expect_alone("127.0.0.2", 8000);
}

Test(bindp, bind_port_changes_the_port_of_nginx)
{
	need_root();
	enter_network_namespace();
	char answer[1024];

	struct process *nginx =
		nginx_start("listen 80;", "nginx is here", .environment = WORDS("BIND_PORT=8888"));
	process_wait_port(nginx, "tcp", 8888);
	expect_alone("0.0.0.0", 8888);
	client_ask("127.0.0.1", 8888, "GET / HTTP/1.0\r\n\r\n", NULL, answer, sizeof answer);
	cr_expect(strstr(answer, "nginx is here"));
}

Test(bindp, bind_port_changes_one_port_for_both_families)
{
	need_root();
	enter_network_namespace();

	struct process *nginx = nginx_start("listen 80; listen [::]:80;", "nginx is here",
		.environment = WORDS("BIND_PORT=8888"));
	process_wait_port(nginx, "tcp", 8888);
	wait_listening("tcp", 8888, 2);
	wait_listening("tcp", ANY_PORT, 2);
}

Test(bindp, reuse_addr_and_reuse_port_let_two_copies_of_a_script_listen)
{
	const char *const *variables = WORDS("REUSE_ADDR=1", "REUSE_PORT=1");
	const char *python = need_program("python3");
	const char *port = format("%d", port_new());

	for (int i = 0; i < 2; i++)
		process_wait_port(process_start(WORDS(python, script_path("answer.py"), port),
					  .environment = variables),
			"tcp", (int)strtol(port, NULL, 10));
}

Test(bindp, with_reuse_addr_only_two_copies_cannot_listen)
{
	const char *const *variables = WORDS("REUSE_ADDR=1");
	const char *python = need_program("python3");
	int port = port_new();

	process_wait_port(process_start(WORDS(python, script_path("answer.py"), format("%d", port)),
				  .environment = variables),
		"tcp", port);
	struct process *second =
		process_start(WORDS(python, script_path("answer.py"), format("%d", port)),
			.environment = variables);
	cr_expect_neq(process_wait(second), 0);
	expect_said(second, "Address already in use");
}

Test(bindp, two_java_servers_move_to_one_port_and_share_it)
{
	const char *java = need_program("java");
	int port = port_new(), wanted = port_new();

	for (int i = 0; i < 2; i++)
		process_wait_port(process_start(WORDS(java, "-XX:TieredStopAtLevel=1",
							script_path("Server.java"),
							format("%d", wanted), "answer"),
					  .environment = WORDS("REUSE_ADDR=1", "REUSE_PORT=1",
						  format("BIND_PORT=%d", port))),
			"tcp", port);
	wait_listening("tcp", port, 2);
	wait_listening("tcp", wanted, 0);
}

Test(bindp, a_server_with_an_ip6_socket_listens_on_the_ip6_address)
{
	need_root();
	enter_network_namespace();

	struct process *server =
		start_http_server("::", 8000, WORDS("BIND_ADDR=::1", "BIND_PORT=8888"));
	process_wait_port(server, "tcp", 8888);
	expect_alone("::1", 8888);
}

Test(bindp, a_second_port_fails_and_the_log_says_how_to_name_the_one_that_moves)
{
	int first = port_new(), second = port_new(), target = port_new();
	struct process *process = run_calls(WORDS(format("BIND_PORT=%d", target)), "tcp4",
		format("bind=127.0.0.1,%d", first), "name", "tcp4",
		format("bind=127.0.0.1,%d", second));

	expect_output(process, format("tcp4 ok\nbind=127.0.0.1,%d ok\nname 127.0.0.1,%d\n"
				      "tcp4 ok\nbind=127.0.0.1,%d EADDRINUSE\n",
				       first, target, second));
	expect_said(process, format("-p %d:%d", second, target));
}

Test(bindp, ip_transparent_binds_an_address_that_is_not_local)
{
	need_root();
	enter_network_namespace();

	struct process *refused =
		start_http_server("0.0.0.0", 8000, WORDS("BIND_ADDR=203.0.113.5"));
	cr_expect_neq(process_wait(refused), 0);
	expect_said(refused, "Cannot assign requested address");

	struct process *server = start_http_server(
		"0.0.0.0", 8000, WORDS("BIND_ADDR=203.0.113.5", "IP_TRANSPARENT=1"));
	process_wait_port(server, "tcp", 8000);
	expect_alone("203.0.113.5", 8000);
}

Test(bindp, ip_transparent_binds_an_ip6_address_that_is_not_local)
{
	need_root();
	enter_network_namespace();

	struct process *refused = start_http_server("::", 8000, WORDS("BIND_ADDR=2001:db8::5"));
	cr_expect_neq(process_wait(refused), 0);
	expect_said(refused, "Cannot assign requested address");

	struct process *server =
		start_http_server("::", 8000, WORDS("BIND_ADDR=2001:db8::5", "IP_TRANSPARENT=1"));
	process_wait_port(server, "tcp", 8000);
	expect_alone("2001:db8::5", 8000);
}

/* ---- clients ---- */

/* curl as in the README; returns the address from which the server saw it come. */
static const char *source_of_curl(const char *url, int server, const char *const *environment)
{
	struct process *curl =
		process_start(WORDS(need_program("curl"), "--silent", "--show-error", url),
			.environment = environment);
	const char *peer = answer_client(server);

	cr_expect_eq(process_wait(curl), 0, "%s", process_errors(curl));
	cr_expect_str_eq(process_output(curl), "ok");
	return peer;
}

Test(bindp, bind_addr_and_bind_port_say_where_curl_comes_from)
{
	need_root();
	enter_network_namespace();
	ip("address", "add", "192.168.190.128/32", "dev", "lo");
	int server = server_listen("192.168.190.128", 80);

	cr_expect_str_eq(source_of_curl("http://192.168.190.128", server,
				 WORDS("BIND_ADDR=127.0.0.1", "BIND_PORT=49888")),
		"127.0.0.1,49888");
}

Test(bindp, bind_addr_alone_says_which_address_curl_comes_from)
{
	need_root();
	enter_network_namespace();
	ip("address", "add", "192.168.190.128/32", "dev", "lo");
	int server = server_listen("192.168.190.128", 80);

	const char *source =
		source_of_curl("http://192.168.190.128", server, WORDS("BIND_ADDR=127.0.0.9"));
	cr_expect(strncmp(source, "127.0.0.9,", 10) == 0, "%s", source);
}

Test(bindp, an_ip6_client_comes_from_the_address_and_port_that_are_named)
{
	need_root();
	enter_network_namespace();
	ip("address", "add", "2001:db8::1/128", "dev", "lo");
	int server = server_listen("::1", 80);

	cr_expect_str_eq(source_of_curl("http://[::1]", server,
				 WORDS("BIND_ADDR=2001:db8::1", "BIND_PORT=49888")),
		"2001:db8::1,49888");
}

Test(bindp, ip_transparent_gives_a_client_an_address_that_is_not_local)
{
	need_root();
	enter_network_namespace();
	ip("address", "add", "10.10.10.11/32", "dev", "lo");
	struct process *process =
		run_calls(WORDS("BIND_ADDR=203.0.113.5"), "tcp4", "connect=10.10.10.11,10001");
	expect_output(process, "tcp4 ok\nconnect=10.10.10.11,10001 EADDRNOTAVAIL\n");

	/* UDP: the kernel's answers to a TCP client would not come back to this machine. */
	process = run_calls(WORDS("BIND_ADDR=203.0.113.5", "IP_TRANSPARENT=1"), "udp4",
		"connect=10.10.10.11,10001", "get=IP_TRANSPARENT");
	expect_output(process, "udp4 ok\nconnect=10.10.10.11,10001 ok\nget=IP_TRANSPARENT 1\n");
}

static struct process *start_nc(const char *port)
{
	return process_start(WORDS(need_program("nc"), "-v", "10.10.10.11", port),
		.environment = WORDS("REUSE_PORT=1", "BIND_ADDR=10.10.10.10", "BIND_PORT=49999"));
}

Test(bindp, two_clients_with_one_source_reach_two_destinations_and_a_third_gets_the_kernels_error)
{
	need_root();
	enter_network_namespace();
	char peer[PEER_SIZE];

	ip("address", "add", "10.10.10.10/32", "dev", "lo");
	ip("address", "add", "10.10.10.11/32", "dev", "lo");
	int server = server_listen("10.10.10.11", 10001);
	int other_server = server_listen("10.10.10.11", 10011);

	struct process *first = start_nc("10001");
	int fd = server_accept(server, peer);
	cr_expect_str_eq(peer, "10.10.10.10,49999", "%s", peer);
	struct process *second = start_nc("10011");
	int other_fd = server_accept(other_server, peer);
	cr_expect_str_eq(peer, "10.10.10.10,49999", "%s", peer);

	struct process *third = start_nc("10001");
	cr_expect_neq(process_wait(third), 0);
	expect_said(third, "Cannot assign requested address");
	cr_expect(!process_ended(first) && !process_ended(second));
	close(fd);
	close(other_fd);
	cr_expect_eq(process_wait(first), 0);
	cr_expect_eq(process_wait(second), 0);
}

Test(bindp, a_client_whose_port_is_taken_uses_another_and_logs_that)
{
	int port = port_new();
	int server = server_listen("127.0.0.1", port);
	int taken = port_new();
	char peer[PEER_SIZE];

	server_listen("127.0.0.1", taken);
	struct process *process =
		run_calls(WORDS("BIND_ADDR=127.0.0.1", format("BIND_PORT=%d", taken)), "tcp4",
			format("connect=127.0.0.1,%d", port));
	expect_output(process, format("tcp4 ok\nconnect=127.0.0.1,%d ok\n", port));
	expect_said(process,
		format("source tcp 127.0.0.1:%d is not available: EADDRINUSE; another port is used",
			taken));
	close(server_accept(server, peer));
	cr_expect(strncmp(peer, "127.0.0.1,", 10) == 0, "%s", peer);
	cr_expect_str_neq(peer, format("127.0.0.1,%d", taken));
}

/* ---- other programs' variables ---- */

Test(bindp, reuse_bindp_off_leaves_the_variables_to_the_program)
{
	int port = port_new();
	struct process *process =
		run_calls(WORDS("REUSE_BINDP=off", "BIND_ADDR=0.0.0.0:80", "BIND_PORT=1"), "tcp4",
			format("bind=127.0.0.1,%d", port), "name", "get=SO_REUSEPORT");

	/* The built-in policy is back. */
	expect_output(process, format("tcp4 ok\nbind=127.0.0.1,%d ok\nname 127.0.0.1,%d\n"
				      "get=SO_REUSEPORT 1\n",
				       port, port));
	cr_expect_str_empty(process_errors(process));
}

Test(bindp, a_mistyped_bind_addr_makes_binds_fail_and_the_log_names_reuse_bindp_off)
{
	int port = port_new();
	struct process *process = run_calls(WORDS("BIND_ADDR=127.0.0.l"), "tcp4",
		format("bind=127.0.0.1,%d", port), "listen", "connect=127.0.0.1,1", "name");

	expect_output(process, format("tcp4 ok\nbind=127.0.0.1,%d EINVAL\nlisten EINVAL\n"
				      "connect=127.0.0.1,1 EINVAL\nname 0.0.0.0,0\n",
				       port));
	expect_said(process, "BIND_ADDR=127.0.0.l is not an IPv4 or IPv6 address");
	expect_said(process, "REUSE_BINDP=off");
}

Test(bindp, a_mistyped_bind_port_makes_binds_fail_too)
{
	int port = port_new();
	struct process *process = run_calls(
		WORDS("BIND_PORT=80a"), "tcp4", format("bind=127.0.0.1,%d", port), "name");

	expect_output(process, format("tcp4 ok\nbind=127.0.0.1,%d EINVAL\nname 0.0.0.0,0\n", port));
	expect_said(process, "BIND_PORT=80a is not a port from 1 to 65535");
	expect_said(process, "REUSE_BINDP=off");
}
