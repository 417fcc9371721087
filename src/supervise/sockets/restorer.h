/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a process that undoes what this one has done to groups, if this one is killed. */
#ifndef SUPERVISE_SOCKETS_RESTORER_H
#define SUPERVISE_SOCKETS_RESTORER_H

#include <sys/types.h>

struct restorer {
	pid_t process; /* 0: none */
	int pipe;
};

typedef void restorer_function(void *context);

/*
 * Starts it, with this process's descriptors and memory as they are now: it calls RESTORE when this
 * process ends without restorer_dismiss(). Signals that end other processes do not end it. Returns
 * 0 or a negative errno.
 */
int restorer_start(struct restorer *restorer, restorer_function *restore, void *context);

/* Ends it, and waits until its descriptors are closed. */
void restorer_dismiss(struct restorer *restorer);

#endif
