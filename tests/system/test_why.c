/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run --why: for each reason, what it says, and that a real copy fares as it says. */
#include "load.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOINS = 0, CANNOT = 1, UNSEEN = 2 };

/* copy.py with a rule, or without libreuse. */
static struct process *start_server(
	const char *protocol, const char *address, int port, const char *user, bool is_bare)
{
	return process_start(WORDS(need_program("python3"), script_path("copy.py"), protocol,
				     address, format("%d", port)),
		.user = user, .is_bare = is_bare);
}

static struct process *start_ready(
	const char *protocol, const char *address, int port, const char *user, bool is_bare)
{
	struct process *process = start_server(protocol, address, port, user, is_bare);

	process_wait_text(process, "ready");
	return process;
}

/* The commands, where another user can execute them. */
static const char *command_of(const char *asker)
{
	if (!asker)
		return run_path();
	const char *directory = new_directory();
	process_run(WORDS(need_program("cp"), run_path(), library_path(),
			    format("%s/reuse-supervise", build_path()), directory),
		.is_bare = true);
	process_run(WORDS(need_program("chmod"), "-R", "a+rX", directory), .is_bare = true);
	return format("%s/reuse-run", directory);
}

/* What ASKER (NULL: who runs the test) is told about a copy of USER (NULL: of its own). */
static const char *ask(const char *asker, const char *place, const char *user, int status)
{
	struct process *process = process_start(
		WORDS(command_of(asker), "--why", place, user ? "--user" : NULL, user),
		.is_bare = true, .user = asker);
	int ended = process_wait(process);

	cr_expect_eq(ended, status, "about %s, it ended with %d, and said: %s%s", place, ended,
		process_output(process), process_errors(process));
	cr_expect_str_empty(process_errors(process));
	return process_output(process);
}

static void expect_answer_says(const char *answer, const char *words)
{
	cr_expect(strstr(answer, words), "it does not say \"%s\" but: %s", words, answer);
}

/* As the machine that runs the tests may be either. */
static void expect_advice(const char *answer, const char *on_host, const char *in_container)
{
	bool is_host = strstr(answer, on_host) != NULL;

	cr_expect(is_host != (strstr(answer, in_container) != NULL),
		"it says neither \"%s\" nor \"%s\" but: %s", on_host, in_container, answer);
}

/* A real copy: it gets the endpoint, or says why not, in the same words. */
static void expect_copy_fails(
	const char *protocol, const char *address, int port, const char *user, const char *answer)
{
	struct process *copy = start_server(protocol, address, port, user, false);

	cr_expect_neq(process_wait(copy), 0);
	const char *reason = strstr(process_errors(copy), " is in use: ");
	cr_assert(reason, "%s", process_errors(copy));
	reason += strlen(" is in use: ");
	size_t length = strcspn(reason, "\n");
	const char *who = strstr(reason, "this program");
	if (who && who < reason + length)
		reason = format("%.*sthe copy%.*s", (int)(who - reason), reason,
			(int)(length - (size_t)(who - reason) - strlen("this program")),
			who + strlen("this program"));
	else
		reason = format("%.*s", (int)length, reason);
	expect_answer_says(answer, format("  %s.\n", reason));
}

static const char *const kinds[][3] = {{"tcp", "127.0.0.1", "127.0.0.1"}, {"tcp", "::1", "[::1]"},
	{"udp", "127.0.0.1", "127.0.0.1"}, {"udp", "::1", "[::1]"}};

#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- it can ---- */

Test(why, a_copy_can_join_a_shared_port)
{
	for (size_t i = 0; i < KINDS; i++) {
		int port = port_new();
		start_ready(kinds[i][0], kinds[i][1], port, NULL, false);
		const char *answer = ask(NULL, format("%d", port), NULL, JOINS);
		expect_answer_says(answer,
			format("%s %s:%d: a copy of user ", kinds[i][0], kinds[i][2], port));
		expect_answer_says(answer, " can join, as number 2.\n");
		start_ready(kinds[i][0], kinds[i][1], port, NULL, false);
	}
}

Test(why, a_copy_can_bind_a_free_port)
{
	int port = port_new();
	const char *answer = ask(NULL, format("127.0.0.1:%d", port), NULL, JOINS);

	expect_answer_says(answer, format("tcp 127.0.0.1:%d: a copy of user ", port));
	expect_answer_says(answer, " can bind it; no socket holds it here now.\n");
	start_ready("tcp", "127.0.0.1", port, NULL, false);
}

