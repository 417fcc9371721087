/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What another user cannot do to a port, its copies and their supervisor; SECURITY, libreuse(7). */
#include "supervised.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY "nobody"

/* Something that this user tries, see programs/neighbour.py. */
static struct process *start_neighbour(const char *user, const char *deed, const char *word)
{
	return process_start(
		WORDS(need_program("python3"), script_path("neighbour.py"), deed, word),
		.is_bare = true, .user = user);
}

static const char *neighbour(const char *user, const char *deed, const char *word)
{
	struct process *process = start_neighbour(user, deed, word);

	cr_assert_eq(process_wait(process), 0, "%s", process_errors(process));
	return process_output(process);
}

static const char *tell(const char *user, const char *name, const char *message)
{
	return process_output(process_run(
		WORDS(need_program("python3"), script_path("neighbour.py"), "send", name, message),
		.is_bare = true, .user = user));
}

/* ---- a port ---- */

static const char *attempt(const char *user, bool is_bare, const char *kind, const char *address)
{
	struct process *process =
		process_run(WORDS(need_program("python3"), script_path("sockets.py"), kind,
				    "set=SO_REUSEADDR,1", "set=SO_REUSEPORT,1", address, "listen"),
			.is_bare = is_bare, .user = user);

	return process_output(process);
}

static void expect_closed_to_others(
	const char *kind, const char *first, const char *others_kind, const char *others, int port)
{
	const char *ours = format("bind=%s,%d", first, port);
	const char *theirs = format("bind=%s,%d", others, port);
	struct process *server = process_start(WORDS(
		need_program("python3"), script_path("sockets.py"), kind, ours, "listen", "stay"));

	process_wait_text(server, "stay");
	for (int is_bare = 0; is_bare <= 1; is_bare++) {
		const char *output = attempt(NOBODY, is_bare, others_kind, theirs);
		cr_expect(strstr(output, format("%s EADDRINUSE\n", theirs)), "%s", output);
	}
	/* It is the user that makes the difference. */
	const char *output = attempt(NULL, false, kind, ours);
	cr_expect(strstr(output, format("%s ok\n", ours)), "%s", output);
	process_kill(server);
}

Test(hostile, another_user_can_join_a_tcp_port_on_no_address)
{
	need_root();
	expect_closed_to_others("tcp4", "0.0.0.0", "tcp4", "0.0.0.0", port_new());
	expect_closed_to_others("tcp4", "0.0.0.0", "tcp4", "127.0.0.1", port_new());
	expect_closed_to_others("tcp4", "127.0.0.1", "tcp4", "0.0.0.0", port_new());
	expect_closed_to_others("tcp4", "0.0.0.0", "tcp6", "::", port_new());
	expect_closed_to_others("tcp4", "0.0.0.0", "tcp6", "::ffff:127.0.0.1", port_new());
	expect_closed_to_others("tcp6", "::", "tcp4", "127.0.0.1", port_new());
}

Test(hostile, another_user_can_join_a_udp_port_on_no_address)
{
	need_root();
	expect_closed_to_others("udp4", "0.0.0.0", "udp4", "0.0.0.0", port_new());
	expect_closed_to_others("udp4", "0.0.0.0", "udp4", "127.0.0.1", port_new());
	expect_closed_to_others("udp6", "::", "udp4", "127.0.0.1", port_new());
}

/* The kernel asks for no user there. */
Test(hostile, a_udp_port_whose_program_sets_so_reuseaddr_is_open_to_all_unless_it_is_exclusive)
{
	static const char *const rules[] = {"REUSE_RULES=share", "REUSE_RULES=exclusive"};
	static const char *const outcomes[] = {"ok", "EADDRINUSE"};

	need_root();
	for (int i = 0; i < 2; i++) {
		const char *port = format("bind=127.0.0.1,%d", port_new());
		struct process *server =
			process_start(WORDS(need_program("python3"), script_path("sockets.py"),
					      "udp4", "set=SO_REUSEADDR,1", port, "stay"),
				.environment = WORDS(rules[i]));
		process_wait_text(server, "stay");
		const char *output = attempt(NOBODY, true, "udp4", port);
		cr_expect(strstr(output, format("%s %s\n", port, outcomes[i])), "%s", output);
	}
}

