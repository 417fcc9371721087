/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts reuse-run with several copies of a program, and rolls them under load. */
#ifndef TESTS_SYSTEM_SUPERVISED_H
#define TESTS_SYSTEM_SUPERVISED_H

#include "load.h"

/* How often a test repeats what it does: LONG times where LIBREUSE_LONG=1, else SHORT times. */
int repeat(int briefly, int at_length);

/* ---- the supervisor ---- */

/*
 * Starts reuse-run with these words, which tells what it does. A roll waits as long as it has to;
 * a test that is about probation sets its own.
 */
#define supervise(...)                                                                             \
	process_start(WORDS(run_path(), "-v", "--probation=100ms", __VA_ARGS__), .is_bare = true)

/* Waits until its log says WHAT so many times. */
void wait_said(struct process *supervisor, const char *what, int times);

/* How many times the log says it now. */
int times_said(struct process *supervisor, const char *what);

/* Waits until so many copies have become ready since it started. */
void wait_ready(struct process *supervisor, int copies);

/* The process of the copy that became ready last in a slot. */
pid_t copy_in(struct process *supervisor, int slot);

/* The copy in a slot that has been started and is not ready; there is one at a time. */
pid_t starting_copy(struct process *supervisor, int slot);

/* Rolls all copies, 0 to COPIES - 1, and expects that it works. */
void roll(struct process *supervisor, int copies);

struct process *roll_start(struct process *supervisor);
void roll_finish(struct process *roll, int copies);

/* Sends SIGTERM, and expects an orderly end. */
void end_supervisor(struct process *supervisor);

/* ---- what it shows ---- */

/* What --status says in this FORM, or for people where that is NULL; and its exit status. */
const char *status_of(struct process *supervisor, const char *form, int *status);

/* What it says for people, which is expected to exit with that status. */
const char *status_text(struct process *supervisor, int expected);

/* The line of a copy in JSON; of a process, unless that is 0. Or "". */
const char *row_of(struct process *supervisor, int copy, pid_t process);
void expect_row(struct process *supervisor, int copy, pid_t process, const char *part);
void wait_row(struct process *supervisor, int copy, pid_t process, const char *part);

/* ---- processes of it ---- */

/* What /proc/PROCESS/stat says behind the number: "(NAME) STATE ...". */
const char *process_stat(pid_t process);

/* Waits until it has ended and is reaped; what a supervisor leaves behind becomes the test's child.
 */
void wait_gone(pid_t process);

/* Waits until it is stopped, as by SIGSTOP; until it is not any more. */
void wait_stopped(pid_t process);
void wait_continued(pid_t process);

/*
 * Its heaps, its stack and what else it has written to. Not the pages of files, of which it may
 * happen to be the only user.
 */
size_t written_bytes(pid_t process);

/* What NAME is in the environment of a process; skips the test where it is not there. */
const char *variable_of(pid_t process, const char *name);

/* Whether it has a descriptor of the socket. */
bool holds_socket(pid_t process, unsigned long inode);

/* Waits until it has so many descriptors. */
void wait_files(pid_t process, int count);

/* A directory with an app.py for gunicorn, whose "app" has a line as its answer. */
const char *wsgi_directory(void);

/* ---- clients ---- */

/* Stops the clients, and expects that all were answered. */
void load_stop_served(struct process *load);

/*
 * A request to slow.py that it has answered half, and will not end for a second: any copy, or
 * another one than that; and the other half of the answer.
 */
int request_begin(int port);
int request_beside(pid_t copy, int port);
void request_end(int fd);

/* Makes COUNT connections to holding.py that this copy has, and leaves them open. */
void hold_connections(pid_t copy, int port, int count);

#endif
