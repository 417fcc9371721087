/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pins a copy to one CPU. */
#ifndef SUPERVISE_PIN_H
#define SUPERVISE_PIN_H

/*
 * Makes the calling process, and what it will start, run on one CPU only: the one with that place
 * (from 0) among those on which it may run now; with more copies than CPUs, counting starts again
 * at the first. Returns the number of the CPU, or a negative errno of sched_setaffinity(2).
 * Async-signal-safe.
 */
int pin_to_place(unsigned place);

#endif