Test(why, a_user_can_join_its_own_port)
{
	need_root();
	int port = port_new();

	start_ready("tcp", "::1", port, "nobody", false);
	ask("nobody", format("%d", port), NULL, JOINS);
	ask(NULL, format("[::1]:%d", port), "nobody", JOINS);
	ask(NULL, format("%d", port), "65534", JOINS);
	start_ready("tcp", "::1", port, "nobody", false);
}

Test(why, the_name_of_a_program_cannot_break_the_terminal)
{
	int port = port_new();
	const char *script = "import socket, sys, time\n"
			     "open('/proc/self/comm', 'wb').write(b'a\\x1b[1m')\n"
			     "s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1])))\n"
			     "s.listen(); print('ready', flush=True); time.sleep(1000)\n";
	struct process *server = process_start(
		WORDS(need_program("python3"), "-c", script, format("%d", port)), .is_bare = true);

	process_wait_text(server, "ready");
	expect_answer_says(
		ask(NULL, format("%d", port), NULL, CANNOT), format(", program a?[1m, process "));
}

/* ---- other users ---- */

Test(why, a_port_of_another_user_cannot_be_joined)
{
	need_root();
	for (size_t i = 0; i < KINDS; i++) {
		int port = port_new();
		struct process *server = start_ready(kinds[i][0], kinds[i][1], port, NULL, false);
		const char *place = format("%d", port);
		const char *answer = ask("nobody", place, NULL, CANNOT);
		expect_answer_says(answer, "is held by user root; only processes of one user can "
					   "share a port, and the copy runs as nobody.\n");
		expect_advice(answer,
			"  Run both as one user: sudo -u root reuse-run PROGRAM, or "
			"User=root in the copy's unit.\n",
			"  Run both as one user: --user 0 when the container is started, or ");
		expect_copy_fails(kinds[i][0], kinds[i][1], port, "nobody", answer);
		/* root asks for nobody, and sees the program */
		answer = ask(NULL, place, "nobody", CANNOT);
		expect_answer_says(answer,
			format("is held by user root, program python3, process %d; only processes "
			       "of one user can share a port, and the copy runs as nobody.\n",
				(int)process_id(server)));
	}
}

/* ---- users that have no number in this user namespace ---- */

/* What root of a user namespace, with so many users from 100000 on, runs, and how it ends. */
#define mapped(COUNT, STATUS, ...)                                                                 \
	run_mapped((STATUS), WORDS(need_program("python3"), script_path("namespaced.py"), "0",     \
				     "0 100000 " COUNT, __VA_ARGS__))
static const char *run_mapped(int status, const char *const *words)
{
	struct process *process = process_start(words, .is_bare = true);
	int ended = process_wait(process);

	if (strstr(process_errors(process), "no user namespace"))
		skip("no user namespace can be made");
	cr_expect_eq(ended, status, "it ended with %d, and said: %s%s", ended,
		process_output(process), process_errors(process));
	return format("%s%s", process_output(process), process_errors(process));
}

static void expect_not_nobody(const char *text)
{
	cr_expect(!strstr(text, "-u nobody"), "%s", text);
}

#define NO_NUMBER                                                                                  \
	"a user without an ID in this user namespace (such as one of a container with another "    \
	"user mapping)"

Test(why, a_user_of_another_mapping_is_not_mistaken_for_nobody)
{
	need_root();
	const char *run = command_of("root");
	int port = port_new();
	const char *place = format("%d", port);

	start_ready("tcp", "127.0.0.1", port, NULL, false);
	const char *answer = mapped("1000", CANNOT, run, "--why", place);
	expect_answer_says(
		answer, format(" is held by " NO_NUMBER "; only processes of one user can share a "
			       "port, and the copy runs as root.\n"));
	expect_answer_says(answer, "  Give both containers the same user mapping, ");
	expect_not_nobody(answer);
	/* There is a nobody in this one, and it could be him. */
	answer = mapped("65536", CANNOT, run, "--why", place);
	expect_answer_says(answer, " is held by user nobody, or by " NO_NUMBER ";");
	expect_not_nobody(answer);
	answer = mapped("1000", 1, run, need_program("python3"), script_path("copy.py"), "tcp",
		"127.0.0.1", place);
	expect_answer_says(answer, format("is in use: tcp 127.0.0.1:%d is held by " NO_NUMBER
					  "; only processes of one user can share a port, and this "
					  "program runs as root",
					   port));
}

