/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names signals; not every libc has sigabbrev_np(3). */
#ifndef SUPERVISE_SIGNAL_NAME_H
#define SUPERVISE_SIGNAL_NAME_H

/* "TERM" for SIGTERM; NULL for a signal that has no name. */
const char *signal_name(int number);

/* The signal of that name, with or without "SIG" before it; 0 if there is none. */
int signal_named(const char *name);

#endif
