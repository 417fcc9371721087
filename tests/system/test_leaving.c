/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy that leaves the process group that it was started in is stopped like any other. */
#include "supervised.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* leaves.py HOW MODE: says which signals come; under "stubborn", SIGTERM does not end it. */
static const char leaves[] = "import os, signal, sys\n"
			     "def note(number, _):\n"
			     "    os.write(2, b'got %d\\n' % number)\n"
			     "    if number == signal.SIGTERM and sys.argv[2] != 'stubborn':\n"
			     "        os._exit(0)\n"
			     "if sys.argv[1] != 'stays':\n"
			     "    os.setpgid(0, os.getpgid(os.getppid()))\n"
			     "if sys.argv[1] == 'session':\n"
			     "    os.setsid()\n"
			     "signal.signal(signal.SIGTERM, note)\n"
			     "signal.signal(signal.SIGUSR1, note)\n"
			     "print(f'I am {os.getpid()}', flush=True)\n"
			     "while True:\n"
			     "    signal.pause()\n";

static const char *const ways[] = {"stays", "group", "session"};
static const char *const hooks[] = {"--hook=preload", "--hook=notify"};

/* It is ready at once, for nobody waits that it listens. A stubborn one has time to say a word. */
static struct process *start(const char *hook, const char *way, const char *mode)
{
	if (strcmp(hook, "--hook=notify") == 0)
		need_notify();
	const char *grace = strcmp(mode, "stubborn") == 0 ? "--grace=2s" : "--grace=1h";
	struct process *supervisor = supervise("-n1", hook, "--ready=true", "--ready-delay=0",
		grace, need_program("python3"), "-c", leaves, way, mode);
	process_wait_text(supervisor, "I am ");
	wait_ready(supervisor, 1);
	return supervisor;
}

static pid_t program_of(struct process *supervisor)
{
	return atoi(process_output(supervisor) + strlen("I am "));
}

static void expect_stopped_once(const char *hook, const char *way)
{
	struct process *supervisor = start(hook, way, "obedient");
	pid_t program = program_of(supervisor);

	process_signal(supervisor, SIGUSR1); /* which it forwards to the process */
	wait_said(supervisor, format("got %d\n", SIGUSR1), 1);
	end_supervisor(supervisor);
	wait_gone(program);
	cr_expect_eq(times_said(supervisor, format("got %d\n", SIGTERM)), 1, "%s %s: %s", hook, way,
		process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, "is killed"), 0, "%s %s: %s", hook, way,
		process_errors(supervisor));
}

Test(leaving, a_copy_gets_the_stop_signal_once_whichever_process_group_it_is_in)
{
	for (int i = 0; i < 3; i++)
		expect_stopped_once(hooks[0], ways[i]);
}

Test(leaving, under_the_notify_hook_a_copy_gets_the_stop_signal_once_too)
{
	for (int i = 0; i < 3; i++)
		expect_stopped_once(hooks[1], ways[i]);
}

static void expect_killed(const char *hook, const char *way)
{
	struct process *supervisor = start(hook, way, "stubborn");
	pid_t program = program_of(supervisor);

	end_supervisor(supervisor);
	wait_gone(program);
	cr_expect_eq(times_said(supervisor, "does not stop, and is killed"), 1, "%s %s: %s", hook,
		way, process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, format("got %d\n", SIGTERM)), 1, "%s %s: %s", hook, way,
		process_errors(supervisor));
}

Test(leaving, a_copy_that_does_not_stop_is_killed_whichever_process_group_it_is_in)
{
	for (int i = 0; i < 3; i++)
		expect_killed(hooks[0], ways[i]);
}

Test(leaving, under_the_notify_hook_a_copy_that_does_not_stop_is_killed_too)
{
	for (int i = 0; i < 3; i++)
		expect_killed(hooks[1], ways[i]);
}

/* A copy that has changed its user does not end with its parent by itself any more (prctl(2)). */
Test(leaving, a_copy_that_has_left_its_group_and_changed_its_user_does_not_outlive_the_supervisor)
{
	static const char script[] = "import os, signal\n"
				     "os.setpgid(0, os.getpgid(os.getppid()))\n"
				     "os.setresuid(65534, 65534, 65534)\n"
				     "print(f'I am {os.getpid()}', flush=True)\n"
				     "signal.pause()\n";

	need_root();
	struct process *supervisor = supervise(
		"-n1", "--ready=true", "--ready-delay=0", need_program("python3"), "-c", script);
	process_wait_text(supervisor, "I am ");
	pid_t program = program_of(supervisor);
	wait_ready(supervisor, 1);
	process_signal(supervisor, SIGKILL);
	wait_gone(program);
}
