/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reuse-run as the first process of a PID namespace, pid_namespaces(7), as in a container. The
 * kernel treats that process differently: its own signals do not end it, it inherits every orphan,
 * and its end ends all others. Whatever waits for something here fails after a while, and then the
 * harness kills what is left.
 */
#include "supervised.h"
#include "terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- namespaces ---- */

/* How the namespace is made, up to the words of its first process. */
struct maker {
	const char *words[16];
};

/* That of util-linux 2.37 ignores signals in its child, too. */
static struct maker by_unshare(void)
{
	return (struct maker){{need_program("unshare"), "--pid", "--fork", "--mount-proc",
		need_program("env"), "--default-signal=INT,TERM"}};
}

static struct maker by_bwrap(void)
{
	return (struct maker){{need_program("bwrap"), "--bind", "/", "/", "--dev-bind", "/dev",
		"/dev", "--unshare-pid", "--proc", "/proc", "--as-pid-1"}};
}

/* The same test, with two ways to make the namespace. */
#define UNDER_EACH(NAME)                                                                           \
	static void NAME(const struct maker *maker);                                               \
	Test(pid_one, NAME##_under_unshare)                                                        \
	{                                                                                          \
		struct maker maker = by_unshare();                                                 \
		need_namespace(&maker);                                                            \
		NAME(&maker);                                                                      \
	}                                                                                          \
	Test(pid_one, NAME##_under_bwrap)                                                          \
	{                                                                                          \
		struct maker maker = by_bwrap();                                                   \
		need_namespace(&maker);                                                            \
		NAME(&maker);                                                                      \
	}                                                                                          \
	static void NAME(const struct maker *maker)

static size_t count_of(const char *const *words)
{
	size_t count = 0;

	while (words[count])
		count++;
	return count;
}

static struct process *start_in(const struct maker *maker, const char *const *program)
{
	size_t before = count_of(maker->words), behind = count_of(program);
	const char **words = calloc(before + behind + 1, sizeof *words);

	cr_assert(words);
	memcpy(words, maker->words, before * sizeof *words);
	memcpy(words + before, program, behind * sizeof *words);
	return process_start(words, .is_bare = true);
}

/* Where such a namespace cannot be made, as in many a container, the test is skipped. */
static void need_namespace(const struct maker *maker)
{
	need_root();
	struct process *process = start_in(maker, WORDS("/bin/true"));

	if (process_wait(process) != 0)
		skip("no PID namespace: %s", process_errors(process));
}

#define hooked(MAKER, ...) start_in(MAKER, WORDS(run_path(), "--hook=notify", __VA_ARGS__))

/* The first process, by its number here. */
static pid_t first_of(const struct process *process)
{
	return process_child(process_id(process));
}

/* ---- the end ---- */

UNDER_EACH(it_ends_as_the_program_did)
{
	static const struct {
		const char *script;
		int status;
	} programs[] = {
		{"exit 0", 0}, {"exit 42", 42}, {"kill -TERM $$", 128 + SIGTERM},
		{"kill -KILL $$", 128 + SIGKILL}, {"kill -SEGV $$", 128 + SIGSEGV},
		{"[ $PPID = 1 ] && exit 3", 3}, /* that it is the first process at all */
	};

	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
		struct process *process = hooked(maker, "/bin/sh", "-c", programs[i].script);
		cr_expect_eq(process_wait(process), programs[i].status, "%s: %s",
			programs[i].script, process_errors(process));
	}
}

UNDER_EACH(it_ends_with_the_program_and_all_that_that_has_left_behind)
{
	struct process *process =
		hooked(maker, "/bin/sh", "-c", "setsid sleep 1000 & read x; exit 7");

	cr_expect_eq(process_wait(process), 7, "%s", process_errors(process));
}

UNDER_EACH(a_program_that_cannot_be_run_ends_it_with_127)
{
	struct process *process =
		hooked(maker, "-r", "tcp -> share", "/bin/sh", "-c", "exec /nowhere/at-all");

	cr_expect_eq(process_wait(process), 127, "%s", process_errors(process));
}

/* ---- orphans ---- */

/* The program looks itself: first the orphan is a child of process 1, and then it is none. */
UNDER_EACH(orphans_are_waited_for)
{
	const char *directory = new_directory(), *fifo = format("%s/fifo", directory);

	cr_assert_eq(mkfifo(fifo, 0666), 0);
	struct process *process = hooked(maker, "/bin/sh", "-c",
		format("(/bin/sh -c 'echo $$ >%s/number; read x <%s' &);"
		       "until read orphan <%s/number; do :; done 2>/dev/null;"
		       "is_child() { read list </proc/1/task/1/children;"
		       " case \" $list \" in *\" $orphan \"*) ;; *) return 1 ;; esac; };"
		       "until is_child; do :; done;"
		       "echo >%s;"
		       "while is_child; do :; done; echo alone",
			directory, fifo, directory, fifo));
	expect_output(process, "alone\n");
}

/* ---- signals ---- */

static struct process *start_counting(const struct maker *maker)
{
	struct process *process = hooked(maker, program_path("trouble"), "counting", "0");

	process_wait_text(process, "running");
	return process;
}

static void expect_counts(struct process *process, pid_t first, const char *counts)
{
	cr_assert_eq(kill(first, SIGRTMIN), 0); /* comes after all others */
	cr_expect_eq(process_wait(process), 42, "%s", process_errors(process));
	cr_expect(strstr(process_output(process), counts), "%s", process_output(process));
}

/* As "docker stop" does it. */
UNDER_EACH(a_signal_from_outside_reaches_the_program)
{
	struct process *process = start_counting(maker);
	pid_t first = first_of(process);

	cr_assert_eq(kill(first, SIGTERM), 0);
	cr_assert_eq(kill(first, SIGHUP), 0);
	process_wait_text(process, "terminated");
	expect_counts(process, first, "interrupts=0 terminations=1 hangups=1 users=0\n");
}

UNDER_EACH(a_signal_from_outside_ends_a_program_that_does_not_catch_it)
{
	struct process *process = hooked(maker, "/bin/sh", "-c", "echo here; exec sleep 1000");

	process_wait_text(process, "here");
	cr_assert_eq(kill(first_of(process), SIGTERM), 0);
	cr_expect_eq(process_wait(process), 128 + SIGTERM, "%s", process_errors(process));
}

/* As "docker exec" gives what it starts its own session. */
UNDER_EACH(a_signal_from_inside_reaches_the_program)
{
	struct process *process = hooked(maker, "/bin/sh", "-c",
		"trap 'exit 5' TERM; setsid --wait /bin/sh -c 'kill -TERM 1'; sleep 1000 & wait");

	cr_expect_eq(process_wait(process), 5, "%s", process_errors(process));
}

/* ---- terminals ---- */

/* The leader of a session with a terminal, as with "docker run -it". */
#define FIRST_ON_TERMINAL                                                                          \
	need_program("unshare"), "--pid", "--fork", "--mount-proc", need_program("setsid"),        \
		"--ctty", run_path(), "--hook=notify"

Test(pid_one, a_key_reaches_the_program_once_and_so_does_the_end_of_the_terminal)
{
	struct maker maker = by_unshare();
	struct terminal terminal = terminal_new();

	need_namespace(&maker);
	struct process *process = start_beside(
		&terminal, FIRST_ON_TERMINAL, program_path("trouble"), "counting", "0");

	process_wait_text(process, "running in group 1\n");
	pid_t first = first_of(process);
	press(&terminal, KEY_INTERRUPT);
	process_wait_text(process, "interrupted");
	hang_up(&terminal);
	process_wait_text(process, "continued"); /* the kernel sends it after SIGHUP */
	expect_counts(process, first, "interrupts=1 terminations=0 hangups=1 users=0\n");
}

/*
 * Nobody could continue a process that is alone in its session, so the kernel does not stop it: the
 * key of a container's terminal does nothing.
 */
Test(pid_one, the_suspend_key_does_nothing_if_nobody_could_continue_it)
{
	struct maker maker = by_unshare();
	struct terminal terminal = terminal_new();

	need_namespace(&maker);
	struct process *process = start_beside(
		&terminal, FIRST_ON_TERMINAL, program_path("trouble"), "counting", "0");

	process_wait_text(process, "running");
	pid_t first = first_of(process);
	press(&terminal, KEY_SUSPEND KEY_INTERRUPT);
	process_wait_text(process, "interrupted");
	expect_counts(process, first, "interrupts=1 terminations=0 hangups=0 users=0\n");
}

/* ---- a job of a shell outside ---- */

/* A shell with job control runs it, and when it is suspended, waits for a line and continues it. */
static void expect_job_goes_on(const struct maker *maker, bool is_first)
{
	struct terminal terminal = terminal_new();
	const char *words = "";

	for (const char *const *word = maker->words; *word; word++)
		words = format("%s %s", words, *word);
	struct process *process = start_on(&terminal, need_program("sh"), "-m", "-c",
		format("%s %s %s counting 0; read line; fg >/dev/null; exit $?", words, run_path(),
			program_path("trouble")));

	process_wait_text(process, "running in group 0\n");
	pid_t shell = process_child(process_id(process)), maker_process = process_child(shell);
	pid_t run = process_child(is_first ? maker_process : process_child(maker_process));
	pid_t program = process_child(run);
	press(&terminal, KEY_SUSPEND);
	wait_stopped(program);
	press(&terminal, "\n");
	process_wait_text(process, "continued");
	cr_assert_eq(kill(run, SIGRTMIN), 0); /* a stopped process does not pass it on */
	cr_expect_eq(process_wait(process), 42, "%s", process_errors(process));
}

Test(pid_one, a_suspended_job_continues)
{
	struct maker maker = by_unshare();

	need_namespace(&maker);
	expect_job_goes_on(&maker, true);
}

/* Its process group is one that was made outside, into which no process of the namespace can go. */
Test(pid_one, under_another_first_process_a_suspended_job_continues_too)
{
	struct maker maker = by_bwrap();
	size_t last = count_of(maker.words) - 1;

	need_namespace(&maker);
	cr_assert_str_eq(maker.words[last], "--as-pid-1");
	maker.words[last] = NULL;
	expect_job_goes_on(&maker, false);
}

/* ---- other ways to run ---- */

UNDER_EACH(a_supervisor_replaces_its_copies_and_stops)
{
	static const char *const hooks[] = {"--hook=preload", "--hook=notify"};

	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
		struct process *process = start_in(
			maker, WORDS(run_path(), "-v", hooks[i], "-n2", "--keep", "--ready-delay=0",
				       "--probation=0", need_program("python3"),
				       script_path("slow.py"), format("%d", port_new())));
		wait_ready(process, 2);
		pid_t first = first_of(process);
		cr_assert_eq(kill(first, SIGHUP), 0);
		wait_ready(process, 4);
		cr_assert_eq(kill(first, SIGTERM), 0);
		cr_expect_eq(process_wait(process), 0, "%s", process_errors(process));
	}
}

/* Its numbers are not ours: who makes a call would be looked for among strangers. */
Test(pid_one, if_proc_is_of_another_namespace_the_hook_is_not_available)
{
	struct maker maker = {{need_program("unshare"), "--pid", "--fork"}};
	const char *trouble = program_path("trouble"), *port = format("%d", port_new());

	need_namespace(&maker);
	struct process *process = hooked(&maker, "/bin/true");
	cr_expect_eq(process_wait(process), 78);
	expect_says(process, "/proc shows the processes of another PID namespace");
	process =
		start_in(&maker, WORDS(run_path(), "-r", "port=1 -> deny", trouble, "vfork", port));
	cr_expect_eq(process_wait(process), 78);
	expect_says(process, "the policy has a rule that protects, so it is not started");
	process = start_in(&maker, WORDS(run_path(), trouble, "vfork", port));
	expect_output(process, "status 1\n");
	expect_says(process, "libreuse does nothing for it");
}
