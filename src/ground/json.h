/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes strings in JSON. */
#ifndef GROUND_JSON_H
#define GROUND_JSON_H

#include <stdio.h>

/*
 * Writes STRING in quotes, or null for NULL. It may hold any bytes: what is not printable ASCII is
 * shown as "?".
 */
void json_print_string(FILE *out, const char *string);

#endif
