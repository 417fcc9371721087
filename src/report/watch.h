/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows who is on a port, again and again on a terminal. */
#ifndef REPORT_WATCH_H
#define REPORT_WATCH_H

#include <stdint.h>

/*
 * Draws the table of PORT (0: of all) every second until a signal ends it. Returns a status of
 * sysexits.h when that cannot be, which has been said then.
 */
int watch(uint16_t port);

#endif
