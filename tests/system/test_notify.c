/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The notify hook: programs that no library can be preloaded into, and the parent that serves them.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define NOT_ROOT "nobody"

#define wrapped(...) process_start(WORDS(run_path(), __VA_ARGS__), .is_bare = true)

/* ---- sharing ---- */

/* A server that answers with "process N.", and how it is started on an address. */
struct server {
	const char *program, *protocol; /* "http", "tcp" or "udp" */
};

static const char *const *server_words(const struct server *server, const char *address, int port)
{
	const char **words = calloc(10, sizeof *words);
	const char *host = strchr(address, ':') ? format("[%s]", address) : address;

	words[0] = run_path();
	words[1] = program_path(server->program);
	words[2] = server->protocol;
	if (strstr(server->program, "go")) {
		words[3] = format("%s:%d", host, port);
	} else {
		words[3] = address;
		words[4] = format("%d", port);
	}
	return words;
}

static void ask_udp(const char *address, int port, char *answer, size_t size)
{
	struct sockaddr_storage storage;
	socklen_t length = make_address(&storage, address, port);
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&storage, length) == 0);
	cr_assert_eq(send(fd, "x", 1, 0), 1);
	ssize_t got = recv(fd, answer, size - 1, 0);
	answer[got > 0 ? got : 0] = '\0';
	close(fd);
}

static int answering(const struct server *server, const char *address, int port)
{
	char answer[512];

	if (strcmp(server->protocol, "udp") == 0)
		ask_udp(address, port, answer, sizeof answer);
	else
		client_ask(address, port,
			strcmp(server->protocol, "http") == 0 ? "GET / HTTP/1.0\r\n\r\n" : NULL,
			NULL, answer, sizeof answer);
	const char *number = strstr(answer, "process ");
	cr_assert(number, "\"%s\"", answer);
	return atoi(number + strlen("process "));
}

/* Two copies answer on one port: with a fair hash, 64 clients miss one of them once in 2^63. */
static void expect_both_answer(const struct server *server, const char *address, int port)
{
	int first = answering(server, address, port), other = first;

	for (int i = 0; i < 63 && other == first; i++)
		other = answering(server, address, port);
	cr_expect_neq(other, first, "all clients reached one copy");
}

static void wait_two(const struct server *server, int port, struct process *const *copies)
{
	const char *protocol = strcmp(server->protocol, "udp") == 0 ? "udp" : "tcp";

	for (int i = 0; i < 2; i++)
		process_wait_port(copies[i], protocol, port);
}

static void expect_shares(const char *program, const char *protocol, const char *address)
{
	const struct server server = {program, protocol};
	int port = port_new();
	struct process *copies[2];

	for (int i = 0; i < 2; i++)
		copies[i] = process_start(server_words(&server, address, port), .is_bare = true);
	wait_two(&server, port, copies);
	expect_both_answer(&server, address, port);
}

Test(notify, copies_of_a_go_http_server_share_a_port)
{
	expect_shares("server_go", "http", "127.0.0.1");
	expect_shares("server_go", "http", "::1");
}

Test(notify, copies_of_a_go_udp_server_share_a_port)
{
	expect_shares("server_go", "udp", "127.0.0.1");
	expect_shares("server_go", "udp", "::1");
}

Test(notify, copies_of_a_go_server_that_is_linked_with_libc_share_a_port)
{
	expect_shares("server_cgo", "http", "127.0.0.1");
}

Test(notify, copies_of_a_go_server_without_a_build_id_share_a_port)
{
	expect_shares("server_cgo_stripped", "http", "127.0.0.1");
}

Test(notify, copies_of_static_servers_share_a_port)
{
	expect_shares("server_static", "tcp", "127.0.0.1");
	expect_shares("server_static", "udp", "127.0.0.1");
	expect_shares("server_static", "tcp", "::1");
}

Test(notify, copies_of_a_server_with_musl_share_a_port)
{
	expect_shares("server_musl", "tcp", "127.0.0.1");
	expect_shares("server_musl", "udp", "::1");
}

Test(notify, copies_of_a_32_bit_server_share_a_port)
{
	expect_shares("server_i386", "tcp", "127.0.0.1");
	expect_shares("server_i386", "udp", "::1");
}

