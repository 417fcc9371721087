/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows who is on a port, for programs: as JSON (RFC 8259). */
#ifndef REPORT_WHO_JSON_H
#define REPORT_WHO_JSON_H

#include "survey.h"

#include <stdio.h>

/* One object in one line; what cannot be seen is null. reuse-run(1) describes the members. */
void who_json_print(FILE *out, const struct survey *survey);

#endif
