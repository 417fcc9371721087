/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the loaded policy, what each rule has done, and the control groups where it applies. */
#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H

/* Returns an exit status. If it is not 0, for instance 69 if nothing is loaded, reports why. */
int list(void);

#endif
