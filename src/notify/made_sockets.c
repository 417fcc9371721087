/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "made_sockets.h"

#include "aside.h"
#include "ground/clock.h"
#include "ground/compat.h"
#include "ground/descriptors.h"
#include "ground/open_sockets.h"
#include "ground/system.h"
#include "in_use.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>

#define HELD_MOST   512
#define PATIENCE_MS 5000
#define ENDING_MS   1000

/*
 * The time between checks whether a program still has its socket. A bound socket has a port, which
 * others may wait for. A new one is, for a moment, not in the program's hands yet.
 */
#define LOOK_MS	      2000
#define LOOK_BOUND_MS 500
#define SETTLING_MS   500

bool made_sockets_is_made(int domain, int type, int protocol)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (domain != AF_INET && domain != AF_INET6)
		return false;
	if (type == SOCK_STREAM)
		return protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
	return type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP);
}

/* ---- the process that holds them ---- */

enum what { HOLD, TAKE, DROP };

/* With HOLD comes the socket, with TAKE a socket for the answer. */
struct request {
	enum what what;
	uint64_t inode; /* of TAKE and DROP */
	pid_t thread;	/* of HOLD */
	bool is_bound, before_bind;
};

static struct held {
	int fd; /* 0: the place is free */
	uint64_t inode;
	pid_t thread; /* searched first: its process may have no first thread */
	bool is_bound;
	bool is_seen;	 /* in a search: some program has it */
	int64_t look_ms; /* when to check again */
} list[HELD_MOST];

static struct {
	int to_holder, from_workers; /* the two ends */
	pid_t holder;
} channel = {-1, -1, 0};

/* No call that waits for a lock of the socket: the holder of the lock may take long. */
static uint64_t inode_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

static void let_go(struct held *held)
{
	system_close(held->fd);
	held->fd = 0;
}

static struct held *find(uint64_t inode)
{
	for (unsigned i = 0; i < HELD_MOST; i++) {
		if (list[i].fd > 0 && list[i].inode == inode)
			return &list[i];
	}
	return NULL;
}

/* ---- sockets that programs have closed ---- */

static bool is_looked_for(const struct held *held)
{
	return held->fd > 0 && !held->is_seen;
}

/* Ends the walk when nothing is left to search for. */
static bool see(int fd, uint64_t inode, void *context)
{
	unsigned *left = context;

	(void)fd;
	for (unsigned i = 0; i < HELD_MOST; i++) {
		if (is_looked_for(&list[i]) && list[i].inode == inode) {
			list[i].is_seen = true;
			(*left)--;
		}
	}
	return *left == 0;
}

/* Usually the process that has made a socket still has it. */
static void see_where_made(unsigned *left)
{
	pid_t looked_at = 0;

	for (unsigned i = 0; *left > 0 && i < HELD_MOST; i++) {
		if (!is_looked_for(&list[i]) || list[i].thread == looked_at)
			continue;
		looked_at = list[i].thread;
		open_sockets_walk(looked_at, see, left);
	}
}

/* Closes those that no program has any more, of those that are due now. */
static void look(bool (*is_due)(const struct held *held, int64_t now_ms))
{
	int64_t now_ms = clock_now_ms();
	unsigned left = 0;

	for (unsigned i = 0; i < HELD_MOST; i++) {
		list[i].is_seen = !is_due(&list[i], now_ms);
		left += is_looked_for(&list[i]);
	}
	see_where_made(&left);
	bool is_certain = left == 0 || !in_use_walk(see, &left);
	for (unsigned i = 0; i < HELD_MOST; i++) {
		if (is_certain && is_looked_for(&list[i]))
			let_go(&list[i]);
		else if (is_due(&list[i], now_ms))
			list[i].look_ms = now_ms + (list[i].is_bound ? LOOK_BOUND_MS : LOOK_MS);
	}
}

static bool is_time(const struct held *held, int64_t now_ms)
{
	return held->look_ms <= now_ms;
}

static bool has_port(const struct held *held, int64_t now_ms)
{
	(void)now_ms;
	return held->is_bound;
}

static bool always(const struct held *held, int64_t now_ms)
{
	(void)held;
	(void)now_ms;
	return true;
}

/* Not one that has just come: the program may not have it yet. */
static bool is_settled(const struct held *held, int64_t now_ms)
{
	return held->is_bound || held->look_ms <= now_ms + LOOK_MS - SETTLING_MS;
}

/* Checks those that are due. Returns in how many milliseconds to call this again, or -1. */
static int look_around(void)
{
	int64_t now_ms = clock_now_ms(), next_ms = CLOCK_NEVER;

	look(is_time);
	for (unsigned i = 0; i < HELD_MOST; i++) {
		if (list[i].fd > 0 && list[i].look_ms < next_ms)
			next_ms = list[i].look_ms;
	}
	return next_ms == CLOCK_NEVER ? -1 : next_ms <= now_ms ? 0 : (int)(next_ms - now_ms);
}

/* ---- requests ---- */

static unsigned held_most = HELD_MOST; /* fewer where so many descriptors are not allowed */

