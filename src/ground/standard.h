/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sees to it that no file of ours is standard input, output or error. */
#ifndef GROUND_STANDARD_H
#define GROUND_STANDARD_H

/*
 * Opens /dev/null in the place of each standard descriptor that is closed. Otherwise the next file
 * that is opened gets its number, and whoever writes a message writes into that file. It has
 * FD_CLOEXEC, so the programs that we start have it closed as before. To be called first of all.
 */
void standard_fill(void);

#endif
