/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "say_of_endpoint.h"

#define TEXT_SIZE 512

void say_of_endpoint(const struct configuration *configuration, enum log_level level,
	const struct endpoint *endpoint, const char *format, ...)
{
	char bytes[ENDPOINT_TEXT_SIZE + TEXT_SIZE];
	struct text text;
	va_list args;

	if (!log_says(&configuration->log, level))
		return;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, endpoint);
	text_format(&text, ": ");
	va_start(args, format);
	text_vformat(&text, format, args);
	va_end(args);
	log_write_seldom(&configuration->log, level, "%s", bytes);
}
