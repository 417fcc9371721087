/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts one copy of the program. */
#ifndef SUPERVISE_LAUNCH_H
#define SUPERVISE_LAUNCH_H

#include "options.h"
#include "supervise/sockets/keeper.h"

#include <signal.h>
#include <sys/resource.h>

/* What the supervisor was started with, and passes on to its copies. */
struct launch {
	const struct options *options;
	sigset_t blocked;
	struct rlimit files;
	bool is_raised; /* that limit was raised for the supervisor */
	sigset_t ignored;
	int n_passed;	      /* descriptors from 3 on, as in LISTEN_FDS, for the program itself */
	int end_of_inherited; /* larger than all descriptors that the supervisor was started with */
};

/*
 * Records the state of the process, before it opens files of its own. Sockets in LISTEN_FDS that
 * the service manager kept for us go to KEEPER; the others stay where they are, for the copies.
 */
void launch_open(struct launch *launch, const struct options *options, struct keeper *keeper);

/* Whether the supervisor was started with this socket, so that others outside may use it too. */
bool launch_was_passed(const struct launch *launch, uint32_t inode);

/*
 * Starts COPY, whose slot, generation, channel, is_new, is_successor and is_shared are set, and
 * sets its pid. Returns 0 or a negative errno.
 */
int launch_copy(const struct launch *launch, const struct keeper *keeper, struct copy *copy);

/* Starts a shell COMMAND that checks COPY. Returns its process or a negative errno. */
pid_t launch_probe(const struct launch *launch, const struct copy *copy, const char *command);

#endif
