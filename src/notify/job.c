/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include "aside.h"
#include "ground/errnos.h"
#include "ground/procfs.h"
#include "ground/second_signal.h"
#include "ground/status.h"
#include "own_errors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOPPED_LOOK_MS 50 /* between two looks whether a stopped program goes on */

struct job job_of_this_process(const struct log *log)
{
	return (struct job){
		.log = log,
		.pidfd = -1,
		.home = getpgrp(),
		.is_init = getpid() == 1,
		.is_leader = getsid(0) == getpid(),
	};
}

void job_take_signals(struct job_signals *before)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before->mask);
	sigaction(SIGCHLD, &by_default, &before->on_child);
}

void job_give_signals_back(const struct job_signals *before)
{
	sigaction(SIGCHLD, &before->on_child, NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* ---- the process group ---- */

static bool is_stopped(pid_t process)
{
	struct status_field state = {.name = "State:"};

	return status_read(process, &state, 1) == 0 &&
	       (state.value[0] == 'T' || state.value[0] == 't');
}

/*
 * One more process, which handles no signal. While we are in the program's group, it stays there as
 * a witness, and shows which signals the group gets. If STOPPED is not 0, we stop as that process
 * has stopped, and whoever continues it alone does not continue us: the witness does.
 */
static pid_t start_witness(pid_t stopped)
{
	const struct timespec pause_time = {.tv_nsec = STOPPED_LOOK_MS * 1000 * 1000};
	pid_t ourselves = getpid(), witness = fork();

	if (witness != 0)
		return witness;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == ourselves) {
		if (stopped)
			nanosleep(&pause_time, NULL);
		else
			pause();
		if (stopped && !is_stopped(stopped))
			kill(ourselves, SIGCONT);
	}
	_exit(0);
}

static void dismiss(pid_t other)
{
	if (other > 0 && kill(other, SIGKILL) == 0)
		waitpid(other, NULL, 0);
}

/*
 * A process group of our own needs an id, which one more process has to lend. The id of a process
 * group is not free before the last member has left it. A PID namespace ends when all ids but that
 * of process 1 are free: if process 1 were in the group of a lender, it would wait for its own end,
 * and nothing could kill it (zap_pid_ns_processes() in kernel/pid_namespace.c, Linux 6.18).
 */
void job_step_outside(struct job *job)
{
	if (job->is_init || job->is_leader)
		return;
	pid_t lender = start_witness(0);
	job->is_outside = lender > 0 && setpgid(lender, lender) == 0 && setpgid(0, lender) == 0;
	dismiss(lender);
}

void job_step_back(struct job *job)
{
	if (job->is_outside)
		setpgid(0, job->home);
	job->is_outside = false;
}

/* ---- the environment of the program ---- */

void job_rename_process(pid_t parent)
{
	static const char *const variables[] = {"LISTEN_PID", "WATCHDOG_PID"};
	char before[16], now[16];

	snprintf(before, sizeof before, "%d", (int)parent);
	snprintf(now, sizeof now, "%d", (int)getpid());
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		const char *value = getenv(variables[i]);
		if (value && strcmp(value, before) == 0)
			setenv(variables[i], now, 1);
	}
}

/* ---- passing on ---- */

/*
 * Whether the program has also got the signal, as a member of our group. The end of a terminal is
 * reported only to the leader of its session. A sender outside of our PID namespace has the id 0,
 * which getpgid(2) would take for ourselves.
 */
static bool is_echo(const struct job *job, const siginfo_t *info)
{
	bool is_hangup = info->si_signo == SIGHUP || info->si_signo == SIGCONT;

	if (job->is_outside)
		return false;
	if (info->si_code > 0)
		return !(is_hangup && job->is_leader);
	return info->si_pid > 0 && getpgid(info->si_pid) == job->home;
}

static void send_unless_in(pid_t process, int signal, pid_t group)
{
	if (!group || getpgid(process) != group)
		kill(process, signal);
}

/* The members of the process group EXCEPT already have it. */
static void send_to_children(int signal, pid_t except)
{
	char name[32], list[4096];

	snprintf(name, sizeof name, "task/%d/children", (int)getpid());
	procfs_read(PROCFS_SELF, name, list, sizeof list);
	for (char *at = list, *end; (end = strchr(at, ' ')); at = end + 1) {
		pid_t child = (pid_t)strtol(at, NULL, 10);
		if (!aside_has(child))
			send_unless_in(child, signal, except);
	}
}

/*
 * INFO is NULL if no value comes with the signal. The program is a child that has not been waited
 * for, so before Linux 5.3, which has no pidfd_open(2), its process id works too.
 */
