/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* 32-bit machines whose first system calls had 16-bit user ids. */
#ifdef SYS_geteuid32
#define GETEUID SYS_geteuid32
#else
#define GETEUID SYS_geteuid
#endif

#ifdef SYS_fchown32
#define FCHOWN SYS_fchown32
#else
#define FCHOWN SYS_fchown
#endif

/* And those whose first record locks had 32-bit offsets. */
#ifdef SYS_fcntl64
#define FCNTL	 SYS_fcntl64
#define SET_LOCK F_SETLK64
#else
#define FCNTL	 SYS_fcntl
#define SET_LOCK F_SETLK
#endif

/* And whose first clock ends in 2038. */
#ifdef SYS_clock_gettime64
#define CLOCK_GETTIME SYS_clock_gettime64
#else
#define CLOCK_GETTIME SYS_clock_gettime
#endif

#define WORD(X)			    ((long)(X))
#define CALL(NUMBER, A, B, C, D, E) call(NUMBER, WORD(A), WORD(B), WORD(C), WORD(D), WORD(E))

int system_open(int directory, const char *path, int flags, mode_t mode)
{
	return (int)CALL(SYS_openat, directory, path, flags | O_LARGEFILE, mode, 0);
}

int system_open_again(int fd, int flags)
{
	char path[32];

	text_print(path, sizeof path, "/proc/self/fd/%d", fd);
	return system_open(AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

int system_close(int fd)
{
	return fd < 0 ? -EBADF : (int)CALL(SYS_close, fd, 0, 0, 0, 0);
}

ssize_t system_read(int fd, void *bytes, size_t size)
{
	return CALL(SYS_read, fd, bytes, size, 0, 0);
}

ssize_t system_write(int fd, const void *bytes, size_t size)
{
	return CALL(SYS_write, fd, bytes, size, 0, 0);
}

ssize_t system_readlink(int directory, const char *path, char *target, size_t size)
{
	return CALL(SYS_readlinkat, directory, path, target, size, 0);
}

ssize_t system_getdents(int directory, void *bytes, size_t size)
{
	return CALL(SYS_getdents64, directory, bytes, size, 0, 0);
}

ssize_t system_getcwd(char *path, size_t size)
{
	return CALL(SYS_getcwd, path, size, 0, 0, 0);
}

int system_can_write(const char *path)
{
	return (int)CALL(SYS_faccessat, AT_FDCWD, path, W_OK, 0, 0);
}

static int stat_at(int directory, const char *path, int flags, struct statx *status)
{
	unsigned mask = STATX_TYPE | STATX_MODE | STATX_UID | STATX_INO | STATX_SIZE;

	return (int)CALL(SYS_statx, directory, path, flags, mask, status);
}

int system_stat(int fd, struct statx *status)
{
	return stat_at(fd, "", AT_EMPTY_PATH, status);
}

int system_stat_known(int directory, const char *path, struct statx *status)
{
	return stat_at(directory, path, AT_STATX_DONT_SYNC, status);
}

uid_t system_geteuid(void)
{
	return (uid_t)CALL(GETEUID, 0, 0, 0, 0, 0);
}

pid_t system_getpid(void)
{
	return (pid_t)CALL(SYS_getpid, 0, 0, 0, 0, 0);
}

int system_kill(pid_t process, int signal)
{
	return (int)CALL(SYS_kill, process, signal, 0, 0, 0);
}

int system_socket(int domain, int type, int protocol)
{
	return (int)CALL(SYS_socket, domain, type, protocol, 0, 0);
}

int system_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)CALL(SYS_bind, fd, address, length, 0, 0);
}

int system_bpf(int command, void *attributes, size_t size)
{
	return (int)CALL(SYS_bpf, command, attributes, size, 0, 0);
}

int system_listen(int fd, int backlog)
{
	return (int)CALL(SYS_listen, fd, backlog, 0, 0, 0);
}

int system_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)CALL(SYS_connect, fd, address, length, 0, 0);
}

int system_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return (int)CALL(SYS_getsockname, fd, address, length, 0, 0);
}

int system_dup3(int fd, int new_fd, int flags)
{
	return (int)CALL(SYS_dup3, fd, new_fd, flags, 0, 0);
}

int system_fcntl(int fd, int command, long argument)
{
	return (int)CALL(FCNTL, fd, command, argument, 0, 0);
}

int system_lock(int fd)
{
	struct flock64 lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return (int)CALL(FCNTL, fd, SET_LOCK, &lock, 0, 0);
}

