/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kept_sockets.h"

#include "aside.h"
#include "ground/compare.h"
#include "ground/descriptors.h"
#include "ground/errnos.h"
#include "in_use.h"
#include "socket/adopt.h"
#include "socket/keep.h"
#include "socket/kept_table.h"
#include "socket/notify_socket.h"
#include "socket/share.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

#define PATIENCE_MS 12000 /* a message that waits for the manager may be before it */
#define ENDING_MS   1000
#define PATH_SIZE   108 /* sockaddr_un */
#define TEXT_SIZE   256

/* ---- who may have a kept socket ---- */

/*
 * A socket that was given to a worker is on its way, and then with that worker, before the program
 * has it. Until then no other program may get it: two would take the clients of one socket, and
 * none those of another one. The other end of ANSWER is closed when the program has the socket, or
 * when the worker that was to pass it on has ended.
 */
#define PROMISES_MOST 256 /* one for each worker, and more */

static struct promise {
	ino_t inode;
	int answer; /* 0: there is none */
} promises[PROMISES_MOST];

static bool is_fulfilled(const struct promise *promise)
{
	struct pollfd polled = {.fd = promise->answer};

	return poll(&polled, 1, 0) == 1;
}

static bool is_promised(ino_t inode)
{
	bool is_found = false;

	for (unsigned i = 0; i < PROMISES_MOST; i++) {
		struct promise *promise = &promises[i];
		if (promise->answer > 0 && is_fulfilled(promise)) {
			system_close(promise->answer);
			promise->answer = 0;
		}
		is_found |= promise->answer > 0 && promise->inode == inode;
	}
	return is_found;
}

static void promise(int fd, int answer)
{
	struct stat socket;

	if (fstat(fd, &socket) < 0)
		return;
	for (unsigned i = 0; i < PROMISES_MOST; i++) {
		if (promises[i].answer > 0)
			continue;
		int duplicate = system_fcntl(answer, F_DUPFD_CLOEXEC, 3);
		if (duplicate > 0)
			promises[i] = (struct promise){socket.st_ino, duplicate};
		return;
	}
}

static uint64_t network_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof cookie;

	system_getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length);
	return cookie;
}

/*
 * What one user made in one network is for that user there; or for all copies that share it, which
 * may have different users.
 */
static bool may_have(int kept, int fd)
{
	struct stat ours, theirs;

	return fstat(kept, &ours) == 0 && fstat(fd, &theirs) == 0 &&
	       (ours.st_uid == theirs.st_uid || keep_is_shared()) &&
	       network_of(kept) == network_of(fd) && !is_promised(ours.st_ino) &&
	       !in_use(ours.st_ino);
}

/* ---- the process that keeps them ---- */

/*
 * Workers come and go, and may be killed. So one process has the kept sockets; it does nothing
 * else, and serves one worker at a time. A request comes with the program's socket, its standard
 * error, and a socket for the answer.
 */
enum keep_what { TAKE, STORE, END, TELL };

struct keep_request {
	enum keep_what what;
	enum meant meant; /* of what is to be stored */
	int error;	  /* of a bind that is to be reported */
	struct endpoint endpoint;
	struct log log; /* of the program; the path is at the same address in the keeping process */
};

enum { SOCKET, ERRORS, ANSWER, REQUESTED };

/* The ends of two sockets in the keeping process, and the other ends. */
static struct {
	int from_workers, to_keeping; /* requests; -1: nothing is kept */
	int from_parent, to_manager;  /* messages for the service manager, and their results */
} channels = {-1, -1, -1, -1};

static pid_t keeping; /* the process */

static int fulfil(
	const struct configuration *configuration, const struct keep_request *request, int fd)
{
	switch (request->what) {
	case TAKE:
		return keep_take(configuration, fd, &request->endpoint);
	case STORE:
		keep_store(configuration, fd, &request->endpoint, request->meant);
		return 0;
	case TELL:
		tell_keeper_of_bind(fd, &request->endpoint, request->error);
		return 0;
	default:
		keep_end(configuration, fd);
		return 0;
	}
}

