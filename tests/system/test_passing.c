/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which descriptors a copy has: all that the supervisor was started with, and kept sockets. */
#include "supervised.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *python(void)
{
	return need_program("python3");
}

/* Writes its descriptors to a file, one line for each start, and becomes the server. */
static const char noting[] =
	"said=\"${LISTEN_FDS-none} ${LISTEN_FDNAMES-none}\"\n"
	"test \"${LISTEN_PID-$$}\" = $$ || said=\"$said, of another process\"\n"
	"for fd in 3 4 5 6 7 9 199; do\n"
	"	file=/proc/$$/fd/$fd\n"
	"	if test $file -ef \"$one\"; then said=\"$said $fd=one\"\n"
	"	elif test $file -ef \"$two\"; then said=\"$said $fd=two\"\n"
	"	elif test -p $file; then said=\"$said $fd=pipe\"\n"
	"	fi\n"
	"done\n"
	"echo $said >>\"$0\"\n"
	"exec \"$@\"\n";

struct passing {
	const char *hook;
	const char *variables;	  /* in front of the supervisor */
	const char *redirections; /* the open files; "$one" and "$two" are files */
	const char *expected;	  /* what each copy is to note */
};

static void wait_for_next(struct process *supervisor, int port, int copies)
{
	wait_ready(supervisor, copies);
	char answer[32];
	client_ask("127.0.0.1", port, "GET /\r\n", "\n", answer, sizeof answer);
	cr_expect_gt(atoi(answer), 0);
}

/* Of the first copy, of the one after a crash, and of the one after a roll. */
static void expect_each_copy_has(const struct passing *passing)
{
	int port = port_new();
	const char *directory = new_directory(), *said = write_file(directory, "said", "");
	const char *one = write_file(directory, "one", ""), *two = write_file(directory, "two", "");
	const char *start = format("export one=$0 two=$1; shift; %s exec \"$@\" %s",
		passing->variables, passing->redirections);

	struct process *supervisor = process_start(
		WORDS(need_program("bash"), "-c", start, one, two, run_path(), "-v", "-n1",
			"--keep", "--ready-delay=0", "--probation=0", passing->hook, "sh", "-c",
			noting, said, python(), script_path("slow.py"), format("%d", port)),
		.is_bare = true);
	wait_for_next(supervisor, port, 1);
	unsigned long kept = sum_listening("tcp", port);
	kill(copy_in(supervisor, 0), SIGKILL);
	wait_for_next(supervisor, port, 2);
	cr_expect_eq(sum_listening("tcp", port), kept, "the kept socket was not taken: %s",
		process_errors(supervisor));
	roll(supervisor, 1);
	end_supervisor(supervisor);
	cr_expect_str_eq(read_file(said),
		format("%s\n%s\n%s\n", passing->expected, passing->expected, passing->expected),
		"%s: %s", passing->redirections, read_file(said));
}

static const char *const hooks[] = {"--hook=preload", "--hook=notify"};

static void expect_under(const char *hook)
{
	const struct passing passings[] = {
		{hook, "", "", "none none"},
		{hook, "", "3<\"$one\" 4<\"$two\"", "none none 3=one 4=two"},
		{hook, "", "4<\"$one\" 9<\"$two\"", "none none 4=one 9=two"},
		{hook, "ulimit -n 200;", "5<\"$one\" 199<\"$two\"", "none none 5=one 199=two"},
	};

	for (size_t i = 0; i < sizeof passings / sizeof *passings; i++)
		expect_each_copy_has(&passings[i]);
}

Test(passing, every_copy_has_the_descriptors_that_the_supervisor_was_started_with)
{
	expect_under(hooks[0]);
}

Test(passing, under_the_notify_hook_every_copy_has_these_descriptors_too)
{
	need_notify();
	expect_under(hooks[1]);
}

/* As a .socket unit passes them; one says that there are more than there are. */
Test(passing, every_copy_has_the_descriptors_of_a_socket_unit)
{
	const struct passing passings[] = {
		{hooks[0], "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web", "3<\"$one\" 4<\"$two\"",
			"1 web 3=one 4=two"},
		{hooks[0], "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:dns",
			"3<\"$one\" 4<\"$two\"", "2 web:dns 3=one 4=two"},
		{hooks[0], "LISTEN_PID=$$ LISTEN_FDS=4", "3<\"$one\"", "1 unknown 3=one"},
		{hooks[0], "LISTEN_PID=1 LISTEN_FDS=1", "3<\"$one\"", "none none 3=one"},
	};

	for (size_t i = 0; i < sizeof passings / sizeof *passings; i++)
		expect_each_copy_has(&passings[i]);
}

/* ---- more kept sockets than copies ---- */

/* PORT FILE WORD...: listens with two sockets, and when FILE is there, becomes the words. */
static const char keeping[] =
	"import os, socket, sys, time\n"
	"port, names = int(sys.argv[1]), []\n"
	"for number in 3, 4:\n"
	"    server = socket.socket()\n"
	"    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
	"    server.bind(('127.0.0.1', port))\n"
	"    server.listen(100)\n"
	"    names.append(f'libreuse-{os.fstat(server.fileno()).st_ino}-tcp-127.0.0.1-{port}')\n"
	"    os.dup2(server.detach(), number)\n"
	"    os.set_inheritable(number, True)\n"
	"while not os.path.exists(sys.argv[2]): time.sleep(0.01)\n"
	"os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '2',\n"
	"               'LISTEN_FDNAMES': ':'.join(names)}\n"
	"os.execv(sys.argv[3], sys.argv[3:])\n";

/* The copy of generation 2 is to take the second queue, and fails. */
Test(passing, a_queue_that_no_copy_serves_is_tried_again_when_a_new_copy_has_failed)
{
	int port = port_new(), clients[32];
	const char *directory = new_directory();
	const char *command = format("test $REUSE_GENERATION != 2 || exit 3; exec %s %s %d",
		python(), script_path("slow.py"), port);
	struct process *supervisor =
		process_start(WORDS(python(), "-c", keeping, format("%d", port),
				      format("%s/go", directory), run_path(), "-v", "-n1", "--keep",
				      "--ready-delay=0", "--probation=0", "sh", "-c", command),
			.is_bare = true);

	wait_listening("tcp", port, 2);
	for (int i = 0; i < 32; i++) {
		clients[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(clients[i], "x", 1, MSG_NOSIGNAL), 1);
	}
	write_file(directory, "go", "");
	for (int i = 0; i < 32; i++) {
		char answer[32];
		cr_assert_gt(recv(clients[i], answer, sizeof answer, 0), 0, "client %d: %s", i,
			process_errors(supervisor));
		close(clients[i]);
	}
	expect_says(supervisor, "ended with status 3; the remaining old copies stay");
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}
