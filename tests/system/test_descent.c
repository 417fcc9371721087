/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which processes a supervisor counts as those of a copy: its descendants, whoever else joins its
 * group.
 */
#include "supervised.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define NOBODY "nobody"

static const char *python(void)
{
	return need_program("python3");
}

/* Says what a message of root's makes it say; whatever came before has been read by then. */
static void wait_heard(struct process *supervisor, const char *name)
{
	process_run(WORDS(python(), script_path("neighbour.py"), "send", name,
			    "FDSTORE=1\nFDNAME=wrong"),
		.is_bare = true);
	wait_said(supervisor, "copy 0 sent ", 1);
}

/* It stays in the process group, and holds a socket that listens. */
static void join(pid_t group, const char *name, const char *first, const char *second)
{
	struct process *stranger =
		process_start(WORDS(python(), script_path("neighbour.py"), "join",
				      format("%d", (int)group), name, first, second),
			.is_bare = true, .user = NOBODY);

	process_wait_text(stranger, "joined");
}

Test(descent, messages_of_another_user_who_joins_the_process_group_of_a_copy_are_ignored)
{
	int port = port_new();

	need_root();
	struct process *supervisor = supervise("-n1", "--keep", "--ready=notify", python(),
		script_path("slow.py"), format("%d", port));
	process_wait_port(supervisor, "tcp", port);
	pid_t copy = starting_copy(supervisor, 0);
	const char *name = variable_of(copy, "NOTIFY_SOCKET");
	unsigned long kept = sum_listening("tcp", port);

	join(copy, name, "READY=1",
		format("FDSTOREREMOVE=1\nFDNAME=libreuse-%lu-tcp-127.0.0.1-%d", kept, port));
	wait_heard(supervisor, name);
	cr_expect_eq(times_said(supervisor, " is ready\n"), 0, "%s", process_errors(supervisor));
	cr_expect(holds_socket(process_id(supervisor), kept));
}

/* The copy does not listen before it is told to; the other process does, from the start. */
Test(descent, a_socket_of_another_user_who_joins_the_process_group_makes_no_copy_ready)
{
	static const char script[] =
		"import signal, socket, sys\n"
		"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
		"print('started', flush=True)\n"
		"signal.sigwait([signal.SIGUSR1])\n"
		"server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
		"signal.pause()\n";

	need_root();
	struct process *supervisor = supervise("-n1", "--no-inherit", "--ready-delay=0", python(),
		"-c", script, format("%d", port_new()));
	process_wait_text(supervisor, "started");
	pid_t copy = starting_copy(supervisor, 0);
	const char *name = variable_of(copy, "NOTIFY_SOCKET");
	join(copy, name, "STATUS=1", "STATUS=2");
	/* It looks before it waits for the next message: so it has looked in between. */
	wait_heard(supervisor, name);
	process_run(WORDS(python(), script_path("neighbour.py"), "send", name, "STATUS=3"),
		.is_bare = true);
	cr_expect_eq(times_said(supervisor, " is ready\n"), 0, "%s", process_errors(supervisor));
	process_signal(supervisor, SIGUSR1); /* which it passes on */
	wait_ready(supervisor, 1);
	end_supervisor(supervisor);
}

/* A copy with a process of another user, which reports that the copy is ready. */
static const char become_and_speak[] =
	"import os, signal, socket, sys\n"
	"def speak():\n"
	"    while sys.argv[1] == 'orphan' and os.getppid() == parent:\n"
	"        pass\n"
	"    os.setgroups([])\n"
	"    os.setresgid(65534, 65534, 65534)\n"
	"    os.setresuid(65534, 65534, 65534)\n"
	"    keeper = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
	"    keeper.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1))\n"
	"    signal.pause()\n"
	"if sys.argv[1] == 'itself':\n"
	"    speak()\n"
	"if os.fork() == 0:\n"
	"    parent = os.getpid()\n"
	"    if sys.argv[1] == 'child' or os.fork() == 0:\n"
	"        if sys.argv[1] == 'grandchild':\n"
	"            os.setsid()\n"
	"        speak()\n"
	"    if sys.argv[1] == 'orphan':\n"
	"        os._exit(0)\n"
	"signal.pause()\n";

Test(descent, messages_of_a_process_that_a_copy_has_started_count_whatever_its_user)
{
	static const char *const parts[] = {"itself", "child", "grandchild", "orphan"};

	need_root();
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct process *supervisor = supervise("-n1", "--ready=notify", "--grace=1s",
			python(), "-c", become_and_speak, parts[i]);
		wait_ready(supervisor, 1);
		end_supervisor(supervisor);
	}
}

/* The number alone would be one of the copy's processes. */
Test(descent, a_process_that_has_got_the_id_of_the_sender_does_not_vouch_for_it)
{
	need_root();
	if (access("/proc/sys/kernel/ns_last_pid", W_OK) < 0)
		skip("this kernel lets nobody choose the next process number");
	struct process *host = process_start(
		WORDS(need_program("unshare"), "--pid", "--fork", "--kill-child", "--mount-proc",
			python(), script_path("reborn.py"), run_path()),
		.is_bare = true);
	wait_said(host, "copy 0 sent ", 1);
	process_wait_text(host, "the number is taken");
	cr_expect_eq(times_said(host, " is ready\n"), 0, "%s", process_errors(host));
	process_kill(host);
}
