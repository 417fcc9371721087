/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System calls whose wrappers in libc are newer than the oldest libc that we load into. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* statx(2) of an open descriptor. Returns 0 or a negative errno. Async-signal-safe, as all below. */
int system_stat(int fd, struct statx *status);

/* Which file a descriptor stands for. */
struct file_identity {
	bool is_open;
	uint32_t device_major, device_minor;
	uint64_t inode;
};

struct file_identity file_identity_of(int fd);
bool file_identity_equals(const struct file_identity *a, const struct file_identity *b);

#endif
