/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may have a port, and who may not: other users, exclusive, deny, to=. */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct process *start_server(int port, const char *user)
{
	return process_start(
		WORDS(need_program("python3"), "-m", "http.server", format("%d", port)),
		.user = user);
}

/* The one line of TEXT that holds WORDS. */
static const char *find_line(const char *text, const char *words)
{
	const char *start = strstr(text, words);

	cr_assert(start, "no line holds \"%s\": %s", words, text);
	while (start > text && start[-1] != '\n')
		start--;
	return format("%.*s", (int)strcspn(start, "\n"), start);
}

static void expect_refused(struct process *process, const char *complaint)
{
	cr_expect_neq(process_wait(process), 0);
	cr_expect(strstr(process_errors(process), complaint), "it says \"%s\", not \"%s\"",
		process_errors(process), complaint);
}

/* The line of the log for a second server, of another user than the first. */
static const char *line_of_second(int port, const char *first, const char *second, pid_t *holder)
{
	struct process *server = start_server(port, first);

	process_wait_port(server, "tcp", port);
	*holder = process_program(server);
	struct process *refused = start_server(port, second);
	expect_refused(refused, "Address already in use");
	cr_expect(!process_ended(server));
	return find_line(process_errors(refused), "is in use");
}

Test(users, the_refusal_of_another_users_port_names_the_user_and_the_program)
{
	not_under_kernel("it writes no log");
	need_root();
	pid_t holder;
	int port = port_new();
	const char *line = line_of_second(port, "nobody", NULL, &holder);

	/* behind "libreuse[PID]: " */
	cr_expect_str_eq(strchr(line, ' ') + 1,
		format("warn: tcp 0.0.0.0:%d is in use: tcp 0.0.0.0:%d is held by user nobody, "
		       "program python3, process %d; only processes of one user can share a port, "
		       "and this program runs as root",
			port, port, (int)holder),
		"%s", line);
}

Test(users, a_user_who_may_not_inspect_the_holder_is_told_its_user)
{
	not_under_kernel("it writes no log");
	need_root();
	pid_t holder;
	int port = port_new();
	const char *line = line_of_second(port, NULL, "nobody", &holder);

	cr_expect_str_eq(strchr(line, ' ') + 1,
		format("warn: tcp 0.0.0.0:%d is in use: tcp 0.0.0.0:%d is held by user root; only "
		       "processes of one user can share a port, and this program runs as nobody",
			port, port),
		"%s", line);
}

Test(users, two_copies_of_one_user_who_is_not_root_share_a_port)
{
	need_root();
	int port = port_new();

	process_wait_port(start_server(port, "nobody"), "tcp", port);
	process_wait_port(start_server(port, "nobody"), "tcp", port);
}

Test(users, a_bind_refused_because_of_an_unshared_socket_says_why)
{
	not_under_kernel("it writes no log");
	int port = port_new();
	const char *python = need_program("python3");
	struct process *server = process_start(
		WORDS(python, "-m", "http.server", format("%d", port)), .is_bare = true);

	process_wait_port(server, "tcp", port);
	struct process *refused = start_server(port, NULL);
	expect_refused(refused, "Address already in use");
	expect_refused(refused, "that socket was opened without sharing: start its program with "
				"libreuse too");
	expect_refused(
		refused, format("program python3, process %d", (int)process_program(server)));
}

/* A connection in TIME_WAIT is nobody's any more; for its user the kernel gives 0, root's number.
 */
Test(users, time_wait_of_a_server_that_did_not_share_is_not_said_to_be_roots)
{
	not_under_kernel("it writes no log");
	need_root();
	int port = port_new();
	char peer[PEER_SIZE], nothing;

	int server = server_listen("127.0.0.1", port);
	int client = client_connect("127.0.0.1", port);
	close(server_accept(server, peer));
	cr_assert_eq(recv(client, &nothing, 1, 0), 0);
	close(client);
	close(server);
	wait_state(port, STATE_TIME_WAIT);

	struct process *refused = start_server(port, "nobody");
	expect_refused(refused, "Address already in use");
	const char *line = find_line(process_errors(refused), "is in use");
	cr_expect(strstr(line, format("tcp 127.0.0.1:%d (a connection)", port)), "%s", line);
	cr_expect_not(strstr(line, "root"), "%s", line);
}

