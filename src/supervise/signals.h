/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sends signals to a copy: to its process group, and to its first process if that has left the
 * group.
 */
#ifndef SUPERVISE_SIGNALS_H
#define SUPERVISE_SIGNALS_H

#include "supervise/sockets/copy.h"

#include <signal.h>
#include <stdbool.h>

/*
 * Sends a signal to each process of the group, and once to the first process of the copy, which may
 * have left the group. It is a child of ours until it has been waited for, so no other process has
 * its number. Under the notify hook the first process is the parent of the program, and passes on
 * what the program has not received as a member of the group.
 */
void signals_send(const struct copy *copy, int number);

/*
 * Sends SIGKILL to the same processes, and if the first one has left the group, to its children:
 * under the notify hook, one of them is the program.
 */
void signals_kill(const struct copy *copy);

/*
 * Whether it has ended, and its process group as well. Another group may have its number then, so
 * none gets a signal.
 */
bool signals_group_is_gone(const struct copy *copy);

#endif
