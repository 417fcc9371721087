/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the usage of reuse-run, from the table of its options. */
#ifndef COMMAND_HELP_H
#define COMMAND_HELP_H

#include <stdio.h>

#define HELP_WIDTH 80 /* the most columns of a line */

void help_print(FILE *out);

#endif
