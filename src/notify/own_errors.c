/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "own_errors.h"

#include "ground/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * If a program closes its standard error and continues, the reader of the other end of a pipe or a
 * socket would also wait for a duplicate of ours. An O_PATH descriptor of a pipe does not count as
 * a writer, and through /proc the pipe is opened again for each line. If that is not permitted,
 * because another user made the pipe, and for a socket, we hold a duplicate, unless the same file
 * is the standard output: then somebody may wait for its end. systemd's journal does not wait, and
 * nobody does for a file or a terminal.
 */
static int held = -1; /* a duplicate, or where is_path an O_PATH descriptor */
static bool is_path;
static int silence_fd = -1;

static int open_for_line(int fd)
{
	return system_open_again(fd, O_WRONLY | O_NONBLOCK);
}

static bool may_open_again(int fd)
{
	int again = open_for_line(fd);

	system_close(again);
	return again >= 0 || again == -ENXIO; /* it has no reader */
}

static bool is_output(const struct stat *errors)
{
	struct stat output;

	return fstat(STDOUT_FILENO, &output) == 0 && output.st_dev == errors->st_dev &&
	       output.st_ino == errors->st_ino;
}

static int hold(const struct stat *errors, const struct log *log)
{
	bool may_be_waited_for = S_ISFIFO(errors->st_mode) || S_ISSOCK(errors->st_mode);

	is_path = S_ISFIFO(errors->st_mode) && may_open_again(STDERR_FILENO);
	if (is_path)
		return system_open_again(STDERR_FILENO, O_PATH);
	if (may_be_waited_for && is_output(errors) && !log->is_journal)
		return -1;
	return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

void own_errors_keep(const struct log *log, int silence)
{
	struct file_identity now = file_identity_of(STDERR_FILENO);
	struct stat errors;

	silence_fd = silence;
	if (!log->path && file_identity_equals(&now, &log->standard_error) &&
		fstat(STDERR_FILENO, &errors) == 0)
		held = hold(&errors, log);
}

int own_errors_open(void)
{
	if (held < 0)
		return -1;
	return is_path ? open_for_line(held) : fcntl(held, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

void own_errors_begin(void)
{
	int fd = held >= 0 && is_path ? open_for_line(held) : held;

	if (fd < 0)
		return;
	system_dup3(fd, STDERR_FILENO, O_CLOEXEC);
	if (is_path)
		system_close(fd);
}

void own_errors_end(void)
{
	if (silence_fd >= 0)
		system_dup3(silence_fd, STDERR_FILENO, O_CLOEXEC);
}
