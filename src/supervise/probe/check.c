/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include "ground/number.h"

#include <string.h>

static bool parse_port(struct check *check, const char *text, size_t length)
{
	int port = number_of(text, length, UINT16_MAX);

	check->port = port > 0 ? (uint16_t)port : 0;
	return port > 0;
}

/* The path becomes part of the first line of a request. */
static bool is_path(const char *text)
{
	size_t length = strlen(text);

	for (const char *at = text; *at; at++) {
		if (*at <= ' ' || *at >= 0x7f)
			return false;
	}
	return text[0] == '/' && text[1] != '/' && length <= CHECK_PATH_MOST;
}

static bool parse_http(struct check *check, const char *text)
{
	size_t length = strcspn(text, "/");

	check->kind = CHECK_HTTP;
	check->text = text + length;
	return is_path(check->text) && (length == 0 || parse_port(check, text, length));
}

bool check_parse(struct check *check, const char *text)
{
	*check = (struct check){.kind = CHECK_COMMAND, .text = text};
	if (strncmp(text, "http:", 5) == 0)
		return parse_http(check, text + 5);
	if (strcmp(text, "tcp") == 0 || strncmp(text, "tcp:", 4) == 0) {
		check->kind = CHECK_TCP;
		return !text[3] || parse_port(check, text + 4, strlen(text + 4));
	}
	return *text != '\0' && strncmp(text, "https:", 6) != 0;
}