/* As for a program: meanwhile standard error is the program's. */
static void serve_request(const struct configuration *all, int silence,
	const struct keep_request *request, const int *descriptors)
{
	struct configuration configuration = *all;

	configuration.log = request->log;
	system_dup3(descriptors[ERRORS], STDERR_FILENO, O_CLOEXEC);
	int result = fulfil(&configuration, request, descriptors[SOCKET]);
	system_dup3(silence, STDERR_FILENO, O_CLOEXEC);
	if (result == 1)
		promise(descriptors[SOCKET], descriptors[ANSWER]);
	descriptors_send(descriptors[ANSWER], &result, sizeof result, &descriptors[SOCKET],
		result == 1 ? 1 : 0);
}

static int keep(void *context)
{
	const struct configuration *configuration = context;
	struct keep_request request;
	int descriptors[REQUESTED];
	int silence = system_fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	unsigned count;

	system_close(channels.to_keeping);
	system_close(channels.to_manager);
	for (;;) {
		ssize_t size = descriptors_receive(channels.from_workers, &request, sizeof request,
			descriptors, REQUESTED, &count, -1);
		if (size == 0)
			return 0;
		if (size == sizeof request && count == REQUESTED)
			serve_request(configuration, silence, &request, descriptors);
		for (unsigned i = 0; i < count; i++)
			system_close(descriptors[i]);
	}
}

static int open_channel(int *one, int *other)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	*one = ends[0];
	*other = ends[1];
	return 0;
}

static int start_keeping(const struct configuration *configuration)
{
	int error = open_channel(&channels.from_workers, &channels.to_keeping);

	if (!error)
		error = open_channel(&channels.from_parent, &channels.to_manager);
	keeping = error ? error : aside_start(keep, (void *)(uintptr_t)configuration);
	return keeping < 0 ? keeping : 0;
}

static int start(const struct configuration *configuration)
{
	int error = configuration->policy.has_keep ? start_keeping(configuration) : 0;

	if (error)
		log_write(&configuration->log, LOG_LEVEL_WARN, "sockets cannot be kept: %s",
			errno_name(-error));
	keep_leave();
	system_close(channels.from_workers);
	system_close(channels.from_parent);
	return channels.to_manager;
}

/* ---- the service manager, which accepts messages from the process that it started ---- */

static void finish(void)
{
	if (keeping > 0)
		aside_kill(keeping, ENDING_MS);
}

struct message {
	char path[PATH_SIZE], text[TEXT_SIZE];
};

static int send_by_parent(const char *path, const char *text, int fd)
{
	struct message message = {.path = ""};
	int result = 0;
	unsigned count;

	if (string_length(path) >= PATH_SIZE || string_length(text) >= TEXT_SIZE)
		return -ENAMETOOLONG;
	strcpy(message.path, path);
	strcpy(message.text, text);
	int error = descriptors_send(
		channels.from_parent, &message, sizeof message, &fd, fd >= 0 ? 1 : 0);
	if (error)
		return error;
	ssize_t size = descriptors_receive(
		channels.from_parent, &result, sizeof result, NULL, 0, &count, -1);
	return size == sizeof result ? result : -EPIPE;
}

/* Returns false if the process has ended, whatever has killed it. */
static bool pass_on(void)
{
	struct message message;
	int fd = -1;
	unsigned count = 0;
	ssize_t size = descriptors_receive(
		channels.to_manager, &message, sizeof message, &fd, 1, &count, 0);

	if (size == 0) {
		finish();
		keeping = 0;
		return false;
	}
	if (size != sizeof message)
		return true;
	int result = notify_socket_send(message.path, message.text, count > 0 ? fd : -1);
	if (count > 0)
		system_close(fd);
	descriptors_send(channels.to_manager, &result, sizeof result, NULL, 0);
	return true;
}

/* ---- workers ---- */

static int promised = -1; /* the origin of a socket that the program does not have yet */

static void placed(void)
{
	system_close(promised);
	promised = -1;
}

