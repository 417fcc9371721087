/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows who is on a port, as a table. */
#ifndef REPORT_WHO_H
#define REPORT_WHO_H

#include "survey.h"

#include <stdio.h>

#define WHO_NOBODY 1 /* exit status: nobody listens */

/*
 * Looks at PORT (0: at all), and prints to standard output; IS_JSON: as one JSON value (RFC 8259).
 * Returns 0, WHO_NOBODY, or a status of sysexits.h when the kernel cannot be asked, which has been
 * said then.
 */
int who(uint16_t port, bool is_json);

/*
 * Prints the table of a survey of PORT (0: of all). ELAPSED_MS since the survey before it is what
 * new connections are counted by; with 0 they are not shown.
 */
void who_print(FILE *out, const struct survey *survey, uint16_t port, int64_t elapsed_ms);

/* "tcp [fe80::1]:80 on eth0"; INTERFACE, unless it is 0, comes after it by its name. */
void who_print_endpoint(FILE *out, const struct endpoint *endpoint, uint32_t interface);

#endif