static struct held *find_free(void)
{
	for (unsigned i = 0; i < held_most; i++) {
		if (list[i].fd <= 0)
			return &list[i];
	}
	return NULL;
}

/* If there is no room: the one that was not checked for the longest time. */
static struct held *oldest(void)
{
	struct held *first = &list[0];

	for (unsigned i = 1; i < held_most; i++) {
		if (list[i].look_ms < first->look_ms)
			first = &list[i];
	}
	return first;
}

/* Programs may have closed many. If all are in use, the oldest one is closed. */
static struct held *make_room(void)
{
	struct held *room = find_free();

	if (!room)
		look(is_settled);
	room = room ?: find_free();
	if (!room)
		look(always);
	room = room ?: find_free();
	if (room)
		return room;
	room = oldest();
	let_go(room);
	return room;
}

static void hold(const struct request *request, int fd)
{
	struct held *held = make_room();
	int wait_ms = request->is_bound ? LOOK_BOUND_MS : LOOK_MS;

	*held = (struct held){
		.fd = fd,
		.inode = inode_of(fd),
		.thread = request->thread,
		.is_bound = request->is_bound,
		.look_ms = clock_now_ms() + wait_ms,
	};
}

/* The end of the answer tells that there is no duplicate here any more. */
static void give(const struct request *request, int answer)
{
	if (request->before_bind)
		look(has_port);
	struct held *held = find(request->inode);
	bool is_found = held != NULL;

	descriptors_send(answer, &is_found, sizeof is_found, held ? &held->fd : NULL, is_found);
	if (held)
		let_go(held);
}

static void serve(const struct request *request, int fd)
{
	struct held *held;

	switch (request->what) {
	case HOLD:
		hold(request, fd);
		return;
	case TAKE:
		give(request, fd);
		break;
	case DROP:
		held = find(request->inode);
		if (held)
			let_go(held);
		break;
	}
	system_close(fd);
}

/* The program's limit counts for this process too, and it has a descriptor of each socket. */
static void raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < 2 * HELD_MOST)
		held_most = (unsigned)files.rlim_max / 2;
}

static int hold_all(void *context)
{
	struct request request;
	int fd;
	unsigned count;

	(void)context;
	system_close(channel.to_holder);
	raise_limit();
	for (;;) {
		fd = -1;
		ssize_t size = descriptors_receive(channel.from_workers, &request, sizeof request,
			&fd, 1, &count, look_around());
		if (size == 0)
			return 0;
		if (size == sizeof request && count == (request.what == DROP ? 0 : 1))
			serve(&request, fd);
		else if (size > 0)
			system_close(fd);
	}
}

/* ---- its parent ---- */

static int open_channel(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

int made_sockets_start(void)
{
	int ends[2];
	int error = open_channel(ends);

	if (error)
		return error;
	channel.to_holder = ends[0];
	channel.from_workers = ends[1];
	channel.holder = aside_start(hold_all, NULL);
	if (channel.holder > 0)
		return 0;
	system_close(channel.from_workers); /* so that requests fail at once */
	channel.from_workers = -1;
	return channel.holder;
}

void made_sockets_tend(void)
{
	if (channel.holder > 0 && aside_has_ended(channel.holder))
		channel.holder = aside_start(hold_all, NULL);
}

void made_sockets_finish(void)
{
	if (channel.holder > 0)
		aside_kill(channel.holder, ENDING_MS);
}

/* ---- workers ---- */

/* All requests come one after the other, so what is held before a call is found in that call. */
static int ask(const struct request *request, int fd)
{
	unsigned count = fd < 0 ? 0 : 1;
	int error = descriptors_send(channel.to_holder, request, sizeof *request, &fd, count);

	if (error != -EAGAIN)
		return error;
	struct pollfd polled = {.fd = channel.to_holder, .events = POLLOUT};
	poll(&polled, 1, PATIENCE_MS);
	return descriptors_send(channel.to_holder, request, sizeof *request, &fd, count);
}

int made_sockets_hold(int fd, pid_t thread, bool is_bound)
{
	return ask(&(struct request){.what = HOLD, .thread = thread, .is_bound = is_bound}, fd);
}

static int hear(int answer)
{
	bool is_found = false, nothing;
	int fd = -1;
	unsigned count;
	ssize_t size = descriptors_receive(
		answer, &is_found, sizeof is_found, &fd, 1, &count, PATIENCE_MS);

	if (size <= 0)
		return size < 0 ? (int)size : -EPIPE;
	descriptors_receive(answer, &nothing, sizeof nothing, NULL, 0, &count, PATIENCE_MS);
	return fd >= 0 ? fd : -ENOENT;
}

int made_sockets_take(uint64_t inode, bool before_bind)
{
	int ends[2];
	int error = channel.to_holder < 0 ? -EPIPE : open_channel(ends);

	if (error)
		return error;
	error = ask(&(struct request){.what = TAKE, .inode = inode, .before_bind = before_bind},
		ends[1]);
	system_close(ends[1]);
	int result = error ? error : hear(ends[0]);
	system_close(ends[0]);
	return result;
}

void made_sockets_drop(uint64_t inode)
{
	ask(&(struct request){.what = DROP, .inode = inode}, -1);
}
