/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run --stop: a process without a supervisor ends, and its clients do not notice. */
#include "supervised.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MANY	    32	/* clients */
#define CONNECTIONS 200 /* that are shared out */
#define COPIES_MOST 16

static const char *python(void)
{
	return need_program("python3");
}

/* ---- copies ---- */

static struct process *slow_copy(int port)
{
	struct process *copy =
		process_start(WORDS(python(), script_path("slow.py"), format("%d", port)));

	process_wait_text(copy, "listening");
	return copy;
}

static struct process *start_copy(const char *const *words, int port)
{
	struct process *copy = process_start(words);

	process_wait_port(copy, "tcp", port);
	return copy;
}

static struct process *holding_copy(int port)
{
	return start_copy(WORDS(python(), script_path("holding.py"), format("%d", port)), port);
}

static struct process *stubborn_copy(int port)
{
	return start_copy(
		WORDS(python(), script_path("holding.py"), format("%d", port), "stubborn"), port);
}

/* ---- stops ---- */

#define stop_start(PROCESS, ...)                                                                   \
	process_start(WORDS(run_path(), "--stop", format("%d", (int)(PROCESS)), ##__VA_ARGS__),    \
		.is_bare = true)

static void stop_finish(struct process *stop, int status)
{
	int ended = process_wait(stop);

	cr_assert_eq(ended, status, "--stop ended with %d: %s", ended, process_errors(stop));
}

#define stop_copy(COPY, ...) stop_finish(stop_start(process_id(COPY), ##__VA_ARGS__), 0)

static void expect_said(struct process *stop, const char *what)
{
	cr_expect(strstr(process_errors(stop), what), "not \"%s\" but: %s", what,
		process_errors(stop));
}

static void expect_lives(struct process *process)
{
	cr_expect_not(process_ended(process), "it ended: %s", process_errors(process));
}

/* ---- shares ---- */

/* The process that answers slow.py's or holding.py's way. */
static pid_t ask_once(int port)
{
	int fd = client_connect("127.0.0.1", port);
	char answer[32] = "";

	cr_assert_eq(send(fd, "\n", 1, MSG_NOSIGNAL), 1);
	cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
	close(fd);
	return atoi(answer);
}

struct shares {
	int port, members;
};

/* Whether so many processes take part, each with half of an equal share at least. */
static bool are_shared(void *context)
{
	const struct shares *shares = context;
	pid_t processes[COPIES_MOST] = {0};
	int got[COPIES_MOST] = {0}, count = 0, least = CONNECTIONS;

	for (int i = 0; i < CONNECTIONS; i++) {
		pid_t process = ask_once(shares->port);
		int at = 0;
		while (at < count && processes[at] != process)
			at++;
		cr_assert_lt(at, COPIES_MOST);
		count = at == count ? count + 1 : count;
		processes[at] = process;
		got[at]++;
	}
	for (int i = 0; i < count; i++)
		least = got[i] < least ? got[i] : least;
	return count == shares->members && least * shares->members * 2 >= CONNECTIONS;
}

static bool is_half_open(int port)
{
	struct socket_line lines[512];
	size_t count = socket_list("tcp", port, lines, 512);

	for (size_t i = 0; i < count; i++) {
		if (lines[i].state == 3 || lines[i].state == 12)
			return true;
	}
	return false;
}

/* What --stop leaves in a group: its members as they were, and nothing else. */
static void expect_left(int port, int members)
{
	struct shares shares = {port, members};

	cr_expect_eq(
		count_listening("tcp", port), members, "%d listen", count_listening("tcp", port));
	cr_expect(are_shared(&shares), "not all have their share");
	cr_expect_not(is_half_open(port));
}

/* ---- nothing is lost ---- */

/* Each copy is replaced by another one of its kind. */
static void replace_under_load(struct process *(*start)(int port), int port, int times)
{
	struct process *old = start(port);
	struct process *clients = load_start(port, MANY);

	for (int i = 0; i < times; i++) {
		struct process *new = start(port);
		stop_copy(old);
		cr_expect(process_ended(old));
		old = new;
	}
	load_stop_served(clients);
}

/* For servers that do not say which process they are. */
static void replace(struct process *(*start)(int port), int times)
{
	int port = port_new();

	replace_under_load(start, port, times);
	wait_listening("tcp", port, 1);
}

/* The same, and another one beside the last. */
static void replace_and_compare(struct process *(*start)(int port), int times)
{
	int port = port_new();

	replace_under_load(start, port, times);
	start(port);
	expect_left(port, 2);
}

Test(stop_process, stopping_python_loses_no_request)
{
	replace_and_compare(slow_copy, repeat(3, 30));
}

static struct process *threaded_copy(int port)
{
	return start_copy(WORDS(python(), script_path("threaded.py"), format("%d", port)), port);
}

Test(stop_process, stopping_python_with_a_thread_for_each_connection_loses_no_request)
{
	replace_and_compare(threaded_copy, repeat(2, 25));
}

static struct process *node_copy(int port)
{
	return start_copy(
		WORDS(need_program("node"), script_path("http.js"), format("%d", port)), port);
}

Test(stop_process, stopping_node_loses_no_request)
{
	need_program("node");
	replace(node_copy, repeat(2, 25));
}

/* Of both families, on all addresses. */
static struct process *node_everywhere(int port)
{
	return start_copy(WORDS(need_program("node"), script_path("server.js"), format("%d", port),
				  "answer\n"),
		port);
}

Test(stop_process, stopping_node_on_all_addresses_of_both_families_loses_no_request)
{
	need_program("node");
	replace(node_everywhere, repeat(1, 10));
}

static struct process *nginx_copy(int port)
{
	struct process *nginx = nginx_start(format("listen 127.0.0.1:%d;", port), "answer\\n");

	process_wait_port(nginx, "tcp", port);
	return nginx;
}

Test(stop_process, stopping_nginx_loses_no_request)
{
	replace(nginx_copy, repeat(2, 20));
}

/* Each of its three workers has its own socket; they do not end by themselves. */
static struct process *forking_copy(int port)
{
	int before = count_listening("tcp", port);
	struct process *copy = process_start(
		WORDS(python(), script_path("serve.py"), "workers", format("%d", port)));

	wait_listening("tcp", port, before + 3);
	return copy;
}

Test(stop_process, stopping_workers_with_a_socket_each_loses_no_request)
{
	int port = port_new();

	replace_under_load(forking_copy, port, repeat(2, 10));
	expect_left(port, 3);
}

struct drained_port {
	int port, listeners;
	pid_t open; /* the process that is not drained */
};

/* Whether there are so many listeners, and others are told of each except those of one process. */
static bool are_drained(void *context)
{
	const struct drained_port *drained = context;
	const char *names = read_file("/proc/net/unix");
	struct socket_line lines[64];
	size_t count = socket_list("tcp", drained->port, lines, 64);
	int listeners = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned long inode = lines[i].inode;
		if (!lines[i].is_listening)
			continue;
		if (!holds_socket(drained->open, inode) && !strstr(names, format(",%lx", inode)))
			return false;
		listeners++;
	}
	return listeners == drained->listeners;
}