Test(notify, copies_of_another_user_share_a_port)
{
	need_root();
	const struct server server = {"server_go", "http"};
	const char *directory = copy_for_everybody(program_path("server_go"));
	int port = port_new();
	struct process *copies[2];

	for (int i = 0; i < 2; i++)
		copies[i] = process_start(
			WORDS(format("%s/reuse-run", directory), format("%s/server_go", directory),
				"http", format("127.0.0.1:%d", port)),
			.is_bare = true, .user = NOT_ROOT);
	wait_two(&server, port, copies);
	expect_both_answer(&server, "127.0.0.1", port);
}

Test(notify, without_the_hook_the_second_copy_fails)
{
	int port = port_new();
	const char *address = format("127.0.0.1:%d", port);
	struct process *first =
		process_start(WORDS(program_path("server_go"), "http", address), .is_bare = true);

	process_wait_port(first, "tcp", port);
	struct process *second =
		process_start(WORDS(program_path("server_go"), "http", address), .is_bare = true);
	cr_expect_neq(process_wait(second), 0);
	cr_expect(strstr(process_output(second), "address already in use"));
}

Test(notify, a_script_that_starts_a_dynamic_and_a_static_server_shares_for_both)
{
	int dynamic = port_new(), fixed = port_new();
	const char *script = write_file(new_directory(), "start",
		format("#!/bin/sh\n%s %s again %d &\n%s tcp 127.0.0.1 %d &\nwait\n",
			need_program("python3"), script_path("serve.py"), dynamic,
			program_path("server_static"), fixed));
	cr_assert_eq(chmod(script, 0755), 0);
	struct process *first = wrapped("--hook=notify", script);
	struct process *second = wrapped("--hook=notify", script);

	process_wait_port(first, "tcp", dynamic);
	process_wait_port(second, "tcp", dynamic);
	wait_listening("tcp", fixed, 2);
	wait_listening("tcp", dynamic, 2);
}

Test(notify, both_ways_of_a_32_bit_program_to_bind_are_seen)
{
	const char *port = format("%d", port_new()), *trouble = program_path("trouble_i386");

	expect_output(wrapped(trouble, "socketcall", port), "socketcall: ok 1\n");
	expect_output(wrapped(trouble, "direct", port), "bind: ok 1\n");
}

/* ---- rules ---- */

Test(notify, a_go_server_listens_where_the_rule_says)
{
	int asked = port_new(), target = port_new();
	struct process *server = wrapped("-p", format("%d:%d", asked, target), "-a", "127.0.0.1",
		program_path("server_go"), "http", format(":%d", asked));

	process_wait_port(server, "tcp", target);
	cr_expect_eq(count_listening("tcp", asked), 0);
	struct socket_line line;
	cr_expect_eq(socket_list("tcp", target, &line, 1), 1);
	cr_expect_str_eq(line.address, "::ffff:127.0.0.1");
}

Test(notify, a_go_server_is_denied_its_port_and_the_log_names_the_rule)
{
	int port = port_new();
	struct process *server = wrapped("-r", format("tcp port=%d -> deny", port),
		program_path("server_go"), "http", format("127.0.0.1:%d", port));

	cr_expect_neq(process_wait(server), 0);
	cr_expect(
		strstr(process_output(server), "permission denied"), "%s", process_output(server));
	expect_says(server, format("warn: bind(3) tcp 127.0.0.1:%d: deny (REUSE_RULES:1: ", port));
}

Test(notify, a_second_exclusive_copy_of_a_go_server_fails)
{
	int port = port_new();
	const char *address = format("127.0.0.1:%d", port);
	struct process *first =
		wrapped("-r", "tcp -> exclusive", program_path("server_go"), "http", address);

	process_wait_port(first, "tcp", port);
	struct process *second =
		wrapped("-r", "tcp -> share", program_path("server_go"), "http", address);
	cr_expect_neq(process_wait(second), 0);
	cr_expect(strstr(process_output(second), "address already in use"));
	expect_says(second, format("warn: tcp 127.0.0.1:%d is in use: ", port));
	expect_says(second, "that socket was opened without sharing");
}

Test(notify, the_log_has_the_id_of_the_process_that_binds)
{
	int port = port_new();
	struct process *server = wrapped(
		"-v", program_path("server_static"), "tcp", "127.0.0.1", format("%d", port));
	const struct server itself = {"server_static", "tcp"};

	process_wait_port(server, "tcp", port);
	expect_says(server, format("libreuse[%d]: info: bind(3) tcp 127.0.0.1:%d: share",
				    answering(&itself, "127.0.0.1", port), port));
}

