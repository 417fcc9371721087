/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of real servers share a port under the built-in policy; without libreuse they cannot. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#define COPIES_MOST 4
#define CONNECTIONS 2000

/*
 * How far from the mean a copy's part of 2,000 connections may be. The kernel's hash of addresses
 * and ports decides, so a fair one gives each copy a number with the binomial distribution: mean
 * 1000, standard deviation sqrt(2000 * 1/2 * 1/2) = 22.4 for two copies; mean 500, deviation
 * sqrt(2000 * 1/4 * 3/4) = 19.4 for four. The exact sum of that distribution's two tails is 6.8e-8
 * for more than 120 of two copies, where one number decides the other; and 3.2e-9 for more than 115
 * of one of four copies, so at most 1.3e-8 for any of them.
 */
#define MEAN(COPIES)	  (CONNECTIONS / (COPIES))
#define DEVIATION(COPIES) ((COPIES) == 2 ? 120 : 115)

/* One copy: what starts it, and by which words of its answers it is known. */
struct copy {
	struct process *process;
	const char *mark;
};

struct server {
	/* Starts copy number NUMBER on the port; IS_BARE: without libreuse. */
	struct copy (*start)(int port, int number, bool is_bare);
	const char *request; /* NULL: it answers unasked */
	const char *stop;    /* what ends its answer; NULL: it closes the connection */
};

#define HTTP_REQUEST "GET /name HTTP/1.0\r\n\r\n"

static const char *name_of(int number)
{
	return format("copy-%d.", number);
}

static struct copy start_python_at(const char *address, int port, int number, bool is_bare)
{
	const char *directory = new_directory();

	write_file(directory, "name", name_of(number));
	return (struct copy){
		process_start(WORDS(need_program("python3"), "-m", "http.server", "--bind", address,
				      "--directory", directory, format("%d", port)),
			.is_bare = is_bare),
		name_of(number)};
}

static struct copy start_python(int port, int number, bool is_bare)
{
	return start_python_at("0.0.0.0", port, number, is_bare);
}

static struct copy start_python_ip6(int port, int number, bool is_bare)
{
	return start_python_at("::1", port, number, is_bare);
}

static struct copy start_node(int port, int number, bool is_bare)
{
	return (struct copy){process_start(WORDS(need_program("node"), script_path("server.js"),
						   format("%d", port), name_of(number)),
				     .is_bare = is_bare),
		name_of(number)};
}

static struct copy start_nginx(int port, int number, bool is_bare)
{
	return (struct copy){
		nginx_start(format("listen %d;", port), name_of(number), .is_bare = is_bare),
		name_of(number)};
}

static struct copy start_redis(int port, int number, bool is_bare)
{
	struct process *process = process_start(
		WORDS(need_program("redis-server"), "--port", format("%d", port), "--save", ""),
		.is_bare = is_bare, .directory = new_directory());

	(void)number;
	return (struct copy){process, format("process_id:%d\r", (int)process_program(process))};
}

static struct copy start_java(int port, int number, bool is_bare)
{
	return (struct copy){process_start(WORDS(need_program("java"), "-XX:TieredStopAtLevel=1",
						   script_path("Server.java"), format("%d", port),
						   name_of(number)),
				     .is_bare = is_bare),
		name_of(number)};
}

static struct copy start_socat(int port, int number, bool is_bare)
{
	const char *file = write_file(new_directory(), "name", name_of(number));

	return (struct copy){process_start(WORDS(need_program("socat"), "-U",
						   format("TCP4-LISTEN:%d,fork,backlog=128", port),
						   format("OPEN:%s,rdonly", file)),
				     .is_bare = is_bare),
		name_of(number)};
}

static const struct server python = {start_python, HTTP_REQUEST, NULL};
static const struct server python_ip6 = {start_python_ip6, HTTP_REQUEST, NULL};
static const struct server node = {start_node, NULL, NULL};
static const struct server nginx = {start_nginx, HTTP_REQUEST, NULL};
static const struct server redis = {start_redis, "INFO server\r\n", "tcp_port:"};
static const struct server java = {start_java, NULL, NULL};
static const struct server socat = {start_socat, NULL, NULL};

/* The number of the copy that answers a new connection. */
static int ask(const struct server *server, const char *address, int port, const struct copy *copy,
	int copies)
{
	char answer[8192];

	client_ask(address, port, server->request, server->stop, answer, sizeof answer);
	for (int i = 0; i < copies; i++) {
		if (strstr(answer, copy[i].mark))
			return i;
	}
	cr_assert_fail("no copy's answer: \"%s\"", answer);
	return -1;
}

static void expect_fair(const struct server *server, const char *address, int port,
	const struct copy *copy, int copies)
{
	int answers[COPIES_MOST] = {0};

	for (int i = 0; i < CONNECTIONS; i++)
		answers[ask(server, address, port, copy, copies)]++;
	for (int i = 0; i < copies; i++)
		cr_expect(answers[i] >= MEAN(copies) - DEVIATION(copies) &&
				  answers[i] <= MEAN(copies) + DEVIATION(copies),
			"copy %d got %d of %d connections to %s; fair are %d, %d more or less", i,
			answers[i], CONNECTIONS, address, MEAN(copies), DEVIATION(copies));
}

static void start_copies(const struct server *server, int port, struct copy *copy, int copies)
{
	for (int i = 0; i < copies; i++)
		copy[i] = server->start(port, i, false);
	for (int i = 0; i < copies; i++)
		process_wait_port(copy[i].process, "tcp", port);
}

static void expect_shared(const struct server *server, const char *address, int copies)
{
	struct copy copy[COPIES_MOST];
	int port = port_new();

	start_copies(server, port, copy, copies);
	expect_fair(server, address, port, copy, copies);
}