Test(users, a_program_that_does_not_share_is_not_told_that_the_holder_should)
{
	int port = port_new();
	const char *python = need_program("python3");
	struct process *server =
		process_start(WORDS(python, "-m", "http.server", format("%d", port)));

	process_wait_port(server, "tcp", port);
	struct process *refused =
		process_start(WORDS(python, "-m", "http.server", format("%d", port)),
			.environment = WORDS("REUSE_RULES=tcp -> exclusive"));
	expect_refused(refused, "Address already in use");
	cr_expect_not(strstr(process_errors(refused), "start its program with libreuse too"), "%s",
		process_errors(refused));
}

/* ---- exclusive ---- */

/* Calls of a program that stays when they are made. */
#define start_calls(ENVIRONMENT, ...)                                                              \
	process_start(                                                                             \
		WORDS(need_program("python3"), script_path("sockets.py"), __VA_ARGS__, "stay"),    \
		.environment = ENVIRONMENT)

#define run_calls(ENVIRONMENT, ...)                                                                \
	process_output(process_run(                                                                \
		WORDS(need_program("python3"), script_path("sockets.py"), __VA_ARGS__),            \
		.environment = ENVIRONMENT))

static const char *bind_to(int port)
{
	return format("bind=127.0.0.1,%d", port);
}

Test(users, two_copies_that_both_set_so_reuseport_share_a_port_unless_it_is_exclusive)
{
	const char *const *pass = WORDS("REUSE_RULES=-> pass");
	const char *const *exclusive = WORDS("REUSE_RULES=tcp -> exclusive");
	int port = port_new();

	struct process *first =
		start_calls(pass, "tcp4", "set=SO_REUSEPORT,1", bind_to(port), "listen");
	process_wait_text(first, "stay");
	const char *second = run_calls(pass, "tcp4", "set=SO_REUSEPORT,1", bind_to(port), "listen");
	cr_expect(strstr(second, format("%s ok\nlisten ok\n", bind_to(port))), "%s", second);

	port = port_new();
	first = start_calls(exclusive, "tcp4", "set=SO_REUSEPORT,1", bind_to(port), "listen");
	process_wait_text(first, "listen ok\nstay");
	second = run_calls(exclusive, "tcp4", "set=SO_REUSEPORT,1", bind_to(port));
	cr_expect(strstr(second, format("%s EADDRINUSE\n", bind_to(port))), "%s", second);
	second = run_calls(pass, "tcp4", "set=SO_REUSEPORT,1", bind_to(port));
	cr_expect(strstr(second, format("%s EADDRINUSE\n", bind_to(port))), "%s", second);
}

Test(users, exclusive_applies_to_a_program_that_sets_so_reuseport_after_it_has_bound)
{
	not_under_kernel("the program sees its option off");
	int port = port_new();
	struct process *first =
		start_calls(WORDS("REUSE_RULES=tcp -> exclusive"), "tcp4", bind_to(port),
			"set=SO_REUSEPORT,1", "get=SO_REUSEPORT", "listen", "get=SO_REUSEPORT");

	process_wait_text(first, "stay");
	cr_expect(strstr(process_output(first),
			  "get=SO_REUSEPORT 1\nlisten ok\nget=SO_REUSEPORT 0\n"),
		"%s", process_output(first));
	const char *second = run_calls(
		WORDS("REUSE_RULES=-> pass"), "tcp4", "set=SO_REUSEPORT,1", bind_to(port));
	cr_expect(strstr(second, "EADDRINUSE"), "%s", second);
}

Test(users, exclusive_applies_to_udp_with_so_reuseaddr_too)
{
	const char *const *pass = WORDS("REUSE_RULES=-> pass");
	int port = port_new();

	struct process *first = start_calls(pass, "udp4", "set=SO_REUSEADDR,1", bind_to(port));
	process_wait_text(first, "stay");
	const char *second = run_calls(pass, "udp4", "set=SO_REUSEADDR,1", bind_to(port));
	cr_expect(strstr(second, format("%s ok\n", bind_to(port))), "%s", second);

	port = port_new();
	first = start_calls(WORDS("REUSE_RULES=udp -> exclusive"), "udp4", "set=SO_REUSEADDR,1",
		"set=SO_REUSEPORT,1", bind_to(port));
	process_wait_text(first, "stay");
	second = run_calls(pass, "udp4", "set=SO_REUSEADDR,1", "set=SO_REUSEPORT,1", bind_to(port));
	cr_expect(strstr(second, format("%s EADDRINUSE\n", bind_to(port))), "%s", second);
}

