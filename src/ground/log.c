/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log.h"

#include "compare.h"
#include "repeat.h"
#include "text.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#define MESSAGE_SIZE 1024 /* small, because it is on the stack of signal handlers */
#define LINE_SIZE    1400 /* below PIPE_BUF, so that lines of several processes never mix */

static const struct {
	char name[8];
	char priority; /* of syslog(3), as in sd-daemon(3) */
} levels[] = {
	[LOG_LEVEL_EXPLAIN] = {"explain", '6'},
	[LOG_LEVEL_ERROR] = {"error", '3'},
	[LOG_LEVEL_WARN] = {"warn", '4'},
	[LOG_LEVEL_INFO] = {"info", '6'},
	[LOG_LEVEL_DEBUG] = {"debug", '7'},
};

bool log_level_parse(const char *name, size_t length, enum log_level *level)
{
	for (enum log_level at = LOG_LEVEL_ERROR; at <= LOG_LEVEL_DEBUG; at++) {
		if (string_is(name, length, levels[at].name)) {
			*level = at;
			return true;
		}
	}
	return false;
}

/* Whether JOURNAL_STREAM=DEVICE:INODE (systemd.exec(5)) is the file that standard error is. */
static bool is_stream(const char *stream, const struct file_identity *file)
{
	char expected[48];

	if (!stream || !file->is_open)
		return false;
	uint64_t major = file->device_major, minor = file->device_minor;
	uint64_t device = (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffULL) << 12 |
			  (major & ~0xfffULL) << 32;
	text_print(expected, sizeof expected, "%ju:%ju", (uintmax_t)device, (uintmax_t)file->inode);
	return string_equals(stream, expected);
}

struct log log_open(enum log_level level, const char *path, const char *journal_stream)
{
	struct log log = {.level = level, .path = path};

	if (!path)
		log.standard_error = file_identity_of(STDERR_FILENO);
	log.is_journal = !path && is_stream(journal_stream, &log.standard_error);
	return log;
}

/* Whether standard error is still what it was at the start. */
static bool has_standard_error(const struct log *log)
{
	if (!log->standard_error.is_open)
		return false;
	struct file_identity now = file_identity_of(STDERR_FILENO);
	return file_identity_equals(&now, &log->standard_error);
}

bool log_reaches(const struct log *log, enum log_level level)
{
	return log_says(log, level) && (log->path || has_standard_error(log));
}

static void write_to_standard_error(const struct log *log, const struct text *line)
{
	if (has_standard_error(log))
		system_write_at_once(STDERR_FILENO, line->bytes, line->length);
}

static void write_to_file(const struct log *log, const struct text *line)
{
	int fd = system_open(AT_FDCWD, log->path,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

	if (fd < 0)
		return;
	system_write_at_once(fd, line->bytes, line->length);
	system_close(fd);
}

/* Puts the head of a log line in front of each line of MESSAGE. */
static void add_lines(
	struct text *out, const struct log *log, enum log_level level, const char *message)
{
	while (*message) {
		size_t length = string_until(message, '\n');
		if (log->is_journal)
			text_format(out, "<%c>", levels[level].priority);
		text_format(out, "%s[%d]: %s: ", log->name ? log->name : "libreuse",
			log->process ? log->process : (int)system_getpid(), levels[level].name);
		text_add_printable(out, message, length);
		text_add(out, "\n", 1);
		message += length + (message[length] == '\n');
	}
}

static bool is_open(const struct log *log, enum log_level level)
{
	return log_says(log, level) && (log->path || log->standard_error.is_open);
}

static void write_lines(const struct log *log, enum log_level level, const char *message)
{
	char line_bytes[LINE_SIZE];
	struct text line;

	text_start(&line, line_bytes, sizeof line_bytes);
	add_lines(&line, log, level, message);
	if (line.truncated)
		line_bytes[line.length - 1] = '\n';
	if (log->path)
		write_to_file(log, &line);
	else
		write_to_standard_error(log, &line);
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	if (!is_open(log, level))
		return;
	va_start(args, format);
	text_vprint(message, sizeof message, format, args);
	va_end(args);
	write_lines(log, level, message);
}

void log_write_seldom(const struct log *log, enum log_level level, const char *format, ...)
{
	static struct repeats repeats;
	bool is_asked_for = level != LOG_LEVEL_ERROR && level != LOG_LEVEL_WARN;
	char message[MESSAGE_SIZE];
	unsigned left_out = 0;
	va_list args;

	if (!is_open(log, level))
		return;
	va_start(args, format);
	text_vprint(message, sizeof message, format, args);
	va_end(args);
	if (!is_asked_for && !repeat_is_due(&repeats, message, system_now_ms(), &left_out))
		return;
	if (left_out)
		log_write(
			log, level, "%s (%u more of these lines were left out)", message, left_out);
	else
		write_lines(log, level, message);
}