/*
 * SO_REUSEADDR, which nearly every server sets itself, is about sockets that do not listen. Nobody
 * gets a client who should not: one of the two cannot listen.
 */
Test(hostile, another_bind_between_bind_and_listen_makes_the_listen_fail)
{
	static const char script[] = "import signal, socket, sys\n"
				     "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
				     "server = socket.socket()\n"
				     "server.bind(('127.0.0.1', int(sys.argv[1])))\n"
				     "print('bound', flush=True)\n"
				     "signal.sigwait([signal.SIGUSR1])\n"
				     "server.listen()\n";
	int port = port_new();
	const char *theirs = format("bind=127.0.0.1,%d", port);

	need_root();
	struct process *server =
		process_start(WORDS(need_program("python3"), "-c", script, format("%d", port)));
	process_wait_text(server, "bound");
	struct process *other =
		process_start(WORDS(need_program("python3"), script_path("sockets.py"), "tcp4",
				      "set=SO_REUSEADDR,1", theirs, "listen", "stay"),
			.is_bare = true, .user = NOBODY);
	process_wait_text(other, "stay");
	cr_expect(strstr(process_output(other), "listen ok\n"), "%s", process_output(other));
	process_signal(server, SIGUSR1);
	cr_expect_neq(process_wait(server), 0);
	cr_expect(strstr(process_errors(server), "Address already in use"), "%s",
		process_errors(server));
}

/* ---- the keeper's socket ---- */

static struct process *start_slow(int port, const char *ready)
{
	return supervise("-n2", "--keep", "--ready-delay=0", ready, need_program("python3"),
		script_path("slow.py"), format("%d", port));
}

Test(hostile, messages_of_another_user_to_the_keeper_are_ignored)
{
	int port = port_new();

	need_root();
	struct process *supervisor = start_slow(port, "--ready=notify");
	process_wait_port(supervisor, "tcp", port); /* what listens has its environment */
	const char *name = variable_of(starting_copy(supervisor, 0), "NOTIFY_SOCKET");

	cr_expect_str_eq(tell(NOBODY, name, "READY=1"), "send ok\n");
	cr_expect_str_eq(neighbour(NOBODY, "forge", name), "forge EPERM\n");
	tell(NOBODY, name, "FDSTORE=1\nFDNAME=libreuse-1-tcp-127.0.0.1-1");
	tell(NOBODY, name, "FDSTORE=1\nFDNAME=wrong");
	unsigned long kept = sum_listening("tcp", port);
	tell(NOBODY, name,
		format("FDSTOREREMOVE=1\nFDNAME=libreuse-%lu-tcp-127.0.0.1-%d", kept, port));
	/* Root is heard, and what came before has been read by then. */
	tell(NULL, name, "FDSTORE=1\nFDNAME=wrong");
	wait_said(supervisor, "copy 0 sent ", 1);
	cr_expect_eq(times_said(supervisor, " is ready\n"), 0, "%s", process_errors(supervisor));
	cr_expect(holds_socket(process_id(supervisor), kept));
	tell(NULL, name, "READY=1");
	wait_ready(supervisor, 1);
}