/* The inode of the one connection that was accepted. */
static unsigned long accepted(int port)
{
	struct socket_line lines[64];
	size_t count = socket_list("tcp", port, lines, 64);

	for (size_t i = 0; i < count; i++) {
		if (lines[i].state == STATE_ESTABLISHED && lines[i].inode)
			return lines[i].inode;
	}
	return 0;
}

static bool is_accepted(void *context)
{
	return accepted(*(int *)context) != 0;
}

/* A child of the process that does not have the socket. */
static pid_t child_without(pid_t parent, unsigned long socket)
{
	char *at = strdup(read_file(format("/proc/%d/task/%d/children", (int)parent, (int)parent)));
	pid_t child;

	do
		child = (pid_t)strtol(at, &at, 10);
	while (child > 0 && holds_socket(child, socket));
	cr_assert_gt(child, 0);
	return child;
}

Test(stop_process, a_worker_that_is_replaced_meanwhile_gets_nothing_either)
{
	int port = port_new();
	struct process *old = forking_copy(port);
	int client = client_connect("127.0.0.1", port);

	wait_until(is_accepted, &port, "a worker that has the client");
	struct process *new = slow_copy(port);
	struct process *stop = stop_start(process_id(old), "--drain-timeout=1h");
	struct drained_port drained = {port, 4, process_id(new)};
	wait_until(are_drained, &drained, "the drain of three workers");
	cr_assert_eq(kill(child_without(process_id(old), accepted(port)), SIGKILL), 0);
	drained.listeners = 5; /* --stop has that of the one that is gone */
	wait_until(are_drained, &drained, "the drain of its successor");
	for (int i = 0; i < CONNECTIONS; i++)
		cr_assert_eq(ask_once(port), process_id(new));
	close(client);
	stop_finish(stop, 0);
	expect_left(port, 1);
}

