/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run --check: what it prints about a policy after its table. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static const char *checked(const char *const *words)
{
	struct process *process = process_run(words, .is_bare = true);

	cr_expect_eq(process_wait(process), 0, "%s", process_errors(process));
	cr_expect_str_empty(process_errors(process));
	return process_output(process);
}

#define check(...) checked(WORDS(run_path(), "--check", __VA_ARGS__))

static void expect_said(const char *output, const char *words)
{
	cr_expect(strstr(output, words), "it does not say \"%s\" but:\n%s", words, output);
}

/* ---- rules that never match ---- */

Test(check, a_rule_that_never_matches_is_named_with_the_one_that_matches_more)
{
	const char *file = write_file(new_directory(), "policy",
		"udp -> share\n# the web\ntcp -> share\n\ntcp port=80 -> deny\n");

	expect_said(check("-f", file), format("\n%s:5 never matches: tcp port=80 -> deny\n"
					      "  An earlier rule matches everything that it "
					      "matches:\n"
					      "    %s:3: tcp -> share\n"
					      "  Move it above that rule, or remove it.\n",
					       file, file));
}

Test(check, rules_that_match_it_together_are_named)
{
	expect_said(check("-r", "port=0-99 -> share; port=100-65535 -> pass; tcp -> deny"),
		"\nREUSE_RULES:1 never matches: tcp -> deny\n"
		"  Earlier rules together match everything that it matches:\n"
		"    REUSE_RULES:1: port=0-99 -> share\n"
		"    REUSE_RULES:1: port=100-65535 -> pass\n"
		"  Move it above those rules, or remove it.\n");
	expect_said(check("-r", "port=1,3 -> pass; port=2 -> pass; port=5 -> pass; port=4 -> pass; "
				"port=6 -> pass; port=1-6 -> deny"),
		"    REUSE_RULES:1: port=4 -> pass\n"
		"    and more\n");
}

Test(check, a_rule_that_still_matches_its_own_target_never_decides_bind)
{
	expect_said(check("-r", "tcp port=80 -> share; tcp port=80 -> to=:8080"),
		"\nREUSE_RULES:1 never decides bind(): tcp port=80 -> to=:8080\n");
}

/* The second one is for what the first one leaves. */
Test(check, a_rule_that_can_match_is_not_named)
{
	const char *output = check("-r", "tcp port=80 -> deny", "-r", "tcp -> share");

	cr_expect_not(strstr(output, " never "), "%s", output);
}

/* ---- the manual ---- */

/* The next example of a page, as a user would copy it; NULL after the last one. */
static const char *next_example(const char **page)
{
	static const char start[] = ".Bd -literal -offset indent\n";
	const char *at = strstr(*page, start), *end = at ? strstr(at, ".Ed\n") : NULL;

	if (!end)
		return NULL;
	*page = end;
	at += strlen(start);
	char *example = strdup(format("%.*s", (int)(end - at), at)), *out = example;
	for (const char *in = example; *in; in++) {
		if (*in != '\\')
			*out++ = *in;
	}
	*out = '\0';
	return example;
}

Test(check, every_rule_of_the_manuals_examples_can_match)
{
	const char *page = read_file(format("%s/man/libreuse.conf.5", source_path()));
	unsigned count = 0;

	page = strstr(page, "\n.Sh EXAMPLES\n");
	cr_assert(page);
	/* what comes after them shows a mistake */
	page = format("%.*s", (int)(strstr(page, "\n.Sh DIAGNOSTICS\n") - page), page);
	for (const char *example; (example = next_example(&page)); count++) {
		const char *output = check("-f", write_file(new_directory(), "policy", example));
		cr_expect_not(strstr(output, " never "), "%s\n%s", example, output);
	}
	cr_expect(count > 5, "%u examples", count);
}
