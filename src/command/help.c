/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "help.h"

#include "table.h"

#include <string.h>

#define TEXT_COLUMN 25

static const char beginning[] =
	"Usage: reuse-run [OPTION]... [--] PROGRAM [ARG]...\n"
	"       reuse-run [OPTION]... --check\n"
	"       reuse-run --roll PID|PIDFILE\n"
	"       reuse-run --scale PID|PIDFILE -n N\n"
	"       reuse-run --stop [PID|PIDFILE]\n"
	"       reuse-run --status [PID|PIDFILE] [--json]\n"
	"       reuse-run --who [PORT] [--json | --watch]\n"
	"       reuse-run --why [ADDR:]PORT [--user NAME]\n"
	"Run PROGRAM so that it shares its ports, or does what the rules say.\n";

static const char *const headings[] = {
	[TABLE_RUN] = "",
	[TABLE_LOOK] = "Show who uses a port:\n",
	[TABLE_SUPERVISE] = "Supervise copies:\n",
	[TABLE_STOPPED] = "With -n, --keep or --stop:\n",
	[TABLE_COPIES] = "With -n or --keep:\n",
};

static const char end[] =
	"\n"
	"The exit status is that of PROGRAM. It is 64 if an option is wrong, 78 if the\n"
	"policy is broken or PROGRAM cannot be protected, 126 if PROGRAM cannot be run,\n"
	"and 127 if it does not exist. See reuse-run(1) and libreuse.conf(5).\n";

/* Prints words up to a column; each line after the first one is indented. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t column = TEXT_COLUMN;

	while (*text) {
		size_t length = strcspn(text, " ");
		if (column + 1 + length > HELP_WIDTH) {
			fprintf(out, "\n%*s", TEXT_COLUMN, "");
			column = TEXT_COLUMN;
		} else if (column > TEXT_COLUMN) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)length, text);
		column += length;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_row(FILE *out, const struct table_row *row)
{
	int width = fprintf(out, "  %2s%c %s%s%s", row->letter ? row->letter : "",
		row->letter ? ',' : ' ', row->name, row->value ? " " : "",
		row->value ? row->value : "");

	if (width > TEXT_COLUMN - 2) {
		fputc('\n', out);
		width = 0;
	}
	fprintf(out, "%*s", TEXT_COLUMN - width, "");
	print_wrapped(out, row->help);
}

void help_print(FILE *out)
{
	fputs(beginning, out);
	for (enum table_group group = TABLE_RUN; group < TABLE_HIDDEN; group++) {
		fprintf(out, "\n%s", headings[group]);
		for (size_t i = 0; i < table_size; i++) {
			if (table_rows[i].group == group)
				print_row(out, &table_rows[i]);
		}
	}
	fputs(end, out);
}
