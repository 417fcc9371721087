/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts reuse-run with several copies of a program, and rolls them under load. */
#ifndef TESTS_SYSTEM_SUPERVISED_H
#define TESTS_SYSTEM_SUPERVISED_H

#include "load.h"

/* How often a test repeats something: LONG times with LIBREUSE_LONG=1, otherwise SHORT times. */
int repeat(int briefly, int at_length);

/* ---- the supervisor ---- */

/*
 * Starts reuse-run with these words, and logs what it does. A roll waits only as long as necessary;
 * a test of probation sets its own time.
 */
#define supervise(...)                                                                             \
	process_start(WORDS(run_path(), "-v", "--probation=100ms", __VA_ARGS__), .is_bare = true)

/*
 * What is started from now on has the rights of Docker's root: it may not look into processes of
 * other users. Needs root.
 */
void start_as_root_of_container(void);

/* Waits until its log has WHAT so many times. */
void wait_said(struct process *supervisor, const char *what, int times);

/* How many times TEXT has WHAT. */
int occurrences(const char *text, const char *what);

/* How many times the log has it now. */
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

/*
 * A program that becomes slow.py at that port as soon as DIRECTORY has no file "hold"; with its
 * first argument at the end of the name, if it has one.
 */
const char *slow_when_free(const char *directory, int port);

/* ---- its status ---- */

/* The output of --status in this FORM, or for people if that is NULL; and its exit status. */
const char *status_of(struct process *supervisor, const char *form, int *status);

/* The output for people; the exit status must be the expected one. */
const char *status_text(struct process *supervisor, int expected);

/* The line of a copy in JSON; of a process, unless that is 0. Or "". */
const char *row_of(struct process *supervisor, int copy, pid_t process);
void expect_row(struct process *supervisor, int copy, pid_t process, const char *part);
void wait_row(struct process *supervisor, int copy, pid_t process, const char *part);

/* ---- processes of it ---- */

/* What comes after the process id in /proc/PROCESS/stat: "(NAME) STATE ...". */
const char *process_stat(pid_t process);

/*
 * Waits until it has ended and is reaped; what a supervisor leaves behind becomes a child of the
 * test.
 */
void wait_gone(pid_t process);

/* Waits until it is stopped, as by SIGSTOP; until it no longer is. */
void wait_stopped(pid_t process);
void wait_continued(pid_t process);

/* Stops a process; a system call that it was in has ended then, without a result. */
void stop_process(pid_t process);

/*
 * Its heaps, its stack and what else it has written to. Not the pages of files, of which it may
 * happen to be the only user.
 */
size_t written_bytes(pid_t process);

/* Waits until the supervisor waits for an event. A busy one never does. */
void wait_asleep(struct process *supervisor);

/* The value of NAME in the environment of a process; skips the test if it is not set. */
const char *variable_of(pid_t process, const char *name);

/* Whether it has a descriptor of the socket. */
bool holds_socket(pid_t process, unsigned long inode);

/* Waits until there is a file with this path. */
void wait_file(const char *path);

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

/*
 * Stops a copy of slow.py, and makes COUNT clients: those that come to the copy wait in its queue.
 * And expects that all of them are answered, by other processes.
 */
void leave_waiting(pid_t copy, int port, int *clients, int count);
void expect_answered_by_others(
	struct process *supervisor, const int *clients, int count, pid_t old);

/* Makes COUNT connections to holding.py that this copy has, and leaves them open. */
void hold_connections(pid_t copy, int port, int count);

#endif