static int send_to_program(const struct job *job, int signal, siginfo_t *info)
{
	if (job->pidfd >= 0)
		return (int)syscall(SYS_pidfd_send_signal, job->pidfd, signal, info, 0);
	return info ? (int)syscall(SYS_rt_sigqueueinfo, job->program, signal, info)
		    : kill(job->program, signal);
}

static void say_not_passed_on(const struct job *job, int signal, int error)
{
	own_errors_begin();
	log_write(job->log, LOG_LEVEL_WARN, "signal %d cannot be passed on: %s", signal,
		errno_name(error));
	own_errors_end();
}

static void pass_on(const struct job *job, siginfo_t *info)
{
	bool has_group_got_it = second_signal_is(info, getppid());

	if (is_echo(job, info))
		return;
	if (job->is_over)
		send_to_children(info->si_signo, has_group_got_it ? job->home : 0);
	else if (has_group_got_it && getpgid(job->program) == job->home)
		return;
	else if (send_to_program(job, info->si_signo, info->si_code == SI_QUEUE ? info : NULL) < 0)
		say_not_passed_on(job, info->si_signo, errno);
}

static bool take_of(const sigset_t *set, siginfo_t *info)
{
	const struct timespec at_once = {0, 0};

	return sigtimedwait(set, info, &at_once) > 0;
}

/* ---- stopping and ending ---- */

/* Ends, or stops, by SIGNAL; returns when it is continued, or if the kernel does nothing. */
static void do_by_default(int signal)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, signal);
	sigaction(signal, &by_default, NULL);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

/* Whether the program, which was seen to stop, has done anything since. */
static bool has_gone_on(const struct job *job)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)job->program, &info,
		       WCONTINUED | WSTOPPED | WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0;
}

/* The signals pending for a process that blocks them all; bit 0 is signal 1. */
static uint64_t signals_of(pid_t process)
{
	struct status_field signals = {.name = "ShdPnd:"};

	status_read(process, &signals, 1);
	return strtoull(signals.value, NULL, 16);
}

/*
 * Handles what came while we were in the program's group, except what came to the group, according
 * to THEIRS. If only we were continued, the program is meant; a later signal to stop has removed
 * SIGCONT.
 */
static void catch_up(const struct job *job, uint64_t theirs)
{
	static const int moves[] = {SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU};
	bool is_moved = false;
	sigset_t set;
	siginfo_t info;

	sigpending(&set);
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		is_moved |= sigismember(&set, moves[i]) == 1;
	if (is_moved && !has_gone_on(job))
		send_to_program(job, SIGCONT, NULL);
	sigfillset(&set);
	sigdelset(&set, SIGCHLD);
	while (take_of(&set, &info)) {
		bool is_theirs = theirs >> (info.si_signo - 1) & 1;
		if (info.si_signo != SIGCONT && !is_theirs)
			pass_on(job, &info);
	}
}

/*
 * Whether a signal that continues the program's group would continue us. A group that was made
 * outside of our PID namespace has no id here, so we cannot return to it.
 */
static bool can_stop(const struct job *job)
{
	return !job->is_init && !(job->is_outside && job->home == 0);
}

/*
 * Stops in the program's group, so that what continues the group continues both. The witness leaves
 * the group after us: it has every signal that the group gets while we are in it.
 */
static void stop(struct job *job, int signal)
{
	if (!can_stop(job))
		return;
	pid_t witness = job->is_outside ? start_witness(job->program) : 0;
	if (witness > 0)
		setpgid(witness, job->home);
	if (job->is_outside)
		setpgid(0, job->home);
	if (!has_gone_on(job))
		do_by_default(signal);
	if (job->is_outside)
		job_step_outside(job);
	uint64_t theirs = witness > 0 ? signals_of(witness) : 0;
	dismiss(witness);
	catch_up(job, theirs);
}

static void see_children(struct job *job)
{
	int status;
	pid_t child;

	while ((child = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0 ||
		(child < 0 && errno == EINTR)) {
		if (child != job->program)
			continue;
		if (WIFSTOPPED(status)) {
			stop(job, WSTOPSIG(status));
			continue;
		}
		job->is_over = true;
		job->status = status;
	}
	job->is_alone |= child < 0 && errno == ECHILD;
}

bool job_handle_signal(struct job *job)
{
	siginfo_t info;
	sigset_t all;

	sigfillset(&all);
	if (!take_of(&all, &info))
		return false;
	if (info.si_signo == SIGCHLD)
		see_children(job);
	else
		pass_on(job, &info);
	return true;
}

int job_end(const struct job *job)
{
	struct rlimit no_core = {0, 0};

	if (!WIFSIGNALED(job->status))
		return WEXITSTATUS(job->status);
	setrlimit(RLIMIT_CORE, &no_core); /* the program's core is enough */
	do_by_default(WTERMSIG(job->status));
	return 128 + WTERMSIG(job->status);
}
