/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper.h"

#include "deaf.h"
#include "ground/clock.h"
#include "ground/errnos.h"
#include "ground/text.h"
#include "group_lock.h"
#include "socket/inherited.h"
#include "socket/share.h"
#include "supervise/talk/say.h"
#include "supervise/talk/service_manager.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what it is ---- */

/* The device and the families, as in the kernel's tables: they make its place. */
static void describe_place(struct table_entry *entry, int fd)
{
	char device[IF_NAMESIZE] = "";
	int is_v6only = 0;
	socklen_t length = sizeof device;

	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &length) == 0 && length > 0)
		entry->interface = if_nametoindex(device);
	length = sizeof is_v6only;
	if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6only, &length) == 0)
		entry->is_v6only = is_v6only != 0;
}

/* tcp_get_info() in net/ipv4/tcp.c: for a listener, that is the maximum length of its queue. */
static int backlog_of(int fd)
{
	struct tcp_info info = {.tcpi_sacked = 0};
	socklen_t length = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 || !info.tcpi_sacked)
		return SOMAXCONN;
	return (int)info.tcpi_sacked;
}

/*
 * Returns 0 if FD is a socket that can be kept: IP, bound, and for TCP listening. A file is never
 * asked for its status, because its file system may not answer.
 */
static int describe(struct kept *kept, int fd)
{
	struct stat status;
	int is_listening = 0;
	socklen_t length = sizeof is_listening;
	int error = share_ask_bound(fd, &kept->entry.local);

	if (!error)
		error = share_ask_protocol(fd, &kept->entry.local);
	if (!error && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) < 0)
		error = -errno;
	if (error)
		return error;
	if (kept->entry.local.port == 0 ||
		(kept->entry.local.protocol != PROTOCOL_UDP && !is_listening))
		return -EINVAL;
	if (fstat(fd, &status) < 0)
		return -errno;
	kept->fd = fd;
	kept->backlog = backlog_of(fd);
	kept->entry.inode = (uint32_t)status.st_ino;
	describe_place(&kept->entry, fd);
	return 0;
}

/* ---- the list ---- */

void keeper_open(struct keeper *keeper, unsigned n_queues, bool are_shared)
{
	*keeper = (struct keeper){
		.n_queues = n_queues,
		.shut_downs = are_shared ? epoll_create1(EPOLL_CLOEXEC) : -1,
	};
}

struct kept *keeper_find(const struct keeper *keeper, uint32_t inode)
{
	struct kept *kept = keeper->list;

	while (kept && kept->entry.inode != inode)
		kept = kept->next;
	return kept;
}

static unsigned count_of(const struct keeper *keeper, const struct copy *copy)
{
	unsigned count = 0;

	for (const struct kept *kept = keeper->list; kept; kept = kept->next)
		count += takers_own(kept->takers, copy);
	return count;
}

bool keeper_is_for(const struct keeper *keeper, const struct kept *kept, unsigned slot)
{
	return kept->slot % keeper->n_queues == slot % keeper->n_queues;
}

/*
 * For its end as a listener, which epoll(7) reports without being asked. Each one is reported once.
 */
static void watch(const struct keeper *keeper, const struct kept *kept, int operation)
{
	struct epoll_event event = {.events = EPOLLET, .data.u32 = kept->entry.inode};

	if (keeper->shut_downs >= 0 && kept->entry.local.protocol != PROTOCOL_UDP)
		epoll_ctl(keeper->shut_downs, operation, kept->fd, &event);
}

/* At the end, so that they stay in the order in which they came. */
static bool append(struct keeper *keeper, const struct kept *kept)
{
	struct kept **end = &keeper->list;
	struct kept *new = malloc(sizeof *new);

	if (!new)
		return false;
	while (*end)
		end = &(*end)->next;
	*new = *kept;
	*end = new;
	watch(keeper, new, EPOLL_CTL_ADD);
	return true;
}

void keeper_drop(struct keeper *keeper, struct kept *kept)
{
	struct kept **at = &keeper->list;

	while (*at != kept)
		at = &(*at)->next;
	*at = kept->next;
	service_manager_forget(kept->name);
	watch(keeper, kept, EPOLL_CTL_DEL);
	close(kept->fd);
	kept->fd = -1;
	takers_free(&kept->takers);
	kept->orphaned_ms = clock_now_ms();
	kept->is_seen = false;
	kept->next = keeper->leaving;
	keeper->leaving = kept;
	keeper->has_closed = true;
}

bool keeper_forget_unseen(struct keeper *keeper)
{
	bool has_any = false;

	for (struct kept **at = &keeper->leaving; *at;) {
		struct kept *kept = *at;
		if (kept->is_seen) {
			kept->is_seen = false;
			at = &kept->next;
			continue;
		}
		*at = kept->next;
		has_any = true;
		free(kept);
	}
	return has_any;
}

void keeper_set_deaf(struct keeper *keeper, const struct copy *copy, bool is_deaf)
{
	int lock = group_lock(geteuid());

	for (struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (!takers_own(kept->takers, copy) || kept->is_deaf == is_deaf)
			continue;
		kept->is_deaf = is_deaf;
		if (kept->entry.local.protocol != PROTOCOL_UDP)
			deaf_set(kept->fd, kept->entry.local.family == FAMILY_IP6, is_deaf);
	}
	group_unlock(lock);
}

