/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps the standard error that this process was started with, for log lines when no program can
 * lend its own.
 */
#ifndef NOTIFY_OWN_ERRORS_H
#define NOTIFY_OWN_ERRORS_H

#include "ground/log.h"

/*
 * Remembers standard error, if the lines of LOG go there; call this before it is replaced. Between
 * lines it is replaced by SILENCE, a descriptor of /dev/null. A process that waits for the end of
 * the program's output does not wait for us: see own_errors.c for what is held.
 */
void own_errors_keep(const struct log *log, int silence);

/* A descriptor of our own standard error, to be closed; -1 if it was not kept. */
int own_errors_open(void);

/*
 * Between these two, descriptor 2 is our own standard error, if it was kept. Needs one free
 * descriptor. Afterwards descriptor 2 is the silence. Without own_errors_keep() they do nothing.
 */
void own_errors_begin(void);
void own_errors_end(void);

#endif
