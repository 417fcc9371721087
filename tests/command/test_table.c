/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help, the completions and the manual have the options of the table, and no others. */
#include "command/help.h"
#include "command/table.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const char *name)
{
	static char text[256 * 1024];
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", getenv("LIBREUSE_SOURCE"), name);
	FILE *file = fopen(path, "r");
	cr_assert(file, "%s", path);
	size_t length = fread(text, 1, sizeof text - 1, file);
	cr_assert(length > 0 && length < sizeof text - 1);
	text[length] = '\0';
	fclose(file);
	return text;
}

static const char *format(const char *pattern, const char *a, const char *b)
{
	static char text[256];

	snprintf(text, sizeof text, pattern, a, b);
	return text;
}

#define each_option(ROW)                                                                           \
	(const struct table_row *ROW = table_rows; ROW < table_rows + table_size;                  \
		ROW++) if (ROW->group != TABLE_HIDDEN)

/* ---- --help ---- */

static const char *help(void)
{
	static char text[64 * 1024];
	FILE *out = fmemopen(text, sizeof text, "w");

	help_print(out);
	fclose(out);
	return text;
}

Test(table, help_fits_a_terminal)
{
	for (const char *line = help(); *line; line += strcspn(line, "\n") + 1)
		cr_expect_leq(strcspn(line, "\n"), 80, "%.*s", (int)strcspn(line, "\n"), line);
}

Test(table, help_has_each_option_with_its_value)
{
	for
		each_option(row)
		{
			const char *first = row->letter ? row->letter : "  ";
			char line[64];
			snprintf(line, sizeof line, "\n  %s%c %s%s%s", first,
				row->letter ? ',' : ' ', row->name, row->value ? " " : "",
				row->value ? row->value : "");
			const char *found = strstr(help(), line);
			cr_expect(found && strchr(" \n", found[strlen(line)]), "%s", line);
		}
	cr_expect_null(strstr(help(), "--parent"), "what is hidden is shown");
}

/* ---- names ---- */

Test(table, each_name_and_each_letter_is_found)
{
	for (size_t i = 0; i < table_size; i++) {
		const struct table_row *row = &table_rows[i];
		cr_expect_eq(table_find(row->name, strlen(row->name)), row, "%s", row->name);
		cr_expect_neq(table_find(row->name, strlen(row->name) - 1), row, "%s", row->name);
		if (row->letter)
			cr_expect_eq(table_find_letter(row->letter[1]), row, "%s", row->letter);
	}
	cr_expect_null(table_find("--", 2));
	cr_expect_null(table_find_letter('\0'));
}

/* ---- the completion for bash ---- */

/* The words in the parentheses after NAME=, with a blank on both sides of each. */
static const char *list_of(const char *name)
{
	static char list[4096];
	const char *start = strstr(text_of("scripts/completion/reuse-run.bash"), name);
	size_t length = 1;

	cr_assert(start, "%s", name);
	list[0] = ' ';
	for (start += strlen(name); *start != ')'; start++)
		list[length++] = strchr("\n\t", *start) ? ' ' : *start;
	strcpy(list + length, " ");
	return list;
}

static size_t count_words(const char *list)
{
	size_t count = 0;

	for (; *list; list++)
		count += *list != ' ' && list[1] == ' ';
	return count;
}

static bool has_word(const char *list, const char *word)
{
	return strstr(list, format(" %s ", word, "")) != NULL;
}

static void expect_list(const char *name, bool has_value)
{
	const char *list = list_of(name);
	size_t count = has_word(list, "--");

	for
		each_option(row)
		{
			if ((row->value && !table_is_optional(row)) != has_value)
				continue;
			cr_expect(has_word(list, row->name), "%s is not in %s", row->name, name);
			cr_expect(!row->letter || has_word(list, row->letter), "%s", row->letter);
			count += row->letter ? 2 : 1;
		}
	cr_expect_eq(count_words(list), count, "%s has other options: %s", name, list);
}

Test(table, bash_completes_all_options_and_no_others)
{
	expect_list("_reuse_run_with_value=(", true);
	expect_list("_reuse_run_alone=(", false);
}

Test(table, bash_completes_the_values_that_have_a_meaning)
{
	for
		each_option(row)
		{
			if (!row->words)
				continue;
			const char *line = strstr(text_of("scripts/completion/reuse-run.bash"),
				format("\t%s) mapfile -t COMPREPLY < <(compgen -W '%s", row->name,
					row->words));
			cr_expect(line, "%s: %s", row->name, row->words);
		}
}

/* ---- the completion for zsh ---- */

/* Whether "--name" or "--name=" is there, as its value wants it, before a description. */
static bool is_in_zsh(const char *text, const struct table_row *row)
{
	const char *equals = row->value ? "=" : "";

	return row->letter ? strstr(text, format(",%s%s}", row->name, equals)) != NULL
			   : strstr(text, format("%s%s[", row->name, equals)) != NULL;
}

static size_t count_specifications(const char *text)
{
	size_t count = 0;

	for (const char *at = text; (at = strchr(at, '[')); at++) {
		/* "--name[", "--name=[" and "{-n,--name}'[" */
		const char *line = at;
		while (line > text && line[-1] != '\n')
			line--;
		count += at[-1] != ' ' && at > line && memmem(line, (size_t)(at - line), "--", 2);
	}
	return count;
}

Test(table, zsh_completes_all_options_and_no_others)
{
	const char *text = strstr(text_of("scripts/completion/_reuse-run"), "\n_reuse_run()");
	size_t count = 0;

	cr_assert(text);
	for
		each_option(row)
		{
			cr_expect(is_in_zsh(text, row), "zsh does not complete %s", row->name);
			count++;
		}
	cr_expect_eq(count_specifications(text), count);
}

/* ---- the manual ---- */

/* "\n.It Fl -name" or "\n.It Fl n Ar copies , Fl -name", and then a value if it takes one. */
static bool is_item(const char *line, const struct table_row *row)
{
	size_t length = strcspn(line, "\n");
	const char *name = format("Fl -%s", row->name + 2, "");
	const char *found = memmem(line, length, name, strlen(name));

	if (!found || !strchr(" \n", found[strlen(name)]))
		return false;
	found += strlen(name);
	if ((*found == ' ') != (row->value != NULL))
		return false;
	return !row->letter || memmem(line, length, format("Fl %s", row->letter + 1, ""), 4);
}

Test(table, the_manual_describes_each_option_with_its_value)
{
	for
		each_option(row)
		{
			bool is_there = false;
			const char *text = text_of("man/reuse-run.1");
			for (const char *at = text; (at = strstr(at, "\n.It Fl ")); at++)
				is_there |= is_item(at + 1, row);
			cr_expect(is_there, "reuse-run(1) does not describe %s", row->name);
		}
}

Test(table, the_manual_describes_no_other_option)
{
	for (const char *at = text_of("man/reuse-run.1"); (at = strstr(at, "Fl -")); at++) {
		const char *name = at + strlen("Fl ") - 1;
		size_t length = 1 + strspn(at + strlen("Fl "), "abcdefghijklmnopqrstuvwxyz-");
		char option[64];
		snprintf(option, sizeof option, "-%.*s", (int)length - 1, name + 1);
		cr_expect(length == 2 || table_find(option, strlen(option)), "%s", option);
	}
}
