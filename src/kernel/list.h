/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the policy in force with what has happened by each rule, and where it holds. */
#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H

/* Returns an exit status: 0, or 69 if nothing is loaded, which it says. */
int list(void);

#endif
