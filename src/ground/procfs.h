/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads directories and files of /proc piece by piece, without malloc. */
#ifndef GROUND_PROCFS_H
#define GROUND_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Gets an open directory and a name in it; returns true to end the walk. */
typedef bool procfs_visitor(int directory, const char *name, void *context);

/* All functions here are async-signal-safe and leave errno alone. */

/* This process itself, whatever its id is in the PID namespace that /proc was mounted in. */
#define PROCFS_SELF (-1)

#define PROCFS_PATH_SIZE 48

/* Writes the path of the file or folder NAME of a process; returns PATH. */
const char *procfs_path(char path[static PROCFS_PATH_SIZE], pid_t process, const char *name);

/*
 * Opens the file or folder NAME of a process for reading. Returns a descriptor that is closed on
 * exec, or a negative errno.
 */
int procfs_open(pid_t process, const char *name);

/* Whether an error says that a process, or what belongs to it, is not there any more. */
bool procfs_is_gone(int error);

/*
 * Reads up to SIZE - 1 bytes from the beginning of such a file in one call, and adds a NUL. Returns
 * how many, or a negative errno; then there is only the NUL.
 */
ssize_t procfs_read(pid_t process, const char *name, char *bytes, size_t size);

#define PROCFS_PROGRAM_SIZE 16 /* with the NUL */

/*
 * The name of its program, from /proc/PID/comm (proc(5)), without bytes that a terminal could take
 * for control characters; empty if it cannot be seen.
 */
void procfs_program(pid_t process, char program[static PROCFS_PROGRAM_SIZE]);

/*
 * Visits each name in the folder NAME of a process. Returns 1 if a visitor has ended the walk, 0 if
 * none has, or a negative errno if the folder cannot be read, or not to its end.
 */
int procfs_walk(pid_t process, const char *name, procfs_visitor *visit, void *context);

/* The same for the directory at PATH. */
int procfs_walk_path(const char *path, procfs_visitor *visit, void *context);

/* The number that NAME is, or -1. */
int procfs_number(const char *name);

/* The number in BASE (2 to 16) at the start of TEXT, up to the first other character. */
uint64_t procfs_number_at(const char *text, unsigned base);

/* Whether the symbolic link NAME in DIRECTORY points to TARGET, which has less than 64 bytes. */
bool procfs_links_to(int directory, const char *name, const char *target);

struct procfs_reader {
	int fd; /* of the open file; below 0: there are no lines */
	size_t length, at;
	char bytes[512];
};

/* Reads the next line, without its end; a line that is longer than SIZE comes in several parts. */
bool procfs_next_line(struct procfs_reader *reader, char *line, size_t size);

#endif
