/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows who uses a port on a terminal, again and again. */
#ifndef REPORT_WATCH_H
#define REPORT_WATCH_H

#include <stdint.h>

/*
 * Draws the table of PORT (0: all) every second until a signal ends it. Returns a status of
 * sysexits.h if that is not possible, which has been reported.
 */
int watch(uint16_t port);

#endif
