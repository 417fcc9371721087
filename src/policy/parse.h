/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads rules from text; says where the text is wrong, and what would be right. */
#ifndef POLICY_PARSE_H
#define POLICY_PARSE_H

#include "../arena.h"
#include "../text.h"
#include "rule.h"

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

/* Rules in their order, in memory that is large enough for every line of their sources. */
struct rules {
	struct rule *list;
	size_t count, room;
};

#define PARSE_MESSAGE_SIZE 256

struct parse_error {
	char message[PARSE_MESSAGE_SIZE];
	const char *source;
	unsigned line, column; /* from 1; the column counts characters, not bytes */
	const char *line_text; /* inside the source's text */
	size_t line_length;
};

/* How many rules the source can hold at the most: what struct rules needs room for. */
size_t parse_rules_most(const struct parse_source *source);

/*
 * Appends the rules of SOURCE to RULES. What they refer to is taken from ARENA; the text itself is
 * not referred to any more afterwards, but by ERROR. Returns 0; -EINVAL with ERROR filled in; or
 * -ENOMEM when the arena is used up. Pure and async-signal-safe.
 */
int parse_rules(struct rules *rules, struct arena *arena, const struct parse_source *source,
	struct parse_error *error);

/*
 * Reads ADDRESS, [ADDRESS], ADDRESS:PORT, [ADDRESS]:PORT or :PORT. Returns NULL, or what is wrong
 * in words.
 */
const char *parse_target(struct target *target, const char *text, size_t length);

/*
 * "SOURCE:LINE:COLUMN: message", the line itself, and a caret under the place; each of the three
 * lines starts with PREFIX.
 */
void parse_error_print(struct text *text, const struct parse_error *error, const char *prefix);

#endif
