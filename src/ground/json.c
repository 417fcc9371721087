/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include <stdbool.h>
#include <stddef.h>

void json_print_string(FILE *out, const char *string)
{
	fputs(string ? "\"" : "null", out);
	for (; string && *string; string++) {
		bool is_plain = *string >= ' ' && *string <= '~';
		if (*string == '"' || *string == '\\')
			fputc('\\', out);
		fputc(is_plain ? *string : '?', out);
	}
	fputs(string ? "\"" : "", out);
}
