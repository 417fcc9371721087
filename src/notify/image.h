/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads what the kernel gave a program when it was executed: its auxiliary vector and its random
 * bytes.
 */
#ifndef NOTIFY_IMAGE_H
#define NOTIFY_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * All functions take the id of any thread of the program. /proc/TID works like /proc/PID, and still
 * has the program when its first thread has ended.
 */

/*
 * An entry of the auxiliary vector: AT_EXECFN, ... (getauxval(3), /proc/PID/auxv in proc(5)), of a
 * 64-bit or a 32-bit program; 0 where it is not available.
 */
uint64_t image_auxiliary(pid_t thread, uint64_t type);

/*
 * The 16 random bytes at AT_RANDOM. They tell executed programs apart: fork(2) copies them, and
 * each execve(2) makes new ones. All zero: not known.
 */
struct image {
	uint64_t random[2];
	uint64_t address; /* their place: image_auxiliary(.., AT_RANDOM) */
};

/*
 * Returns whether the image is known. A program can change the bytes, but only its own; and it can
 * make reading them take as long as it likes, but not reading the address.
 */
bool image_read(struct image *image, pid_t thread);

bool image_equals(const struct image *a, const struct image *b);

#endif