Test(notify, rules_for_one_program_do_not_affect_others)
{
	int port = port_new();
	const char *const server[] = {
		program_path("server_static"), "tcp", "127.0.0.1", format("%d", port)};

	struct process *denied = wrapped("-q", "-r", "exe=server_static -> deny", server[0],
		server[1], server[2], server[3]);
	expect_output(denied, "bind: Permission denied\n");
	struct process *other = wrapped(
		"-r", "exe=server_musl -> deny", server[0], server[1], server[2], server[3]);
	process_wait_port(other, "tcp", port);
}

Test(notify, without_inheritance_children_are_not_affected)
{
	int port = port_new();
	const char *command =
		format("%s tcp 127.0.0.1 %d; exit 5", program_path("server_static"), port);
	struct process *process = wrapped(
		"--hook=notify", "-r", format("port=%d -> deny", port), "/bin/sh", "-c", command);

	cr_expect_eq(process_wait(process), 5);
	cr_expect_str_eq(process_output(process), "bind: Permission denied\n");
	process = wrapped("--hook=notify", "--no-inherit", "-r", format("port=%d -> deny", port),
		"/bin/sh", "-c", command);
	process_wait_port(process, "tcp", port);
}

/* ---- which hook ---- */

Test(notify, explain_says_which_hook_is_used_and_why)
{
	int port = port_new();
	const char *server = program_path("server_static");
	struct process *process =
		wrapped("--explain", server, "tcp", "127.0.0.1", format("%d", port));

	process_wait_port(process, "tcp", port);
	expect_says(
		process, format("the notify hook is used for %s: it is statically linked", server));
	expect_says(process, format("explain: bind(3) tcp 127.0.0.1:%d: share (built-in", port));
	process = wrapped("--explain", "/bin/true");
	cr_expect_eq(process_wait(process), 0);
	expect_says(process, "the preload hook is used for /bin/true: it is dynamically linked");
	process = wrapped("--explain", "--hook=notify", "/bin/true");
	cr_expect_eq(process_wait(process), 0);
	expect_says(process, "the notify hook is used for /bin/true: as --hook says; it is dyn");
}

Test(notify, the_library_is_not_preloaded_as_well)
{
	struct process *process = process_start(WORDS(run_path(), "--hook=notify", "/bin/sh", "-c",
							"echo \"<${LD_PRELOAD-none}>\""),
		.is_bare = true, .environment = WORDS(format("LD_PRELOAD=%s", library_path())));

	expect_output(process, "<none>\n");
}

/* LIST is the LD_PRELOAD of a supervisor; what its copy has are the OTHERS in it. */
static void expect_others(const char *list, const char *others)
{
	struct process *process = process_start(
		WORDS(run_path(), "-q", "-n1", "--restart=no", "--ready=true", "--hook=notify",
			"/bin/sh", "-c", "echo \"<${LD_PRELOAD-none}>\""),
		.is_bare = true, .environment = WORDS(format("LD_PRELOAD=%s", list)));

	expect_output(process, format("<%s>\n", others));
}

Test(notify, the_library_is_not_preloaded_into_copies_wherever_it_is_in_the_list)
{
	const char *ours = library_path(), *other = program_path("behind.so");

	expect_others(ours, "none");
	expect_others(format("%s:%s", ours, other), other);
	expect_others(format("%s:%s", other, ours), other);
}

/* ---- as if it were not there ---- */

Test(notify, the_exit_status_is_the_programs)
{
	cr_expect_eq(process_wait(wrapped("--hook=notify", "/bin/sh", "-c", "exit 42")), 42);
}

Test(notify, it_ends_by_the_signal_that_ended_the_program)
{
	struct process *process = wrapped("--hook=notify", "/bin/sh", "-c", "kill -SEGV $$");

	cr_expect_eq(process_wait(process), 128 + SIGSEGV);
}

Test(notify, if_the_program_cannot_be_run_it_exits_with_126)
{
	const char *directory = new_directory();
	const char *path = write_file(directory, "program", "#!/nowhere/at-all\n");

	cr_assert_eq(chmod(path, 0755), 0);
	struct process *process = wrapped("--hook=notify", path);
	int status = process_wait(process);
	cr_expect(status == 126 || status == 127, "%d", status);
	expect_says(process, "cannot be run");
}

