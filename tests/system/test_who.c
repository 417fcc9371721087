/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run --who: what it shows of real servers, and what it says that it cannot see. */
#include "systemd.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_ASCII WORDS("LC_ALL=C")

#define looked(...)                                                                                \
	process_start(                                                                             \
		WORDS(run_path(), "--who", __VA_ARGS__), .is_bare = true, .environment = IN_ASCII)

static struct process *start_copy(
	const char *protocol, const char *address, int port, const char *environment)
{
	struct process *process =
		process_start(WORDS(need_program("python3"), script_path("copy.py"), protocol,
				      address, format("%d", port)),
			.environment = WORDS(environment));

	process_wait_text(process, "ready");
	return process;
}

/* A server with a queue of 5, which keeps a client that does not ask. */
static struct process *start_http(const char *address, int port)
{
	struct process *process = process_start(WORDS(need_program("python3"), "-m", "http.server",
		"--bind", address, format("%d", port)));

	process_wait_port(process, "tcp", port);
	return process;
}

static const char *table_of(struct process *process)
{
	cr_expect_eq(process_wait(process), 0, "%s", process_errors(process));
	cr_expect_str_empty(process_errors(process));
	return process_output(process);
}

/* Its lines, with one blank between two words. */
static const char *squeeze(const char *table)
{
	char *squeezed = strdup(format("\n%s", table)), *out = squeezed;

	for (const char *at = squeezed; *at; at++) {
		bool is_more = *at == ' ' && out > squeezed && strchr(" \n", out[-1]);
		if (!is_more)
			*out++ = *at;
	}
	*out = '\0';
	return squeezed;
}

/*
 * Whether there is the row, with no keeper behind it: "-", or "?" where there is one somewhere that
 * does not let this user look.
 */
static bool has_row(const char *table, const char *row)
{
	const char *squeezed = squeeze(table);

	return strstr(squeezed, format("\n%s -\n", row)) ||
	       strstr(squeezed, format("\n%s ?\n", row));
}

static void expect_row(const char *table, const char *row)
{
	cr_expect(has_row(table, row), "there is no row \"%s\" in\n%s", row, table);
}

struct expected_program {
	pid_t process;
	const char *name;
};

static bool is_program(void *context)
{
	const struct expected_program *expected = context;
	const char *name = read_file(format("/proc/%d/comm", (int)expected->process));

	return strcmp(name, format("%s\n", expected->name)) == 0;
}

/* Waits until the process has executed the program of that name. */
static void process_wait_program(struct process *process, const char *name)
{
	struct expected_program expected = {process_id(process), name};

	wait_until(is_program, &expected, name);
}

static void expect_line(const char *table, const char *line)
{
	cr_expect(strstr(format("\n%s", table), format("\n%s\n", line)),
		"there is no line \"%s\" in\n%s", line, table);
}

/* The commands, where another user can execute them. */
static const char *commands_for_others(void)
{
	const char *directory = new_directory();

	process_run(WORDS(need_program("cp"), run_path(), library_path(),
			    format("%s/reuse-supervise", build_path()), directory),
		.is_bare = true);
	process_run(WORDS(need_program("chmod"), "-R", "a+rX", directory), .is_bare = true);
	return format("%s/reuse-run", directory);
}

/* ---- the table ---- */

Test(who, a_group_is_shown_with_its_sockets_and_who_has_them)
{
	int port = port_new();
	struct process *first = start_http("127.0.0.1", port);
	struct process *second = start_http("127.0.0.1", port);
	const char *table = table_of(looked(format("%d", port)));

	cr_expect_eq(strncmp(table, format("tcp 127.0.0.1:%d   shared by 2, user ", port), 30), 0,
		"%s", table);
	cr_expect(strstr(table, ", 0 connections"), "%s", table);
	expect_row(table, format("%d python3 | 0/5 0 yes", (int)process_id(first)));
	expect_row(table, format("%d python3 | 0/5 0 yes", (int)process_id(second)));
	cr_expect(strstr(table, "Another copy can join if it runs as "), "%s", table);
}

