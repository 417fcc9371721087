/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passes on to a program what a terminal, a shell and other processes do with signals, each signal
 * once, as if its parent were not in between.
 */
#ifndef NOTIFY_JOB_H
#define NOTIFY_JOB_H

#include "ground/log.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* All signals are blocked in this process, which takes them with sigtimedwait(2). */
struct job {
	const struct log *log;
	pid_t program;
	int pidfd;	 /* of the program; below 0 before Linux 5.3 */
	bool is_over;	 /* the program has ended, with ... */
	int status;	 /* from waitpid(2) */
	bool is_alone;	 /* no child is left */
	pid_t home;	 /* the process group that we were started in, and that the program is in */
	bool is_outside; /* we are in another group */
	bool is_init;	 /* we are process 1 of a PID namespace, pid_namespaces(7) */
	bool is_leader;	 /* we are the leader of our session, credentials(7) */
};

/* How this process handled signals before it had a job. */
struct job_signals {
	sigset_t mask;
	struct sigaction on_child;
};

/* Blocks all signals, and makes ended children wait to be reaped; or restores what was BEFORE. */
void job_take_signals(struct job_signals *before);
void job_give_signals_back(const struct job_signals *before);

/* Call this first. */
struct job job_of_this_process(const struct log *log);

/*
 * Leaves the process group to the program: what is sent to the group, by a terminal, a shell's kill
 * %1 or the program itself, is for the program and not for us, because we would pass it on a second
 * time. A session's leader cannot leave, and process 1 must not.
 */
void job_step_outside(struct job *job);

/*
 * Returns to the group if there will be no program. Its process must not have been waited for yet.
 */
void job_step_back(struct job *job);

/*
 * Takes the next pending signal; returns whether there was one. It is passed on to the program, or
 * when that has ended, to the processes that it has left behind. SIGCHLD is for us: the state of
 * children is checked. When the program has been stopped, this process stops as well, so that its
 * parent sees it, until we are continued; process 1 cannot stop itself.
 */
bool job_handle_signal(struct job *job);

/*
 * In the child that becomes the program: variables that name PARENT as the process that a service
 * manager has started (sd_listen_fds(3), sd_watchdog_enabled(3)) now name this process.
 */
void job_rename_process(pid_t parent);

/*
 * Ends as the program has ended. Returns the exit status if the kernel does not do that: a signal
 * of its own does not end process 1.
 */
int job_end(const struct job *job);

#endif
