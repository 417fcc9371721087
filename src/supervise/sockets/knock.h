/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asks the kernel which socket of a TCP group has a number. A knock is a SYN with an MD5 signature
 * that no listener has a key for (TCP_MD5SIG, tcp(7)): the listener to which the steering program
 * sends it drops it, and the kernel shows everybody how many packets each listener has dropped. The
 * programs notice nothing, no half-open request is left, and no privilege is needed.
 */
#ifndef SUPERVISE_SOCKETS_KNOCK_H
#define SUPERVISE_SOCKETS_KNOCK_H

#include "knock_way.h"

#include <stdbool.h>
#include <stdint.h>

struct knock {
	const struct knock_way *way;
	const struct table_entry *place; /* of the group */
	unsigned number;
	uint32_t inode;	      /* the answer: the socket's inode; 0: not known */
	const char *obstacle; /* why the kernel could not be asked at all, or NULL */
	bool may_pass;	      /* the obstacle is one of the moment */
};

/*
 * Knocks at COUNT groups, in each of which a program of steer_build_knockable() is in force; no
 * socket of one may get what is sent to another. There is an answer only if just one listener can
 * have dropped the SYN; it may be one of another group.
 */
void knock(struct knock *knocks, size_t count);

#endif