void keeper_close(struct keeper *keeper)
{
	while (keeper->list) {
		struct kept *first = keeper->list;
		keeper->list = first->next;
		close(first->fd);
		takers_free(&first->takers);
		free(first);
	}
	keeper_forget_unseen(keeper);
	free(keeper->late_said);
	if (keeper->shut_downs >= 0)
		close(keeper->shut_downs);
}

/* ---- messages ---- */

/* Whether it can be one of several names in LISTEN_FDNAMES; see sd_listen_fds(3). */
static bool is_name(const char *name)
{
	if (strncmp(name, INHERITED_PREFIX, sizeof INHERITED_PREFIX - 1) != 0)
		return false;
	while (*name > ' ' && *name < 0x7f && *name != ':')
		name++;
	return *name == '\0';
}

void keeper_refuse(struct copy *copy, const char *what, int error)
{
	if (!copy->has_erred)
		say(LOG_LEVEL_WARN, "copy %u sent %s: %s; this message is ignored", copy->slot,
			what, errno_name(-error));
	copy->has_erred = true;
}

/* A socket that only the program asked for is kept only if it was there when the copy was ready. */
static bool is_late(const struct keeper *keeper, const struct copy *copy, const struct kept *kept)
{
	return kept->is_asked && copy->is_settled && !keeper_has_place(keeper, copy, kept);
}

static void note_late(struct copy *copy, const struct kept *kept)
{
	if (copy->n_late < COPY_LATE_MOST)
		copy->late[copy->n_late++] =
			(struct late_socket){kept->entry.inode, kept->entry.local};
	close(kept->fd);
}

static unsigned count_handed(const struct keeper *keeper)
{
	unsigned count = 0;

	for (const struct kept *kept = keeper->list; kept; kept = kept->next)
		count += kept->is_handed;
	return count;
}

void keeper_hand_on(const struct keeper *keeper, struct kept *kept)
{
	if (kept->is_handed)
		return;
	kept->is_handed = true;
	service_manager_store(kept->name, kept->fd, count_handed(keeper));
}

/* Returns whether the keeper owns the descriptor now, or has closed it. */
static bool store(struct keeper *keeper, struct copy *copy, int fd, const char *name, bool is_asked)
{
	struct kept kept = {.slot = copy->slot, .is_asked = is_asked};
	int error = is_name(name) ? describe(&kept, fd) : -EINVAL;

	if (error) {
		keeper_refuse(copy, "something that is not a listening socket", error);
		return false;
	}
	struct kept *known = keeper_find(keeper, kept.entry.inode);
	if (known) {
		known->is_asked &= is_asked;
		if (keeper_is_for(keeper, known, copy->slot))
			takers_add(&known->takers, copy, copy->state != COPY_READY);
		return false;
	}
	if (is_late(keeper, copy, &kept)) {
		note_late(copy, &kept);
		return true;
	}
	copy->is_to_settle |= is_asked && copy->is_settled;
	text_print(kept.name, sizeof kept.name, "%s", name);
	if (count_of(keeper, copy) >= KEEPER_COPY_MOST || !takers_add(&kept.takers, copy, false) ||
		!append(keeper, &kept)) {
		takers_free(&kept.takers);
		keeper_refuse(copy, "more sockets than can be kept", -ENOSPC);
		return false;
	}
	if (!is_asked)
		keeper_hand_on(keeper, keeper_find(keeper, kept.entry.inode));
	return true;
}

static void forget(struct keeper *keeper, const struct copy *copy, const char *name)
{
	struct kept *kept = keeper->list;

	while (kept && (!takers_own(kept->takers, copy) || strcmp(kept->name, name) != 0))
		kept = kept->next;
	if (kept)
		keeper_let_go(keeper, kept, copy);
}

void keeper_hear(struct keeper *keeper, struct copy *copy, struct channel_message *message)
{
	char name[KEEPER_NAME_SIZE], flag[4];

	if (!channel_field(message, "FDNAME", name, sizeof name))
		return;
	if (message->are_lost)
		keeper_refuse(copy, "a socket, but no descriptor is left for it", -EMFILE);
	bool is_asked = channel_field(message, "REUSE_ASKED", flag, sizeof flag);
	if (channel_field(message, "FDSTORE", flag, sizeof flag) && message->n_fds > 0 &&
		store(keeper, copy, message->fds[0], name, is_asked))
		message->fds[0] = -1;
	else if (channel_field(message, "FDSTOREREMOVE", flag, sizeof flag))
		forget(keeper, copy, name);
}

bool keeper_inherit(struct keeper *keeper, int fd)
{
	struct kept kept = {.orphaned_ms = clock_now_ms(), .is_handed = true};
	struct text name;

	if (describe(&kept, fd) < 0)
		return false;
	/* The n-th socket of a place belongs to the n-th slot. */
	for (const struct kept *at = keeper->list; at; at = at->next)
		kept.slot += tables_are_at_one_place(&at->entry, &kept.entry);
	text_start(&name, kept.name, sizeof kept.name);
	inherited_print_name(&name, kept.entry.inode, &kept.entry.local);
	return append(keeper, &kept);
}