Test(why, a_user_of_another_mapping_has_no_id_in_the_table)
{
	need_root();
	const char *run = command_of("root");
	int port = port_new();
	const char *place = format("%d", port);

	start_ready("tcp", "127.0.0.1", port, NULL, false);
	expect_answer_says(mapped("1000", 0, run, "--who", place), ", a user without an ID here,");
	expect_answer_says(mapped("65536", 0, run, "--who", place),
		", user nobody or one without an ID here,");
	expect_answer_says(mapped("1000", 0, run, "--who", place, "--json"),
		"\"user\":{\"id\":null,\"name\":null,\"has_number\":false}");
	expect_answer_says(mapped("65536", 0, run, "--who", place, "--json"),
		"\"user\":{\"id\":65534,\"name\":\"nobody\",\"has_number\":null}");
}

Test(why, nobody_is_named_if_every_user_has_an_id_or_its_process_is_visible)
{
	need_root();
	const char *run = command_of("root");
	int port = port_new();
	const char *place = format("%d", port);

	start_ready("tcp", "127.0.0.1", port, "nobody", false);
	expect_advice(ask(NULL, place, NULL, CANNOT), "  Run both as one user: sudo -u nobody ",
		"  Run both as one user: --user 65534 ");
	expect_answer_says(ask("daemon", place, NULL, CANNOT), " is held by user nobody; ");
	/* He of the namespace, whose process its root can see. */
	place = format("%d", port_new());
	const char *both = format("%s --reuid=65534 --clear-groups %s %s %s tcp 127.0.0.1 %s &\n"
				  "until %s --who %s > /dev/null 2>&1; do sleep 0.1; done\n"
				  "%s --why %s; status=$?; kill $!; exit $status",
		need_program("setpriv"), run, need_program("python3"), script_path("copy.py"),
		place, run, place, run, place);
	const char *answer = mapped("65536", CANNOT, need_program("sh"), "-c", both);
	expect_answer_says(answer, " is held by user nobody, program python3, process ");
	expect_advice(answer, "  Run both as one user: sudo -u nobody ",
		"  Run both as one user: --user 65534 ");
}

/* ---- not shared ---- */

Test(why, an_unshared_port_cannot_be_joined)
{
	for (size_t i = 0; i < KINDS; i++) {
		int port = port_new();
		start_ready(kinds[i][0], kinds[i][1], port, NULL, true);
		const char *answer = ask(NULL, format("%d", port), NULL, CANNOT);
		expect_answer_says(answer,
			"; that socket was opened without sharing: start its program "
			"with libreuse too.\n");
		expect_answer_says(answer, "  Restart it with reuse-run, ");
		expect_copy_fails(kinds[i][0], kinds[i][1], port, NULL, answer);
	}
}

Test(why, a_user_is_told_which_of_its_own_sockets_are_not_shared)
{
	need_root();
	int port = port_new();

	start_ready("udp", "127.0.0.1", port, "nobody", true);
	const char *answer = ask("nobody", format("127.0.0.1:%d", port), NULL, CANNOT);
	expect_answer_says(answer, ", program python3, process ");
	expect_answer_says(answer, "; that socket was opened without sharing");
}

Test(why, unknown_facts_are_not_guessed)
{
	need_root();
	int port = port_new();

	start_ready("udp", "127.0.0.1", port, NULL, false);
	const char *answer = ask("nobody", format("127.0.0.1:%d", port), "root", UNSEEN);
	expect_answer_says(answer,
		format("udp 127.0.0.1:%d: it is not known whether a copy of user root can join.\n",
			port));
	expect_answer_says(
		answer, "; whether that socket was opened with sharing cannot be seen.\n");
	expect_advice(answer,
		format("  Root can see it: sudo reuse-run --why %d --user root\n", port),
		format("  Root can see it: docker exec --user 0 CONTAINER reuse-run --why %d "
		       "--user root\n",
			port));
	ask(NULL, format("127.0.0.1:%d", port), NULL, JOINS);
}