/* A keeper's name, once that is gone, is for anybody to take. */
Test(hostile, another_user_who_has_taken_a_keepers_name_gets_no_socket)
{
	static const char *const users[] = {NOBODY, NULL};
	const char *python = need_program("python3"), *not_kept = "the socket is not kept: EPERM";

	need_root();
	for (int i = 0; i < 2; i++) {
		int port = port_new();
		const char *name = format("@libreuse-test-%d-%d", (int)getpid(), i);
		struct process *keeper = start_neighbour(users[i], "impersonate", name);
		process_wait_text(keeper, "listening");
		struct process *server = process_start(
			WORDS(python, script_path("slow.py"), format("%d", port)),
			.environment = WORDS(format("REUSE_RULES=port=%d -> share keep", port),
				format("NOTIFY_SOCKET=%s", name)));
		process_wait_text(server, "listening");
		if (!users[i])
			process_wait_text(keeper, "got 1\n");
		cr_expect_eq(strstr(process_errors(server), not_kept) != NULL, users[i] != NULL,
			"%s", process_errors(server));
		cr_expect_eq(strstr(process_output(keeper), "got") == NULL, users[i] != NULL, "%s",
			process_output(keeper));
	}
}

/* Its messages come among those of the copies, and are many. */
Test(hostile, a_flood_of_another_users_messages_holds_nothing_up)
{
	int port = port_new();

	need_root();
	struct process *supervisor = start_slow(port, "--ready=listen");
	wait_ready(supervisor, 2);
	struct process *load = load_start(port, 4);
	struct process *floods[2];
	for (int slot = 0; slot < 2; slot++) {
		const char *name = variable_of(copy_in(supervisor, slot), "NOTIFY_SOCKET");
		floods[slot] = start_neighbour(NOBODY, "flood", name);
		process_wait_text(floods[slot], "sent");
	}
	roll(supervisor, 2);
	load_stop_served(load);
	end_supervisor(supervisor);
}

/* ---- the supervisor ---- */

Test(hostile, another_user_gets_no_descriptor_and_sends_no_signal)
{
	int port = port_new();

	need_root();
	struct process *supervisor = start_slow(port, "--ready=listen");
	wait_ready(supervisor, 2);
	pid_t processes[] = {process_id(supervisor), copy_in(supervisor, 0)};
	for (int i = 0; i < 2; i++) {
		const char *output = neighbour(NOBODY, "steal", format("%d", (int)processes[i]));
		cr_expect_not(strstr(output, " ok\n"), "%s", output);
		cr_expect(strstr(output, "descriptor EPERM\nlist EACCES\nmemory EACCES\n"
					 "environment EACCES\nsignal EPERM\n"),
			"%s", output);
	}
	cr_expect_eq(times_said(supervisor, "generation 2"), 0);
	end_supervisor(supervisor);
}

/* The name that src/supervise/talk/control.c gives a supervisor's socket. */
static const char *control_name(pid_t process)
{
	struct stat status;

	cr_assert_eq(stat("/proc/self/ns/pid", &status), 0);
	return format("@libreuse-supervisor-%ju-%d", (uintmax_t)status.st_ino, (int)process);
}

Test(hostile, endless_requests_of_another_user_for_rolls_do_not_hold_up_a_roll)
{
	int port = port_new();

	need_root();
	struct process *supervisor = start_slow(port, "--ready=listen");
	wait_ready(supervisor, 2);
	struct process *load = load_start(port, 4);
	struct process *knocking =
		start_neighbour(NOBODY, "knock", control_name(process_id(supervisor)));
	process_wait_text(knocking, "knocked");
	cr_expect_eq(times_said(supervisor, "generation 2"), 0);
	roll(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "generation 3"), 0);
	load_stop_served(load);
	end_supervisor(supervisor);
}

/* ---- the name of the supervisor's socket ---- */

