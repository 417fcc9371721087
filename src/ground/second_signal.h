/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks a signal to one process, whose process group has had the same one already. */
#ifndef GROUND_SECOND_SIGNAL_H
#define GROUND_SECOND_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Sends a signal to a process that has left the group which was sent it too, marked as such.
 * Returns 0 or -1 with errno, as sigqueue(3): of real-time signals no more are queued than
 * RLIMIT_SIGPENDING allows.
 */
int second_signal_send(pid_t process, int number);

/* Whether a signal was sent like that by SENDER. */
bool second_signal_is(const siginfo_t *info, pid_t sender);

#endif