struct expected {
	const char *port, *row;
	const char *table;
};

static bool shows_text(void *context)
{
	struct expected *expected = context;

	expected->table = table_of(looked(expected->port));
	return strstr(expected->table, expected->row);
}

static bool shows_row(void *context)
{
	struct expected *expected = context;

	expected->table = table_of(looked(expected->port));
	return has_row(expected->table, expected->row);
}

/* A connection takes a moment from connect(2) to accept(2). */
static const char *wait_row(int port, const char *row)
{
	struct expected expected = {format("%d", port), row, ""};

	wait_until(shows_row, &expected, row);
	return expected.table;
}

Test(who, open_and_queued_connections_are_counted)
{
	int port = port_new();
	struct process *server = start_http("127.0.0.1", port);
	int pid = (int)process_id(server);
	int first = client_connect("127.0.0.1", port);

	wait_row(port, format("%d python3 | 0/5 1 yes", pid));
	struct process *idle = start_http("127.0.0.1", port);
	const char *table = wait_row(port, format("%d python3 | 0/5 1 yes", pid));
	cr_expect(strstr(table, ", 1 connections"), "%s", table);
	expect_row(table, format("%d python3 | 0/5 0 yes", (int)process_id(idle)));
	process_kill(idle);
	process_signal(server, SIGSTOP);
	int second = client_connect("127.0.0.1", port);
	int third = client_connect("127.0.0.1", port);
	wait_row(port, format("%d python3 | 2/5 1 yes", pid));
	close(first);
	close(second);
	close(third);
}

Test(who, a_socket_that_several_processes_have_is_one)
{
	int port = port_new();
	struct process *nginx = nginx_start(format("listen 127.0.0.1:%d;", port), "answer");

	process_wait_port(nginx, "tcp", port);
	wait_row(port, format("%d+1 nginx | 0/511 0 yes", (int)process_id(nginx)));
}

Test(who, a_socket_that_does_not_share_is_alone)
{
	int port = port_new();
	struct process *server = process_start(WORDS(need_program("python3"), "-m", "http.server",
						       "--bind", "::1", format("%d", port)),
		.is_bare = true);

	process_wait_port(server, "tcp", port);
	const char *table = table_of(looked(format("%d", port)));
	cr_expect(strstr(table, format("tcp [::1]:%d   alone, not shared, user ", port)), "%s",
		table);
	expect_row(table, format("%d python3 | 0/5 0 no", (int)process_id(server)));
	cr_expect(strstr(table, "No other copy can join"), "%s", table);
}

Test(who, the_groups_of_a_port_are_shown_separately)
{
	int port = port_new();

	start_copy("tcp", "127.0.0.1", port, "REUSE_RULES=share");
	start_copy("tcp", "0.0.0.0", port, "REUSE_RULES=share");
	start_copy("tcp", "::1", port, "REUSE_RULES=share");
	start_copy("tcp", "::", port, "REUSE_RULES=share v6only");
	start_copy("udp", "127.0.0.1", port, "REUSE_RULES=share");
	start_copy("udp", "::1", port, "REUSE_RULES=pass");
	const char *table = format("\n%s", table_of(looked(format("%d", port))));
	cr_expect(strstr(table, format("\ntcp 127.0.0.1:%d   alone, shared", port)), "%s", table);
	cr_expect(strstr(table, format("\ntcp 0.0.0.0:%d   alone, shared", port)), "%s", table);
	cr_expect(strstr(table, format("\ntcp [::1]:%d   alone, shared", port)), "%s", table);
	cr_expect(strstr(table, format("\ntcp [::]:%d (IPv6 only)   alone, shared", port)), "%s",
		table);
	cr_expect(strstr(table, format("\nudp 127.0.0.1:%d   alone, shared", port)), "%s", table);
	cr_expect(strstr(table, format("\nudp [::1]:%d   alone, not shared", port)), "%s", table);
}

