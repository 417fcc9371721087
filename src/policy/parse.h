/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads rules from text, and says where the text is wrong and what would be right. */
#ifndef POLICY_PARSE_H
#define POLICY_PARSE_H

#include "ground/arena.h"
#include "ground/text.h"
#include "parse_error.h"
#include "rule.h"

/* Rules in their order, in memory with room for every line of their sources. */
struct rules {
	struct rule *list;
	size_t count, room;
};

/* How many rules the source can hold at most: the room that struct rules needs. */
size_t parse_rules_most(const struct parse_source *source);

/*
 * Appends the rules of SOURCE to RULES. What they refer to is taken from ARENA; afterwards only
 * ERROR still refers to the text. Returns 0; -EINVAL with ERROR filled in; or -ENOMEM when the
 * arena is used up. Pure and async-signal-safe.
 */
int parse_rules(struct rules *rules, struct arena *arena, const struct parse_source *source,
	struct parse_error *error);

/*
 * Reads ADDRESS, [ADDRESS], ADDRESS:PORT, [ADDRESS]:PORT or :PORT. Returns NULL, or a message that
 * says what is wrong.
 */
const char *parse_target(struct target *target, const char *text, size_t length);

#endif
