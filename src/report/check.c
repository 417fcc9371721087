/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include "policy/shadow.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CELL_SIZE 4096
#define WIDTH_MAX 48 /* characters; a longer cell pushes its row to the right */

enum column {
	COLUMN_PLACE,
	COLUMN_MATCH,
	COLUMN_ACTIONS,
	COLUMN_COUNT,
};

static const char *const titles[COLUMN_COUNT] = {"RULE", "MATCH", "ACTION"};

static void fill_cell(char bytes[static CELL_SIZE], const struct rule *rule, enum column column)
{
	struct text text;

	text_start(&text, bytes, CELL_SIZE);
	if (column == COLUMN_PLACE)
		rule_print_place(&text, rule);
	else if (column == COLUMN_MATCH)
		rule_print_match(&text, &rule->match);
	else
		rule_print_actions(&text, &rule->actions);
	if (text.length == 0)
		text_format(&text, "everything");
}

static int width_of(const struct policy *policy, enum column column)
{
	char cell[CELL_SIZE];
	size_t width = strlen(titles[column]);

	for (size_t i = 0; i < policy->count; i++) {
		fill_cell(cell, &policy->rules[i], column);
		size_t length = strlen(cell);
		if (length > width)
			width = length < WIDTH_MAX ? length : WIDTH_MAX;
	}
	return (int)width;
}

static void print_rule(const struct rule *rule, const char *remark)
{
	char place[CELL_SIZE], words[CELL_SIZE];
	struct text text;

	fill_cell(place, rule, COLUMN_PLACE);
	text_start(&text, words, sizeof words);
	rule_print(&text, rule);
	printf("%s%s: %s\n", place, remark, words);
}

/* Prints that a rule never matches, and the earlier rules because of which it does not. */
static void print_shadow(const struct rule *rule, const struct shadow *shadow)
{
	print_rule(rule, shadow->extent == SHADOW_ALL ? " never matches" : " never decides bind()");
	printf("  %s everything that it matches:\n",
		shadow->n_rules == 1 ? "An earlier rule matches" : "Earlier rules together match");
	for (unsigned i = 0; i < shadow->n_rules; i++) {
		printf("    ");
		print_rule(shadow->rules[i], "");
	}
	if (shadow->has_more_rules)
		printf("    and more\n");
	printf("  Move it above %s, or remove it.\n",
		shadow->n_rules == 1 ? "that rule" : "those rules");
}

static void print_shadows(const struct policy *policy)
{
	for (size_t i = 0; i < policy->count; i++) {
		struct shadow shadow = shadow_find(policy, i);
		if (shadow.extent != SHADOW_NONE)
			print_shadow(&policy->rules[i], &shadow);
	}
}

/* With --hook=notify or --hook=strict, prints what the notify hook does not see. */
static void print_misses(enum hook wish)
{
	bool is_notify = wish == HOOK_NOTIFY || wish == HOOK_STRICT;
	enum hook hook = is_notify ? HOOK_NOTIFY : wish == HOOK_KERNEL ? HOOK_KERNEL : HOOK_PRELOAD;

	printf("The policy has rules that protect, but they do not cover what the %s hook does not "
	       "see:\n%s.\n",
		hook_name(hook), hook_misses(hook));
	if (!is_notify)
		printf("--hook=strict uses the notify hook instead.\n");
}

void check_print(const struct policy *policy, enum hook hook)
{
	int place = width_of(policy, COLUMN_PLACE), match = width_of(policy, COLUMN_MATCH);
	char cells[COLUMN_COUNT][CELL_SIZE];

	printf("%-*s  %-*s  %s\n", place, titles[COLUMN_PLACE], match, titles[COLUMN_MATCH],
		titles[COLUMN_ACTIONS]);
	for (size_t i = 0; i < policy->count; i++) {
		for (enum column column = 0; column < COLUMN_COUNT; column++)
			fill_cell(cells[column], &policy->rules[i], column);
		printf("%-*s  %-*s  %s\n", place, cells[COLUMN_PLACE], match, cells[COLUMN_MATCH],
			cells[COLUMN_ACTIONS]);
	}
	printf("The first rule that matches decides; a call that no rule matches is left alone.\n");
	if (!policy_shares(policy))
		printf("Nothing is shared: no rule for bind() has \"share\" or \"reuseport\".\n");
	print_shadows(policy);
	if (policy->has_guard)
		print_misses(hook);
}
