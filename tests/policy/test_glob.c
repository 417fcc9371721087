/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/glob.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <fnmatch.h>
#include <string.h>

static bool fits(const char *pattern, const char *text)
{
	return glob_matches(pattern, strlen(pattern), text);
}

Test(glob, a_pattern_fits_what_a_shell_would_match)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} cases[] = {
		{"", "", true},
		{"", "a", false},
		{"nginx", "nginx", true},
		{"nginx", "nginx2", false},
		{"nginx", "ngin", false},
		{"nginx", "Nginx", false},
		{"*", "", true},
		{"*", "anything", true},
		{"**", "x", true},
		{"***", "", true},
		{"a*", "a", true},
		{"a*", "abc", true},
		{"a*", "ba", false},
		{"*a", "bca", true},
		{"*a", "ab", false},
		{"a*c", "abbbc", true},
		{"a*c", "ac", true},
		{"a*c", "acb", false},
		{"*ab*ab", "abxab", true},
		{"*ab*ab", "aab", false},
		{"*aab", "aaaab", true}, /* the star must try again */
		{"a*b*c", "aXbYbZc", true},
		{"python3.*", "python3.11", true},
		{"python3.*", "python3", false},
		{"?", "a", true},
		{"?", "", false},
		{"?", "ab", false},
		{"a?c", "abc", true},
		{"?*", "a", true},
		{"?*", "", false},
		{"[abc]", "b", true},
		{"[abc]", "d", false},
		{"[abc]", "", false},
		{"[a-c]x", "bx", true},
		{"[a-c]x", "dx", false},
		{"[a-cx-z]", "y", true},
		{"[a-cx-z]", "d", false},
		{"[!a-c]", "d", true},
		{"[!a-c]", "b", false},
		{"[!a-c]", "", false},
		{"[]]", "]", true}, /* first in the brackets, it is one of them */
		{"[]a]", "a", true},
		{"[!]]", "]", false},
		{"[!]]", "a", true},
		{"[a-]", "-", true},
		{"[a-]", "a", true},
		{"[a-]", "b", false},
		{"[-a]", "-", true},
		{"[a!]", "!", true},
		{"[?]", "?", true},
		{"[?]", "a", false},
		{"[*]", "*", true},
		{"[*]", "a", false},
		{"[c-a]", "b", false}, /* an empty range */
		{"[", "[", true},      /* never closed */
		{"[a", "[a", true},
		{"[a", "a", false},
		{"[!", "[!", true},
		{"[]", "[]", true},
		{"[!]", "[!]", true},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"\\?", "?", true},
		{"\\?", "a", false},
		{"\\[a]", "[a]", true},
		{"\\[a]", "a", false},
		{"\\a", "a", true},
		{"\\\\", "\\", true},
		{"a\\", "a\\", true}, /* there is nothing after it to be meant literally */
		{"*\\*", "ab*", true},
		{"*\\*", "ab", false},
		/* slashes */
		{"/opt/*/bin/server", "/opt/app/bin/server", true},
		{"/opt/*/bin/server", "/opt/a/b/bin/server", false},
		{"/opt/*", "/opt/x", true},
		{"/opt/*", "/opt/x/y", false},
		{"/opt/*", "/opt/", true},
		{"*", "a/b", false},
		{"*", "/", false},
		{"*/*", "a/b", true},
		{"a?b", "a/b", false},
		{"a[/]b", "a/b", false},
		{"a[!x]b", "a/b", false},
		{"a[.-0]b", "a/b", false}, /* a slash lies between the two */
		{"*a/b", "xa/ya/b", false},
		{"a\\/b", "a/b", true},
		{"/usr/bin/python3*", "/usr/bin/python3.11", true},
		/* bytes */
		{"\xc3\xbc*",
			"\xc3\xbc"
			"ber",
			true},
		{"?", "\xc3\xbc", false},
		{"??", "\xc3\xbc", true},
		{"[\x80-\xff]", "\xc3", true},
		{"[a-z]", "\xc3", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_expect_eq(fits(cases[i].pattern, cases[i].text), cases[i].fits,
			"\"%s\" on \"%s\"", cases[i].pattern, cases[i].text);
}

Test(glob, a_pattern_ends_where_its_length_says)
{
	cr_expect(glob_matches("nginx,*", 5, "nginx"));
	cr_expect_not(glob_matches("nginx*", 5, "nginx2"));
	cr_expect(glob_matches("[a]", 2, "[a"), "the bracket that closes it lies behind the end");
	cr_expect(glob_matches("a\\*", 2, "a\\"));
	cr_expect(glob_matches("abc", 0, ""));
}

Test(glob, it_agrees_with_fnmatch_on_random_patterns)
{
	static const char letters[] = "aab*?/[]!-", plain[] = "aab/-]";
	struct dice dice = {2};
	unsigned n_fits = 0;

	for (unsigned i = 0; i < 300000; i++) {
		char pattern[12] = "", text[9] = "";
		unsigned pattern_length = dice_below(&dice, sizeof pattern);
		unsigned text_length = dice_below(&dice, sizeof text);
		for (unsigned j = 0; j < pattern_length; j++)
			pattern[j] = letters[dice_below(&dice, sizeof letters - 1)];
		for (unsigned j = 0; j < text_length; j++)
			text[j] = plain[dice_below(&dice, sizeof plain - 1)];
		/* What POSIX leaves open is not compared: a bracket with a slash, with a bracket
		 * in it, or never closed. */
		if (strchr(pattern, '['))
			continue;
		bool expected = fnmatch(pattern, text, FNM_PATHNAME) == 0;
		n_fits += expected;
		cr_assert_eq(fits(pattern, text), expected, "\"%s\" on \"%s\"", pattern, text);
	}
	cr_expect_gt(n_fits, 100);
}

Test(glob, it_agrees_with_fnmatch_on_random_brackets)
{
	static const char letters[] = "abcd-!*?x", plain[] = "abcd-!*?x/";
	struct dice dice = {3};
	unsigned n_fits = 0;

	for (unsigned i = 0; i < 200000; i++) {
		char pattern[16] = "*[", text[6] = "";
		unsigned inner = 1 + dice_below(&dice, 6), text_length = dice_below(&dice, 5);
		for (unsigned j = 0; j < inner; j++)
			pattern[2 + j] = letters[dice_below(&dice, sizeof letters - 1)];
		strcat(pattern, dice_below(&dice, 2) ? "]" : "]*");
		if (strcmp(pattern, "*[!]") == 0 || strcmp(pattern, "*[!]*") == 0)
			continue;
		for (unsigned j = 0; j < text_length; j++)
			text[j] = plain[dice_below(&dice, sizeof plain - 1)];
		bool expected = fnmatch(pattern, text, FNM_PATHNAME) == 0;
		n_fits += expected;
		cr_assert_eq(fits(pattern, text), expected, "\"%s\" on \"%s\"", pattern, text);
	}
	cr_expect_gt(n_fits, 100);
}

Test(glob, many_stars_do_not_take_exponential_time)
{
	char pattern[401], text[4001];

	for (size_t i = 0; i < 400; i += 2)
		memcpy(pattern + i, "a*", 2);
	pattern[399] = 'b';
	pattern[400] = '\0';
	memset(text, 'a', 4000);
	text[4000] = '\0';
	cr_expect_not(fits(pattern, text));
}