Test(who, without_a_port_every_port_is_shown)
{
	int first = port_new(), second = port_new();

	start_copy("tcp", "127.0.0.1", first, "REUSE_RULES=share");
	start_copy("udp", "127.0.0.1", second, "REUSE_RULES=share");
	struct process *process = process_start(WORDS(run_path(), "--who"), .is_bare = true);
	const char *table = format("\n%s", table_of(process));
	cr_expect(strstr(table, format("\ntcp 127.0.0.1:%d ", first)), "%s", table);
	cr_expect(strstr(table, format("\nudp 127.0.0.1:%d ", second)), "%s", table);
}

Test(who, if_nobody_listens_it_exits_with_1)
{
	int port = port_new();
	struct process *process = looked(format("%d", port));

	cr_expect_eq(process_wait(process), 1);
	cr_expect_str_empty(process_output(process));
	cr_expect_str_eq(process_errors(process),
		format("reuse-run: nobody listens on port %d in this network namespace\n", port));
}

/* ---- how it looks ---- */

static void expect_narrow(const char *table)
{
	for (const char *line = table; *line; line += strcspn(line, "\n") + 1)
		cr_expect(strcspn(line, "\n") <= 80, "this is too long: %.*s",
			(int)strcspn(line, "\n"), line);
}

/* The longest name of a program, and a supervisor that keeps its socket. */
Test(who, the_table_fits_a_terminal_of_80_columns)
{
	int port = port_new();
	const char *script =
		"import socket, sys, time\n"
		"open('/proc/self/comm', 'w').write('fifteen-letters')\n"
		"for a in '::', '127.0.0.1':\n"
		"    s = socket.socket(socket.AF_INET6 if a == '::' else socket.AF_INET)\n"
		"    if a == '::': s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n"
		"    s.bind((a, int(sys.argv[1]))); s.listen(65535); globals()[a] = s\n"
		"time.sleep(1000)\n";
	process_start(WORDS(run_path(), "-n", "1", need_program("python3"), "-c", script,
			      format("%d", port)),
		.is_bare = true);
	struct expected expected = {format("%d", port), "  reuse-run ", ""};

	wait_listening("tcp", port, 2);
	wait_until(shows_text, &expected, expected.row);
	expect_narrow(expected.table);
	cr_expect(strstr(expected.table, " (IPv6 only)   alone, shared"), "%s", expected.table);
	cr_expect(strstr(expected.table, "  fifteen-letters  "), "%s", expected.table);
}

/* Where the text is longer than the terminal, its end is what is seen. */
Test(who, the_largest_group_comes_last)
{
	int port = port_new();

	for (int i = 0; i < 3; i++)
		start_copy("tcp", "127.0.0.1", port, "REUSE_RULES=share");
	start_copy("tcp", "127.0.0.2", port, "REUSE_RULES=share");
	start_copy("udp", "127.0.0.1", port, "REUSE_RULES=share");
	start_copy("udp", "127.0.0.1", port, "REUSE_RULES=share");
	const char *table = table_of(looked(format("%d", port)));
	const char *one = strstr(table, format("tcp 127.0.0.2:%d   alone", port));
	const char *two = strstr(table, format("udp 127.0.0.1:%d   shared by 2", port));
	const char *three = strstr(table, format("tcp 127.0.0.1:%d   shared by 3", port));
	cr_expect(one == table && one < two && two < three, "%s", table);
}

Test(who, a_port_may_be_written_as_other_programs_print_it)
{
	int port = port_new();

	start_copy("tcp", "127.0.0.1", port, "REUSE_RULES=share");
	cr_expect_str_eq(
		table_of(looked(format(":%d", port))), table_of(looked(format("%d", port))));
}

/* ---- who keeps it ---- */

static bool shows_keeper(void *context)
{
	struct expected *expected = context;

	expected->table = table_of(looked(expected->port));
	return strstr(expected->table, format(" %s", expected->row)) != NULL;
}

