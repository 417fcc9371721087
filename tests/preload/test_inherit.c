/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preload/inherit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))
#define MOST		32

/* An environment in memory that inherit_stop() may write to. */
static char memory[MOST][256];
static char *environment[MOST + 1];

static void set(const char *const *assignments, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		snprintf(memory[i], sizeof memory[i], "%s", assignments[i]);
		environment[i] = memory[i];
	}
	environment[count] = NULL;
}

static void expect(const char *const *assignments, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cr_assert_not_null(environment[i], "\"%s\" is gone", assignments[i]);
		cr_expect_str_eq(environment[i], assignments[i], "\"%s\"", environment[i]);
	}
	cr_expect_null(environment[count], "\"%s\" stayed", environment[count]);
}

#define SET(...)                                                                                   \
	do {                                                                                       \
		static const char *const given[] = {__VA_ARGS__};                                  \
		set(given, COUNT_OF(given));                                                       \
	} while (0)

#define EXPECT(...)                                                                                \
	do {                                                                                       \
		static const char *const given[] = {__VA_ARGS__};                                  \
		expect(given, COUNT_OF(given));                                                    \
	} while (0)

Test(inherit, every_reuse_variable_is_removed)
{
	SET("A=1", "REUSE_RULES=share", "REUSE_CONFIG=/x", "REUSE_LOG=debug", "B=2",
		"REUSE_STRICT=1", "REUSE_INHERIT=off", "REUSE_EXPLAIN=1", "REUSE_BINDP=off",
		"REUSE_WORKER=1", "REUSE_FIRST_PORT=80:81", "REUSE_ADDR=1", "REUSE_PORT=1", "C=3");
	inherit_stop(environment);
	EXPECT("A=1", "B=2", "C=3");
}

Test(inherit, a_variable_that_is_set_twice_is_removed_twice)
{
	SET("REUSE_RULES=a", "REUSE_RULES=b", "A=1", "LD_PRELOAD=libreuse.so",
		"LD_PRELOAD=libreuse.so");
	inherit_stop(environment);
	EXPECT("A=1");
}

Test(inherit, what_other_software_reads_stays)
{
	SET("BIND_ADDR=10.0.0.1", "BIND_PORT=80", "IP_TRANSPARENT=1", "JOURNAL_STREAM=1:2",
		"REUSE=1", "REUSE_SOMETHING=1", "XREUSE_PORT=1", "PATH=/bin",
		"LD_LIBRARY_PATH=/libreuse.so", "LD_PRELOADX=libreuse.so", "");
	inherit_stop(environment);
	EXPECT("BIND_ADDR=10.0.0.1", "BIND_PORT=80", "IP_TRANSPARENT=1", "JOURNAL_STREAM=1:2",
		"REUSE=1", "REUSE_SOMETHING=1", "XREUSE_PORT=1", "PATH=/bin",
		"LD_LIBRARY_PATH=/libreuse.so", "LD_PRELOADX=libreuse.so", "");
}

Test(inherit, a_preload_that_is_only_ours_is_removed)
{
	static const char *const ours[] = {"LD_PRELOAD=libreuse.so",
		"LD_PRELOAD=/usr/lib/libreuse.so", "LD_PRELOAD=./libreuse.so",
		"LD_PRELOAD=$LIB/libreuse.so", "LD_PRELOAD=libreuse.so:/opt/libreuse.so",
		"LD_PRELOAD=libreuse.so libreuse.so "};

	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		const char *list[] = {"A=1", ours[i], "B=2"};
		set(list, 3);
		inherit_stop(environment);
		EXPECT("A=1", "B=2");
	}
}

/* The entries of the list that LD_PRELOAD is, as ld.so(8) takes it apart, with one blank between.
 */
static const char *preloaded(void)
{
	static char joined[256];
	char list[256];

	joined[0] = '\0';
	for (char **at = environment; *at; at++) {
		if (strncmp(*at, "LD_PRELOAD=", 11) != 0)
			continue;
		strcpy(list, *at + 11);
		for (char *entry = strtok(list, " :"); entry; entry = strtok(NULL, " :")) {
			strcat(joined, *joined ? " " : "");
			strcat(joined, entry);
		}
	}
	return joined;
}

Test(inherit, only_our_entry_is_removed_from_the_list)
{
	static const char *const cases[][2] = {
		{"libreuse.so:a.so", "a.so"},
		{"a.so:libreuse.so", "a.so"},
		{"a.so:libreuse.so:b.so", "a.so b.so"},
		{"a.so libreuse.so b.so", "a.so b.so"},
		{"a.so: :libreuse.so: :b.so", "a.so b.so"},
		{"/usr/lib/libreuse.so /opt/liba.so", "/opt/liba.so"},
		{"libreuse.so:libreuse.so:a.so:libreuse.so", "a.so"},
		{" libreuse.so a.so", "a.so"},
		{"a.so", "a.so"},
		{"a.so:b.so c.so", "a.so b.so c.so"},
		/* names that are only alike */
		{"notlibreuse.so", "notlibreuse.so"},
		{"/opt/notlibreuse.so", "/opt/notlibreuse.so"},
		{"libreuse.so.1", "libreuse.so.1"},
		{"libreuse.so/a.so", "libreuse.so/a.so"},
		{"ibreuse.so", "ibreuse.so"},
		{"libreuse.so2:libreuse.so", "libreuse.so2"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char assignment[256];
		const char *list[] = {"A=1", assignment, "B=2"};
		snprintf(assignment, sizeof assignment, "LD_PRELOAD=%s", cases[i][0]);
		set(list, 3);
		inherit_stop(environment);
		cr_expect_str_eq(preloaded(), cases[i][1], "\"%s\" becomes \"%s\"", cases[i][0],
			preloaded());
		cr_expect_str_eq(environment[0], "A=1");
		cr_expect_str_eq(environment[2], "B=2");
		cr_expect_null(environment[3]);
	}
}

Test(inherit, the_order_of_the_other_variables_stays)
{
	SET("Z=1", "REUSE_LOG=x", "A=2", "LD_PRELOAD=libreuse.so:b.so", "M=3");
	inherit_stop(environment);
	EXPECT("Z=1", "A=2", "LD_PRELOAD=b.so", "M=3");
}

Test(inherit, there_may_be_nothing_to_remove)
{
	SET("A=1");
	inherit_stop(environment);
	EXPECT("A=1");
	environment[0] = NULL;
	inherit_stop(environment);
	cr_expect_null(environment[0]);
	inherit_stop(NULL);
}