/* Whoever binds it first has it: another user may, for numbers that are to come. */
Test(hostile, a_name_that_another_user_has_taken_is_not_trusted_and_a_signal_still_rolls)
{
	const char *fifo = format("%s/fifo", new_directory());
	int port = port_new();

	need_root();
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	struct process *supervisor = process_start(
		WORDS("/bin/sh", "-c", "read -r go <\"$0\"; exec \"$@\"", fifo, run_path(), "-v",
			"-n1", "--keep", "--ready-delay=0", need_program("python3"),
			script_path("slow.py"), format("%d", port)),
		.is_bare = true);
	pid_t process = process_id(supervisor);
	process_wait_text(start_neighbour(NOBODY, "squat", control_name(process)), "listening");
	close(open(fifo, O_WRONLY | O_CLOEXEC));
	wait_said(supervisor,
		"reuse-run --roll, --scale and --status cannot reach this process: EADDRINUSE", 1);
	wait_ready(supervisor, 1);

	struct process *attempt = roll_start(supervisor);
	cr_expect_eq(process_wait(attempt), 69);
	cr_expect_str_empty(process_output(attempt));
	process_signal(supervisor, SIGHUP);
	wait_ready(supervisor, 2);
	end_supervisor(supervisor);
}

/* The kernel notes the user who listens; this one is not the user of the process. */
Test(hostile, a_process_of_another_user_that_listens_there_is_not_trusted)
{
	need_root();
	struct process *process = process_start(
		WORDS(need_program("python3"), script_path("neighbour.py"), "disguise"),
		.is_bare = true);
	process_wait_text(process, "listening");
	struct process *attempt = roll_start(process);
	cr_expect_eq(process_wait(attempt), 69);
	cr_expect_str_empty(process_output(attempt));
}

/* A user may print anything about his own process, but may not control the terminal. */
Test(hostile, messages_of_another_users_process_are_printed_without_control_characters)
{
	need_root();
	struct process *process = start_neighbour(NOBODY, "disguise", NULL);
	process_wait_text(process, "listening");
	struct process *attempt = roll_start(process);
	cr_expect_eq(process_wait(attempt), 0);
	cr_expect_str_eq(process_output(attempt), "?[2Jcopy 0: process 1 is replaced by 2\n");
}

/* ---- what "the same user" means ---- */

/* reuse-run and slow.py where every user can reach them. */
static const char *for_everybody(void)
{
	const char *directory = new_directory();

	process_run(WORDS("/bin/cp", run_path(), library_path(), supervise_path(),
			    script_path("slow.py"), directory),
		.is_bare = true);
	return directory;
}

Test(hostile, a_user_may_ask_his_own_supervisor_and_another_may_not)
{
	const char *directory = for_everybody(), *run = format("%s/reuse-run", directory);
	int port = port_new();

	need_root();
	struct process *supervisor = process_start(
		WORDS(run, "-v", "-n1", "--keep", "--ready-delay=0", need_program("python3"),
			format("%s/slow.py", directory), format("%d", port)),
		.is_bare = true, .user = NOBODY);
	wait_ready(supervisor, 1);
	const char *const *ask = WORDS(run, "--roll", format("%d", (int)process_id(supervisor)));
	cr_expect_eq(process_wait(process_start(ask, .is_bare = true, .user = "daemon")), 69);
	process_run(ask, .is_bare = true, .user = NOBODY);
	process_run(ask, .is_bare = true);
	cr_expect_eq(times_said(supervisor, "generation 3"), 1);
	cr_expect_eq(times_said(supervisor, "generation 4"), 0);
	end_supervisor(supervisor);
}

/*
 * In a user namespace, all users without an ID there have one ID that also belongs to a user there.
 */
