/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passes on what a terminal, a shell and other processes do to a program by signals, each signal
 * once, as if its parent were not between them.
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
	int status;	 /* as of waitpid(2) */
	bool is_alone;	 /* no child is left */
	pid_t home;	 /* the process group that we were started in, and the program is */
	bool is_outside; /* we are in another one */
	bool is_init;	 /* we are process 1 of a PID namespace, pid_namespaces(7) */
	bool is_leader;	 /* we are the leader of our session, credentials(7) */
};

/* What this process did about signals before it had a job. */
struct job_signals {
	sigset_t mask;
	struct sigaction on_child;
};

/* Blocks all signals, and has children wait to be seen; or does what was done BEFORE again. */
void job_take_signals(struct job_signals *before);
void job_give_signals_back(const struct job_signals *before);

/* To be called first. */
struct job job_of_this_process(const struct log *log);

/*
 * Leaves the process group to the program: what is sent to the group, by a terminal, a shell's
 * kill %1 or the program itself, is for the program and not for us, who would pass it on a second
 * time. A session's leader cannot leave, and process 1 must not.
 */
void job_step_outside(struct job *job);

/* Goes back, where there will be no program. Its process must not have been waited for yet. */
void job_step_back(struct job *job);

/*
 * Takes the next signal that waits; returns whether there was one. It is passed on to the program,
 * or once that has ended to those whom it left behind. SIGCHLD is for us: it is seen what has
 * become of children. When the program has been stopped, this process stops as well, so that
 * whoever waits for us sees it, until we are continued; process 1 cannot stop itself.
 */
bool job_handle_signal(struct job *job);

/*
 * In the child that becomes the program: variables that name PARENT as the process that a service
 * manager has started (sd_listen_fds(3), sd_watchdog_enabled(3)) name this one now.
 */
void job_rename_process(pid_t parent);

/*
 * Ends as the program has ended. Returns the exit status for what the kernel does not do: process 1
 * is ended by no signal of its own.
 */
int job_end(const struct job *job);

#endif