static struct process *notified_copy(int port)
{
	int before = count_listening("tcp", port);
	struct process *copy = process_start(WORDS(run_path(), "--hook=notify", python(),
						     script_path("slow.py"), format("%d", port)),
		.is_bare = true);

	wait_listening("tcp", port, before + 1);
	return copy;
}

Test(stop_process, stopping_a_program_under_the_notify_hook_loses_no_request)
{
	need_notify();
	replace_and_compare(notified_copy, repeat(2, 10));
}

/* As its process id has it, without the one that it was started by. */
Test(stop_process, a_program_under_the_notify_hook_can_be_stopped_by_its_own_process_number)
{
	int port = port_new();

	need_notify();
	struct process *old = notified_copy(port);
	slow_copy(port);
	struct process *clients = load_start(port, MANY);
	stop_finish(stop_start(process_child(process_id(old))), 0);
	process_wait(old);
	load_stop_served(clients);
	expect_left(port, 1);
}

/* ---- how long ---- */

Test(stop_process, an_idle_copy_ends_while_others_have_half_open_requests)
{
	int port = port_new();
	struct process *old = slow_copy(port);
	struct process *new = slow_copy(port);
	struct process *half_open = process_start(
		WORDS(python(), script_path("half_open.py"), format("%d", port)), .is_bare = true);

	process_wait_text(half_open, "asking");
	cr_assert(is_half_open(port));
	stop_copy(old, "--drain-timeout=1h");
	cr_expect(is_half_open(port), "others had none any more");
	expect_lives(new);
	process_kill(half_open);
}

Test(stop_process, a_request_in_progress_is_finished)
{
	int port = port_new();
	struct process *old = slow_copy(port);
	struct process *new = slow_copy(port);
	int request = request_beside(process_id(new), port);
	struct process *stop = stop_start(process_id(old), "--drain-timeout=1h");

	request_end(request);
	stop_finish(stop, 0);
	cr_expect(process_ended(old));
	expect_left(port, 1);
}

Test(stop_process, connections_that_are_not_finished_in_time_are_cut_off_and_that_is_logged)
{
	int port = port_new();
	struct process *old = holding_copy(port);

	holding_copy(port);
	hold_connections(process_id(old), port, 1);
	struct process *stop = stop_start(process_id(old), "--drain-timeout=500ms");
	stop_finish(stop, 1);
	expect_said(stop, format("process %d still has connections after 500 ms, and is told to "
				 "stop\n",
				  (int)process_id(old)));
	cr_expect(process_ended(old));
	expect_left(port, 1);
}

Test(stop_process, a_process_that_ignores_the_signal_is_killed)
{
	int port = port_new();
	struct process *old = stubborn_copy(port);

	holding_copy(port);
	struct process *stop = stop_start(process_id(old), "--grace=3s");
	stop_finish(stop, 0);
	expect_said(stop, "does not stop, and is killed");
	cr_expect_eq(process_wait(old), 128 + SIGKILL);
	cr_expect(strstr(process_errors(old), "told to stop"));
	expect_left(port, 1);
}

Test(stop_process, the_stop_signal_is_the_given_one)
{
	int port = port_new();
	struct process *old = slow_copy(port);

	slow_copy(port);
	stop_copy(old, "--stop-signal=INT");
	process_wait(old);
	cr_expect(strstr(process_errors(old), "KeyboardInterrupt"), "%s", process_errors(old));
}

/* ---- targets ---- */

static void expect_stop(int status, const char *target)
{
	stop_finish(process_start(WORDS(run_path(), "--stop", target), .is_bare = true), status);
}