Test(hostile, a_user_without_an_id_in_the_namespace_is_not_our_own_user)
{
	const char *directory = for_everybody();
	int port = port_new();

	need_root();
	/* all others are shown as the user 65534 there, too */
	struct process *supervisor = process_start(
		WORDS(need_program("python3"), script_path("namespaced.py"), "65534",
			"0 0 1,65534 100000 1", "/bin/sh", format("%s/reuse-run", directory), "-v",
			"-n1", "--keep", "--ready-delay=0", need_program("python3"),
			format("%s/slow.py", directory), format("%d", port)),
		.is_bare = true);
	wait_ready(supervisor, 1);
	struct process *knocking =
		start_neighbour(NOBODY, "knock", control_name(process_id(supervisor)));
	process_wait_text(knocking, "knocked");
	process_kill(knocking);
	roll(supervisor, 1);
	cr_expect_eq(times_said(supervisor, "generation 3"), 0, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
}

/* ---- the notify hook ---- */

/* The hook does the bind in the place of a child that has become another user. */
Test(hostile, a_kept_socket_is_not_for_a_child_of_another_user)
{
	static const char script[] = "import os, signal, socket, sys\n"
				     "def attempt(user):\n"
				     "    if os.fork() == 0:\n"
				     "        os.setresuid(user, user, user)\n"
				     "        try:\n"
				     "            socket.socket().bind(address)\n"
				     "            print(user, 'ok', flush=True)\n"
				     "        except OSError as error:\n"
				     "            print(user, error.errno, flush=True)\n"
				     "        os._exit(0)\n"
				     "    os.wait()\n"
				     "address = '127.0.0.1', int(sys.argv[1])\n"
				     "server = socket.socket()\n"
				     "server.bind(address)\n"
				     "server.listen()\n"
				     "server.close()\n"
				     "attempt(65534)\n"
				     "attempt(0)\n"
				     "print('done', flush=True)\n"
				     "signal.pause()\n";
	int port = port_new();

	need_root();
	struct process *supervisor = supervise("-n1", "--keep", "--hook=notify",
		need_program("python3"), "-c", script, format("%d", port));
	process_wait_text(supervisor, "done\n");
	cr_expect_str_eq(process_output(supervisor), format("65534 %d\n0 ok\ndone\n", EADDRINUSE));
}

/* ---- files ---- */

/* A directory that belongs to nobody, in which NAME is a link to TARGET. */
static const char *plant(const char *name, const char *target)
{
	const char *directory = new_directory(), *path = format("%s/%s", directory, name);

	cr_assert_eq(symlink(target, path), 0);
	cr_assert_eq(lchown(path, 65534, 65534), 0);
	cr_assert_eq(chown(directory, 65534, 65534), 0);
	return path;
}

static const char *file_of_nobody(const char *content)
{
	const char *path = write_file(new_directory(), "file", content);

	cr_assert_eq(chown(path, 65534, 65534), 0);
	return path;
}

static void expect_refused(const char *option, const char *path, const char *complaint)
{
	struct process *process = process_start(
		WORDS(run_path(), "-n1", "--restart=no", option, path, "/bin/echo", "started"),
		.is_bare = true);

	cr_expect_eq(process_wait(process), 78);
	cr_expect_str_empty(process_output(process));
	cr_expect(strstr(process_errors(process), complaint), "%s", process_errors(process));
}

Test(hostile, a_file_that_another_user_wrote_or_linked_to_adds_no_rule_and_no_variable)
{
	static const char *const options[] = {"--file", "--env-file"};
	static const char *const contents[] = {"tcp -> pass\n", "LD_PRELOAD=/tmp/any.so\n"};

	need_root();
	for (int i = 0; i < 2; i++) {
		const char *path = file_of_nobody(contents[i]);
		expect_refused(options[i], path, "its owner is neither root nor the user");
		expect_refused(
			options[i], plant("link", path), "its owner is neither root nor the user");
	}
}

Test(hostile, a_pid_file_does_not_follow_a_link_that_another_user_has_planted)
{
	int port = port_new();

	need_root();
	const char *precious = write_file(new_directory(), "precious", "as it was\n");
	const char *path = plant("pid", precious);
	struct process *supervisor = start_slow(port, format("--pid-file=%s", path));
	wait_ready(supervisor, 1);
	cr_expect_str_eq(read_file(precious), "as it was\n");
	cr_expect_str_eq(read_file(path), format("%d\n", (int)process_id(supervisor)));
	end_supervisor(supervisor);
	cr_expect_str_eq(read_file(precious), "as it was\n");
}
