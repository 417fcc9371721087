/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says whether a new copy can join a port, and if not, why, and how to fix it. */
#ifndef REPORT_WHY_H
#define REPORT_WHY_H

/* Exit statuses besides those of sysexits.h. */
enum {
	WHY_JOINS = 0,
	WHY_CANNOT = 1,
	WHY_UNSEEN = 2, /* it is not known */
};

/*
 * PLACE is PORT or ADDRESS:PORT; USER is a name or an ID, or NULL or "" for the caller. If it may,
 * it asks the kernel by binding a TCP socket; that does not listen, so clients do not notice it.
 * Prints to standard output, and returns an exit status.
 */
int why(const char *place, const char *user);

#endif