int system_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	return (int)CALL(SYS_epoll_ctl, epoll, operation, fd, event, 0);
}

static const long at_once[2]; /* as these system calls have a timespec on every machine */

short system_poll_now(int fd, short events)
{
	struct pollfd polled = {.fd = fd, .events = events};

	return CALL(SYS_ppoll, &polled, 1, &at_once, NULL, 0) == 1 ? polled.revents : 0;
}

int system_ioctl(int fd, unsigned long request, void *argument)
{
	return (int)CALL(SYS_ioctl, fd, request, argument, 0, 0);
}

int system_fchown(int fd, uid_t user)
{
	return (int)CALL(FCHOWN, fd, user, -1, 0, 0);
}

ssize_t system_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return CALL(SYS_sendmsg, fd, message, flags, 0, 0);
}

int64_t system_now_ms(void)
{
	struct {
		int64_t seconds, nanoseconds; /* as the kernel has it on every machine */
	} now = {0, 0};

	CALL(CLOCK_GETTIME, CLOCK_MONOTONIC, &now, 0, 0, 0);
	return now.seconds * 1000 + now.nanoseconds / 1000000;
}

/*
 * Opens a descriptor of the same pipe that does not block: between a poll and a write others may
 * fill the pipe, and O_NONBLOCK on FD itself would affect all processes that share it.
 */
static int unblocked(int fd)
{
	int other = system_open_again(fd, O_WRONLY | O_NONBLOCK);

	return other < 0 ? fd : other;
}

#define SIGNALS                                                                                    \
	(sizeof(uint64_t) * 2 / sizeof(long)) /* the largest set of signals on any machine */
#define SIGNAL_SIZE (_NSIG / 8)

struct signals {
	unsigned long bits[SIGNALS];
};

static bool is_pending(const struct signals *signals)
{
	struct signals pending = {{0}};

	CALL(SYS_rt_sigpending, &pending, SIGNAL_SIZE, 0, 0, 0);
	return (pending.bits[0] & signals->bits[0]) != 0;
}

/* Blocks SIGPIPE while it writes, and discards the one that the write may have raised. */
static void write_quietly(int fd, const void *bytes, size_t size)
{
	const struct signals pipe_signal = {{1UL << (SIGPIPE - 1)}};
	struct signals before;
	bool was_pending = is_pending(&pipe_signal);

	CALL(SYS_rt_sigprocmask, SIG_BLOCK, &pipe_signal, &before, SIGNAL_SIZE, 0);
	if (system_write(fd, bytes, size) == -EPIPE && !was_pending)
		CALL(SYS_rt_sigtimedwait, &pipe_signal, 0, at_once, SIGNAL_SIZE, 0);
	CALL(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, SIGNAL_SIZE, 0);
}

static void write_to_pipe(int fd, const void *bytes, size_t size)
{
	int other = unblocked(fd);

	write_quietly(other, bytes, size);
	if (other != fd)
		system_close(other);
}

/* Returns false if FD is not a socket. */
static bool write_to_socket(int fd, const void *bytes, size_t size)
{
	/* without an address, the sixth argument, its length, is not looked at */
	return CALL(SYS_sendto, fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, 0) != -ENOTSOCK;
}

void system_write_at_once(int fd, const void *bytes, size_t size)
{
	struct statx status;
	bool is_known = system_stat(fd, &status) == 0; /* not before Linux 4.11 */

	if ((!is_known || S_ISSOCK(status.stx_mode)) && write_to_socket(fd, bytes, size))
		return;
	if (system_poll_now(fd, POLLOUT) != POLLOUT)
		return;
	if (is_known && !S_ISFIFO(status.stx_mode))
		system_write(fd, bytes, size); /* only sockets and pipes raise SIGPIPE */
	else if (is_known)
		write_to_pipe(fd, bytes, size);
	else
		write_quietly(fd, bytes, size);
}

struct file_identity file_identity_of(int fd)
{
	struct statx status;

	if (system_stat(fd, &status) < 0)
		return (struct file_identity){.is_open = false};
	return (struct file_identity){
		.is_open = true,
		.device_major = status.stx_dev_major,
		.device_minor = status.stx_dev_minor,
		.inode = status.stx_ino,
	};
}

bool file_identity_equals(const struct file_identity *a, const struct file_identity *b)
{
	return a->is_open && b->is_open && a->inode == b->inode &&
	       a->device_major == b->device_major && a->device_minor == b->device_minor;
}
