/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keep.h"

#include "ground/compare.h"
#include "ground/errnos.h"
#include "ground/open_sockets.h"
#include "ground/procfs.h"
#include "ground/system.h"
#include "inherited.h"
#include "notify_socket.h"
#include "replace.h"
#include "same_socket.h"
#include "say_of_endpoint.h"
#include "share.h"
#include "undo_end.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define KEPT_MOST 1024
#define DUPS_FROM 64 /* our duplicates stay above the descriptors that programs count on */
#define PATH_SIZE 108
#define NAME_SIZE 160

/*
 * What all processes of one family, forked from the one that was started, know of a kept socket.
 * Written as sockets come and go.
 */
struct kept_socket {
	_Atomic uint64_t inode;	   /* or one of the two below */
	struct file_identity file; /* as a whole: other file systems have such inodes too */
	struct endpoint endpoint;
	_Atomic int holder;	/* the process that took or made it last; 0: none yet */
	_Atomic bool is_stored; /* the keeper has it */
};

#define NOT_COMPLETE 0
#define FREE	     UINT64_MAX /* to be used again; a duplicate of another inode is none of it */

struct shared {
	_Atomic unsigned count;
	struct kept_socket kept[KEPT_MOST];
};

static struct shared *shared; /* NULL: there is nothing to keep */

/* What this process has: inherited over fork, each process with its own. */
static struct {
	_Atomic int fd;	   /* our duplicate; 0: none */
	_Atomic int claim; /* the process, one of its threads, that looks at it now */
} mine[KEPT_MOST];

static _Atomic bool is_settled;

static const struct keep_service *service; /* NULL: sockets are for this process, else for others */

/* Where the keeper listens, and how many sockets it takes; as of the start. */
static char notify_path[PATH_SIZE];
static int store_size; /* 0: not known */

/* The process that has our kept sockets is to be replaced by this one, and lives still. */
static bool is_successor;

/* The processes that have our kept sockets live still, and go on to serve them beside this one. */
static bool is_shared;

/*
 * Whether descriptors and variables come from one who may choose them. In secure-execution mode he
 * has fewer rights than the program: he could name a keeper of his own, and be sent its sockets.
 */
static bool is_start_trusted;

/* ---- the table ---- */

static unsigned entries(void)
{
	unsigned most = shared ? shared->count : 0;

	return most < KEPT_MOST ? most : KEPT_MOST;
}

/* The number of an entry that is nobody else's, or KEPT_MOST. */
static unsigned free_place(void)
{
	for (unsigned i = 0; i < entries(); i++) {
		uint64_t inode = FREE;
		if (atomic_compare_exchange_strong(&shared->kept[i].inode, &inode, NOT_COMPLETE))
			return i;
	}
	return entries() < KEPT_MOST ? atomic_fetch_add(&shared->count, 1) : KEPT_MOST;
}

/* Returns the number of the new entry, or -1. */
static int add(int fd, const struct file_identity *file, const struct endpoint *endpoint)
{
	unsigned place = free_place();

	if (place >= KEPT_MOST)
		return -1;
	mine[place].fd = fd;
	shared->kept[place].endpoint = *endpoint;
	shared->kept[place].file = *file;
	shared->kept[place].holder = 0;
	shared->kept[place].inode = file->inode;
	return (int)place;
}

/*
 * To be called when the keeper has been told. Where this process was forked from another that has a
 * duplicate too, or the other way round, that one stays open.
 */
static void forget(unsigned place)
{
	mine[place].fd = 0;
	shared->kept[place].is_stored = false;
	shared->kept[place].inode = FREE;
}

/* Whether our duplicate is there still; a program may close descriptors that it does not know. */
static bool is_open(unsigned place)
{
	struct file_identity file = file_identity_of(mine[place].fd);

	return mine[place].fd > 0 && file.inode == shared->kept[place].inode &&
	       file_identity_equals(&file, &shared->kept[place].file);
}