Test(notify, standard_input_and_arguments_reach_the_program)
{
	struct process *process =
		process_start(WORDS("/bin/sh", "-c",
				      format("echo words | %s --hook=notify /bin/sh -c 'cat; echo "
					     "\"$1\"' - 'a  b'",
					      run_path())),
			.is_bare = true);

	expect_output(process, "words\na  b\n");
}

Test(notify, standard_output_ends_when_the_program_closes_it)
{
	/* cat ends when no process has the pipe open any more; the program ends after cat */
	const char *directory = new_directory();
	struct process *process = process_start(
		WORDS("/bin/sh", "-c",
			format("cd %s; mkfifo out go; %s --hook=notify /bin/sh -c 'echo words; "
			       "exec >&- 2>&-; read x <go' >out 2>&1 & cat out; echo ended; "
			       "echo >go; wait",
				directory, run_path())),
		.is_bare = true);

	expect_output(process, "words\nended\n");
}

static struct process *start_counting(void)
{
	struct process *process = wrapped(program_path("trouble"), "counting", "0");

	process_wait_text(process, "running");
	return process;
}

static void expect_counts(struct process *process, const char *counts)
{
	process_signal(process, SIGRTMIN); /* comes after all others */
	cr_expect_eq(process_wait(process), 42);
	cr_expect(strstr(process_output(process), counts), "%s", process_output(process));
}

Test(notify, signals_are_passed_on)
{
	struct process *process = start_counting();

	process_signal(process, SIGTERM);
	process_signal(process, SIGHUP);
	process_signal(process, SIGINT);
	process_signal(process, SIGUSR1);
	expect_counts(process, "interrupts=1 terminations=1 hangups=1 users=1\n");
}

Test(notify, a_signal_to_the_process_group_comes_once)
{
	for (int i = 0; i < 20; i++) {
		struct process *process = start_counting();
		cr_assert_eq(kill(-process_id(process), SIGTERM), 0);
		process_wait_text(process, "terminated");
		expect_counts(process, "interrupts=0 terminations=1 hangups=0 users=0\n");
	}
}

static bool is_in_state(pid_t process, char state)
{
	const char *stat = read_file(format("/proc/%d/stat", (int)process));

	return strrchr(stat, ')')[2] == state;
}

static bool is_stopped(void *context)
{
	return is_in_state(process_id(context), 'T');
}

Test(notify, it_stops_and_continues_with_the_program)
{
	struct process *process = start_counting();

	for (int i = 0; i < 3; i++) {
		process_signal(process, SIGTSTP);
		wait_until(is_stopped, process, "reuse-run to stop");
		/* a shell continues the group, others the process that they know */
		cr_assert_eq(kill(i == 1 ? -process_id(process) : process_id(process), SIGCONT), 0);
	}
	expect_counts(process, "interrupts=0 terminations=0 hangups=0 users=0\n");
}

static bool is_not_stopped(void *context)
{
	return !is_stopped(context);
}

/* Else its next bind would wait for the parent, which hands kept sockets over. */
Test(notify, it_continues_if_only_the_program_is_continued)
{
	struct process *process = start_counting();
	pid_t program = process_child(process_id(process));

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(kill(program, SIGSTOP), 0);
		wait_until(is_stopped, process, "reuse-run to stop");
		cr_assert_eq(kill(program, SIGCONT), 0);
		wait_until(is_not_stopped, process, "reuse-run to go on");
	}
	expect_counts(process, "interrupts=0 terminations=0 hangups=0 users=0\n");
}

Test(notify, a_shell_on_a_terminal_controls_the_job)
{
	const char *command = format("%s counting 0", program_path("trouble"));
	const char *python = need_program("python3"), *jobs = script_path("jobs.py");
	struct process *bare = process_run(WORDS(python, jobs, command), .is_bare = true);
	struct process *hooked = process_run(
		WORDS(python, jobs, format("%s %s", run_path(), command)), .is_bare = true);

	cr_expect(strstr(process_output(bare), "interrupts=1 terminations=1"));
	cr_expect_str_eq(process_output(hooked), process_output(bare));
}

