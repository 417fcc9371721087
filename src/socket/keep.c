/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keep.h"

#include "ground/compare.h"
#include "ground/errnos.h"
#include "ground/open_sockets.h"
#include "ground/procfs.h"
#include "ground/system.h"
#include "inherited.h"
#include "kept_table.h"
#include "replace.h"
#include "same_socket.h"
#include "say_of_endpoint.h"
#include "share.h"
#include "tell_keeper.h"
#include "undo_end.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/auxv.h>

#define DUPS_FROM 64 /* our duplicates stay above the descriptors that programs count on */

static _Atomic bool is_settled;

static const struct keep_service *service; /* NULL: for this process, otherwise for others */

static int store_size; /* how many sockets the keeper takes, read at the start; 0: not known */

/* The process that has our kept sockets still lives, and this one is to replace it. */
static bool is_successor;

/*
 * The processes that have our kept sockets still live, and continue to serve them beside this one.
 */
static bool is_shared;

/*
 * Whether descriptors and variables come from somebody who may choose them. In secure-execution
 * mode that user has fewer rights than the program, and could name a keeper of his own to get its
 * sockets.
 */
static bool is_start_trusted;

/* ---- at the start ---- */

static void add_inherited(int fd, void *context)
{
	struct endpoint endpoint;

	(void)context;
	if (share_ask_bound(fd, &endpoint) < 0 || share_ask_protocol(fd, &endpoint) < 0)
		return;
	struct file_identity file = file_identity_of(fd);
	int place = kept_table_add(fd, &file, &endpoint);
	if (place >= 0)
		kept_table_at((unsigned)place)->is_stored = true;
}

static void read_keeper(char **environment)
{
	const char *number = inherited_variable(environment, "FDSTORE=");
	int size = number ? procfs_number(number) : 0;

	store_size = size > 0 ? size : 0;
	is_successor = inherited_variable(environment, "REUSE_SUCCESSOR=") != NULL;
	is_shared = inherited_variable(environment, "REUSE_SHARED=") != NULL;
}

void keep_start(const struct configuration *configuration, char ***environment)
{
	static struct arena arena; /* lives as long as the process: the environment refers to it */
	size_t bytes = 64 * 1024;

	is_start_trusted = getauxval(AT_SECURE) == 0;
	if (configuration->policy.is_builtin || !is_start_trusted || !*environment ||
		kept_table_is_open())
		return;
	read_keeper(*environment);
	bool has_inherited = inherited_variable(*environment, "LISTEN_FDS=") ||
			     inherited_variable(*environment, "REUSE_KEPT=");
	if ((has_inherited || configuration->policy.has_keep) && !kept_table_open())
		return;
	if (configuration->policy.has_keep) {
		tell_keeper_start(*environment);
		meant_open();
	}
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
	tell_keeper_by(whose->send);
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
	if (kept_table_count() == 0 || atomic_exchange(&is_settled, true))
		return;
	for (unsigned i = 0; i < kept_table_count(); i++) {
		if (kept_table_has(i))
			system_fcntl(kept_table_fd(i), F_SETFD, FD_CLOEXEC);
	}
}

void keep_leave(void)
{
	kept_table_leave();
}

/* ---- who has it? ---- */

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
		.duplicate = kept_table_fd(place),
		.inode = kept_table_at(place)->inode,
	};

	return open_sockets_walk(PROCFS_SELF, is_other_descriptor, &holding) == 1;
}

/* Whether the program whose socket is FD may not have it. */
static bool is_denied(unsigned place, int fd)
{
	return service ? !service->may_have(kept_table_fd(place), fd) : program_holds(place);
}

/* ---- does it match? ---- */

static bool is_for(unsigned place, int fd, const struct endpoint *endpoint)
{
	return same_endpoint(&kept_table_at(place)->endpoint, endpoint) && kept_table_has(place) &&
	       same_socket(kept_table_fd(place), fd, endpoint);
}

/* ---- the keeper ---- */

static void say_sent(
	const struct configuration *configuration, const struct endpoint *endpoint, int error)
{
	if (error)
		say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
			"the keeper cannot be reached, so the socket is not kept: %s",
			errno_name(-error));
	else
		say_of_endpoint(configuration, LOG_LEVEL_INFO, endpoint,
			"the socket was sent to the keeper");
}

