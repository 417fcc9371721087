/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parser.h"

#include "../compare.h"

#include <errno.h>

static const char *line_end(const struct parser *parser)
{
	const char *source_end = parser->source->text + parser->source->length;
	size_t left = (size_t)(source_end - parser->line_start);
	const char *newline = string_find(parser->line_start, '\n', left);
	const char *end = newline ? newline : source_end;

	return end > parser->line_start && end[-1] == '\r' ? end - 1 : end;
}

static bool starts_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80; /* not a later byte of a UTF-8 sequence */
}

static void mark_place(struct parser *parser, const char *place)
{
	struct parse_error *error = parser->error;

	error->source = parser->source->name;
	error->line = parser->line;
	error->column = 1;
	const char *end = line_end(parser);
	for (const char *at = parser->line_start; at < place && at < end; at++)
		error->column += starts_character(*at);
	error->line_text = parser->line_start;
	error->line_length = (size_t)(end - parser->line_start);
}

int parser_fail(struct parser *parser, const char *place, const char *format, ...)
{
	struct text message;
	va_list args;

	mark_place(parser, place);
	text_start(&message, parser->error->message, sizeof parser->error->message);
	va_start(args, format);
	text_vformat(&message, format, args);
	va_end(args);
	return -EINVAL;
}

int span_shown(struct span span, size_t most)
{
	if (span.length <= most)
		return (int)span.length;
	while (most > 0 && !starts_character(span.at[most]))
		most--;
	return (int)most;
}

int parser_fail_item(struct parser *parser, struct span item, const char *complaint)
{
	return parser_fail(
		parser, item.at, "\"%.*s\" %s", span_shown(item, 64), item.at, complaint);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Most characters are, and need no closer look. */
static bool is_plain(char c)
{
	return (unsigned char)c > ' ' && c != '"' && c != ';';
}

bool parser_ends_rule(const struct parser *parser, char c)
{
	return c == '\n' || (c == ';' && parser->source->style == PARSE_VARIABLE);
}

void parser_skip_blanks(struct parser *parser)
{
	while (parser->at < parser->end && is_blank(*parser->at))
		parser->at++;
	if (parser->at < parser->end && *parser->at == '#') {
		while (parser->at < parser->end && *parser->at != '\n')
			parser->at++;
	}
}

/* Takes one word, quotes included, from where there is one. */
int parser_next_word(struct parser *parser, struct span *word)
{
	const char *quote = NULL;

	word->at = parser->at;
	for (; parser->at < parser->end; parser->at++) {
		char c = *parser->at;
		if (is_plain(c))
			continue;
		if (c == '"')
			quote = quote ? NULL : parser->at;
		if (c == '\n' || (!quote && (is_blank(c) || parser_ends_rule(parser, c))))
			break;
	}
	if (quote)
		return parser_fail(parser, quote, "the quotation mark is never closed");
	word->length = (size_t)(parser->at - word->at);
	return 0;
}

/* Cuts the next item off a list at a comma outside quotes; false after the last one. */
bool span_next_item(struct span *list, struct span *item)
{
	bool is_quoted = false;
	size_t length = 0;

	if (!list->at)
		return false;
	for (; length < list->length && (is_quoted || list->at[length] != ','); length++)
		is_quoted ^= list->at[length] == '"';
	*item = (struct span){list->at, length};
	if (length == list->length)
		*list = (struct span){NULL, 0};
	else
		*list = (struct span){list->at + length + 1, list->length - length - 1};
	return true;
}

size_t span_count_items(struct span list)
{
	struct span item;
	size_t count = 0;

	while (span_next_item(&list, &item))
		count++;
	return count;
}

/* Copies ITEM without its quotation marks; returns the length. */
size_t span_unquote(struct span item, char *out)
{
	size_t length = 0;

	for (size_t i = 0; i < item.length; i++) {
		if (item.at[i] != '"')
			out[length++] = item.at[i];
	}
	return length;
}

/* A value that is no free text; an empty one when it is too long to mean anything. */
struct short_value span_short(struct span item)
{
	struct short_value value = {.length = 0};

	if (item.length < sizeof value.text)
		value.length = span_unquote(item, value.text);
	return value;
}

#define SHOWN_MAX    100 /* bytes of a long line that are shown */
#define SHOWN_BEFORE 60	 /* of them before the caret, at most */

/* The part of the line that is shown, as offsets; in *COLUMN the caret's place in it. */
static struct span shown_part(const struct parse_error *error, size_t *column)
{
	const char *line = error->line_text;
	size_t place = 0, left = error->column - 1;

	while (place < error->line_length && (left > 0 || !starts_character(line[place])))
		left -= starts_character(line[place++]) && left > 0 ? 1 : 0;
	size_t start =
		error->line_length > SHOWN_MAX && place > SHOWN_BEFORE ? place - SHOWN_BEFORE : 0;
	while (start < place && !starts_character(line[start]))
		start++;
	size_t length = error->line_length - start;
	*column = 0;
	for (size_t i = start; i < place; i++)
		*column += starts_character(line[i]);
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