/* It returns to its own group slowly here, and the group gets a signal meanwhile. */
Test(notify, a_signal_to_the_job_that_was_just_continued_is_not_passed_on_as_well)
{
	const char *command = format("%s counting 0", program_path("trouble"));
	const char *slowly = format("%s -DD -qq -o /dev/null -e inject=setpgid:delay_exit=200000",
		need_program("strace"));
	struct process *hooked =
		process_run(WORDS(need_program("python3"), script_path("jobs.py"),
				    format("%s %s %s", slowly, run_path(), command)),
			.is_bare = true);

	cr_expect(strstr(process_output(hooked), "interrupts=1 terminations=1"), "%s%s",
		process_output(hooked), process_errors(hooked));
}

Test(notify, variables_that_name_the_process_name_the_program)
{
	struct process *process = wrapped("--hook=notify", "/bin/sh", "-c",
		"[ \"$LISTEN_PID\" = $$ ] && echo \"$WATCHDOG_PID\"");

	expect_output(process, ""); /* they are not set */
	process = process_start(
		WORDS("/bin/sh", "-c",
			format("LISTEN_PID=$$ WATCHDOG_PID=1 exec %s --hook=notify /bin/sh -c "
			       "'[ \"$LISTEN_PID\" = $$ ] && echo \"$WATCHDOG_PID\"'",
				run_path())),
		.is_bare = true);
	expect_output(process, "1\n");
}

/* ---- descendants ---- */

Test(notify, descendants_are_served_after_the_program_has_ended_and_it_ends_with_the_last)
{
	int port = port_new();
	const char *server = format("%s tcp 127.0.0.1 %d", program_path("server_static"), port);
	const char *fifo = format("%s/fifo", new_directory());
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	/* the inner shell is orphaned, and binds only when it is told to */
	struct process *process = wrapped("--hook=notify", "/bin/sh", "-c",
		format("(setsid /bin/sh -c 'read x <%s; exec %s' &) & exit 3", fifo, server));
	struct process *teller =
		process_start(WORDS("/bin/sh", "-c", format("echo >%s", fifo)), .is_bare = true);

	process_wait(teller);
	wait_listening("tcp", port, 1);
	struct process *copy =
		wrapped(program_path("server_static"), "tcp", "127.0.0.1", format("%d", port));
	process_wait_text(copy, "ready"); /* the first one shares */
	cr_expect_not(process_ended(process));
	process_signal(process, SIGTERM); /* the program is gone: those that it left get it */
	cr_expect_eq(process_wait(process), 3);
}

#define ERRORS "/memfd:standard error" /* a file, whose end no process waits for */

static const char *target_of(pid_t process, int fd)
{
	char target[64] = "";

	if (readlink(format("/proc/%d/fd/%d", (int)process, fd), target, sizeof target - 1) < 0)
		return "";
	return format("%s", target);
}

/* But for standard error, which it needs for lines of its own, and /dev/null. */
static bool is_the_programs(const char *target, pid_t program)
{
	bool is_found = false;

	if (strncmp(target, ERRORS, strlen(ERRORS)) == 0 || strcmp(target, "/dev/null") == 0)
		return false;
	for (int fd = 0; *target && fd < 64; fd++)
		is_found |= strcmp(target_of(program, fd), target) == 0;
	return is_found;
}

static bool has_let_go(void *context)
{
	pid_t process = process_id(context), program = process_child(process);

	for (int fd = 0; fd < 64; fd++) {
		if (is_the_programs(target_of(process, fd), program))
			return false;
	}
	return true;
}

Test(notify, it_holds_no_descriptor_of_theirs)
{
	int port = port_new();
	struct process *process =
		process_start(WORDS("/bin/sh", "-c",
				      format("exec %s %s tcp 127.0.0.1 %d 7</dev/zero", run_path(),
					      program_path("server_static"), port)),
			.is_bare = true);

	process_wait_port(process, "tcp", port);
	wait_until(has_let_go, process, "it to let descriptors go");
}

/* ---- trouble ---- */

static struct process *in_trouble(const char *what, int port)
{
	return wrapped(program_path("trouble"), what, format("%d", port));
}

Test(notify, two_hundred_threads_that_bind_at_once_all_share)
{
	expect_output(in_trouble("threads", port_new()), "200 shared\n");
}

Test(notify, two_hundred_threads_of_a_32_bit_program_that_bind_at_once_all_share)
{
	expect_output(wrapped(program_path("trouble_i386"), "threads", format("%d", port_new())),
		"200 shared\n");
}

