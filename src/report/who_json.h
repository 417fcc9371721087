/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows who uses a port, for programs: as JSON (RFC 8259). */
#ifndef REPORT_WHO_JSON_H
#define REPORT_WHO_JSON_H

#include "survey.h"

#include <stdio.h>

/* One object on each line; what is not visible is null. reuse-run(1) describes the members. */
void who_json_print(FILE *out, const struct survey *survey);

#endif
