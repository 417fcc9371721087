/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include "procfs.h"

#include <errno.h>
#include <string.h>

/* The fields of /proc/PID/stat that matter here, by their numbers in proc(5). */
enum { STATE = 3, PARENT, GROUP, SESSION, THREADS = 20, START_TIME = 22, RESIDENT = 24, FIELDS };

int process_try(struct process *process, pid_t id)
{
	char line[512];
	uint64_t fields[FIELDS] = {0};
	char state = 'X';
	int field = STATE;

	ssize_t length = procfs_read(id, "stat", line, sizeof line);
	if (length < 0 && length != -ENOENT)
		return (int)length;
	/* The name of the program, in parentheses, may hold anything. */
	const char *at = strrchr(line, ')');
	for (; at && (at = strchr(at, ' ')) && field < FIELDS; field++) {
		at++;
		if (field == STATE)
			state = *at;
		else
			fields[field] = procfs_number_at(at, 10);
	}
	*process = (struct process){
		.id = id,
		.parent = (pid_t)fields[PARENT],
		.group = (pid_t)fields[GROUP],
		.session = (pid_t)fields[SESSION],
		.started = fields[START_TIME],
		.resident_pages = fields[RESIDENT],
		.has_ended = state == 'Z' && fields[THREADS] <= 1,
	};
	return state != 'X' && field == FIELDS ? 0 : -ESRCH;
}

bool process_read(struct process *process, pid_t id)
{
	return process_try(process, id) == 0;
}

bool process_read_living(struct process *process, pid_t id)
{
	return process_read(process, id) && !process->has_ended;
}

bool process_lives(pid_t id, uint64_t started)
{
	struct process now;

	return id > 0 && process_read_living(&now, id) && now.started == started;
}