Test(notify, a_child_made_by_vfork_shares)
{
	expect_output(in_trouble("vfork", port_new()), "status 42\n");
}

Test(notify, signals_that_interrupt_a_call_do_no_harm)
{
	expect_output(in_trouble("interrupted", port_new()), "0 failures\n");
	expect_output(wrapped("-r", "port=1 -> deny", "-r", "tcp -> share", program_path("trouble"),
			      "interrupted", format("%d", port_new())),
		"0 failures\n");
}

Test(notify, a_go_runtime_that_preempts_its_threads_does_no_harm)
{
	expect_output(
		wrapped(program_path("server_go"), "often", format("127.0.0.1:%d", port_new())),
		"all bound\n");
}

Test(notify, for_invalid_calls_the_kernels_error_is_the_same_as_without_us)
{
	struct process *bare =
		process_start(WORDS(program_path("trouble"), "nonsense", "1"), .is_bare = true);

	cr_assert_eq(process_wait(bare), 0);
	expect_output(in_trouble("nonsense", 1), process_output(bare));
	expect_output(wrapped("-r", "port=1 -> deny", program_path("trouble"), "nonsense", "1"),
		process_output(bare));
}

static pid_t waiting_process(struct process *process)
{
	process_wait_text(process, "waiting");
	return atoi(strstr(process_output(process), "waiting ") + strlen("waiting "));
}

static bool has_bound(void *context)
{
	return strstr(process_output(context), "bind: ") != NULL;
}

Test(notify, when_it_is_killed_the_programs_calls_fail_with_enosys)
{
	struct process *process = in_trouble("later", port_new());
	pid_t program = waiting_process(process);

	process_signal(process, SIGKILL);
	process_wait(process);
	cr_assert_eq(kill(program, SIGUSR1), 0);
	wait_until(has_bound, process, "the program's bind to return");
	cr_expect(strstr(process_output(process), "bind: ENOSYS\n"), "%s", process_output(process));
}

/* The children in the order of their starts: the program, who holds sockets if any, who answers. */
static pid_t last_child(struct process *process, int *count)
{
	int id = process_id(process), child = 0, length;
	const char *at = read_file(format("/proc/%d/task/%d/children", id, id));

	for (*count = 0; sscanf(at, "%d%n", &child, &length) == 1; at += length)
		(*count)++;
	return child;
}

static bool has_worker(void *context)
{
	int count;

	last_child(context, &count);
	return count >= (is_pidfd_getfd_refused() ? 3 : 2);
}

static pid_t worker_of(struct process *process)
{
	int count;

	wait_until(has_worker, process, "a process that answers");
	return last_child(process, &count);
}

static bool worker_is_stopped(void *context)
{
	return is_in_state(*(const pid_t *)context, 'T');
}

/* Stops all processes that could answer, because one would continue the other. */
static pid_t stop_answering(struct process *process)
{
	pid_t worker = worker_of(process);

	process_signal(process, SIGSTOP);
	wait_until(is_stopped, process, "reuse-run to stop");
	cr_assert_eq(kill(worker, SIGSTOP), 0);
	wait_until(worker_is_stopped, &worker, "the process that answers to stop");
	return worker;
}

static bool waits_in_call(void *context)
{
	const char *call = read_file(format("/proc/%d/syscall", *(const pid_t *)context));

	return atoi(call) == (is_pidfd_getfd_refused() ? SYS_socket : SYS_bind) &&
	       strncmp(call, "running", 7) != 0;
}

Test(notify, a_program_that_is_killed_in_the_middle_of_a_call_ends_it)
{
	struct process *process = in_trouble("later", port_new());
	pid_t program = waiting_process(process), worker = stop_answering(process);

	cr_assert_eq(kill(program, SIGUSR1), 0);
	wait_until(waits_in_call, &program, "the program to bind");
	cr_assert_eq(kill(program, SIGKILL), 0);
	kill(worker, SIGCONT);
	process_signal(process, SIGCONT);
	cr_expect_eq(process_wait(process), 128 + SIGKILL);
}

Test(notify, the_call_of_a_process_that_answers_and_is_killed_is_answered)
{
	struct process *process = in_trouble("later", port_new());
	pid_t program = waiting_process(process), worker = stop_answering(process);

	cr_assert_eq(kill(program, SIGUSR1), 0);
	wait_until(waits_in_call, &program, "the program to bind");
	cr_assert_eq(kill(worker, SIGKILL), 0);
	process_signal(process, SIGCONT);
	expect_output(process, format("waiting %d\nbind: ok\n", (int)program));
}