/* ---- the wildcard ---- */

Test(why, a_wildcard_that_is_not_shared_holds_every_address)
{
	int port = port_new();

	start_ready("tcp", "0.0.0.0", port, NULL, true);
	const char *answer = ask(NULL, format("127.0.0.1:%d", port), NULL, CANNOT);
	expect_answer_says(answer, format("tcp 0.0.0.0:%d is held by user ", port));
	expect_answer_says(answer, "  It is bound to the wildcard address, so it holds this port "
				   "on every address.\n  Or bind that program to an address of its "
				   "own: reuse-run -a ADDRESS PROGRAM, or the rule \"tcp port=");
	expect_copy_fails("tcp", "127.0.0.1", port, NULL, answer);
}

Test(why, the_wildcard_is_not_free_while_one_address_is_held)
{
	int port = port_new();

	start_ready("tcp", "::1", port, NULL, true);
	const char *answer = ask(NULL, format("[::]:%d", port), NULL, CANNOT);
	expect_answer_says(answer,
		"  The wildcard address needs this port on every address, and "
		"that socket holds it on one of them.\n  Or bind the copy to another "
		"address: reuse-run -a ADDRESS PROGRAM");
	expect_copy_fails("tcp", "::", port, NULL, answer);
	ask(NULL, format("127.0.0.1:%d", port), NULL, JOINS);
	start_ready("tcp", "127.0.0.1", port, NULL, false);
}

Test(why, a_wildcard_of_ip6_holds_the_port_of_ip4_unless_it_is_for_ip6_only)
{
	int port = port_new();
	struct process *server = start_ready("tcp", "::", port, NULL, true);

	const char *answer = ask(NULL, format("127.0.0.1:%d", port), NULL, CANNOT);
	expect_answer_says(answer, format("tcp [::]:%d is held by user ", port));
	process_kill(server);
	server = process_start(WORDS(need_program("python3"), script_path("copy.py"), "tcp",
				       "::", format("%d", port)),
		.environment = WORDS("REUSE_RULES=v6only"));
	process_wait_text(server, "ready");
	ask(NULL, format("127.0.0.1:%d", port), NULL, JOINS);
}

Test(why, a_socket_that_does_not_block_is_not_blamed)
{
	need_root();
	int port = port_new();
	struct process *other = process_start(WORDS(need_program("python3"), script_path("copy.py"),
						      "tcp", "::", format("%d", port)),
		.environment = WORDS("REUSE_RULES=v6only"), .user = "nobody");

	process_wait_text(other, "ready");
	start_ready("tcp", "127.0.0.1", port, NULL, true);
	const char *answer = ask(NULL, format("127.0.0.1:%d", port), NULL, CANNOT);
	expect_answer_says(answer, format("tcp 127.0.0.1:%d is held by user root", port));
	cr_expect_not(strstr(answer, "[::]"), "%s", answer);
	expect_copy_fails("tcp", "127.0.0.1", port, NULL, answer);
	/* nor is TCP for UDP */
	start_ready("udp", "::", port, NULL, false);
	answer = ask(NULL, format("[::]:%d", port), NULL, CANNOT);
	expect_answer_says(
		answer, format("udp [::]:%d: a copy of user root can join, as number 2.\n", port));
}

/* ---- what is left of a server ---- */

Test(why, a_remaining_connection_of_a_server_holds_its_port)
{
	int port = port_new();
	struct process *server =
		process_start(WORDS(need_program("socat"),
				      format("TCP4-LISTEN:%d,fork,reuseaddr=0", port), "PIPE"),
			.is_bare = true);

	process_wait_port(server, "tcp", port);
	int client = client_connect("127.0.0.1", port);
	char echo[8] = "";
	cr_assert_eq(send(client, "echo", 4, 0), 4);
	cr_assert_eq(recv(client, echo, sizeof echo, 0), 4);
	process_signal(server, SIGKILL);
	process_wait(server);
	wait_listening("tcp", port, 0);
	const char *answer = ask(NULL, format("%d", port), NULL, CANNOT);
	expect_answer_says(
		answer, format("tcp 127.0.0.1:%d (a connection) is held by user ", port));
	expect_answer_says(answer, "  It is closed when its process ends.");
	expect_copy_fails("tcp", "0.0.0.0", port, NULL, answer);
	close(client);
}

