/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks a signal to one process when its process group has already had the same signal. */
#ifndef GROUND_SECOND_SIGNAL_H
#define GROUND_SECOND_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Sends a signal, marked as a second one, to a process that has left the process group which was
 * sent it too. Returns 0 or -1 with errno, as sigqueue(3): no more real-time signals are queued
 * than RLIMIT_SIGPENDING allows.
 */
int second_signal_send(pid_t process, int number);

/* Whether SENDER has sent a signal with that mark. */
bool second_signal_is(const siginfo_t *info, pid_t sender);

#endif