Test(notify, if_another_listener_exists_the_message_says_so)
{
	const char *port = format("%d", port_new()), *trouble = program_path("trouble");
	struct process *process = process_start(
		WORDS(trouble, "listener", "0", run_path(), "--hook=notify", "/bin/true"),
		.is_bare = true);

	cr_expect_eq(process_wait(process), 78);
	expect_says(process, "already has a seccomp listener for it");
	expect_says(process, "--hook=preload");
	process = process_start(WORDS(trouble, "listener", "0", run_path(), "-r", "port=1 -> deny",
					trouble, "vfork", port),
		.is_bare = true);
	cr_expect_eq(process_wait(process), 78);
	expect_says(process, "the policy has a rule that protects, so it is not started");
	process = process_start(WORDS(trouble, "listener", "0", run_path(), trouble, "vfork", port),
		.is_bare = true);
	expect_output(process, "status 1\n");
	expect_says(process, "libreuse does nothing for it");
	process = process_start(WORDS(trouble, "listener", "0", run_path(), "--hook=preload",
					need_program("python3"), "-c", "print('ran')"),
		.is_bare = true);
	expect_output(process, "ran\n");
}

Test(notify, no_new_privs_is_set_only_if_the_kernel_demands_it)
{
	need_root();
	const char *directory = copy_for_everybody(program_path("trouble"));
	const char *const words[] = {format("%s/reuse-run", directory),
		format("%s/trouble", directory), "no-new-privileges", "0", NULL};

	expect_output(process_start(words, .is_bare = true), "no_new_privs 0\n");
	expect_output(process_start(words, .is_bare = true, .user = NOT_ROOT), "no_new_privs 1\n");
}

/* ---- what a program must not gain ---- */

Test(notify, memory_that_changes_after_the_check_gains_nothing)
{
	int denied = port_new(), allowed = port_new();
	struct process *process = wrapped("-q", "-r", format("port=%d -> deny", denied),
		program_path("trouble"), "race", format("%d", denied), format("%d", allowed));

	expect_output(process, "some denied, 0 won\n");
}

/* A program that gave up its right to bind a low port, which a rule moves it to. */
static void expect_no_low_port(const char *how, const char *outcome)
{
	struct process *process = wrapped("-r", "tcp port=8001 -> share to=:801",
		program_path("trouble"), "without", "8001", how);

	expect_output(process, outcome);
}

Test(notify, a_bind_on_behalf_of_the_program_has_its_rights)
{
	need_root();
	enter_network_namespace();
	expect_no_low_port("nothing", "bind: ok\n");
	expect_no_low_port("user", "bind: EACCES\n");
	expect_no_low_port("capabilities", "bind: EACCES\n");
	expect_no_low_port("namespace", "bind: EACCES\n");
}

Test(notify, an_option_is_set_with_the_rights_of_the_program)
{
	need_root();
	struct process *process = wrapped("-r", "tcp -> share mark=5", program_path("trouble"),
		"without", format("%d", port_new()), "capabilities");

	expect_output(process, "bind: ok\n");
	expect_says(process, "mark cannot be set: EPERM");
}

Test(notify, a_program_that_cannot_be_inspected_is_left_alone_unless_a_rule_protects)
{
	need_root();
	const char *directory = copy_for_everybody(program_path("trouble"));
	const char *run = format("%s/reuse-run", directory);
	const char *trouble = format("%s/trouble", directory), *port = format("%d", port_new());
	const char *log = format("%s/log", directory);

	cr_assert_eq(chmod(directory, 0777), 0);
	expect_output(
		process_start(WORDS(run, trouble, "undumpable", port), .is_bare = true,
			.user = NOT_ROOT, .environment = WORDS(format("REUSE_LOG=warn:%s", log))),
		"bind: ok\n");
	cr_expect(strstr(read_file(log), "cannot be inspected: EPERM; its calls are left alone"));
	expect_output(process_start(WORDS(run, "-r", "port=1 -> deny", trouble, "undumpable", port),
			      .is_bare = true, .user = NOT_ROOT),
		"bind: EACCES\n");
}
