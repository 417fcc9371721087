/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells which users have a number in this user namespace (user_namespaces(7)). */
#ifndef GROUND_USER_H
#define GROUND_USER_H

#include <sys/types.h>

/* How the kernel shows all users that a user namespace has no number for; "nobody" has it too. */
#define OVERFLOW_UID 65534

enum user_number {
	USER_KNOWN,   /* it is that user */
	USER_UNCLEAR, /* it is that user, or one that has no number here */
	USER_UNKNOWN, /* it is one that has no number here */
};

/*
 * What a user number says that the kernel has shown to this process. Where /proc cannot be read, it
 * is taken at its word. Reads one file, and for all numbers but one none. Async-signal-safe; leaves
 * errno alone.
 */
enum user_number user_number_of(uid_t user);

#endif
