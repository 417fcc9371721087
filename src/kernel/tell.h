/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How reuse-bpf says what it did, and what is wrong. */
#ifndef KERNEL_TELL_H
#define KERNEL_TELL_H

/* Prints "reuse-bpf: ...", as printf(3), to standard output. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the same to standard error, and returns STATUS. */
int tell_failure(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The same for what the kernel has refused, with ERROR, a negative errno: names it and, where
 * capabilities are missing, these.
 */
int tell_refused(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
