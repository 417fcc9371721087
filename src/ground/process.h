/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells what a process is, and tells it from a later one of the same number. */
#ifndef GROUND_PROCESS_H
#define GROUND_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t id, parent, group, session;
	uint64_t started; /* in clock ticks after the machine; execve(2) does not change it */
	uint64_t resident_pages;
	bool has_ended; /* a zombie; not one whose first thread alone has ended */
};

/* Reads /proc/PID/stat (proc(5)); returns false where there is no such process. */
bool process_read(struct process *process, pid_t id);

/* The same, but false as well where only a zombie of it is left. */
bool process_read_living(struct process *process, pid_t id);

/* Whether the process that STARTED was read of still lives. */
bool process_lives(pid_t id, uint64_t started);

#endif