Test(stop_process, a_target_that_has_ended_or_is_empty_counts_as_stopped)
{
	const char *directory = new_directory();
	struct process *gone = process_run(WORDS("/bin/true"), .is_bare = true);

	expect_stop(0, "");
	struct process *stop = process_start(
		WORDS(run_path(), "--stop", format("%s/server.pid", directory)), .is_bare = true);
	stop_finish(stop, 0);
	expect_says(stop, "/server.pid: no such file, so there is nothing to stop\n");
	expect_stop(0, format("%d", (int)process_id(gone)));
	stop_finish(process_start(WORDS(run_path(), "--stop"), .is_bare = true), 0);
	expect_stop(64, write_file(directory, "nonsense", "nonsense\n"));
}

Test(stop_process, a_pid_file_names_the_process)
{
	int port = port_new();
	struct process *old = slow_copy(port);

	expect_stop(
		0, write_file(new_directory(), "server.pid", format("%d\n", (int)process_id(old))));
	cr_expect(process_ended(old));
}

Test(stop_process, a_process_that_shares_nothing_is_told_to_stop_at_once)
{
	int port = port_new();
	struct process *alone = holding_copy(port);

	hold_connections(process_id(alone), port, 1);
	struct process *stop = stop_start(process_id(alone), "--drain-timeout=1h");
	stop_finish(stop, 0);
	expect_said(stop, "shares no TCP port with others, so it is told to stop at once");
	cr_expect(process_ended(alone));
}

static struct process *supervise_slow(int port, const char *copies)
{
	return supervise(copies, "--keep", "--ready-delay=200ms", python(), script_path("slow.py"),
		format("%d", port));
}

Test(stop_process, a_supervisor_is_told_to_stop)
{
	int port = port_new();
	struct process *supervisor = supervise_slow(port, "-n2");

	wait_ready(supervisor, 2);
	struct process *stop = stop_start(process_id(supervisor));
	stop_finish(stop, 0);
	expect_said(stop, format("supervisor %d is told to stop", (int)process_id(supervisor)));
	cr_expect_eq(process_wait(supervisor), 0);
	wait_listening("tcp", port, 0);
}

/* Connects to its control socket until that takes no more. */
static void fill_control_socket(struct process *supervisor)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *names = read_file("/proc/net/unix"), *name = NULL;
	const char *end = format("-%d\n", (int)process_id(supervisor));
	int result = 0;

	for (const char *at = names; (at = strstr(at, "@libreuse-control-")); at++) {
		const char *line_end = strchr(at, '\n') + 1;
		if (strncmp(line_end - strlen(end), end, strlen(end)) == 0)
			name = at;
	}
	cr_assert(name);
	size_t length = strcspn(name, "\n");
	memcpy(address.sun_path + 1, name + 1, length - 1);
	for (int i = 0; i < 1000 && result == 0; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		result = connect(fd, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	}
	cr_assert_eq(errno, EAGAIN);
}

Test(stop_process, a_supervisor_that_is_stopped_is_continued_to_stop)
{
	struct process *supervisor = supervise_slow(port_new(), "-n2");

	wait_ready(supervisor, 2);
	stop_process(process_id(supervisor));
	stop_finish(stop_start(process_id(supervisor)), 0);
	cr_expect_eq(process_wait(supervisor), 0);
}

/* It would be killed as any process, and its copies with it. */
Test(stop_process, a_supervisor_that_does_not_answer_is_not_taken_for_another_process)
{
	int port = port_new();
	struct process *supervisor = supervise_slow(port, "-n2");

	wait_ready(supervisor, 2);
	stop_process(process_id(supervisor));
	fill_control_socket(supervisor);
	struct process *stop = stop_start(process_id(supervisor));
	stop_finish(stop, 69);
	expect_said(stop, "seems to be a supervisor that does not answer, and keeps running");
	process_signal(supervisor, SIGCONT);
	expect_lives(supervisor);
	end_supervisor(supervisor);
}

/* Takes the names that a supervisor with that number would have, and lets nobody in. */
static const char takes_names[] =
	"import os, signal, socket, sys\n"
	"sockets = []\n"
	"def take(name):\n"
	"    sockets.append(socket.socket(socket.AF_UNIX))\n"
	"    sockets[-1].bind(name)\n"
	"    sockets[-1].listen(0)\n"
	"    try:\n"
	"        while True:\n"
	"            sockets.append(socket.socket(socket.AF_UNIX))\n"
	"            sockets[-1].setblocking(False)\n"
	"            sockets[-1].connect(name)\n"
	"    except BlockingIOError:\n"
	"        pass\n"
	"number = f'{os.stat(\"/proc/self/ns/pid\").st_ino}-{sys.argv[1]}'\n"
	"take(f'\\0libreuse-control-{number}')\n"
	"take(f'\\0libreuse-supervisor-{number}')\n"
	"forged = '\\0\\nffff: 2 0 00010000 1 1 {} @libreuse-control-' + number # in "
	"/proc/net/unix\n"
	"for inode in sys.argv[2:]:\n"
	"    sockets.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))\n"
	"    sockets[-1].bind(forged.format(inode))\n"
	"print('taken', flush=True)\n"
	"signal.pause()\n";

