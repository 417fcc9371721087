/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes system calls directly. libc's wrappers would be wrong in the interposed functions: they set
 * errno, some are cancellation points although bind() is not one, other preloaded objects may
 * intercept them, and each one costs every program a symbol look-up at its start.
 */
#ifndef GROUND_SYSTEM_H
#define GROUND_SYSTEM_H

#include "call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#ifndef STATX_TYPE /* glibc before 2.28, musl before 1.2.5 */
#include <linux/stat.h>
#endif

/*
 * All of these return what the call of that name in section 2 of the manual returns, or a negative
 * errno; they leave errno alone and are async-signal-safe.
 */
int system_open(int directory, const char *path, int flags, mode_t mode);
int system_open_again(
	int fd, int flags); /* opens the same file again, through /proc; closed on exec */
int system_close(int fd);   /* for a negative FD it returns -EBADF without a call */
ssize_t system_read(int fd, void *bytes, size_t size);
ssize_t system_write(int fd, const void *bytes, size_t size);
ssize_t system_readlink(int directory, const char *path, char *target, size_t size);
ssize_t system_getdents(int directory, void *bytes, size_t size); /* getdents64 */
ssize_t system_getcwd(char *path, size_t size);			  /* the length with its NUL */
int system_can_write(const char *path);	       /* 0 or the reason, as access(W_OK) */
int system_stat(int fd, struct statx *status); /* statx of an open descriptor */
/* What is known already of a file, without asking a remote file system (AT_STATX_DONT_SYNC). */
int system_stat_known(int directory, const char *path, struct statx *status);
uid_t system_geteuid(void);
pid_t system_getpid(void);
int system_kill(pid_t process, int signal);
int system_socket(int domain, int type, int protocol);
int system_bind(int fd, const struct sockaddr *address, socklen_t length);
int system_listen(int fd, int backlog);
int system_bpf(int command, void *attributes, size_t size); /* a union bpf_attr */
int system_connect(int fd, const struct sockaddr *address, socklen_t length);
int system_getsockname(int fd, struct sockaddr *address, socklen_t *length);

int system_dup3(int fd, int new_fd, int flags);
int system_fcntl(int fd, int command, long argument);
int system_lock(int fd); /* takes a record lock on the whole file, as F_SETLK; -EAGAIN: another
			    process has it */
int system_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
short system_poll_now(int fd, short events); /* what poll(2) returns in revents; 0: nothing */
int system_ioctl(int fd, unsigned long request, void *argument);
int system_fchown(int fd, uid_t user); /* leaves the group */
ssize_t system_sendmsg(int fd, const struct msghdr *message, int flags);
int64_t system_now_ms(void); /* clock_gettime(2), CLOCK_MONOTONIC; 0 if it fails */

/* These are inline, because every bind() of every program makes them. */
static inline int system_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	return (int)call(SYS_getsockopt, fd, level, option, (long)value, (long)length);
}

/* An option that is an int. */
static inline int system_get_number(int fd, int level, int option, int *number)
{
	socklen_t length = sizeof *number;

	return system_getsockopt(fd, level, option, number, &length);
}

static inline int system_setsockopt(
	int fd, int level, int option, const void *value, socklen_t length)
{
	return (int)call(SYS_setsockopt, fd, level, option, (long)value, (long)length);
}

/* Writes what can be written at once, and drops the rest: it neither blocks nor raises SIGPIPE. */
void system_write_at_once(int fd, const void *bytes, size_t size);

/* The file that a descriptor refers to. */
struct file_identity {
	bool is_open;
	uint32_t device_major, device_minor;
	uint64_t inode;
};

struct file_identity file_identity_of(int fd);
bool file_identity_equals(const struct file_identity *a, const struct file_identity *b);

#endif
