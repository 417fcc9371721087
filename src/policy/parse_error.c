/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse_error.h"

#include "ground/compare.h"
#include "span.h"

#define SHOWN_MAX    100 /* bytes of a long line to show */
#define SHOWN_BEFORE 60	 /* of them before the caret, at most */

/* The part of the line to show, as offsets; *COLUMN becomes the caret's place in it. */
static struct span shown_part(const struct parse_error *error, size_t *column)
{
	const char *line = error->line_text;
	size_t place = 0, left = error->column - 1;

	while (place < error->line_length && (left > 0 || !span_starts_character(line[place])))
		left -= span_starts_character(line[place++]) && left > 0 ? 1 : 0;
	size_t start =
		error->line_length > SHOWN_MAX && place > SHOWN_BEFORE ? place - SHOWN_BEFORE : 0;
	while (start < place && !span_starts_character(line[start]))
		start++;
	size_t length = error->line_length - start;
	*column = 0;
	for (size_t i = start; i < place; i++)
		*column += span_starts_character(line[i]);
	struct span shown = {line + start, length};
	shown.length = (size_t)span_shown(shown, SHOWN_MAX);
	return shown;
}

void parse_error_print(struct text *text, const struct parse_error *error, const char *prefix)
{
	size_t column;
	struct span shown = shown_part(error, &column);

	text_format(text, "%s%s:%u:%u: ", prefix, error->source, error->line, error->column);
	text_add_printable(text, error->message, string_length(error->message));
	text_format(text, "\n%s  ", prefix);
	text_add_printable(text, shown.at, shown.length);
	text_format(text, "\n%s  ", prefix);
	for (size_t i = 0; i < column; i++)
		text_add(text, " ", 1);
	text_add(text, "^\n", 2);
}