/* A roll waits for a supervisor that lets it in without limit. */
Test(stop_process, another_user_cannot_make_it_take_a_process_for_a_supervisor)
{
	need_root();
	int port = port_new();
	struct process *old = slow_copy(port);
	slow_copy(port);
	const char *process = format("%d", (int)process_id(old)), *nobodys = "4294967295";
	struct stat roots;
	cr_assert_eq(fstat(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), &roots), 0);
	process_wait_text(process_start(WORDS(python(), "-c", takes_names, process, nobodys,
						format("%ju", (uintmax_t)roots.st_ino)),
				  .is_bare = true, .user = "nobody"),
		"taken");
	struct process *roll = process_start(WORDS(run_path(), "--roll", process), .is_bare = true);
	cr_expect_eq(process_wait(roll), 69);
	cr_expect_eq(times_said(roll, "this process is not a supervisor"), 1);
	process_wait(process_start(WORDS(run_path(), "--status"), .is_bare = true));
	stop_copy(old);
	cr_expect(process_ended(old));
	expect_left(port, 1);
}

Test(stop_process, a_copy_of_a_supervisor_is_refused_with_the_command_that_is_meant)
{
	int port = port_new();
	struct process *supervisor = supervise_slow(port, "-n2");

	wait_ready(supervisor, 2);
	pid_t copy = copy_in(supervisor, 1);
	struct process *stop = stop_start(copy);
	stop_finish(stop, 64);
	expect_said(stop, format("process %d belongs to supervisor %d, ", (int)copy,
				  (int)process_id(supervisor)));
	expect_said(stop, format("use --stop %d, --roll %d, or --scale %d -n N\n",
				  (int)process_id(supervisor), (int)process_id(supervisor),
				  (int)process_id(supervisor)));
	expect_left(port, 2);
	end_supervisor(supervisor);
}

/* ---- rights ---- */

Test(stop_process, for_another_users_process_it_is_refused_and_nothing_changes)
{
	int port = port_new();

	need_root();
	struct process *old = slow_copy(port);
	slow_copy(port);
	struct process *stop =
		process_start(WORDS(supervise_path(), "--stop", format("%d", (int)process_id(old))),
			.is_bare = true, .user = "nobody");
	stop_finish(stop, 77);
	expect_said(
		stop, format("process %d cannot be stopped by this user", (int)process_id(old)));
	expect_lives(old);
	expect_left(port, 2);
}

Test(stop_process, a_process_without_any_descriptor_is_stopped_with_its_child)
{
	int port = port_new();
	const char *parent = write_file(new_directory(), "parent.py",
		"import os, sys\n"
		"if os.fork() == 0:\n"
		"    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
		"os.closerange(0, 1000)\n"
		"os.wait()\n");
	struct process *old = start_copy(
		WORDS(python(), parent, script_path("slow.py"), format("%d", port)), port);

	slow_copy(port);
	wait_files(process_id(old), 0);
	stop_copy(old);
	cr_expect(process_ended(old));
	wait_listening("tcp", port, 1);
}

/* Its workers, of another user, cannot be looked into. */
Test(stop_process, a_container_s_root_stops_a_process_that_has_children_of_another_user)
{
	int port = port_new();

	start_as_root_of_container();
	struct process *old = nginx_copy(port);
	struct process *new = nginx_copy(port);
	stop_copy(old);
	cr_expect(process_ended(old));
	expect_lives(new);
	wait_listening("tcp", port, 1);
}