static void send_to_keeper(
	const struct configuration *configuration, unsigned place, enum meant meant)
{
	struct kept_socket *kept = kept_table_at(place);
	int error = tell_keeper_store(kept_table_fd(place), kept->inode, &kept->endpoint, meant);

	kept->is_stored = !error;
	say_sent(configuration, &kept->endpoint, error);
	if (store_size && kept_table_count() > (unsigned)store_size)
		say_of_endpoint(configuration, LOG_LEVEL_WARN, &kept->endpoint,
			"%u sockets are to be kept, but the keeper takes only %d; raise "
			"FileDescriptorStoreMax=",
			kept_table_count(), store_size);
}

/* Tells the keeper to close a socket, and closes our duplicate. */
static void give_up(const struct configuration *configuration, unsigned place, const char *why)
{
	const struct kept_socket *kept = kept_table_at(place);

	tell_keeper_remove(kept->inode, &kept->endpoint);
	say_of_endpoint(configuration, LOG_LEVEL_INFO, &kept->endpoint, "%s", why);
	system_close(kept_table_fd(place));
	kept_table_forget(place);
}

/* ---- taking ---- */

/* Becomes the holder despite the lock, which a process outside of this one's family has. */
static bool hold_in_family(unsigned place)
{
	int holder = kept_table_at(place)->holder, self = system_getpid();
	bool is_free = holder == 0 || holder == self || system_kill(holder, 0) == -ESRCH;

	return is_free &&
	       atomic_compare_exchange_strong(&kept_table_at(place)->holder, &holder, self);
}

/* Makes this process the holder, unless another process is. */
static bool hold(unsigned place)
{
	if (system_lock(kept_table_fd(place)) < 0)
		return (is_successor || is_shared) && hold_in_family(place);
	kept_table_at(place)->holder = system_getpid();
	return true;
}

static int take(const struct configuration *configuration, unsigned place, int fd,
	const struct endpoint *endpoint)
{
	if (is_denied(place, fd) || !hold(place))
		return 0;
	if (!undo_end(kept_table_fd(place), endpoint->protocol)) {
		give_up(configuration, place, "the socket was shut down, so it is not kept");
		return 0;
	}
	int error = replace_socket(fd, kept_table_fd(place), endpoint, is_shared);
	if (error)
		return error;
	/* It is sent to the keeper again, so that the keeper knows who has the socket now. */
	kept_table_at(place)->is_stored = false;
	say_of_endpoint(configuration, LOG_LEVEL_INFO, endpoint, "takes over the kept socket");
	return 1;
}

/*
 * Whether only the keeper still has a descriptor of a socket. Then it would go on taking clients
 * that nobody serves. That happens if a process that was forked beside this one made it and is
 * gone, or if this process has closed all descriptors that it did not know.
 */
static bool is_orphan(unsigned place, const struct endpoint *endpoint)
{
	const struct kept_socket *kept = kept_table_at(place);
	int holder = kept->holder;

	/* No system call for sockets that are elsewhere: there may be many. */
	if (!kept->is_stored || !same_endpoint(&kept->endpoint, endpoint) || kept_table_has(place))
		return false;
	bool is_elsewhere =
		holder > 0 && holder != system_getpid() && system_kill(holder, 0) != -ESRCH;
	return !is_elsewhere && !program_holds(place);
}

/* A process forked from this one that can still take it hands it to the keeper again. */
static void give_up_orphan(
	const struct configuration *configuration, unsigned place, const struct endpoint *endpoint)
{
	struct kept_socket *kept = kept_table_at(place);
	bool is_stored = true;

	if (!is_orphan(place, endpoint) ||
		!atomic_compare_exchange_strong(&kept->is_stored, &is_stored, false))
		return;
	tell_keeper_remove(kept->inode, &kept->endpoint);
	if (kept_table_fd(place) < 0)
		kept_table_forget(place);
	say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
		"no process has a descriptor of a kept socket any more; the keeper was told to "
		"close it");
}

