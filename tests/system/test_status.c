/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --status shows the state of a supervisor and its copies, and no client holds it up. */
#include "supervised.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MANY 100 /* clients: more than a supervisor talks to at one time */

static const char *python(void)
{
	return need_program("python3");
}

#define holding_copies(PORT, ...)                                                                  \
	supervise(__VA_ARGS__, "--ready-delay=0", python(), script_path("holding.py"),             \
		format("%d", PORT))

/* ---- asking ---- */

static void expect_status_of(struct process *supervisor, int expected)
{
	int status;
	const char *said = status_of(supervisor, "--json", &status);

	cr_expect_eq(status, expected, "%d: %s", status, said);
}

/* ---- output ---- */

Test(status, each_copy_is_shown_with_its_connections_and_memory)
{
	int port = port_new(), status;
	struct process *supervisor = holding_copies(port, "-n2");

	wait_ready(supervisor, 2);
	pid_t first = copy_in(supervisor, 0), second = copy_in(supervisor, 1);
	hold_connections(second, port, 3);
	expect_row(supervisor, 0, first, ",\"state\":\"ready\",\"generation\":1,\"age_ms\":");
	expect_row(supervisor, 0, first, ",\"restarts\":0,\"last_end\":null,\"connections\":0,");
	expect_row(supervisor, 1, second, ",\"connections\":3,");
	const char *memory = strstr(row_of(supervisor, 1, second), "\"memory\":");
	cr_assert(memory);
	/* an interpreter takes more than one, and less than a thousand */
	long megabytes = atol(memory + strlen("\"memory\":")) / (1024 * 1024);
	cr_expect(megabytes > 1 && megabytes < 1000, "%s", memory);

	const char *said = status_of(supervisor, "-q", &status);
	cr_expect_eq(status, 0);
	cr_expect(strstr(said, format("supervisor %d, libreuse ", (int)process_id(supervisor))) ==
			  said,
		"%s", said);
	cr_expect(strstr(said, ": running, 2 of 2 copies are ready, generation 1\n"), "%s", said);
	cr_expect(strstr(said, format("\n  reuse-run -v --probation=100ms -n2 --ready-delay=0 %s ",
				       python())),
		"%s", said);
	cr_expect(strstr(said, format("\n  1     %-8d ready ", (int)second)), "%s", said);
	end_supervisor(supervisor);
}

Test(status, the_queue_of_each_copy_is_shown_if_copies_share_queues)
{
	int port = port_new(), status;
	struct process *supervisor = holding_copies(port, "-n3", "--queues=2");
	struct process *others = holding_copies(port, "-n1");

	wait_ready(supervisor, 3);
	for (int slot = 0; slot < 3; slot++)
		expect_row(supervisor, slot, 0, format(",\"queue\":%d,", slot % 2));
	const char *said = status_of(supervisor, "-q", &status);
	cr_expect(strstr(said, "\n  COPY  QUEUE  PROCESS "), "%s", said);
	cr_expect(strstr(said, format("\n  2     0      %-8d ready ", copy_in(supervisor, 2))),
		"%s", said);
	wait_ready(others, 1);
	expect_row(others, 0, 0, ",\"queue\":null,");
	said = status_of(others, "-q", &status);
	cr_expect(strstr(said, "\n  COPY  PROCESS "), "%s", said);
	end_supervisor(supervisor);
	end_supervisor(others);
}

Test(status, the_words_of_its_command_line_are_shown)
{
	int status;
	struct process *supervisor = process_start(
		WORDS(run_path(), "-n1", "-q", "-r", "tcp -> share", "--ready=:", "--", "sh", "-c",
			"echo \"it's\"; exec sleep 1000"),
		.is_bare = true);

	process_wait_text(supervisor, "it's");
	const char *said = status_of(supervisor, "--json", &status);
	cr_expect(
		strstr(said, ",\"options\":[\"-n1\",\"-q\",\"-r\",\"tcp -> share\",\"--ready=:\"],"
			     "\"command\":[\"sh\",\"-c\",\"echo \\\"it's\\\"; exec sleep 1000\"],"),
		"%s", said);
	said = status_of(supervisor, "-q", &status);
	cr_expect(strstr(said, "reuse-run -n1 -q -r 'tcp -> share' --ready=: -- sh -c "
			       "'echo \"it'\\''s\"; exec sleep 1000'\n"),
		"%s", said);
	end_supervisor(supervisor);
}