/* Returns a negative errno if it does not answer. */
static int ask(
	struct keep_request request, const struct configuration *configuration, int fd, int *made)
{
	int answer = -1, theirs = -1, result = 0;
	unsigned count;

	request.log = configuration->log;
	int error = open_channel(&answer, &theirs);
	if (error)
		return error;
	const int descriptors[REQUESTED] = {fd, STDERR_FILENO, theirs};
	error = descriptors_send(
		channels.to_keeping, &request, sizeof request, descriptors, REQUESTED);
	system_close(theirs);
	ssize_t size = error ? error
			     : descriptors_receive(answer, &result, sizeof result, made,
				       made ? 1 : 0, &count, PATIENCE_MS);
	bool is_answered = size == sizeof result && count == (result == 1);
	if (is_answered && result == 1)
		promised = answer;
	else
		system_close(answer);
	if (is_answered)
		return result;
	log_write(&configuration->log, LOG_LEVEL_WARN,
		"the process that keeps sockets does not answer: %s",
		errno_name(size < 0 ? (int)-size : EPIPE));
	return size < 0 ? (int)size : -EPIPE;
}

/* Without an answer, the program continues with its own socket. */
static int take(const struct configuration *configuration, int fd, const struct endpoint *endpoint)
{
	const struct keep_request request = {.what = TAKE, .endpoint = *endpoint};
	int kept, taken = 0;

	if (channels.to_keeping >= 0)
		taken = ask(request, configuration, fd, &kept);
	if (taken <= 0)
		return 0;
	int result = system_dup3(kept, fd, O_CLOEXEC);
	system_close(kept);
	if (result < 0)
		placed();
	return result < 0 ? result : 1;
}

static void store(const struct configuration *configuration, int fd,
	const struct endpoint *endpoint, enum meant meant)
{
	const struct keep_request request = {.what = STORE, .meant = meant, .endpoint = *endpoint};

	if (channels.to_keeping >= 0 && meant != MEANT_NOT)
		ask(request, configuration, fd, NULL);
}

static void note_bind(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint, int error)
{
	const struct keep_request request = {.what = TELL, .error = error, .endpoint = *endpoint};

	if (channels.to_keeping >= 0 &&
		keep_hears_of_bind(configuration, fd, rule, endpoint, error))
		ask(request, configuration, fd, NULL);
}

static void end(const struct configuration *configuration, int fd)
{
	struct keep_request request = {.what = END};
	struct endpoint *endpoint = &request.endpoint;

	if (channels.to_keeping < 0 || share_ask_bound(fd, endpoint) < 0 || endpoint->port == 0 ||
		share_ask_protocol(fd, endpoint) < 0 || endpoint->protocol != PROTOCOL_UDP)
		return;
	if (kept_table_knows(endpoint) || meant_was_sent(fd))
		ask(request, configuration, fd, NULL);
}

/* ---- all of it ---- */

void kept_sockets_start(const struct configuration *configuration)
{
	static const struct keep_service service = {.may_have = may_have, .send = send_by_parent};

	keep_start(configuration, &environ);
	keep_serve(&service);
}

void kept_sockets_hold(const struct configuration *configuration)
{
	for (size_t i = 0; i < configuration->policy.count; i++) {
		const struct actions *actions = &configuration->policy.rules[i].actions;
		int fd = actions->adopt ? adopt_inherited(actions) : -1;
		if (fd >= 0)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
}

bool kept_sockets_is_wanted(const struct configuration *configuration)
{
	const struct policy *policy = &configuration->policy;
	bool is_wanted = policy->has_keep;

	for (size_t i = 0; i < policy->count; i++)
		is_wanted |= policy->rules[i].actions.adopt != NULL;
	return is_wanted;
}

const struct notify_keeper kept_sockets_keeper = {
	.knows = kept_table_knows,
	.take = take,
	.placed = placed,
	.meaning = keep_meaning,
	.store = store,
	.note_bind = note_bind,
	.end = end,
	.adopt = adopt_socket,
	.inherited = adopt_inherited,
	.start = start,
	.tend = pass_on,
	.finish = finish,
};
