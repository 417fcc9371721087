/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE /* musl */
#define RENAME_NOREPLACE 1
#endif

#define WAIT_MS	   10
#define WAITS_MOST 100 /* for another supervisor that is about to replace the same file */

static int ours = -1; /* our file, locked */

static int complain(const char *path, const char *what, int error)
{
	fprintf(stderr, "reuse-run: --pid-file=%s: %s%s\n", path, what, strerror(-error));
	return error;
}

/* Returns 1 if PATH is the open file, and not a link to it; 0, or a negative errno. */
static int look_whether_at(int fd, const char *path)
{
	struct stat open_one, there;

	if (fstat(fd, &open_one) < 0 || lstat(path, &there) < 0)
		return errno == ENOENT ? 0 : -errno;
	return open_one.st_dev == there.st_dev && open_one.st_ino == there.st_ino;
}

static bool is_at(int fd, const char *path)
{
	return look_whether_at(fd, path) > 0;
}

/*
 * A lock of the open file (F_OFD_SETLK, fcntl(2)), of TYPE F_RDLCK or F_WRLCK. A write lock needs a
 * file that is open for writing, so no other user can take it; with flock(2) he could.
 */
static struct flock lock_of(short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* If the file system has no locks, that does not prevent the start. */
static void lock(int fd)
{
	struct flock lock = lock_of(F_WRLCK);

	fcntl(fd, F_OFD_SETLK, &lock);
}

/* Whether another process has it locked for writing. */
static bool is_locked_by_another(int fd)
{
	struct flock lock = lock_of(F_RDLCK);

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* ---- our file ---- */

static mode_t mode_of_new_files(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int fill(int fd)
{
	char line[16];
	int length = snprintf(line, sizeof line, "%d\n", (int)getpid());

	if (fchmod(fd, mode_of_new_files()) < 0)
		return -errno;
	ssize_t written = write(fd, line, (size_t)length);
	return written == length ? 0 : written < 0 ? -errno : -ENOSPC;
}

/* Fails if PATH exists. NFS has only links, and FAT only the first way. */
static int put_in_place(const char *draft, const char *path)
{
	if (syscall(SYS_renameat2, AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if ((errno != EINVAL && errno != ENOSYS) || link(draft, path) < 0)
		return -errno;
	unlink(draft);
	return 0;
}

/*
 * Makes the file complete and locked under another, unused name, because a killed process may have
 * left any name behind; then gives it its name. Returns -EEXIST if PATH exists.
 */
static int create(const char *path)
{
	char draft[PATH_MAX];

	if (snprintf(draft, sizeof draft, "%s.XXXXXX", path) >= (int)sizeof draft)
		return -ENAMETOOLONG;
	ours = mkostemp(draft, O_CLOEXEC);
	if (ours < 0)
		return -errno;
	lock(ours);
	int error = fill(ours);
	if (!error)
		error = put_in_place(draft, path);
	if (!error)
		return 0;
	unlink(draft);
	close(ours);
	ours = -1;
	return error;
}

/* ---- the file of another supervisor ---- */

/* The process in the file; 0 if there is none. */
static pid_t process_in(int fd)
{
	char line[16] = "";
	ssize_t length = pread(fd, line, sizeof line - 1, 0);

	return length > 0 ? (pid_t)strtol(line, NULL, 10) : 0;
}

static bool lives(pid_t process)
{
	return process > 0 && (kill(process, 0) == 0 || errno == EPERM);
}

static int refuse(const char *path, pid_t process)
{
	fprintf(stderr,
		"reuse-run: --pid-file=%s: another supervisor, process %d, uses this file; to "
		"replace its copies, use reuse-run --roll %s; to start another supervisor, name "
		"another file\n",
		path, (int)process, path);
	return -EBUSY;
}

/*
 * Another supervisor has it locked. If the process in it is dead, that supervisor is about to
 * replace it, so look again.
 */
static int wait_or_refuse(const char *path, int fd, bool is_last_time)
{
	pid_t process = process_in(fd);

	if (lives(process) || is_last_time)
		return is_at(fd, path) ? refuse(path, process) : 0;
	usleep(WAIT_MS * 1000);
	return 0;
}

/*
 * Removes the file that was found at PATH, if it is not locked. It is locked first, so no process
 * removes a file that another one has put there since.
 */
static int clear(const char *path, int fd, bool is_last_time)
{
	if (!is_locked_by_another(fd))
		lock(fd);
	if (is_locked_by_another(fd))
		return wait_or_refuse(path, fd, is_last_time);
	if (is_at(fd, path) && unlink(path) < 0)
		return complain(path, "", -errno);
	return 0;
}

static int open_left_over(const char *path)
{
	int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = open(path, O_RDWR | flags);

	return fd < 0 && (errno == EACCES || errno == EROFS) ? open(path, O_RDONLY | flags) : fd;
}

/* The link itself is removed; its target stays. */
static int clear_link(const char *path)
{
	return unlink(path) < 0 && errno != ENOENT ? complain(path, "", -errno) : 0;
}

static int clear_what_is_there(const char *path, bool is_last_time)
{
	int fd = open_left_over(path);

	if (fd < 0 && errno == ELOOP)
		return clear_link(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : complain(path, "", -errno);
	int error = clear(path, fd, is_last_time);
	close(fd);
	return error;
}

/* ---- both ---- */

bool pid_file_write(const char *path)
{
	int error = -EEXIST;

	for (int i = 0; i <= WAITS_MOST; i++) {
		error = create(path);
		if (error != -EEXIST)
			break;
		if (clear_what_is_there(path, i == WAITS_MOST) < 0)
			return false;
	}
	if (error)
		complain(path, "", error);
	return error == 0;
}

void pid_file_remove(const char *path)
{
	int found = look_whether_at(ours, path); /* another supervisor may have put its own there */

	if (found > 0 && unlink(path) < 0)
		found = -errno;
	if (found < 0)
		complain(path, "cannot be removed: ", found);
	close(ours);
	ours = -1;
}
