/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the log: one write() for each message, to standard error or to a file. */
#ifndef GROUND_LOG_H
#define GROUND_LOG_H

#include "system.h"

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_EXPLAIN, /* always written */
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

struct log {
	const char *name;     /* the name at the start of each line; NULL: that of the library */
	enum log_level level; /* lines that are less important are not written */
	const char *path;     /* NULL: standard error */
	/*
	 * Standard error as it was at the start, if lines go there; a program may put another file
	 * in its place.
	 */
	struct file_identity standard_error;
	bool is_journal; /* JOURNAL_STREAM names standard error: each line starts with "<N>" */
	/*
	 * A socket that gets a message for each line of an explanation (notify_socket_send()), or
	 * NULL.
	 */
	const char *explain_socket;
	int process; /* the process id in each line; 0: that of the process that writes it */
};

/* "error", "warn", "info", "debug"; returns false for any other. */
bool log_level_parse(const char *name, size_t length, enum log_level *level);

/* Opens a log. PATH and JOURNAL_STREAM may be NULL; PATH must live as long as the log. */
struct log log_open(enum log_level level, const char *path, const char *journal_stream);

static inline bool log_says(const struct log *log, enum log_level level)
{
	return level <= log->level;
}

/*
 * Whether a line of this level would be written now. Check this before you ask the kernel for what
 * the line says: a sandbox may kill a program for a system call that it does not expect.
 * Async-signal-safe; errno is left as it was.
 */
bool log_reaches(const struct log *log, enum log_level level);

/*
 * Writes "libreuse[PID]: LEVEL: message" for each line of the message, all with one write(). If
 * standard error or the file cannot take the message now, it is dropped: nothing blocks, no signal
 * is raised. Formats are those of text_format(). Async-signal-safe; errno is left as it was.
 */
void log_write(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The same for a line that a program may cause at each of its calls. At levels error and warn it is
 * written at most once a second, with how many lines were left out since then. At the other levels
 * every line is written: the user has asked for them.
 */
void log_write_seldom(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