/* Their listeners would be taken for those of others, who could take the clients. */
Test(stop_process, a_container_s_root_does_not_stop_a_process_whose_listeners_it_cannot_see)
{
	int port = port_new();
	const char *serve = format("setpriv --reuid=nobody --clear-groups %s %s %d; true", python(),
		script_path("slow.py"), port);

	start_as_root_of_container();
	need_program("setpriv");
	struct process *old = process_start(WORDS("/bin/sh", "-c", serve));
	process_wait_text(old, "listening");
	process_wait_text(process_start(WORDS("/bin/sh", "-c", serve)), "listening");
	struct process *stop = stop_start(process_id(old));
	stop_finish(stop, 77);
	expect_said(stop, "the container needs the capability SYS_PTRACE");
	expect_lives(old);
	expect_left(port, 2);
}

/* Started before it moves there. */
Test(stop_process, a_process_in_another_network_is_stopped_there)
{
	need_root();
	const char *outside = format("--net=/proc/%d/ns/net", (int)getppid());
	enter_network_namespace();
	int port = port_new();
	struct process *old = slow_copy(port);
	slow_copy(port);
	struct process *clients = load_start(port, MANY);
	stop_finish(process_start(WORDS(need_program("nsenter"), outside, run_path(), "--stop",
					  format("%d", (int)process_id(old))),
			    .is_bare = true),
		0);
	load_stop_served(clients);
	cr_expect(process_ended(old));
	expect_left(port, 1);
}

/* As where a sandbox or yama forbids pidfd_getfd(2). */
#define stop_without_descriptors(PROCESS, ...)                                                     \
	process_start(WORDS(need_program("strace"), "-qq", "-o", "/dev/null", "-e",                \
			      "inject=pidfd_getfd:error=EPERM", run_path(), "--stop",              \
			      format("%d", (int)(PROCESS)), ##__VA_ARGS__),                        \
		.is_bare = true)

static void replace_without_descriptors(const char *user)
{
	int port = port_new(), times = repeat(2, 10);
	const char *words[] = {python(), script_path("slow.py"), format("%d", port), NULL};
	struct process *old = process_start(words, .user = user);

	process_wait_text(old, "listening");
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < times; i++) {
		struct process *new = process_start(words, .user = user);
		process_wait_text(new, "listening");
		struct process *stop = stop_without_descriptors(process_id(old));
		stop_finish(stop, 0);
		cr_expect_eq(times_said(stop, "at once"), 0, "%s", process_errors(stop));
		old = new;
	}
	load_stop_served(clients);
	process_wait_text(process_start(words, .user = user), "listening");
	expect_left(port, 2);
}

Test(stop_process, a_process_whose_descriptors_cannot_be_duplicated_is_stopped_without_a_loss)
{
	replace_without_descriptors(NULL);
}

Test(stop_process, root_stops_a_process_of_another_user_whose_descriptors_cannot_be_duplicated)
{
	need_root();
	replace_without_descriptors("nobody");
}

/* Under the same lock as they have, and heard by them. */
Test(stop_process, root_stops_a_copy_while_its_user_s_supervisor_rolls)
{
	int port = port_new();

	need_root();
	const char *slow = script_path("slow.py");
	struct process *supervisor =
		process_start(WORDS(supervise_path(), "-v", "-n2", "--keep", "--ready-delay=200ms",
				      python(), slow, format("%d", port)),
			.is_bare = true, .user = "nobody");
	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < repeat(2, 10); i++) {
		struct process *copy =
			process_start(WORDS(python(), slow, format("%d", port)), .user = "nobody");
		process_wait_text(copy, "listening");
		struct process *rolling = roll_start(supervisor);
		stop_copy(copy);
		roll_finish(rolling, 2);
	}
	load_stop_served(clients);
	expect_left(port, 2);
	end_supervisor(supervisor);
}

/* ---- killed ---- */

/* At the COUNTth of its calls of that name. It never ends by itself, for it waits for a client. */
static void kill_at(pid_t target, const char *call, int count)
{
	struct process *stop = process_start(
		WORDS(need_program("strace"), "-qq", "-o", "/dev/null", "-e",
			format("inject=%s:signal=KILL:when=%d", call, count), supervise_path(),
			"--stop", format("%d", (int)target), "--drain-timeout=1h"),
		.is_bare = true);

	cr_expect_eq(
		process_wait(stop), 128 + SIGKILL, "%s %d: %s", call, count, process_errors(stop));
}

