/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells which users have an ID in this user namespace (user_namespaces(7)). */
#ifndef GROUND_USER_H
#define GROUND_USER_H

#include <sys/types.h>

/*
 * The ID that the kernel shows for all users without one in a user namespace; "nobody" has it too.
 */
#define OVERFLOW_UID 65534

enum user_number {
	USER_KNOWN,   /* it is that user */
	USER_UNCLEAR, /* it is that user, or one that has no ID here */
	USER_UNKNOWN, /* it is one that has no ID here */
};

/*
 * What a user ID means that the kernel has shown to this process. If /proc cannot be read, the ID
 * is taken as it is. Reads one file, and only for OVERFLOW_UID. Async-signal-safe; leaves errno
 * alone.
 */
enum user_number user_number_of(uid_t user);

#endif