static int find(const struct file_identity *file)
{
	for (unsigned i = 0; i < entries(); i++) {
		if (shared->kept[i].inode == file->inode &&
			file_identity_equals(&shared->kept[i].file, file) && is_open(i))
			return (int)i;
	}
	return -1;
}

/* ---- at the start ---- */

static void add_inherited(int fd, void *context)
{
	struct endpoint endpoint;

	(void)context;
	if (share_ask_bound(fd, &endpoint) < 0 || share_ask_protocol(fd, &endpoint) < 0)
		return;
	struct file_identity file = file_identity_of(fd);
	int place = add(fd, &file, &endpoint);
	if (place >= 0)
		shared->kept[place].is_stored = true;
}

static bool open_shared(void)
{
	void *memory = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	shared = memory == MAP_FAILED ? NULL : memory;
	return shared != NULL;
}

static void read_keeper(char **environment)
{
	struct text path;
	const char *number = inherited_variable(environment, "FDSTORE=");
	int size = number ? procfs_number(number) : 0;

	text_start(&path, notify_path, sizeof notify_path);
	text_format(&path, "%s", inherited_variable(environment, "NOTIFY_SOCKET="));
	if (path.truncated)
		notify_path[0] = '\0';
	store_size = size > 0 ? size : 0;
	is_successor = inherited_variable(environment, "REUSE_SUCCESSOR=") != NULL;
	is_shared = inherited_variable(environment, "REUSE_SHARED=") != NULL;
}

void keep_start(const struct configuration *configuration, char ***environment)
{
	static struct arena arena; /* for as long as the process: the environment refers to it */
	size_t bytes = 64 * 1024;

	is_start_trusted = getauxval(AT_SECURE) == 0;
	if (configuration->policy.is_builtin || !is_start_trusted || !*environment || shared)
		return;
	read_keeper(*environment);
	bool has_inherited = inherited_variable(*environment, "LISTEN_FDS=") ||
			     inherited_variable(*environment, "REUSE_KEPT=");
	if ((has_inherited || configuration->policy.has_keep) && !open_shared())
		return;
	if (!has_inherited)
		return;
	for (char **at = *environment; *at; at++)
		bytes += string_length(*at) + sizeof *at;
	if (arena_open(&arena, bytes) == 0)
		inherited_sort(environment, &arena, add_inherited, NULL);
}

void keep_serve(const struct keep_service *whose)
{
	service = whose;
	keep_settle();
}

bool keep_is_start_trusted(void)
{
	return is_start_trusted;
}

bool keep_is_shared(void)
{
	return is_shared;
}

void keep_settle(void)
{
	if (entries() == 0 || atomic_exchange(&is_settled, true))
		return;
	for (unsigned i = 0; i < entries(); i++) {
		if (is_open(i))
			system_fcntl(mine[i].fd, F_SETFD, FD_CLOEXEC);
	}
}

void keep_leave(void)
{
	for (unsigned i = 0; i < entries(); i++) {
		if (is_open(i))
			system_close(mine[i].fd);
		mine[i].fd = 0;
	}
	if (shared)
		munmap(shared, sizeof *shared);
	shared = NULL;
}

/* ---- whose is it? ---- */

struct holding {
	int duplicate;
	uint64_t inode;
};

static bool is_other_descriptor(int fd, uint64_t inode, void *context)
{
	const struct holding *holding = context;

	return fd != holding->duplicate && inode == holding->inode;
}

/* Whether the program has a descriptor of it, besides our duplicate. */
static bool program_holds(unsigned place)
{
	struct holding holding = {
		.duplicate = mine[place].fd > 0 ? mine[place].fd : -1,
		.inode = shared->kept[place].inode,
	};

	return open_sockets_walk(PROCFS_SELF, is_other_descriptor, &holding) == 1;
}

/* Whether the program that asks with its socket FD must go without. */
static bool is_denied(unsigned place, int fd)
{
	return service ? !service->may_have(mine[place].fd, fd) : program_holds(place);
}

