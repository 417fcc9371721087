/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows what is wrong in a text of rules, and where. */
#ifndef POLICY_PARSE_ERROR_H
#define POLICY_PARSE_ERROR_H

#include "ground/text.h"

#include <stddef.h>

enum parse_style {
	PARSE_FILE,	/* one rule on each line */
	PARSE_VARIABLE, /* rules separated by ";" or newline */
};

struct parse_source {
	const char *name; /* the rules refer to it: it must live as long as they do */
	const char *text;
	size_t length;
	enum parse_style style;
};

#define PARSE_MESSAGE_SIZE 256

struct parse_error {
	char message[PARSE_MESSAGE_SIZE];
	const char *source;
	unsigned line, column; /* from 1; the column counts characters, not bytes */
	const char *line_text; /* within the text of the source */
	size_t line_length;
};

/*
 * Writes "SOURCE:LINE:COLUMN: message", the line itself, and a caret under the place; each of the
 * three lines starts with PREFIX.
 */
void parse_error_print(struct text *text, const struct parse_error *error, const char *prefix);

#endif
