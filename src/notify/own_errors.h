/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps the standard error that this process was started with, for lines of the log that no program
 * can lend its own for.
 */
#ifndef NOTIFY_OWN_ERRORS_H
#define NOTIFY_OWN_ERRORS_H

#include "ground/log.h"

/*
 * Remembers standard error, if the lines of LOG go there; to be called before something else is put
 * in its place. Between lines that is SILENCE, a descriptor of /dev/null. Nobody who waits for the
 * end of the program's output waits for us: see own_errors.c for what is held.
 */
void own_errors_keep(const struct log *log, int silence);

/*
 * Between these two, descriptor 2 is our own standard error, as far as it was kept. Needs one free
 * descriptor. Afterwards descriptor 2 is the silence. Without own_errors_keep() they do nothing.
 */
void own_errors_begin(void);
void own_errors_end(void);

#endif
