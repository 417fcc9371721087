/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the messages of reuse-bpf. */
#ifndef KERNEL_TELL_H
#define KERNEL_TELL_H

/* Prints "reuse-bpf: " and a message in the way of printf(3) to standard output. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the same to standard error, and returns STATUS. */
int tell_failure(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Prints the same, followed by the name of ERROR, a negative errno, and if permission is missing,
 * by what is needed. Returns an exit status for ERROR.
 */
int tell_refused(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
