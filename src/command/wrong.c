/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrong.h"

#include <stdarg.h>
#include <stdio.h>

bool wrong(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	fputs("reuse-run: ", stderr);
	vfprintf(stderr, format, values);
	fputs("\nreuse-run: 'reuse-run --help' lists the options\n", stderr);
	va_end(values);
	return false;
}
