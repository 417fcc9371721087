/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines what each signal means to a supervisor. */
#ifndef SUPERVISE_SIGNAL_TABLE_H
#define SUPERVISE_SIGNAL_TABLE_H

#include "state.h"

/* Whether the session has a terminal now. */
bool signal_table_has_terminal(void);

/* Blocks the signals in the table. Returns a signalfd(2) for them, or -1 with errno. */
int signal_table_open(void);

/* Does what the signals mean that have come to FD. */
void signal_table_take(struct supervisor *supervisor, int fd);

#endif
