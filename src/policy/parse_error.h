/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows what is wrong with a text of rules, and where. */
#ifndef POLICY_PARSE_ERROR_H
#define POLICY_PARSE_ERROR_H

#include "ground/text.h"

#include <stddef.h>

enum parse_style {
	PARSE_FILE,	/* one rule a line */
	PARSE_VARIABLE, /* rules split by ";" or newline */
};

struct parse_source {
	const char *name; /* kept by the rules: must live as long as they do */
	const char *text;
	size_t length;
	enum parse_style style;
};

#define PARSE_MESSAGE_SIZE 256

struct parse_error {
	char message[PARSE_MESSAGE_SIZE];
	const char *source;
	unsigned line, column; /* from 1; the column counts characters, not bytes */
	const char *line_text; /* inside the source's text */
	size_t line_length;
};

/*
 * "SOURCE:LINE:COLUMN: message", the line itself, and a caret under the place; each of the three
 * lines starts with PREFIX.
 */
void parse_error_print(struct text *text, const struct parse_error *error, const char *prefix);

#endif
