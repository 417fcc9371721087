/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports on standard error what is wrong with the command line. */
#ifndef COMMAND_WRONG_H
#define COMMAND_WRONG_H

#include <stdbool.h>

/*
 * Prints the message, and where the options are listed. Returns false. Formats are those of
 * printf(3).
 */
bool wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
