/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What two sockets may do on one port by the options they have, data/socket-matrix.csv, comes out
 * for a program that sets none.
 */
#include "harness.h"

#include <stdio.h>
#include <string.h>

struct row {
	char system[16], phase[16], first[16], second[16];
	int reuseaddr, reuseport;
	char result[16];
};

#define ROWS_MOST 64

static size_t read_rows(struct row *rows)
{
	FILE *file = fopen(format("%s/tests/system/data/socket-matrix.csv", source_path()), "re");
	char line[256];
	size_t count = 0;

	cr_assert(file);
	cr_assert(fgets(line, sizeof line, file)); /* the names of the columns */
	while (fgets(line, sizeof line, file)) {
		struct row *row = &rows[count++];
		cr_assert(count < ROWS_MOST);
		cr_assert_eq(sscanf(line, "%15[^,],%15[^,],%15[^,],%15[^,],%d,%d,%15[^\n]",
				     row->system, row->phase, row->first, row->second,
				     &row->reuseaddr, &row->reuseport, row->result),
			7);
	}
	fclose(file);
	return count;
}

static void expect_result(const struct row *row, const char *result, const char *const *environment)
{
	struct process *process =
		process_run(WORDS(need_program("python3"), script_path("matrix.py"), row->phase,
				    row->first, row->second, format("%d", port_new())),
			.environment = environment);

	cr_expect_str_eq(process_output(process), format("%s\n", result),
		"%s,%s,%s,%s,%d,%d with %s %s: %s", row->system, row->phase, row->first,
		row->second, row->reuseaddr, row->reuseport, environment[0],
		environment[1] ? environment[1] : "", process_output(process));
}

Test(matrix, every_row_of_linux_is_reached_by_the_variables)
{
	struct row rows[ROWS_MOST];
	size_t count = read_rows(rows);
	int of_linux = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].system, "linux") != 0)
			continue;
		expect_result(&rows[i], rows[i].result,
			WORDS(format("REUSE_ADDR=%d", rows[i].reuseaddr),
				format("REUSE_PORT=%d", rows[i].reuseport)));
		of_linux++;
	}
	cr_expect_eq(of_linux, 24);
}

Test(matrix, every_row_of_linux_is_reached_by_rules)
{
	struct row rows[ROWS_MOST];
	size_t count = read_rows(rows);
	int of_linux = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].system, "linux") != 0)
			continue;
		expect_result(&rows[i], rows[i].result,
			WORDS(format("REUSE_RULES=tcp -> reuseaddr%s reuseport%s",
				rows[i].reuseaddr ? "" : "=off", rows[i].reuseport ? "" : "=off")));
		of_linux++;
	}
	cr_expect_eq(of_linux, 24);
}

static const struct row *find_linux(const struct row *rows, size_t count, const struct row *like)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		if (strcmp(row->system, "linux") == 0 && strcmp(row->phase, like->phase) == 0 &&
			strcmp(row->first, like->first) == 0 &&
			strcmp(row->second, like->second) == 0 &&
			row->reuseaddr == like->reuseaddr && row->reuseport == like->reuseport)
			return row;
	}
	cr_assert_fail("no row of Linux is like one of %s", like->system);
	return NULL;
}

Test(matrix, what_freebsd_allows_and_linux_refuses_is_reached_by_share)
{
	struct row rows[ROWS_MOST];
	size_t count = read_rows(rows);
	int reached = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].system, "freebsd") != 0 || strcmp(rows[i].result, "ok") != 0 ||
			strcmp(find_linux(rows, count, &rows[i])->result, "in-use") != 0)
			continue;
		expect_result(&rows[i], "ok", WORDS("REUSE_RULES=tcp -> share"));
		reached++;
	}
	cr_expect_eq(reached, 1);
}
