/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command/library.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define OURS "/lib/libreuse.so"

static void preload(const char *value)
{
	if (value)
		setenv("LD_PRELOAD", value, true);
	else
		unsetenv("LD_PRELOAD");
}

Test(library, libreuse_is_added_once_after_the_others)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{NULL, OURS},
		{"", OURS},
		{"/a.so", "/a.so:" OURS},
		{"/a.so b.so", "/a.so b.so:" OURS},
		{OURS, OURS},
		{OURS ":/a.so", OURS ":/a.so"},
		{"/a.so " OURS, "/a.so " OURS},
		{"libreuse.so", "libreuse.so:" OURS},
		{OURS ".1", OURS ".1:" OURS},
		{"/usr" OURS, "/usr" OURS ":" OURS},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		preload(cases[i].before);
		char *after = library_add(OURS);
		cr_expect_str_eq(after, cases[i].after, "%zu: %s", i, after);
		free(after);
	}
}

Test(library, every_libreuse_is_removed_and_others_stay)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{NULL, NULL},
		{"", NULL},
		{"libreuse.so", NULL},
		{OURS ":libreuse.so " OURS, NULL},
		{"/a.so", "/a.so"},
		{"/a.so  b.so:", "/a.so  b.so:"},
		{"/a.so:" OURS, "/a.so"},
		{OURS " /a.so", "/a.so"},
		{"/a.so:libreuse.so:b.so", "/a.so:b.so"},
		{"/libreuse.so/a.so:mylibreuse.so", "/libreuse.so/a.so:mylibreuse.so"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		preload(cases[i].before);
		library_remove();
		const char *after = getenv("LD_PRELOAD");
		cr_expect_eq(!after, !cases[i].after, "%zu: %s", i, after);
		if (after && cases[i].after)
			cr_expect_str_eq(after, cases[i].after, "%zu: %s", i, after);
	}
}

Test(library, libraries_that_the_script_has_set_aside_are_restored)
{
	preload(NULL);
	setenv("REUSE_RUN_PRELOAD", "/a.so", true);
	library_step_out(NULL);
	cr_expect_str_eq(getenv("LD_PRELOAD"), "/a.so");
	cr_expect_null(getenv("REUSE_RUN_PRELOAD"));
}
