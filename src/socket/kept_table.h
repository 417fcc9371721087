/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds what all processes of one family, forked from the first one, know about kept sockets. */
#ifndef SOCKET_KEPT_TABLE_H
#define SOCKET_KEPT_TABLE_H

#include "ground/system.h"
#include "policy/endpoint.h"

#include <stdatomic.h>

#define KEPT_TABLE_MOST 1024

/* Changes as sockets come and go. */
struct kept_socket {
	_Atomic uint64_t inode;	   /* or one of two values that are not inodes */
	struct file_identity file; /* as a whole: other file systems may have that inode too */
	struct endpoint endpoint;
	_Atomic int holder;	/* the process that took or made it last; 0: none yet */
	_Atomic bool is_stored; /* the keeper has it */
};

/*
 * Entries have numbers from 0 to kept_table_count() - 1. Each process has its own duplicate of the
 * socket, which it inherits over fork. All functions but the first are async-signal-safe.
 */

/* Opens the table, before the first fork. Returns false if there is no memory. */
bool kept_table_open(void);

bool kept_table_is_open(void);
unsigned kept_table_count(void);
struct kept_socket *kept_table_at(unsigned place);

/* This process's duplicate, or -1. */
int kept_table_fd(unsigned place);

/*
 * Adds the socket FD, which becomes our duplicate. Returns its number, or -1 if there is no room.
 */
int kept_table_add(int fd, const struct file_identity *file, const struct endpoint *endpoint);

/*
 * Call this when the keeper has been told. A duplicate in a parent or a child of this process stays
 * open.
 */
void kept_table_forget(unsigned place);

/* Whether our duplicate is still there; a program may close descriptors that it does not know. */
bool kept_table_has(unsigned place);

/* The entry of a socket that we have a duplicate of, or -1. */
int kept_table_find(const struct file_identity *file);

/* Whether some entry may be the one for ENDPOINT. */
bool kept_table_knows(const struct endpoint *endpoint);

/*
 * Lets one thread of this process at a time look at an entry; a forked child starts without claims.
 */
bool kept_table_claim(unsigned place);
void kept_table_release(unsigned place);

/* Closes the duplicates of this process; the table itself stays. */
void kept_table_leave(void);

#endif