int keep_take(const struct configuration *configuration, int fd, const struct endpoint *endpoint)
{
	struct endpoint bound;

	/* For a socket that is already bound, the kernel reports the error. */
	if (!kept_table_knows(endpoint) || share_ask_bound(fd, &bound) < 0 || bound.port != 0)
		return 0;
	for (unsigned i = 0; i < kept_table_count(); i++) {
		if (!is_for(i, fd, endpoint)) {
			give_up_orphan(configuration, i, endpoint);
			continue;
		}
		/* Another thread that has a claim on it wants just this one, and will take it. */
		if (!kept_table_claim(i))
			continue;
		int result = take(configuration, i, fd, endpoint);
		kept_table_release(i);
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

/* Returns the new entry of a socket, or a negative errno. */
static int add_new(int fd, const struct file_identity *file, const struct endpoint *endpoint)
{
	int duplicate = system_fcntl(fd, F_DUPFD_CLOEXEC, DUPS_FROM);

	if (duplicate < 0) /* EINVAL: the limit is below our first descriptor */
		return duplicate == -EINVAL ? -EMFILE : duplicate;
	int place = kept_table_add(duplicate, file, endpoint);
	if (place < 0) {
		system_close(duplicate);
		return -ENOSPC;
	}
	system_lock(fd);
	kept_table_at((unsigned)place)->holder = system_getpid();
	return place;
}

/* Sends a socket without keeping a duplicate: when the program closes it, it is closed. */
static void lend(const struct configuration *configuration, int fd,
	const struct file_identity *file, const struct endpoint *endpoint)
{
	say_sent(configuration, endpoint,
		tell_keeper_store(fd, file->inode, endpoint, MEANT_IF_OPEN));
}

static void store(const struct configuration *configuration, int fd,
	const struct endpoint *endpoint, enum meant meant)
{
	struct file_identity file = file_identity_of(fd);
	int place = kept_table_find(&file);

	/*
	 * A service manager keeps what it is sent, so then we keep a duplicate to take the socket
	 * back.
	 */
	if (place < 0 && meant == MEANT_IF_OPEN && configuration->is_supervised) {
		lend(configuration, fd, &file, endpoint);
		return;
	}
	if (place < 0)
		place = add_new(fd, &file, endpoint);
	if (place < 0)
		say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
			"the socket is not kept: %s", errno_name(-place));
	else if (!kept_table_at((unsigned)place)->is_stored)
		send_to_keeper(configuration, (unsigned)place, meant);
}

enum meant keep_meaning(const struct rule *rule, int fd, const struct endpoint *endpoint)
{
	enum meant meant = rule->actions.keep ? meant_of(rule, fd, endpoint) : MEANT_NOT;
	bool is_counted = meant == MEANT_IF_OPEN && endpoint->protocol == PROTOCOL_UDP &&
			  !kept_table_knows(endpoint);

	return is_counted && !meant_may_send(fd) ? MEANT_NOT : meant;
}

void keep_store(const struct configuration *configuration, int fd, const struct endpoint *endpoint,
	enum meant meant)
{
	if (meant == MEANT_NOT)
		return;
	if (!tell_keeper_is_there())
		say_no_keeper(configuration, endpoint);
	else if (!kept_table_is_open())
		say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
			"the socket is not kept: %s", errno_name(ENOMEM));
	else
		store(configuration, fd, endpoint, meant);
}

/* ---- ending ---- */

void keep_end(const struct configuration *configuration, int fd)
{
	struct endpoint endpoint;

	if ((kept_table_count() == 0 && !meant_was_sent(fd)) ||
		share_ask_protocol(fd, &endpoint) < 0 || endpoint.protocol != PROTOCOL_UDP)
		return;
	struct file_identity file = file_identity_of(fd);
	int place = kept_table_find(&file);
	if (place >= 0)
		give_up(configuration, (unsigned)place,
			"the socket is connected, so it is not kept");
	else if (meant_was_sent(fd) && share_ask_bound(fd, &endpoint) == 0)
		tell_keeper_remove(file.inode, &endpoint);
}

/* ---- binds ---- */

bool keep_hears_of_bind(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint, int error)
{
	if (rule && (rule->actions.pass || rule->actions.deny))
		return false;
	if (!error)
		meant_note_bind(fd, endpoint);
	return tell_keeper_is_news(configuration, error);
}
