/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides what follows when a copy has ended: another one starts, or a roll is over. */
#ifndef SUPERVISE_ENDED_H
#define SUPERVISE_ENDED_H

#include "state.h"

/* A process has ended with STATUS, from waitpid(2). */
void ended_take(struct supervisor *supervisor, pid_t process, int status);

#endif
