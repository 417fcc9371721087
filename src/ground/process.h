/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what a process is, and tells it apart from a later one with the same id. */
#ifndef GROUND_PROCESS_H
#define GROUND_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t id, parent, group, session;
	uint64_t started; /* in clock ticks since the boot; execve(2) does not change it */
	uint64_t resident_pages;
	bool has_ended; /* a zombie; false if only its first thread has ended */
};

/* Reads /proc/PID/stat (proc(5)); returns false if there is no such process, or it cannot be read.
 */
bool process_read(struct process *process, pid_t id);

/* The same; returns 0, -ESRCH if there is no such process, or another negative errno. */
int process_try(struct process *process, pid_t id);

/* The same, but returns false also if only a zombie of it is left. */
bool process_read_living(struct process *process, pid_t id);

/* Whether a process with that id lives that started at STARTED. */
bool process_lives(pid_t id, uint64_t started);

#endif
