/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "say_of_endpoint.h"

#include "ground/errnos.h"

void say_of_endpoint(const struct configuration *configuration, enum log_level level,
	const struct endpoint *endpoint, const char *what, int error)
{
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text text;

	if (!log_says(&configuration->log, level))
		return;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, endpoint);
	log_write(&configuration->log, level, "%s: %s%s%s", bytes, what, error ? ": " : "",
		error ? errno_name(-error) : "");
}
