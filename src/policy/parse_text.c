/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parser.h"

#include "ground/compare.h"

#include <errno.h>

static const char *line_end(const struct parser *parser)
{
	const char *source_end = parser->source->text + parser->source->length;
	size_t left = (size_t)(source_end - parser->line_start);
	const char *newline = string_find(parser->line_start, '\n', left);
	const char *end = newline ? newline : source_end;

	return end > parser->line_start && end[-1] == '\r' ? end - 1 : end;
}

static void mark_place(struct parser *parser, const char *place)
{
	struct parse_error *error = parser->error;

	error->source = parser->source->name;
	error->line = parser->line;
	error->column = 1;
	const char *end = line_end(parser);
	for (const char *at = parser->line_start; at < place && at < end; at++)
		error->column += span_starts_character(*at);
	error->line_text = parser->line_start;
	error->line_length = (size_t)(end - parser->line_start);
}

int parser_fail(struct parser *parser, const char *place, const char *format, ...)
{
	va_list args;

	mark_place(parser, place);
	va_start(args, format);
	text_vprint(parser->error->message, sizeof parser->error->message, format, args);
	va_end(args);
	return -EINVAL;
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

/* Most characters are plain, and need no closer look. */
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

/* Reads one word, quotes included; there must be one. */
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
		return parser_fail(parser, quote, "there is no closing quotation mark");
	word->length = (size_t)(parser->at - word->at);
	return 0;
}