/* A server that has a process for each client. */
Test(status, connections_of_the_children_of_a_copy_count)
{
	int port = port_new();
	struct process *supervisor = supervise("-n1", "--ready-delay=0", python(), "-c",
		"import os, signal, socket, sys\n"
		"server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
		"while True:\n"
		"    client = server.accept()[0]\n"
		"    if os.fork() == 0:\n"
		"        client.sendall(b'hello')\n"
		"        signal.pause()\n"
		"    client.close()\n",
		format("%d", port));
	char text[8];

	wait_ready(supervisor, 1);
	for (int i = 0; i < 2; i++)
		cr_assert_gt(recv(client_connect("127.0.0.1", port), text, sizeof text, 0), 0);
	wait_row(supervisor, 0, 0, ",\"connections\":2,");
	end_supervisor(supervisor);
}

Test(status, a_supervisor_is_not_ready_before_each_copy_is)
{
	int port = port_new();
	const char *go = format("%s/go", new_directory());
	struct process *supervisor = holding_copies(
		port, "-n2", format("--ready=test -e %s || test $REUSE_WORKER = 0", go));

	wait_ready(supervisor, 1);
	pid_t second = starting_copy(supervisor, 1);
	expect_status_of(supervisor, 1);
	expect_row(supervisor, 1, second, ",\"state\":\"starting\",");
	write_file(strndup(go, strlen(go) - strlen("/go")), "go", "");
	wait_ready(supervisor, 2);
	expect_status_of(supervisor, 0);
	end_supervisor(supervisor);
}

Test(status, a_copy_that_is_down_is_shown_with_how_it_ended)
{
	int port = port_new();
	const char *directory = new_directory(), *file = write_file(directory, "go", "");
	struct process *supervisor = supervise("-n2", "--ready-delay=0", "sh", "-c",
		format("test -e %s || exit 3; exec %s %s %d", file, python(),
			script_path("holding.py"), port));

	wait_ready(supervisor, 2);
	cr_assert_eq(unlink(file), 0);
	cr_assert_eq(kill(copy_in(supervisor, 1), SIGKILL), 0);
	/* so that the pause before the next attempt is long enough to be seen */
	wait_said(supervisor, "ended with status 3; another one starts in 1600 ms", 1);
	const char *row = row_of(supervisor, 1, 0);
	static const char *const parts[] = {
		"{\"copy\":1,\"process\":null,\"state\":\"waiting to restart\",",
		",\"restarts\":5,\"last_end\":\"ended with status 3\",",
		",\"connections\":null,\"memory\":null}",
	};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		cr_expect(strstr(row, parts[i]), "not %s: %s", parts[i], row);
	expect_status_of(supervisor, 1);
	write_file(directory, "go", "");
	wait_ready(supervisor, 3);
	expect_status_of(supervisor, 0);
	expect_row(supervisor, 1, copy_in(supervisor, 1), ",\"last_end\":\"ended with status 3\",");
	end_supervisor(supervisor);
}

Test(status, a_copy_that_ended_for_good_is_shown)
{
	struct process *supervisor = supervise("-n2", "--restart=no", "--ready=:", "sh", "-c",
		"test $REUSE_WORKER = 0 || exit 7; exec sleep 1000");

	wait_said(supervisor, "ended with status 7", 1);
	wait_row(supervisor, 1, 0, ",\"state\":\"ended\",");
	expect_status_of(supervisor, 1);
	end_supervisor(supervisor);
}

/* ---- rolls ---- */

Test(status, both_copies_are_shown_while_one_replaces_the_other)
{
	int port = port_new();
	struct process *supervisor = holding_copies(port, "-n1", "--drain-timeout=1h");

	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	hold_connections(old, port, 2);
	struct process *rolling = roll_start(supervisor);
	wait_ready(supervisor, 2);
	wait_row(supervisor, 0, old, ",\"state\":\"draining\",\"generation\":1,");
	expect_row(supervisor, 0, old, ",\"connections\":2,");
	wait_row(supervisor, 0, copy_in(supervisor, 0), ",\"state\":\"ready\",\"generation\":2,");
	/* clients are served */
	expect_status_of(supervisor, 0);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "the supervisor stops: ", 1);
	expect_status_of(supervisor, 1);
	end_supervisor(supervisor);
	process_wait(rolling);
}

