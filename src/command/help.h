/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints what reuse-run can do, from the table of its options. */
#ifndef COMMAND_HELP_H
#define COMMAND_HELP_H

#include <stdio.h>

#define HELP_WIDTH 80 /* columns of a line, at most */

void help_print(FILE *out);

#endif