/* Lets one thread of this process at a time look at an entry; a forked child starts anew. */
static bool claim(unsigned place)
{
	int self = system_getpid(), other = mine[place].claim;

	return other != self && atomic_compare_exchange_strong(&mine[place].claim, &other, self);
}

static void release(unsigned place)
{
	mine[place].claim = 0;
}

/* ---- is it the one? ---- */

static bool is_for(unsigned place, int fd, const struct endpoint *endpoint)
{
	return same_endpoint(&shared->kept[place].endpoint, endpoint) && is_open(place) &&
	       same_socket(mine[place].fd, fd, endpoint);
}

/* ---- the keeper ---- */

static int tell_keeper(const char *what, unsigned place, int fd)
{
	char bytes[NAME_SIZE];
	struct text message;

	text_start(&message, bytes, sizeof bytes);
	text_format(&message, "%s\nFDNAME=", what);
	inherited_print_name(&message, shared->kept[place].inode, &shared->kept[place].endpoint);
	return service ? service->send(notify_path, bytes, fd)
		       : notify_socket_send(notify_path, bytes, fd);
}

static void send_to_keeper(const struct configuration *configuration, unsigned place)
{
	struct kept_socket *kept = &shared->kept[place];
	int error = tell_keeper("FDSTORE=1\nFDPOLL=0", place, mine[place].fd);

	kept->is_stored = !error;
	if (error)
		say_of_endpoint(configuration, LOG_LEVEL_WARN, &kept->endpoint,
			"the keeper cannot be reached, so the socket is not kept: %s",
			errno_name(-error));
	else
		say_of_endpoint(configuration, LOG_LEVEL_INFO, &kept->endpoint,
			"the keeper was sent the socket");
	if (store_size && entries() > (unsigned)store_size)
		log_write(&configuration->log, LOG_LEVEL_WARN,
			"%u sockets are to be kept, and the keeper takes %d; raise "
			"FileDescriptorStoreMax=",
			entries(), store_size);
}

/* Has the keeper close a socket, and closes our duplicate. */
static void give_up(const struct configuration *configuration, unsigned place, const char *why)
{
	tell_keeper("FDSTOREREMOVE=1", place, -1);
	say_of_endpoint(configuration, LOG_LEVEL_INFO, &shared->kept[place].endpoint, "%s", why);
	system_close(mine[place].fd);
	forget(place);
}

/* ---- taking ---- */

/* In spite of the lock, which a process has that was not forked from this one's family. */
static bool hold_in_family(unsigned place)
{
	int holder = shared->kept[place].holder, self = system_getpid();
	bool is_free = holder == 0 || holder == self || system_kill(holder, 0) == -ESRCH;

	return is_free &&
	       atomic_compare_exchange_strong(&shared->kept[place].holder, &holder, self);
}

/* Makes this process the holder, unless another one is. */
static bool hold(unsigned place)
{
	if (system_lock(mine[place].fd) < 0)
		return (is_successor || is_shared) && hold_in_family(place);
	shared->kept[place].holder = system_getpid();
	return true;
}

static int take(const struct configuration *configuration, unsigned place, int fd,
	const struct endpoint *endpoint)
{
	if (is_denied(place, fd) || !hold(place))
		return 0;
	if (!undo_end(mine[place].fd, endpoint->protocol)) {
		give_up(configuration, place, "the socket was shut down, so it is not kept");
		return 0;
	}
	int error = replace_socket(fd, mine[place].fd, endpoint, is_shared);
	if (error)
		return error;
	/* The keeper hears of it anew, so that it knows who has the socket now. */
	shared->kept[place].is_stored = false;
	say_of_endpoint(configuration, LOG_LEVEL_INFO, endpoint, "takes the kept socket over");
	return 1;
}

/*
 * Whether nobody has a descriptor of a socket any more but the keeper, who would go on taking
 * clients that nobody serves: a process made it that was forked beside this one, and is gone; or
 * this one has closed all descriptors that it did not know.
 */
