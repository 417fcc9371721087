/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the listening sockets that copies hand over, and knows which copy has each one. */
#ifndef SUPERVISE_SOCKETS_KEEPER_H
#define SUPERVISE_SOCKETS_KEEPER_H

#include "socket/tables.h"
#include "takers.h"

#define KEEPER_NAME_SIZE 256  /* as in systemd; the library makes the names */
#define KEEPER_COPY_MOST 1024 /* sockets of one copy */

/* How a pinned program is told of it: see pinned_group.h. */
enum kept_mark {
	KEPT_UNKNOWN, /* another supervisor may have marked it */
	KEPT_OPEN,
	KEPT_DRAINS,
};

struct kept {
	struct kept *next;
	int fd;			  /* of a leaving socket: -1 */
	struct table_entry entry; /* its place and its inode; the rest is not set */
	bool is_seen;		  /* of a leaving socket: the kernel still shows it */
	bool is_hung;		  /* nobody accepts the clients in its queue, see hung.h */
	int backlog;		  /* of a TCP listener */
	bool is_deaf;		  /* see keeper_set_deaf() */
	bool is_asked;	      /* no rule names it: kept while the program has it, see settle.h */
	bool is_handed;	      /* it was sent to the service manager */
	unsigned slot;	      /* of the copy that made it */
	struct taker *takers; /* none owns it: the next copy for its queue takes it */
	int64_t orphaned_ms;  /* since when no copy owns it */
	struct kept *sibling; /* in the same group; belongs to the steering */
	enum kept_mark mark;
	char name[KEEPER_NAME_SIZE]; /* its FDNAME */
};

struct keeper {
	unsigned n_queues; /* the copy in slot N has the sockets of queue N modulo this */
	int shut_downs;	   /* an epoll(7), readable when relisten() must be called; or -1 */
	struct kept *list;
	struct kept *leaving; /* closed here; others may still have them, as the service manager */
	bool has_closed;      /* some were closed; whoever reads it resets it */
	struct endpoint *late_said; /* unkept sockets that were logged; belongs to settle.c */
	size_t n_late_said;
};

/* Opens a keeper for so many queues. ARE_SHARED: several copies use a queue; otherwise one. */
void keeper_open(struct keeper *keeper, unsigned n_queues, bool are_shared);

/*
 * Handles FDSTORE= and FDSTOREREMOVE= in a message of COPY; takes the fds that it needs. A socket
 * that no rule names is not kept if the copy was already ready, and had no socket for that
 * endpoint.
 */
void keeper_hear(struct keeper *keeper, struct copy *copy, struct channel_message *message);

/*
 * Logs that COPY has sent WHAT ("something that ..."), which is ignored because of ERROR, a
 * negative errno; once for each copy: a faulty one may do so a million times.
 */
void keeper_refuse(struct copy *copy, const char *what, int error);

/* Takes a socket that the service manager kept: the keeper owns FD, unless this returns false. */
bool keeper_inherit(struct keeper *keeper, int fd);

/*
 * The copy is ready: it owns what it has taken. If a dead copy left sockets in its slot, and this
 * copy has opened the same endpoints itself, they are closed. Returns whether more sockets were
 * left for an endpoint than it has taken: clients may wait there for another copy.
 */
bool keeper_promote(struct keeper *keeper, struct copy *copy);

/* The same for a copy that will not become ready: it has to finish what came to its sockets. */
void keeper_own(struct keeper *keeper, struct copy *copy);

/*
 * The copy is dead: it loses what it has taken, and others get what it owned: those that own it
 * too, or a later copy. Sockets that take no more clients stay its own.
 */
void keeper_unclaim(struct keeper *keeper, const struct copy *copy);
void keeper_orphan(struct keeper *keeper, const struct copy *copy);

/* COPY no longer owns KEPT, which is closed for good unless another copy has it. */
void keeper_let_go(struct keeper *keeper, struct kept *kept, const struct copy *copy);

/* Whether KEPT belongs to the queue of the copy in SLOT. */
bool keeper_is_for(const struct keeper *keeper, const struct kept *kept, unsigned slot);

/* Closes the sockets that dead copies have left in SLOT. */
void keeper_drop_orphans(struct keeper *keeper, unsigned slot);

/* Closes a socket for good. It is a leaving socket until the kernel no longer shows it. */
void keeper_drop(struct keeper *keeper, struct kept *kept);

struct kept *keeper_find(const struct keeper *keeper, uint32_t inode);

/*
 * Forgets the leaving sockets that are not marked as seen, and removes the marks. Returns whether
 * there were any.
 */
bool keeper_forget_unseen(struct keeper *keeper);

/* Makes the TCP listeners of a copy take nothing that comes by mistake, see deaf.h; or undoes that.
 */
void keeper_set_deaf(struct keeper *keeper, const struct copy *copy, bool is_deaf);

/* Whether COPY has a socket for the endpoint of LIKE. */
bool keeper_has_place(
	const struct keeper *keeper, const struct copy *copy, const struct kept *like);

/*
 * The first socket of OTHER after AFTER (NULL: from the start) for whose endpoint COPY has none; or
 * NULL: COPY listens on every endpoint that OTHER has on purpose.
 */
const struct kept *keeper_missing(const struct keeper *keeper, const struct copy *copy,
	const struct copy *other, const struct kept *after);

/* Whether no other socket is kept for the endpoint of KEPT. */
bool keeper_is_last(const struct keeper *keeper, const struct kept *kept);

/* Hands a socket that is kept for good to the service manager. */
void keeper_hand_on(const struct keeper *keeper, struct kept *kept);

/*
 * What to drain for COPY: its own sockets, but those of a dead copy only where no other one has
 * them; and the ports of all kept sockets, so that one read of the tables is enough for all copies.
 * Returns false if there is no memory for the list, which must be freed with free(3); the keeper
 * still owns the sockets.
 */
bool keeper_drained(const struct keeper *keeper, const struct copy *copy, struct drained *drained);

/* The ports of all kept sockets: one read of the tables covers all of them. */
struct table_ports keeper_ports(const struct keeper *keeper);

/* Whether COPY has any socket; whether it has handed one over, or taken one. */
bool keeper_owns_any(const struct keeper *keeper, const struct copy *copy);
bool keeper_has_any(const struct keeper *keeper, const struct copy *copy);

/* Whether there is a socket for a copy of SLOT that no copy has. */
bool keeper_has_orphan(const struct keeper *keeper, unsigned slot);

/* Closes all sockets; those that the service manager has too stay open there. */
void keeper_close(struct keeper *keeper);

#endif