Test(users, an_exclusive_server_restarts_over_time_wait_by_its_own_so_reuseaddr)
{
	const char *const *exclusive = WORDS("REUSE_RULES=tcp -> exclusive");
	const char *output = run_calls(exclusive, "tcp4", "set=SO_REUSEADDR,1", bind_to(port_new()),
		"listen", "get=SO_REUSEADDR", "get=SO_REUSEPORT");

	cr_expect(strstr(output, "get=SO_REUSEADDR 1\nget=SO_REUSEPORT 0\n"), "%s", output);
}

/* ---- deny ---- */

Test(users, deny_fails_with_eacces_or_the_errno_that_it_names)
{
	int port = port_new();
	const char *output = run_calls(WORDS(format("REUSE_RULES=tcp port=%d -> deny", port)),
		"tcp4", bind_to(port), "udp4", bind_to(port));
	cr_expect_str_eq(output,
		format("tcp4 ok\n%s EACCES\nudp4 ok\n%s ok\n", bind_to(port), bind_to(port)), "%s",
		output);

	output = run_calls(
		WORDS(format("REUSE_RULES=port=%d -> deny=EADDRNOTAVAIL; -> share", port)), "tcp4",
		bind_to(port), "udp4", bind_to(port), "tcp4", bind_to(port_new()));
	cr_expect(strstr(output, format("tcp4 ok\n%s EADDRNOTAVAIL\nudp4 ok\n%s EADDRNOTAVAIL\n",
					 bind_to(port), bind_to(port))),
		"%s", output);
	cr_expect(strstr(output, " ok\n"), "%s", output);
}

Test(users, a_denied_bind_is_logged_with_its_rule)
{
	not_under_kernel("it writes no log");
	int port = port_new();
	struct process *process = process_run(
		WORDS(need_program("python3"), script_path("sockets.py"), "tcp4", bind_to(port)),
		.environment = WORDS(format("REUSE_RULES=tcp port=%d -> deny=EPERM", port)));
	const char *line = find_line(process_errors(process), "deny=EPERM");

	int fd = -1; /* it depends on the Python */

	cr_assert(strstr(line, "bind("), "%s", line);
	sscanf(strstr(line, "bind("), "bind(%d)", &fd);
	cr_expect_gt(fd, 2);
	cr_expect(strstr(line, format("warn: bind(%d) tcp 127.0.0.1:%d: deny=EPERM (REUSE_RULES:1: "
				      "tcp port=%d -> deny=EPERM)",
				       fd, port, port)),
		"%s", line);
}

Test(users, a_socket_that_listens_without_a_bind_is_denied_too)
{
	not_under_kernel("a listen() without a bind() is not seen");
	const char *output =
		run_calls(WORDS("REUSE_RULES=tcp -> deny=EPERM"), "tcp4", "listen", "name");

	cr_expect_str_eq(output, "tcp4 ok\nlisten EPERM\nname 0.0.0.0,0\n", "%s", output);
}

/* ---- to= ---- */

Test(users, nginx_with_0_0_0_0_80_in_its_configuration_listens_on_127_0_0_1_8080_and_nowhere_else)
{
	need_root();
	enter_network_namespace();
	struct socket_line line;
	char answer[1024];

	struct process *nginx = nginx_start("listen 0.0.0.0:80;", "nginx is here",
		.environment = WORDS("REUSE_RULES=tcp port=80 -> to=127.0.0.1:8080"));
	process_wait_port(nginx, "tcp", 8080);
	cr_assert_eq(socket_list("tcp", ANY_PORT, &line, 1), 1);
	cr_expect(line.is_listening);
	cr_expect_eq(line.port, 8080);
	cr_expect_str_eq(line.address, "127.0.0.1");
	client_ask("127.0.0.1", 8080, "GET / HTTP/1.0\r\n\r\n", NULL, answer, sizeof answer);
	cr_expect(strstr(answer, "nginx is here"));
	cr_expect_lt(client_try("127.0.0.1", 80), 0);
	cr_expect_lt(client_try("127.0.0.2", 8080), 0);
}

Test(users, nginx_without_a_rule_listens_on_every_address_and_port_80)
{
	need_root();
	enter_network_namespace();
	struct socket_line line;

	struct process *nginx = nginx_start("listen 0.0.0.0:80;", "nginx is here");
	process_wait_port(nginx, "tcp", 80);
	cr_assert_eq(socket_list("tcp", ANY_PORT, &line, 1), 1);
	cr_expect_eq(line.port, 80);
	cr_expect_str_eq(line.address, "0.0.0.0");
}
