/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tell.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void print(FILE *file, const char *format, va_list args)
{
	fprintf(file, "reuse-bpf: ");
	vfprintf(file, format, args);
}

void tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stdout, format, args);
	va_end(args);
	putchar('\n');
}

int tell_failure(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

int tell_refused(int error, const char *format, ...)
{
	bool is_permission = error == -EPERM || error == -EACCES;
	va_list args;

	va_start(args, format);
	print(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s%s\n", strerror(-error),
		is_permission ? "; this needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN"
			      : "");
	return is_permission ? EX_NOPERM : EX_OSERR;
}