Test(who, the_supervisor_that_keeps_a_socket_is_named)
{
	int port = port_new();
	struct process *supervisor =
		process_start(WORDS(run_path(), "-n", "1", "--keep", need_program("python3"), "-m",
				      "http.server", "--bind", "127.0.0.1", format("%d", port)),
			.is_bare = true);
	struct expected expected = {
		format("%d", port), format("reuse-run %d\n", (int)process_id(supervisor)), ""};

	wait_listening("tcp", port, 1);
	wait_until(shows_keeper, &expected, expected.row);
	cr_expect(strstr(expected.table, "  python3 "), "%s", expected.table);
}

Test(who, the_systemd_that_keeps_a_socket_is_named)
{
	int port = port_new();
	struct expected expected = {format("%d", port), "systemd ", ""};

	systemd_add_service("kept",
		systemd_kept(format("tcp port=%d -> share keep", port),
			format("%s %s %d", need_program("python3"), script_path("slow.py"), port)));
	systemd_boot();
	systemd_do("start", "kept");
	wait_listening("tcp", port, 1);
	wait_until(shows_keeper, &expected, "systemd as the keeper");
	cr_expect(strstr(expected.table, "  python3 "), "%s", expected.table);
}

/* ---- what cannot be seen ---- */

Test(who, another_users_processes_are_shown_as_question_marks)
{
	need_root();
	int port = port_new();
	const char *command = commands_for_others();
	struct process *keeper = process_start(
		WORDS(run_path(), "-n", "1", need_program("sleep"), "1000"), .is_bare = true);

	/* Somewhere there is a keeper that does not let nobody look. */
	process_wait_program(keeper, "reuse-run");
	start_copy("tcp", "127.0.0.1", port, "REUSE_RULES=share");
	struct process *process = process_start(WORDS(command, "--who", format("%d", port)),
		.is_bare = true, .user = "nobody", .environment = IN_ASCII);
	const char *table = table_of(process);
	cr_expect(strstr(squeeze(table), "\n? ? | 0/128 ? ? ?\n"), "%s", table);
	cr_expect(strstr(table, format("tcp 127.0.0.1:%d   alone, user root", port)), "%s", table);
	expect_line(
		table, format("To see whether another copy can join: reuse-run --why %d", port));
	expect_line(table, "?: cannot be seen by this user; root sees it.");

	/* Two at one endpoint must both share, whoever looks. */
	start_copy("tcp", "127.0.0.1", port, "REUSE_RULES=share");
	process = process_start(WORDS(command, "--who", format("%d", port)), .is_bare = true,
		.user = "nobody", .environment = IN_ASCII);
	table = table_of(process);
	cr_expect(strstr(squeeze(table), "\n? ? | 0/128 ? yes ?\n"), "%s", table);
	cr_expect(strstr(table, "Another copy can join if it runs as root, "), "%s", table);
}

Test(who, a_user_sees_the_processes_of_its_own)
{
	need_root();
	int port = port_new();
	struct process *server = process_start(
		WORDS(need_program("python3"), "-m", "http.server", format("%d", port)),
		.user = "nobody");

	process_wait_port(server, "tcp", port);
	struct process *process =
		process_start(WORDS(commands_for_others(), "--who", format("%d", port)),
			.is_bare = true, .user = "nobody", .environment = IN_ASCII);
	const char *table = table_of(process);
	cr_expect(strstr(table, format("  %d ", (int)process_id(server))), "%s", table);
	cr_expect(strstr(table, ", user nobody, "), "%s", table);
}

/* ---- JSON ---- */

/* What a Python expression about the object D gives. */
static const char *json_value(struct process *process, const char *expression)
{
	const char *path = write_file(new_directory(), "value.json", process_output(process));

	return process_output(process_run(
		WORDS(need_program("python3"), "-c",
			format("import json\nd = json.load(open('%s', encoding='ascii'))\n"
			       "print(%s)",
				path, expression)),
		.is_bare = true));
}