static bool is_orphan(unsigned place, const struct endpoint *endpoint)
{
	const struct kept_socket *kept = &shared->kept[place];
	int holder = kept->holder;

	/* Without a system call for sockets that are elsewhere: there may be many. */
	if (!kept->is_stored || !same_endpoint(&kept->endpoint, endpoint) || is_open(place))
		return false;
	bool is_elsewhere =
		holder > 0 && holder != system_getpid() && system_kill(holder, 0) != -ESRCH;
	return !is_elsewhere && !program_holds(place);
}

/* A process that was forked from this one, and can take it still, hands it to the keeper again. */
static void give_up_orphan(
	const struct configuration *configuration, unsigned place, const struct endpoint *endpoint)
{
	bool is_stored = true;

	if (!is_orphan(place, endpoint) ||
		!atomic_compare_exchange_strong(&shared->kept[place].is_stored, &is_stored, false))
		return;
	tell_keeper("FDSTOREREMOVE=1", place, -1);
	if (mine[place].fd <= 0)
		forget(place);
	say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
		"nobody has a descriptor of a kept socket any more; the keeper was told to close "
		"it");
}

int keep_take(const struct configuration *configuration, int fd, const struct endpoint *endpoint)
{
	struct endpoint bound;

	/* A socket that is bound already shall hear so from the kernel. */
	if (share_ask_bound(fd, &bound) < 0 || bound.port != 0)
		return 0;
	for (unsigned i = 0; i < entries(); i++) {
		if (!is_for(i, fd, endpoint)) {
			give_up_orphan(configuration, i, endpoint);
			continue;
		}
		/* Who has a claim on it wants just this one, and will take it. */
		if (!claim(i))
			continue;
		int result = take(configuration, i, fd, endpoint);
		release(i);
		if (result)
			return result;
	}
	return 0;
}

/* ---- storing ---- */

static void say_no_keeper(
	const struct configuration *configuration, const struct endpoint *endpoint)
{
	static atomic_flag is_said = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&is_said))
		say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
			"there is no keeper (NOTIFY_SOCKET is not set), so the socket is not kept; "
			"a systemd unit needs FileDescriptorStoreMax=");
}

/* Returns the entry of a socket that has none yet, or a negative errno. */
static int add_new(int fd, const struct file_identity *file, const struct endpoint *endpoint)
{
	int duplicate = system_fcntl(fd, F_DUPFD_CLOEXEC, DUPS_FROM);

	if (duplicate < 0) /* EINVAL: the limit is below where they begin */
		return duplicate == -EINVAL ? -EMFILE : duplicate;
	int place = add(duplicate, file, endpoint);
	if (place < 0) {
		system_close(duplicate);
		return -ENOSPC;
	}
	system_lock(fd);
	shared->kept[place].holder = system_getpid();
	return place;
}

void keep_store(const struct configuration *configuration, int fd, const struct endpoint *endpoint)
{
	struct file_identity file = file_identity_of(fd);

	if (!notify_path[0]) {
		say_no_keeper(configuration, endpoint);
		return;
	}
	int place = shared ? find(&file) : -ENOMEM;
	if (place < 0 && shared)
		place = add_new(fd, &file, endpoint);
	if (place < 0)
		say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
			"the socket is not kept: %s", errno_name(-place));
	else if (!shared->kept[place].is_stored)
		send_to_keeper(configuration, (unsigned)place);
}

/* ---- ending ---- */

void keep_end(const struct configuration *configuration, int fd)
{
	struct endpoint endpoint;

	if (entries() == 0 || share_ask_protocol(fd, &endpoint) < 0 ||
		endpoint.protocol != PROTOCOL_UDP)
		return;
	struct file_identity file = file_identity_of(fd);
	int place = find(&file);
	if (place < 0)
		return;
	give_up(configuration, (unsigned)place, "the socket is connected, so it is not kept");
}
