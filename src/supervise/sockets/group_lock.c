/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "group_lock.h"

#include "ground/clock.h"
#include "supervise/talk/say.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SAID_MS	    2000
#define PATIENCE_MS (10 * 1000)
#define STUCK_MS    100 /* for one that was waited for in vain before */
#define RETRY_MS    1
#define NOBODY	    (-1)

static pid_t stuck = NOBODY; /* who has it, and was waited for in vain */

static socklen_t name_lock(struct sockaddr_un *address, uid_t user)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1,
		"libreuse-steer/%u", (unsigned)user);

	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static int open_named(uid_t user, int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address;
	socklen_t length = name_lock(&address, user);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || use(fd, (struct sockaddr *)&address, length) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Of USER, if it is not known. */
static struct ucred holder_of(int fd, uid_t user)
{
	struct ucred holder = {.uid = user};
	socklen_t length = sizeof holder;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &holder, &length);
	return holder;
}

struct waiting {
	uid_t user;
	int64_t since_ms;
	bool is_said, is_over;
};

/* Waits until the holder closes the other end, but not for ever. */
static void wait_for_holder(struct waiting *waiting)
{
	int fd = open_named(waiting->user, connect);
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	struct ucred holder = holder_of(fd, waiting->user);
	int64_t waited_ms = clock_now_ms() - waiting->since_ms;
	/* without a descriptor, as many have waited for it as there is room for */
	bool is_stuck = fd >= 0 ? holder.pid == stuck : stuck != NOBODY;
	bool is_of_others = fd >= 0 && holder.uid != waiting->user && holder.uid != 0;
	int64_t said_ms = is_stuck ? STUCK_MS : SAID_MS;

	waiting->is_over = is_of_others || waited_ms >= (is_stuck ? STUCK_MS : PATIENCE_MS);
	if (is_of_others && !is_stuck) {
		say(LOG_LEVEL_WARN,
			"process %d of user %u holds the lock for the groups of user %u; they are "
			"steered without it",
			(int)holder.pid, (unsigned)holder.uid, (unsigned)waiting->user);
	} else if (waiting->is_over && !is_stuck) {
		say(LOG_LEVEL_WARN,
			"process %d does not release the lock for this user's groups; they are "
			"steered without it",
			(int)holder.pid);
	} else if (waited_ms >= SAID_MS && !waiting->is_said) {
		say(LOG_LEVEL_WARN, "waiting for process %d, which steers a group of this user",
			(int)holder.pid);
		waiting->is_said = true;
	}
	if (waiting->is_over && !is_stuck)
		stuck = holder.pid;
	if (!waiting->is_over)
		poll(&polled, fd >= 0,
			fd >= 0 && waited_ms < said_ms ? (int)(said_ms - waited_ms)
			: fd >= 0		       ? 100
						       : RETRY_MS);
	if (fd >= 0)
		close(fd);
}

int group_try_lock(uid_t user)
{
	int lock = open_named(user, bind);

	if (lock >= 0) {
		listen(lock, SOMAXCONN);
		stuck = NOBODY;
	}
	return lock;
}

int group_lock(uid_t user)
{
	struct waiting waiting = {.user = user, .since_ms = clock_now_ms()};
	int lock = -1;

	while (!waiting.is_over && (lock = group_try_lock(user)) < 0 && errno == EADDRINUSE)
		wait_for_holder(&waiting);
	return lock;
}

bool group_lock_is_stuck(void)
{
	return stuck != NOBODY;
}

void group_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}
