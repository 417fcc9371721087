/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What signals are called; not every libc has sigabbrev_np(3). */
#ifndef SUPERVISE_SIGNAL_NAME_H
#define SUPERVISE_SIGNAL_NAME_H

/* "TERM" for SIGTERM; NULL for one that has no name. */
const char *signal_name(int number);

/* The signal of that name, with or without "SIG" before it; 0: there is none. */
int signal_named(const char *name);

#endif