Test(status, a_roll_that_failed_shows_how_many_copies_are_new)
{
	int port = port_new(), status;
	struct process *supervisor = supervise("-n3", "--ready-delay=0", "sh", "-c",
		format("test $REUSE_WORKER.$REUSE_GENERATION != 1.2 || exit 3; exec %s %s %d",
			python(), script_path("holding.py"), port));

	wait_ready(supervisor, 3);
	struct process *attempt = roll_start(supervisor);
	cr_expect_eq(process_wait(attempt), 1);
	cr_expect(strstr(process_output(attempt), "\n1 of 3 copies are new\ncopy 1: the new "),
		"%s", process_output(attempt));
	wait_said(supervisor, "error: 1 of 3 copies are new", 1);
	const char *said = status_of(supervisor, "-q", &status);
	cr_expect_eq(status, 0);
	cr_expect(strstr(said, "\n  the last roll failed, and 1 of 3 copies are new: copy 1: "),
		"%s", said);
	said = status_of(supervisor, "--json", &status);
	cr_expect(
		strstr(said, ",\"new\":1,\"roll_failure\":\"copy 1: the new process "), "%s", said);
	/* and the next one, which does not fail */
	roll(supervisor, 3);
	said = status_of(supervisor, "--json", &status);
	cr_expect(strstr(said, ",\"new\":3,\"roll_failure\":null,"), "%s", said);
	end_supervisor(supervisor);
}

/* ---- which supervisors there are ---- */

static int count_of(const char *text, const char *part)
{
	int count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static struct process *list_as(const char *run, const char *user, const char *form)
{
	struct process *process =
		process_start(WORDS(run, "--status", form), .is_bare = true, .user = user);

	process_wait(process);
	return process;
}

Test(status, without_a_target_supervisors_of_the_same_user_are_listed_and_for_root_all)
{
	need_root();
	enter_network_namespace();
	const char *run = format("%s/reuse-run", copy_for_everybody("/bin/sleep"));
	cr_expect_eq(process_wait(list_as(run, NULL, "-q")), 69);

	struct process *ours = process_start(
		WORDS(run, "-v", "-n1", "--ready=:", "/bin/sleep", "1000"), .is_bare = true);
	struct process *others =
		process_start(WORDS(run, "-v", "-n2", "--ready=:", "/bin/sleep", "1000"),
			.is_bare = true, .user = "nobody");
	wait_ready(ours, 1);
	wait_ready(others, 2);
	struct process *list = list_as(run, NULL, "-q");
	cr_expect_eq(process_wait(list), 0);
	cr_expect_eq(count_of(process_output(list), "supervisor "), 2, "%s", process_output(list));
	list = list_as(run, NULL, "--json");
	cr_expect_eq(
		count_of(process_output(list), "{\"process\":"), 2, "%s", process_output(list));

	list = list_as(run, "nobody", "-q");
	cr_expect_eq(process_wait(list), 0);
	const char *said = process_output(list);
	cr_expect_eq(count_of(said, "supervisor "), 1, "%s", said);
	cr_expect(strstr(said, format("supervisor %d, ", (int)process_id(others))), "%s", said);
	/* and one that nobody may ask */
	struct process *refused =
		process_start(WORDS(run, "--status", format("%d", (int)process_id(ours))),
			.is_bare = true, .user = "nobody");
	cr_expect_eq(process_wait(refused), 69);
	cr_expect_str_empty(process_output(refused));
	end_supervisor(ours);
	end_supervisor(others);
}

/* A process that takes such a name is listed under its own id, or not at all. */
Test(status, a_name_that_is_not_its_own_is_not_listed)
{
	need_root();
	enter_network_namespace();
	struct process *process =
		process_start(WORDS(python(), "-c",
				      "import os, socket\n"
				      "name = os.stat('/proc/self/ns/pid').st_ino\n"
				      "server = socket.socket(socket.AF_UNIX)\n"
				      "server.bind(f'\\0libreuse-control-{name}-1')\n"
				      "server.listen()\n"
				      "print('listening', flush=True)\n"
				      "while True:\n"
				      "    client = server.accept()[0]\n"
				      "    client.sendall(b'I am the first one\\nend 0\\n')\n"),
			.is_bare = true);

	process_wait_text(process, "listening");
	struct process *list = list_as(run_path(), NULL, "-q");
	cr_expect_eq(process_wait(list), 69);
	cr_expect_str_empty(process_output(list));
}

Test(status, a_process_that_is_not_a_supervisor_is_refused)
{
	const char *file = write_file(new_directory(), "pid", "not a number\n");
	const char *const targets[] = {"1", "999999999", "nothing", file};

	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct process *process =
			process_start(WORDS(run_path(), "--status", targets[i]), .is_bare = true);
		cr_expect_eq(process_wait(process), 69, "%s", targets[i]);
		cr_expect(strstr(process_errors(process), targets[i]));
		cr_expect_str_empty(process_output(process));
	}
}

