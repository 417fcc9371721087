/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prevents files that we open from becoming standard input, output or error. */
#ifndef GROUND_STANDARD_H
#define GROUND_STANDARD_H

/*
 * Opens /dev/null in place of each standard descriptor that is closed. Otherwise the next file that
 * is opened gets its number, and messages would be written into that file. It has FD_CLOEXEC, so
 * the programs that we start find it closed as before. Call this before anything else.
 */
void standard_fill(void);

#endif
