/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logs what happens to the socket of an endpoint. */
#ifndef SOCKET_SAY_OF_ENDPOINT_H
#define SOCKET_SAY_OF_ENDPOINT_H

#include "policy/source.h"

/*
 * FORMAT is that of text_format(). The same line is written at most once a second.
 * Async-signal-safe, and leaves errno alone.
 */
void say_of_endpoint(const struct configuration *configuration, enum log_level level,
	const struct endpoint *endpoint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
