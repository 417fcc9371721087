/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

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

/* Who asked for the notify hook, or relies on --hook=strict, gets that one here. */
static void print_misses(enum hook wish)
{
	bool is_notify = wish == HOOK_NOTIFY || wish == HOOK_STRICT;
	enum hook hook = is_notify ? HOOK_NOTIFY : HOOK_PRELOAD;

	printf("The policy protects, but not against what the %s hook does not see:\n%s.\n",
		hook_name(hook), hook_misses(hook));
	if (!is_notify)
		printf("--hook=strict takes the notify hook for it.\n");
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
	printf("The first rule that matches decides; what none matches is left alone.\n");
	if (!policy_shares(policy))
		printf("Nothing is shared: no rule for bind() has \"share\" or \"reuseport\".\n");
	if (policy->has_guard)
		print_misses(hook);
}