/* Checks that the second copy without libreuse ends, with COMPLAINT. */
static void expect_refused(const struct server *server, const char *complaint)
{
	int port = port_new();
	struct copy first = server->start(port, 0, true);

	process_wait_port(first.process, "tcp", port);
	struct copy second = server->start(port, 1, true);
	cr_expect(process_wait(second.process) != 0);
	process_wait_text(second.process, complaint);
	cr_expect(!process_ended(first.process));
}

Test(sharing, two_copies_of_pythons_http_server_share_a_port)
{
	expect_shared(&python, "127.0.0.1", 2);
}

Test(sharing, four_copies_of_pythons_http_server_share_a_port)
{
	expect_shared(&python, "127.0.0.1", 4);
}

Test(sharing, two_copies_of_a_node_server_share_a_port)
{
	expect_shared(&node, "127.0.0.1", 2);
}

Test(sharing, four_copies_of_a_node_server_share_a_port)
{
	expect_shared(&node, "127.0.0.1", 4);
}

Test(sharing, two_copies_of_nginx_share_a_port)
{
	expect_shared(&nginx, "127.0.0.1", 2);
}

Test(sharing, four_copies_of_nginx_share_a_port)
{
	expect_shared(&nginx, "127.0.0.1", 4);
}

Test(sharing, two_copies_of_redis_share_a_port)
{
	expect_shared(&redis, "127.0.0.1", 2);
}

Test(sharing, four_copies_of_redis_share_a_port)
{
	expect_shared(&redis, "127.0.0.1", 4);
}

Test(sharing, two_copies_of_a_java_server_share_a_port)
{
	expect_shared(&java, "127.0.0.1", 2);
}

Test(sharing, four_copies_of_a_java_server_share_a_port)
{
	expect_shared(&java, "127.0.0.1", 4);
}

Test(sharing, two_copies_of_socat_share_a_port)
{
	expect_shared(&socat, "127.0.0.1", 2);
}

Test(sharing, four_copies_of_socat_share_a_port)
{
	expect_shared(&socat, "127.0.0.1", 4);
}

Test(sharing, two_copies_share_a_port_of_an_ip6_address)
{
	expect_shared(&python_ip6, "::1", 2);
}

Test(sharing, two_copies_with_dual_stack_sockets_share_a_port_for_both_families)
{
	struct copy copy[2];
	int port = port_new();

	start_copies(&node, port, copy, 2);
	expect_fair(&node, "127.0.0.1", port, copy, 2);
	expect_fair(&node, "::1", port, copy, 2);
}

Test(sharing, without_libreuse_a_second_copy_of_pythons_http_server_fails)
{
	expect_refused(&python, "Address already in use");
}

Test(sharing, without_libreuse_a_second_copy_of_pythons_http_server_fails_with_ip6)
{
	expect_refused(&python_ip6, "Address already in use");
}

Test(sharing, without_libreuse_a_second_copy_of_a_node_server_fails)
{
	expect_refused(&node, "EADDRINUSE");
}

Test(sharing, without_libreuse_a_second_copy_of_nginx_fails)
{
	expect_refused(&nginx, "failed (98: ");
}

Test(sharing, without_libreuse_a_second_copy_of_redis_fails)
{
	expect_refused(&redis, "Address already in use");
}

Test(sharing, without_libreuse_a_second_copy_of_a_java_server_fails)
{
	expect_refused(&java, "Address already in use");
}

Test(sharing, without_libreuse_a_second_copy_of_socat_fails)
{
	expect_refused(&socat, "Address already in use");
}

/* ---- clients that bind their own end ---- */

#define CLIENTS 4

/* The rules of the manual that leave such clients alone, in a file. */
static const char *write_manuals_rules(void)
{
	static const char start[] = ".Bd -literal -offset indent\n# curl";
	const char *page = read_file(format("%s/man/libreuse.7", source_path()));
	const char *at = strstr(page, start), *end = at ? strstr(at, "\n.Ed") : NULL;
	char rules[1024];
	size_t length = 0;

	cr_assert(at && end && end - at < (ptrdiff_t)sizeof rules);
	for (at = strchr(at, '\n') + 1; at <= end; at++) {
		if (*at != '\\')
			rules[length++] = *at;
	}
	rules[length] = '\0';
	return write_file(new_directory(), "rules", rules);
}

static struct process *start_curl(const char *range, int port, const char *config)
{
	return process_start(WORDS(need_program("curl"), "-s", "--local-port", range,
				     format("http://127.0.0.1:%d/", port)),
		.environment = WORDS(format("REUSE_CONFIG=%s", config)));
}

Test(sharing, under_the_rules_of_the_manual_each_client_gets_its_own_port)
{
	need_root();
	enter_network_namespace();
	int listener = server_listen("127.0.0.1", 80);
	const char *config = write_manuals_rules();
	char peers[CLIENTS][PEER_SIZE];

	process_run(WORDS(run_path(), "--check", "-f", config), .is_bare = true);
	for (int i = 0; i < CLIENTS; i++) {
		start_curl("40000-40019", 80, config);
		server_accept(listener, peers[i]);
		cr_expect_str_eq(peers[i], format("127.0.0.1,%d", 40000 + i), "%s", peers[i]);
	}
}

Test(sharing, without_such_rules_two_clients_get_one_port_and_the_second_fails)
{
	need_root();
	enter_network_namespace();
	int listener = server_listen("127.0.0.1", 80);
	char peer[PEER_SIZE];

	start_curl("40000-40019", 80, "");
	server_accept(listener, peer);
	cr_expect_str_eq(peer, "127.0.0.1,40000", "%s", peer);
	cr_expect_neq(process_wait(start_curl("40000-40019", 80, "")), 0);
}