Test(stop_process, if_it_is_killed_at_any_step_the_members_get_clients_as_before)
{
	static const char *const calls[] = {"pidfd_getfd", "bind", "connect", "setsockopt"};
	int port = port_new(), most = repeat(3, 25);
	struct shares shares = {port, 2};
	struct process *old = holding_copy(port);

	holding_copy(port);
	hold_connections(process_id(old), port, 1);
	for (int i = 0; i < (int)(sizeof calls / sizeof *calls); i++) {
		for (int count = 1; count <= (i == 0 ? 1 : most); count++) {
			kill_at(process_id(old), calls[i], count);
			wait_until(
				are_shared, &shares, format("shares after %s %d", calls[i], count));
		}
	}
	expect_lives(old);
	expect_left(port, 2);
	stop_finish(stop_start(process_id(old), "--drain-timeout=100ms"), 1);
	expect_left(port, 1);
}

/* Its listener is deaf by then. */
Test(stop_process, if_it_is_killed_after_the_stop_signal_the_members_get_clients_as_before)
{
	int port = port_new();
	struct shares shares = {port, 2};
	struct process *old = stubborn_copy(port);

	holding_copy(port);
	struct process *stop = process_start(
		WORDS(supervise_path(), "--stop", format("%d", (int)process_id(old)), "--grace=1h"),
		.is_bare = true);
	process_wait_text(old, "told to stop");
	process_signal(stop, SIGKILL);
	process_wait(stop);
	wait_until(are_shared, &shares, "shares");
	expect_left(port, 2);
}

/* ---- beside others ---- */

Test(stop_process, two_of_three_copies_can_be_stopped_at_once_without_a_loss)
{
	int port = port_new();
	struct process *copies[2];

	slow_copy(port);
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < repeat(2, 10); i++) {
		copies[0] = slow_copy(port);
		copies[1] = slow_copy(port);
		struct process *stops[] = {
			stop_start(process_id(copies[0])), stop_start(process_id(copies[1]))};
		stop_finish(stops[0], 0);
		stop_finish(stops[1], 0);
	}
	load_stop_served(clients);
	expect_left(port, 1);
}

/* Whoever comes second stays until there is another one. */
Test(stop_process, if_two_of_two_copies_are_stopped_at_once_and_one_is_replaced_nothing_is_lost)
{
	int port = port_new();
	struct process *first = holding_copy(port), *second = holding_copy(port);

	hold_connections(process_id(first), port, 1);
	struct process *first_stop = stop_start(process_id(first), "--drain-timeout=1h");
	wait_until(are_shared, &(struct shares){port, 1}, "the drain of the first one");
	struct process *second_stop = stop_start(process_id(second), "--drain-timeout=1h");
	process_wait_text(second_stop, "waits, because all other processes that could take its "
				       "clients are being stopped too");
	expect_lives(second);
	struct process *third = holding_copy(port);
	stop_finish(second_stop, 0);
	expect_lives(first);
	expect_lives(third);
	process_signal(first_stop, SIGTERM);
	process_wait(first_stop);
	wait_until(are_shared, &(struct shares){port, 2}, "shares");
}

Test(stop_process, the_last_copy_is_told_to_stop_if_no_other_one_starts)
{
	int port = port_new();
	struct process *first = slow_copy(port), *second = slow_copy(port);
	struct process *stops[] = {stop_start(process_id(first)), stop_start(process_id(second))};

	stop_finish(stops[0], 0);
	stop_finish(stops[1], 0);
	/* or the first one was gone already when the second one was asked for */
	int n_last = 0;
	for (int i = 0; i < 2; i++)
		n_last += times_said(stops[i], "no other process can take") +
			  times_said(stops[i], "shares no TCP port with others");
	cr_expect_eq(n_last, 1, "%s%s", process_errors(stops[0]), process_errors(stops[1]));
	wait_listening("tcp", port, 0);
}

Test(stop_process, a_copy_beside_a_supervisor_that_rolls_is_stopped_without_a_loss)
{
	int port = port_new();
	struct process *supervisor = supervise_slow(port, "-n2");

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < repeat(2, 10); i++) {
		struct process *copy = slow_copy(port);
		struct process *rolling = roll_start(supervisor);
		stop_copy(copy);
		roll_finish(rolling, 2);
	}
	load_stop_served(clients);
	expect_left(port, 2);
	end_supervisor(supervisor);
}