static void start_bound(int port)
{
	struct process *process =
		process_start(WORDS(need_program("python3"), script_path("sockets.py"), "tcp4",
				      format("bind=127.0.0.1,%d", port), "stay"),
			.is_bare = true);

	process_wait_text(process, "stay");
}

Test(why, time_wait_of_a_server_that_did_not_share_holds_its_port)
{
	int port = port_new();
	char peer[PEER_SIZE], nothing;
	int server = server_listen("127.0.0.1", port);
	int client = client_connect("127.0.0.1", port);

	start_bound(port_new()); /* the kernel lists it for every port that is asked for */
	close(server_accept(server, peer));
	cr_assert_eq(recv(client, &nothing, 1, 0), 0);
	close(client);
	close(server);
	wait_state(port, STATE_TIME_WAIT);
	const char *answer = ask(NULL, format("%d", port), NULL, CANNOT);
	expect_answer_says(
		answer, " is in TIME_WAIT and was made without SO_REUSEADDR.\n  Wait a minute.");
	expect_copy_fails("tcp", "0.0.0.0", port, NULL, answer);
}

Test(why, a_socket_that_is_bound_and_does_not_listen_is_told_apart)
{
	int port = port_new();

	start_bound(port);
	const char *answer = ask(NULL, format("127.0.0.1:%d", port), NULL, CANNOT);
	if (strstr(answer, "no socket that holds it can be seen"))
		skip("this kernel, before Linux 6.8, does not list bound sockets");
	expect_answer_says(
		answer, format("tcp 127.0.0.1:%d (bound, not listening) is held by user ", port));
	expect_copy_fails("tcp", "127.0.0.1", port, NULL, answer);
}

/* ---- other reasons ---- */

Test(why, a_privileged_port_needs_a_capability)
{
	need_root();
	enter_network_namespace();
	const char *answers[] = {
		ask("nobody", "987", NULL, CANNOT), ask(NULL, "987", "nobody", CANNOT)};

	for (int i = 0; i < 2; i++) {
		expect_answer_says(answers[i],
			"tcp 0.0.0.0:987: a copy of user nobody cannot bind it: port 987 is "
			"privileged, below net.ipv4.ip_unprivileged_port_start, which is 1024.\n");
		expect_answer_says(
			answers[i], "  Or move the port: reuse-run -p 987:8080 PROGRAM\n");
	}
	expect_answer_says(ask(NULL, "987", NULL, JOINS), "no socket holds it here now");
}

/* The same words as --why has, whichever way the bind goes. */
Test(why, the_log_says_what_a_privileged_port_needs)
{
	static const char *const options[][2] = {{"--hook=preload", "tcp -> share"},
		{"--hook=notify", "tcp -> share"}, {"--hook=notify", "tcp -> exclusive"}};

	need_root();
	enter_network_namespace();
	const char *command = command_of("nobody");
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (i == 1)
			need_notify();
		struct process *copy = process_start(
			WORDS(command, options[i][0], "-r", options[i][1], need_program("python3"),
				script_path("copy.py"), "tcp", "127.0.0.1", "987"),
			.is_bare = true, .user = "nobody");
		cr_expect_neq(process_wait(copy), 0);
		const char *errors = process_errors(copy);
		expect_answer_says(errors, "Permission denied");
		expect_answer_says(errors,
			"warn: tcp 127.0.0.1:987 cannot be bound: port 987 is privileged, below "
			"net.ipv4.ip_unprivileged_port_start, which is 1024; ");
		expect_answer_says(errors, "; or move the port: reuse-run -p 987:8080 PROGRAM\n");
	}
}

/* ---- advice ---- */

static const char *ask_as_nobody_in(const char *kind, const char *place)
{
	struct process *process = process_start(
		WORDS(script_path("rooted"), kind, new_directory(), need_program("setpriv"),
			"--reuid=nobody", "--clear-groups", command_of("nobody"), "--why", place),
		.is_bare = true);

	process_wait(process);
	if (strstr(process_errors(process), "ermitted"))
		skip("no mount namespace can be made");
	cr_expect_str_empty(process_errors(process));
	return process_output(process);
}

