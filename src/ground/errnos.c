/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "errnos.h"

#include "compare.h"

#include <errno.h>

/* The errors that calls of the library and of the supervisor can return. */
static const struct {
	char name[16];
	int number;
} table[] = {
	{"E2BIG", E2BIG},
	{"EACCES", EACCES},
	{"EADDRINUSE", EADDRINUSE},
	{"EADDRNOTAVAIL", EADDRNOTAVAIL},
	{"EAFNOSUPPORT", EAFNOSUPPORT},
	{"EAGAIN", EAGAIN},
	{"EBADF", EBADF},
	{"EBUSY", EBUSY},
	{"ECHILD", ECHILD},
	{"ECONNABORTED", ECONNABORTED},
	{"ECONNREFUSED", ECONNREFUSED},
	{"ECONNRESET", ECONNRESET},
	{"EDEADLK", EDEADLK},
	{"EDOM", EDOM},
	{"EDQUOT", EDQUOT},
	{"EEXIST", EEXIST},
	{"EFAULT", EFAULT},
	{"EFBIG", EFBIG},
	{"EHOSTUNREACH", EHOSTUNREACH},
	{"EINPROGRESS", EINPROGRESS},
	{"EINTR", EINTR},
	{"EINVAL", EINVAL},
	{"EIO", EIO},
	{"EISCONN", EISCONN},
	{"EISDIR", EISDIR},
	{"ELIBBAD", ELIBBAD},
	{"ELOOP", ELOOP},
	{"EMFILE", EMFILE},
	{"EMSGSIZE", EMSGSIZE},
	{"ENAMETOOLONG", ENAMETOOLONG},
	{"ENETDOWN", ENETDOWN},
	{"ENETUNREACH", ENETUNREACH},
	{"ENFILE", ENFILE},
	{"ENOBUFS", ENOBUFS},
	{"ENODEV", ENODEV},
	{"ENOENT", ENOENT},
	{"ENOEXEC", ENOEXEC},
	{"ENOLCK", ENOLCK},
	{"ENOMEM", ENOMEM},
	{"ENOPROTOOPT", ENOPROTOOPT},
	{"ENOSPC", ENOSPC},
	{"ENOSYS", ENOSYS},
	{"ENOTCONN", ENOTCONN},
	{"ENOTDIR", ENOTDIR},
	{"ENOTSOCK", ENOTSOCK},
	{"ENOTTY", ENOTTY},
	{"ENXIO", ENXIO},
	{"EOPNOTSUPP", EOPNOTSUPP},
	{"EOVERFLOW", EOVERFLOW},
	{"EPERM", EPERM},
	{"EPIPE", EPIPE},
	{"EPROTONOSUPPORT", EPROTONOSUPPORT},
	{"ERANGE", ERANGE},
	{"EROFS", EROFS},
	{"ESPIPE", ESPIPE},
	{"ESRCH", ESRCH},
	{"ETIMEDOUT", ETIMEDOUT},
	{"ETXTBSY", ETXTBSY},
	{"EUSERS", EUSERS},
	{"EXDEV", EXDEV},
};

#define COUNT (sizeof table / sizeof *table)

int errno_from_name(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (string_is(name, length, table[i].name))
			return table[i].number;
	}
	return 0;
}

const char *errno_name(int number)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (table[i].number == number)
			return table[i].name;
	}
	return "an unknown error";
}

bool errno_is_shortage(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOMEM || number == ENOBUFS;
}
