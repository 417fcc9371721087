/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pins a copy to a CPU of its own. */
#ifndef SUPERVISE_PIN_H
#define SUPERVISE_PIN_H

/*
 * Lets the calling process, and what it will start, run only on the CPU with that place (from 0)
 * among those on which it may run now; with more copies than CPUs, it begins anew with the first.
 * Returns the number of the CPU, or a negative errno of sched_setaffinity(2). Async-signal-safe.
 */
int pin_to_place(unsigned place);

#endif
