/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include "procfs.h"
#include "system.h"
#include "text.h"

#include <fcntl.h>
#include <string.h>

#define PATH_SIZE 32

/* The fields of /proc/PID/stat that matter here, by their numbers in proc(5). */
enum { STATE = 3, PARENT = 4, THREADS = 20, START_TIME = 22, FIELDS };

bool process_read_start(struct process_start *start, pid_t process)
{
	char path[PATH_SIZE], line[512];
	uint64_t fields[FIELDS] = {0};
	char state = 'X';
	struct text text;

	text_start(&text, path, sizeof path);
	text_format(&text, "/proc/%d/stat", (int)process);
	int fd = system_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t length = fd < 0 ? 0 : system_read(fd, line, sizeof line - 1);
	if (fd >= 0)
		system_close(fd);
	line[length > 0 ? length : 0] = '\0';
	/* The name of the program, in parentheses, may hold anything. */
	const char *at = strrchr(line, ')');
	for (int field = STATE; at && (at = strchr(at, ' ')) && field < FIELDS; field++) {
		at++;
		if (field == STATE)
			state = *at;
		else
			fields[field] = procfs_number_at(at, 10);
	}
	*start = (struct process_start){
		.process = process, .parent = (pid_t)fields[PARENT], .time = fields[START_TIME]};
	return state != 'X' && (state != 'Z' || fields[THREADS] > 1);
}

bool process_lives(pid_t process, uint64_t time)
{
	struct process_start now;

	return process > 0 && process_read_start(&now, process) && now.time == time;
}
