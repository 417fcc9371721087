/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holds the state of the parser and the steps that its parts share; only for src/policy/parse*.c.
 */
#ifndef POLICY_PARSER_H
#define POLICY_PARSER_H

#include "parse_error.h"
#include "rule.h"
#include "span.h"
#include "word.h"

#define OPTIONS_MOST 48 /* at least the number of rows of sockopt_table, which a test checks */

struct parser {
	const struct parse_source *source;
	struct arena *arena;
	struct parse_error *error;
	const char *at, *end;
	const char *line_start;
	unsigned line;
	/* the rule being read */
	struct rule rule;
	const char *arrow;
	const char *seen[WORD_COUNT]; /* where each word is, for messages */
	const char *seen_option[OPTIONS_MOST];
	const char *first_action;
	struct setting settings[OPTIONS_MOST];
};

/* ---- parse_text.c: splits text into words, and says where something is wrong ---- */

/* Fills in the error, with PLACE under the caret. Returns -EINVAL. */
int parser_fail(struct parser *parser, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, about an item of a value, which is quoted before COMPLAINT. */
int parser_fail_item(struct parser *parser, struct span item, const char *complaint);

bool parser_ends_rule(const struct parser *parser, char c);

/* Skips blanks, and a comment after them. */
void parser_skip_blanks(struct parser *parser);

/* Reads one word, quotes included; there must be one. Returns 0 or -EINVAL. */
int parser_next_word(struct parser *parser, struct span *word);

/* ---- parse_value.c: what comes after the "=" ---- */

/* Each reads VALUE (at: NULL, if there is none) into the rule. Returns 0, -EINVAL or -ENOMEM. */
int parser_read_ports(struct parser *parser, struct span value);
int parser_read_prefixes(struct parser *parser, struct span value);
int parser_read_patterns(struct parser *parser, struct span value);
int parser_read_target(struct parser *parser, struct span value, struct target *target);
int parser_read_deny(struct parser *parser, struct span value);
int parser_read_adopt(struct parser *parser, struct span value);
int parser_read_steer(struct parser *parser, struct span value);
int parser_read_backlog(struct parser *parser, struct span value);
int parser_read_setting(struct parser *parser, struct span value, struct setting *setting);

/* ---- parse_check.c: contradictions ---- */

/* Refuses a rule whose words contradict each other. Returns 0 or -EINVAL. */
int parser_check_rule(struct parser *parser);

#endif