Test(who, json_has_what_the_table_has)
{
	int port = port_new();
	struct process *server = start_copy("tcp", "127.0.0.1", port, "REUSE_RULES=share");
	struct process *process = looked(format("%d", port), "--json");

	cr_expect_eq(process_wait(process), 0);
	cr_expect_str_eq(json_value(process, "sorted(d)"), "['groups', 'tcp_migrate_req']\n");
	cr_expect_str_eq(
		json_value(process, "[(g['protocol'], g['family'], g['address'], g['port'], "
				    "g['v6only'], g['device'], g['connections']) for g in "
				    "d['groups']]"),
		format("[('tcp', 'ip4', '127.0.0.1', %d, False, None, 0)]\n", port));
	cr_expect_str_eq(json_value(process, "d['groups'][0]['user']['id']"),
		format("%u\n", (unsigned)geteuid()));
	cr_expect_str_eq(json_value(process, "d['groups'][0]['user']['has_number']"), "True\n");
	cr_expect_str_eq(
		json_value(process, "[(s['queue'], s['queue_size'], s['connections'], s['share'], "
				    "s['processes'], s['kept_by'] or []) for s in "
				    "d['groups'][0]['sockets']]"),
		format("[(0, 128, 0, True, [{'pid': %d, 'program': 'python3'}], [])]\n",
			(int)process_id(server)));
}

Test(who, udp_sockets_and_an_empty_result_give_valid_json)
{
	int port = port_new();

	struct process *process = looked(format("%d", port), "--json");
	cr_expect_eq(process_wait(process), 1);
	cr_expect_str_eq(json_value(process, "d['groups']"), "[]\n");
	start_copy("udp", "::1", port, "REUSE_RULES=share");
	process = looked("--json");
	cr_expect_eq(process_wait(process), 0);
	cr_expect_str_eq(
		json_value(process, format("[(s['connections'], s['queue_size'], s['share']) for "
					   "g in d['groups'] if g['port'] == %d for s in "
					   "g['sockets']]",
					    port)),
		"[(None, None, True)]\n");
}

Test(who, the_name_of_a_program_cannot_break_json_or_the_terminal)
{
	int port = port_new();
	const char *script = "import socket, sys, time\n"
			     "open('/proc/self/comm', 'wb').write(b'a\"\\\\\\x1b[1m\\xff')\n"
			     "s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1])))\n"
			     "s.listen(); print('ready', flush=True); time.sleep(1000)\n";
	struct process *server =
		process_start(WORDS(need_program("python3"), "-c", script, format("%d", port)));

	process_wait_text(server, "ready");
	struct process *process = looked(format("%d", port), "--json");
	cr_expect_eq(process_wait(process), 0);
	cr_expect_str_eq(json_value(process, "d['groups'][0]['sockets'][0]['processes'][0]"
					     "['program']"),
		"a\"\\?[1m?\n");
	cr_expect_not(strchr(table_of(looked(format("%d", port))), '\x1b'));
}

/* ---- on a terminal ---- */

static const char *tmux_socket(void)
{
	return format("%s/tmux", new_directory());
}

#define tmux(SOCKET, ...)                                                                          \
	process_output(process_run(                                                                \
		WORDS(need_program("tmux"), "-u", "-f", "/dev/null", "-S", SOCKET, __VA_ARGS__),   \
		.is_bare = true, .environment = WORDS("LC_ALL=C.UTF-8")))

/* Runs COMMAND in a terminal of this size: tmux 3.2 ignores it when it opens one. */
static void open_screen(const char *socket, int columns, int rows, const char *command)
{
	const char *width = format("%d", columns), *height = format("%d", rows);

	tmux(socket, "new-session", "-d", "-x", width, "-y", height,
		format("until [ \"$(stty size)\" = '%d %d' ]; do sleep 0.01; done; %s", rows,
			columns, command));
	tmux(socket, "resize-window", "-x", width, "-y", height);
}

struct screen {
	const char *socket, *text;
	const char *shown;
};

static bool is_on_screen(void *context)
{
	struct screen *screen = context;

	screen->shown = tmux(screen->socket, "capture-pane", "-p");
	return strstr(screen->shown, screen->text) || has_row(screen->shown, screen->text);
}

static void wait_screen(const char *socket, const char *text)
{
	struct screen screen = {socket, text, ""};

	wait_until(is_on_screen, &screen, format("\"%s\" on the screen", text));
}