/* A health check must not hang when what it checks hangs. */
Test(status, a_supervisor_that_hangs_does_not_answer)
{
	struct process *supervisor = supervise("-n1", "--ready=:", "sleep", "1000");
	int status;

	wait_ready(supervisor, 1);
	process_signal(supervisor, SIGSTOP);
	wait_stopped(process_id(supervisor));
	status_of(supervisor, "-q", &status);
	cr_expect_eq(status, 69);
	process_signal(supervisor, SIGCONT);
	end_supervisor(supervisor);
}

/* Answers as a supervisor would that never comes to the end of a line. */
static const char drips[] = "import os, socket, time\n"
			    "server = socket.socket(socket.AF_UNIX)\n"
			    "server.bind(f'\\0libreuse-control-{os.stat(\"/proc/self/ns/"
			    "pid\").st_ino}-{os.getpid()}')\n"
			    "server.listen()\n"
			    "print('listening', flush=True)\n"
			    "client = server.accept()[0]\n"
			    "while True:\n"
			    "    client.send(b'.')\n"
			    "    time.sleep(0.5)\n";

Test(status, another_user_cannot_hold_up_root_who_asks_all)
{
	need_root();
	enter_network_namespace();
	struct process *other =
		process_start(WORDS(python(), "-c", drips), .is_bare = true, .user = "nobody");
	process_wait_text(other, "listening");
	struct process *asked = process_start(WORDS(run_path(), "--status"), .is_bare = true);
	cr_expect_eq(process_wait(asked), 1);
}

/* ---- those who ask ---- */

static int ask_and_leave(pid_t supervisor, const char *words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(stat(format("/proc/%d/ns/pid", (int)supervisor), &status), 0);
	const char *name =
		format("libreuse-control-%ju-%d", (uintmax_t)status.st_ino, (int)supervisor);
	strcpy(address.sun_path + 1, name);
	cr_assert_eq(
		connect(fd, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))),
		0, "%s", strerror(errno));
	cr_assert_eq(send(fd, words, strlen(words), MSG_NOSIGNAL), (ssize_t)strlen(words));
	return fd;
}

/* The answer, which has the command line, is longer than what the kernel holds for a client. */
Test(status, clients_that_do_not_read_or_write_hold_nothing_up)
{
	static char filling[100 * 1024 + 1];
	int port = port_new(), status;

	memset(filling, 'x', sizeof filling - 1);
	struct process *supervisor = supervise("-n1", "--ready-delay=0", "sh", "-c",
		format("exec %s %s %d", python(), script_path("slow.py"), port), filling, filling,
		filling, filling);
	wait_ready(supervisor, 1);
	for (int i = 0; i < MANY; i++) {
		ask_and_leave(process_id(supervisor), "status json\n");
		ask_and_leave(process_id(supervisor), "stat");
	}
	const char *said = status_of(supervisor, "--json", &status);
	cr_expect_eq(status, 0);
	cr_expect_gt(strlen(said), 4 * (sizeof filling - 1), "the answer is cut");
	cr_expect(strstr(said, "]}\n"));
	roll(supervisor, 1);
	end_supervisor(supervisor);
}

Test(status, unknown_requests_are_refused)
{
	static const char *const words[] = {"dance\n", "scale\n", "scale 0\n", "scale -1\n",
		"scale 1x\n", "status yaml\n", "\n", "a line that is longer than any request is\n"};
	struct process *supervisor = supervise("-n1", "--ready=:", "sleep", "1000");
	char answer[8];

	wait_ready(supervisor, 1);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		int fd = ask_and_leave(process_id(supervisor), words[i]);
		ssize_t length = recv(fd, answer, sizeof answer, 0);
		cr_expect(length == 0 || (length < 0 && errno == ECONNRESET), "%s", words[i]);
		close(fd);
	}
	expect_status_of(supervisor, 0);
	cr_expect_eq(times_said(supervisor, "the number of copies changes"), 0);
	end_supervisor(supervisor);
}
