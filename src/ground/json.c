/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include <stdbool.h>

void json_print_string(FILE *out, const char *string)
{
	fputc('"', out);
	for (; *string; string++) {
		bool is_plain = *string >= ' ' && *string <= '~';
		if (*string == '"' || *string == '\\')
			fputc('\\', out);
		fputc(is_plain ? *string : '?', out);
	}
	fputc('"', out);
}