struct table_ports keeper_ports(const struct keeper *keeper)
{
	struct table_ports ports = {UINT16_MAX, 0};

	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		uint16_t port = kept->entry.local.port;
		ports.first = port < ports.first ? port : ports.first;
		ports.last = port > ports.last ? port : ports.last;
	}
	return ports;
}

bool keeper_drained(const struct keeper *keeper, const struct copy *copy, struct drained *drained)
{
	size_t count = count_of(keeper, copy);

	*drained = (struct drained){.process = copy->pid,
		.sockets = malloc((count + 1) * sizeof(struct table_entry *)),
		.ports = keeper_ports(keeper),
		.is_deaf = copy->is_deaf};
	if (!drained->sockets)
		return false;
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		bool is_left_to_others = copy->is_over && takers_other_lives(kept->takers, copy);
		if (takers_own(kept->takers, copy) && !is_left_to_others)
			drained->sockets[drained->n_sockets++] = &kept->entry;
	}
	return true;
}

/* ---- which copy has it ---- */

bool keeper_owns_any(const struct keeper *keeper, const struct copy *copy)
{
	const struct kept *kept = keeper->list;

	while (kept && !takers_own(kept->takers, copy))
		kept = kept->next;
	return kept != NULL;
}

bool keeper_has_orphan(const struct keeper *keeper, unsigned slot)
{
	const struct kept *kept = keeper->list;

	while (kept && (takers_any_owns(kept->takers) || !keeper_is_for(keeper, kept, slot)))
		kept = kept->next;
	return kept != NULL;
}

bool keeper_has_any(const struct keeper *keeper, const struct copy *copy)
{
	const struct kept *kept = keeper->list;

	while (kept && !takers_have(kept->takers, copy))
		kept = kept->next;
	return kept != NULL;
}

static bool are_alike(const struct kept *a, const struct kept *b)
{
	return memcmp(&a->entry.local, &b->entry.local, sizeof a->entry.local) == 0;
}

bool keeper_has_place(const struct keeper *keeper, const struct copy *copy, const struct kept *like)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (takers_have(kept->takers, copy) && are_alike(kept, like))
			return true;
	}
	return false;
}

void keeper_own(struct keeper *keeper, struct copy *copy)
{
	for (struct kept *kept = keeper->list; kept; kept = kept->next)
		takers_promote(&kept->takers, copy);
}

bool keeper_is_last(const struct keeper *keeper, const struct kept *like)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (kept != like && are_alike(kept, like))
			return false;
	}
	return true;
}

/* Whether COPY has taken a kept socket of this endpoint, so that it would have taken any other. */
static bool claims(const struct keeper *keeper, const struct copy *copy, const struct kept *like)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (takers_have(kept->takers, copy) && !takers_own(kept->takers, copy) &&
			are_alike(kept, like))
			return true;
	}
	return false;
}

bool keeper_promote(struct keeper *keeper, struct copy *copy)
{
	bool has_left_over = false;
	struct kept *next;

	for (struct kept *kept = keeper->list; kept; kept = next) {
		next = kept->next;
		if (kept->takers || kept->slot != copy->slot ||
			!keeper_has_place(keeper, copy, kept))
			continue;
		if (claims(keeper, copy, kept))
			has_left_over = true;
		else
			keeper_drop(keeper, kept);
	}
	keeper_own(keeper, copy);
	return has_left_over;
}

void keeper_unclaim(struct keeper *keeper, const struct copy *copy)
{
	for (struct kept *kept = keeper->list; kept; kept = kept->next)
		takers_strike(&kept->takers, copy, true);
}

void keeper_orphan(struct keeper *keeper, const struct copy *copy)
{
	for (struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (!kept->is_deaf && takers_strike(&kept->takers, copy, false))
			kept->orphaned_ms = clock_now_ms();
	}
}

void keeper_let_go(struct keeper *keeper, struct kept *kept, const struct copy *copy)
{
	takers_strike(&kept->takers, copy, false);
	kept->orphaned_ms = clock_now_ms();
	if (!kept->takers)
		keeper_drop(keeper, kept);
}

void keeper_drop_orphans(struct keeper *keeper, unsigned slot)
{
	struct kept *next;

	for (struct kept *kept = keeper->list; kept; kept = next) {
		next = kept->next;
		if (!takers_any_owns(kept->takers) && kept->slot == slot)
			keeper_drop(keeper, kept);
	}
}

const struct kept *keeper_missing(const struct keeper *keeper, const struct copy *copy,
	const struct copy *other, const struct kept *after)
{
	const struct kept *kept = after ? after->next : keeper->list;

	for (; kept; kept = kept->next) {
		bool is_meant = !kept->is_asked || other->is_settled;
		if (is_meant && takers_own(kept->takers, other) &&
			!keeper_has_place(keeper, copy, kept))
			return kept;
	}
	return NULL;
}