Test(why, the_advice_depends_on_whether_this_is_a_container)
{
	need_root();
	enter_network_namespace();
	start_ready("tcp", "127.0.0.1", 8080, NULL, false);
	static const struct {
		const char *kind;
		bool has_units;
	} cases[] = {{"host", true}, {"container", false}, {"systemd", true}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *low = ask_as_nobody_in(cases[i].kind, "987");
		const char *held = ask_as_nobody_in(cases[i].kind, "8080");
		if (cases[i].has_units) {
			expect_answer_says(low, "AmbientCapabilities=CAP_NET_BIND_SERVICE in its ");
			expect_answer_says(low, ": sysctl net.ipv4.ip_unprivileged_port_start=987");
			expect_answer_says(held, ", or User=root in the copy's unit.");
			continue;
		}
		expect_answer_says(low, "  Either start the container with --sysctl "
					"net.ipv4.ip_unprivileged_port_start=987, ");
		expect_answer_says(held, "--user 0 when the container is started");
		cr_expect_not(strstr(low, "unit"), "%s", low);
		cr_expect_not(strstr(low, ": sysctl"), "%s", low);
		cr_expect_not(strstr(held, "unit"), "%s", held);
	}
}

Test(why, an_address_that_is_not_local_is_reported)
{
	int port = port_new();
	const char *answer = ask(NULL, format("192.0.2.1:%d", port), NULL, CANNOT);

	expect_answer_says(answer, format("tcp 192.0.2.1:%d: a copy of user ", port));
	expect_answer_says(answer,
		" cannot bind it: Cannot assign requested address.\n  No interface of "
		"this network namespace has that address.");
}

Test(why, a_listener_in_another_network_namespace_is_found)
{
	need_root();
	int port = port_new();
	struct process *server =
		process_start(WORDS(need_program("unshare"), "--net", need_program("python3"),
			script_path("copy.py"), "udp", "0.0.0.0", format("%d", port)));
	const char *place = format("%d", port);

	process_wait_text(server, "ready");
	const char *answer = ask(NULL, place, NULL, JOINS);
	expect_answer_says(answer, "can bind it; no socket holds it here now.\n");
	expect_answer_says(answer, format("udp port %d is in use in another network namespace, "
					  "that of process %d (python3); a copy can join it only "
					  "there: nsenter -t %d -n reuse-run PROGRAM\n",
					   port, (int)process_id(server), (int)process_id(server)));
	start_ready("tcp", "127.0.0.1", port, NULL, false);
	answer = ask(NULL, place, NULL, JOINS);
	expect_answer_says(answer, "in another network namespace");
	/* nobody may not look into the process, and says so */
	answer = ask("nobody", format("%d", port_new()), NULL, JOINS);
	expect_answer_says(
		answer, "Not all network namespaces can be seen from here; root sees more.\n");
}

/* ---- that nobody notices ---- */

/* Were the socket that asks to listen, it would get a part of the clients. */
Test(why, asking_takes_no_client_from_a_copy)
{
	int port = port_new();
	struct process *server = process_start(WORDS(
		need_program("python3"), script_path("members.py"), format("%d", port), "1", "1"));

	process_wait_text(server, "round 1\n");
	struct process *clients = load_start(port, 4);
	for (int i = 0; i < 20; i++)
		ask(NULL, format("%d", port), NULL, JOINS);
	struct outcome outcome = load_stop(clients);
	cr_expect(outcome.answered > 0 && !outcome.refused && !outcome.cut_off && !outcome.hung,
		"%s", process_output(clients));
}

Test(why, invalid_arguments_exit_with_64)
{
	static const char *const calls[][3] = {
		{"--why", "http", "reuse-run: --why http: write a port, 127.0.0.1:PORT or"},
		{"--why=127.0.0.1", "", "reuse-run: --why and --who"},
		{"--why=70000", "", "70000"},
	};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct process *process = process_start(
			WORDS(run_path(), calls[i][0], *calls[i][1] ? calls[i][1] : NULL),
			.is_bare = true);
		cr_expect_eq(process_wait(process), 64, "%s", calls[i][0]);
	}
	struct process *process = process_start(
		WORDS(run_path(), "--why", "80", "--user", "no-such-user"), .is_bare = true);
	cr_expect_eq(process_wait(process), 64);
	expect_answer_says(process_errors(process), "--user no-such-user: no such user");
}
