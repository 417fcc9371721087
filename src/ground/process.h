/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells a process from a later one of the same number, by the time of its start. */
#ifndef GROUND_PROCESS_H
#define GROUND_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_start {
	pid_t process;
	pid_t parent;
	uint64_t time; /* in clock ticks after the machine's; execve(2) does not change it */
};

/*
 * Reads the parent and the time from /proc/PID/stat (proc(5)); returns false where there is no such
 * process, or only a zombie of it is left. One whose first thread alone has ended still lives.
 */
bool process_read_start(struct process_start *start, pid_t process);

/* Whether the process that this was read of still lives. */
bool process_lives(pid_t process, uint64_t time);

#endif