struct watched {
	const char *socket; /* of tmux */
	int port;
};

/* The rate is seen for a moment only, so there is another client each time. */
static bool shows_rate(void *context)
{
	static const char before[] = " connections, ";
	const struct watched *watched = context;

	close(client_connect("127.0.0.1", watched->port));
	const char *rate = strstr(tmux(watched->socket, "capture-pane", "-p"), before);
	return rate && atoi(rate + sizeof before - 1) > 0;
}

static bool shows_no_python(void *context)
{
	const struct watched *watched = context;

	return !strstr(tmux(watched->socket, "capture-pane", "-p"), "python3");
}

Test(who, watch_shows_changes)
{
	int port = port_new();
	const char *socket = tmux_socket();
	struct watched watched = {socket, port};
	struct process *server = start_http("127.0.0.1", port);
	int pid = (int)process_id(server);

	open_screen(socket, 120, 12,
		format("trap : INT; %s --who %d --watch; echo ended with $?; cat", run_path(),
			port));
	wait_screen(socket, format("%d python3 ▏ 0/5 0 ▏ 0 yes", pid));
	int first = client_connect("127.0.0.1", port);
	wait_screen(socket, ", 1 connections, ");
	wait_until(shows_rate, &watched, "a rate on the screen");
	wait_screen(socket, format("%d python3 ▏ 0/5 1 ▏ 0 yes", pid));
	process_signal(server, SIGSTOP);
	int second = client_connect("127.0.0.1", port);
	wait_screen(socket, format("%d python3 █▌ 1/5 1 ▏ 0 yes", pid));
	close(first);
	close(second);
	process_kill(server);
	wait_screen(socket, format("Nobody listens on port %d.", port));
	wait_until(shows_no_python, &watched, "the program to disappear");
	tmux(socket, "send-keys", "C-c");
	wait_screen(socket, "ended with 130");
	tmux(socket, "kill-server");
}

/* A row takes more than 80 columns. */
Test(who, watch_cuts_lines_that_a_terminal_is_too_narrow_for)
{
	int port = port_new();
	const char *socket = tmux_socket();
	struct process *server = start_http("127.0.0.1", port);

	open_screen(socket, 60, 12, format("%s --who %d --watch", run_path(), port));
	wait_screen(socket, format("\n  %d ", (int)process_id(server)));
	const char *screen = tmux(socket, "capture-pane", "-p");
	const char *titles = strstr(screen, "  PID "), *row = titles ? strchr(titles, '\n') : NULL;
	const char *expected = format("\n  %d ", (int)process_id(server));
	cr_expect(row && strncmp(row, expected, strlen(expected)) == 0, "%s", screen);
	tmux(socket, "kill-server");
}

/* Thirty groups on a terminal of ten lines. */
Test(who, watch_draws_no_more_than_the_terminal_has_room_for)
{
	int port = port_new();
	const char *socket = tmux_socket();
	const char *script = "import socket, sys, time\n"
			     "list = [socket.socket() for i in range(30)]\n"
			     "for i, s in enumerate(list):\n"
			     "    s.bind((f'127.0.1.{i + 1}', int(sys.argv[1]))); s.listen()\n"
			     "print('ready', flush=True); time.sleep(1000)\n";
	struct process *server =
		process_start(WORDS(need_program("python3"), "-c", script, format("%d", port)));

	process_wait_text(server, "ready");
	open_screen(socket, 120, 10, format("%s --who %d --watch", run_path(), port));
	wait_screen(socket, format("tcp 127.0.1.1:%d ", port));
	cr_expect_eq(strncmp(tmux(socket, "capture-pane", "-p"), "tcp 127.0.1.1:", 14), 0);
	tmux(socket, "kill-server");
}

Test(who, watch_needs_a_terminal)
{
	struct process *process = looked("80", "--watch");

	cr_expect_eq(process_wait(process), 64);
	cr_expect(strstr(process_errors(process), "for programs, use --json"));
}
