/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the listening sockets that copies hand over, and knows whose each one is. */
#ifndef SUPERVISE_SOCKETS_KEEPER_H
#define SUPERVISE_SOCKETS_KEEPER_H

#include "socket/tables.h"
#include "takers.h"

#define KEEPER_NAME_SIZE 256  /* as systemd has it; names are the library's to make */
#define KEEPER_COPY_MOST 1024 /* sockets of one copy */

struct kept {
	struct kept *next;
	int fd;			  /* of a leaving one: -1 */
	struct table_entry entry; /* its place and its inode; the rest says nothing */
	bool is_seen;		  /* of a leaving one: the kernel shows it still */
	bool is_hung;		  /* nobody accepts what waits in its queue, see hung.h */
	int backlog;		  /* of a TCP listener */
	bool is_deaf;		  /* see keeper_deafen() */
	bool is_asked;	      /* no rule names it: kept while the program has it, see settle.h */
	bool is_handed;	      /* the service manager was sent it */
	unsigned slot;	      /* of the copy that made it */
	struct taker *takers; /* none owns it: a copy that starts for its queue shall take it */
	int64_t orphaned_ms;  /* since when nobody owns it */
	struct kept *sibling; /* steering's: of the same group */
	char name[KEEPER_NAME_SIZE]; /* its FDNAME */
};

struct keeper {
	unsigned n_queues; /* the copy in slot N has the sockets of queue N modulo this */
	int shut_downs;	   /* an epoll(7), readable when relisten() is to be called; or -1 */
	struct kept *list;
	struct kept *leaving; /* closed here; others, as the service manager, may have them yet */
	bool has_closed;      /* some since somebody set this to false */
	struct endpoint *late_said; /* settle.c's: what it has said of sockets that are not kept */
	size_t n_late_said;
};

/* For so many queues, which ARE_SHARED by copies, or are for one each. */
void keeper_open(struct keeper *keeper, unsigned n_queues, bool are_shared);

/*
 * Does what a message of COPY says with FDSTORE= or FDSTOREREMOVE=; takes what it needs of its fds.
 * What no rule names is not kept if the copy was ready before, and had no socket for that endpoint.
 */
void keeper_hear(struct keeper *keeper, struct copy *copy, struct channel_message *message);

/* Takes a socket that the service manager kept: FD becomes the keeper's, unless false is returned.
 */
bool keeper_inherit(struct keeper *keeper, int fd);

/*
 * The copy is ready: what it has taken is its own; and what was left in its slot by a dead one, but
 * has it opened anew, is closed. Returns whether more was left of an endpoint than it has taken:
 * somebody may wait there for another copy.
 */
bool keeper_promote(struct keeper *keeper, struct copy *copy);

/* The same, where the copy will not be ready: it is to finish what came to its sockets. */
void keeper_own(struct keeper *keeper, struct copy *copy);

/*
 * The copy is dead: it will not have what it has taken; what was its own is for others, those that
 * own it too, or another one that shall take it. What takes nothing any more stays its own.
 */
void keeper_unclaim(struct keeper *keeper, const struct copy *copy);
void keeper_orphan(struct keeper *keeper, const struct copy *copy);

/* COPY does not own KEPT any more, which is closed for good unless another one has it. */
void keeper_let_go(struct keeper *keeper, struct kept *kept, const struct copy *copy);

/* Whether KEPT is of the queue that the copy in SLOT takes its connections from. */
bool keeper_is_for(const struct keeper *keeper, const struct kept *kept, unsigned slot);

/* Closes what dead copies have left in SLOT. */
void keeper_drop_orphans(struct keeper *keeper, unsigned slot);

/* Closes a socket for good. It is a leaving one until the kernel does not show it any more. */
void keeper_drop(struct keeper *keeper, struct kept *kept);

struct kept *keeper_find(const struct keeper *keeper, uint32_t inode);

/*
 * Forgets the leaving sockets that are not marked as seen, and takes the marks off. Returns whether
 * there were any.
 */
bool keeper_forget_unseen(struct keeper *keeper);

/* Has the TCP listeners of a copy take nothing that comes by mistake, see deaf.h. */
void keeper_deafen(struct keeper *keeper, const struct copy *copy);

/* Whether COPY has a socket for the endpoint of LIKE. */
bool keeper_has_place(
	const struct keeper *keeper, const struct copy *copy, const struct kept *like);

/*
 * The first socket of OTHER for whose endpoint COPY has none, of those behind AFTER (NULL: of all);
 * or NULL: COPY listens on each endpoint that is meant of OTHER.
 */
const struct kept *keeper_missing(const struct keeper *keeper, const struct copy *copy,
	const struct copy *other, const struct kept *after);

/* Whether no other socket is kept for the endpoint of KEPT. */
bool keeper_is_last(const struct keeper *keeper, const struct kept *kept);

/* Hands a socket that is kept for good on to the service manager. */
void keeper_hand_on(const struct keeper *keeper, struct kept *kept);

/*
 * What a drain of COPY is about: its own sockets, and the ports of all that are kept, so that one
 * read of the tables is enough for all copies. Returns false where there is no memory for the list,
 * which is to be given to free(3); the sockets stay the keeper's.
 */
bool keeper_drained(const struct keeper *keeper, const struct copy *copy, struct drained *drained);

/* The ports of all kept sockets: one read of the tables is to cover all of them. */
struct table_ports keeper_ports(const struct keeper *keeper);

/* Whether COPY has any socket; whether it has handed one over, or taken one that it will have. */
bool keeper_owns_any(const struct keeper *keeper, const struct copy *copy);
bool keeper_has_any(const struct keeper *keeper, const struct copy *copy);

/* Closes all; sockets that the service manager has too stay open there. */
void keeper_close(struct keeper *keeper);

#endif
