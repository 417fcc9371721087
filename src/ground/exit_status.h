/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines the exit statuses for a program that could not be started, as shells use them. */
#ifndef GROUND_EXIT_STATUS_H
#define GROUND_EXIT_STATUS_H

#include <errno.h>

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127

/* The exit status for an errno of execve(2). */
static inline int exit_status_for(int error)
{
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

#endif
