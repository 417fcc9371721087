/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says whether a new copy can join a port, and if not, why, and how to fix it. */
#ifndef REPORT_WHY_H
#define REPORT_WHY_H

/* Exit statuses, beside those of sysexits.h. */
enum {
	WHY_JOINS = 0,
	WHY_CANNOT = 1,
	WHY_UNSEEN = 2, /* it cannot be told */
};

/*
 * PLACE is PORT or ADDRESS:PORT; USER is a name or a number, or NULL or "" for the one who asks.
 * Where it can, it asks the kernel by binding a TCP socket, which does not listen, so nobody
 * notices. Prints to standard output, and returns an exit status.
 */
int why(const char *place, const char *user);

#endif
