/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the memory of another process. */
#ifndef NOTIFY_MEMORY_H
#define NOTIFY_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads up to SIZE bytes at ADDRESS in the process of THREAD, by process_vm_readv(2), or where a
 * container's seccomp profile refuses that, by /proc/TID/mem (proc(5)). Returns how many, or a
 * negative errno: -EFAULT where nothing is mapped there. It may block on memory that does not
 * answer.
 */
ssize_t memory_read(pid_t thread, uint64_t address, void *bytes, size_t size);

#endif
