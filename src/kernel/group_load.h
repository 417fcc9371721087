/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads the group programs, and pins them where every user may use them. */
#ifndef KERNEL_GROUP_LOAD_H
#define KERNEL_GROUP_LOAD_H

/*
 * Loads the group programs, pins them in FOLDER, and lets every user enter FOLDER. If the kernel
 * does not accept them, reports this; the hook works without them.
 */
void group_load(const char *folder);

#endif
