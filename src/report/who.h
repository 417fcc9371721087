/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows who uses a port, as a table. */
#ifndef REPORT_WHO_H
#define REPORT_WHO_H

#include "survey.h"

#include <stdio.h>

#define WHO_NOBODY 1 /* exit status: nobody listens */

/*
 * Examines PORT (0: all), and prints to standard output; IS_JSON: as one JSON value (RFC 8259).
 * Returns 0, WHO_NOBODY, or a status of sysexits.h if the kernel cannot be asked, which has been
 * reported.
 */
int who(uint16_t port, bool is_json);

/*
 * Prints the table of a survey of PORT (0: all). New connections are shown for each second of
 * ELAPSED_MS, the time since the survey before; with 0 they are not shown.
 */
void who_print(FILE *out, const struct survey *survey, uint16_t port, int64_t elapsed_ms);

/* "tcp [fe80::1]:80 on eth0"; the name of INTERFACE comes last, unless it is 0. */
void who_print_endpoint(FILE *out, const struct endpoint *endpoint, uint32_t interface);

#endif
