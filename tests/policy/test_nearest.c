/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/nearest.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const known[] = {"tcp", "udp", "sctp", "port", "addr", "share", "pass", "deny",
	"reuseport", "reuseaddr", "exclusive", "keepalive", "keepalive-interval", "to", "tos"};

static const char *nearest(const char *typed)
{
	struct nearest search = nearest_to(typed, strlen(typed));

	for (size_t i = 0; i < COUNT_OF(known); i++)
		nearest_try(&search, known[i]);
	return search.word;
}

Test(nearest, for_a_mistyped_word_the_intended_one_is_found)
{
	static const char *const cases[][2] = {
		{"prt", "port"},    /* one letter lost */
		{"poort", "port"},  /* one too many */
		{"pord", "port"},   /* one other */
		{"prot", "port"},   /* two in the wrong order */
		{"sahre", "share"}, /* the same */
		{"Share", "share"}, /* case */
		{"reuse-port", "reuseport"},
		{"reuse_addr", "reuseaddr"},
		{"exlcusvie", "exclusive"}, /* two swaps */
		{"keep-alive", "keepalive"},
		{"keepalive-intervall", "keepalive-interval"},
		{"tpc", "tcp"},
		{"share", "share"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *word = nearest(cases[i][0]);
		cr_assert_not_null(word, "nothing is near \"%s\"", cases[i][0]);
		cr_expect_str_eq(word, cases[i][1], "\"%s\" leads to \"%s\"", cases[i][0], word);
	}
}

Test(nearest, for_a_word_that_is_unlike_all_others_none_is_found)
{
	static const char *const typed[] = {"", "x", "z=", "hello", "balance", "qqqqqqqqq",
		"completely-different", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	for (size_t i = 0; i < COUNT_OF(typed); i++)
		cr_expect_null(
			nearest(typed[i]), "\"%s\" leads to \"%s\"", typed[i], nearest(typed[i]));
}

Test(nearest, no_word_is_replaced_as_a_whole)
{
	struct nearest search = nearest_to("ab", 2);

	nearest_try(&search, "to"); /* two edits of two letters */
	cr_expect_null(search.word);
}

Test(nearest, the_nearest_wins_whatever_the_order)
{
	static const char *const words[] = {"reuseport", "reuseaddr"};

	for (unsigned first = 0; first < 2; first++) {
		struct nearest search = nearest_to("reuseadr", 8);
		nearest_try(&search, words[first]);
		nearest_try(&search, words[!first]);
		cr_assert_not_null(search.word);
		cr_expect_str_eq(search.word, "reuseaddr");
		cr_expect_eq(search.distance, 1);
	}
}

Test(nearest, the_first_of_two_equally_near_words_is_taken)
{
	cr_expect_str_eq(nearest("stcp"), "tcp"); /* one letter less; "sctp" would be one swap */
}

Test(nearest, only_the_typed_length_counts)
{
	struct nearest search = nearest_to("prot=80 and more", 4);

	nearest_try(&search, "port");
	cr_assert_not_null(search.word);
	cr_expect_eq(search.distance, 1);
}

Test(nearest, words_of_32_bytes_are_compared_and_longer_ones_are_not)
{
	char typed[34], word[34];

	memset(typed, 'a', sizeof typed);
	memset(word, 'a', sizeof word);
	word[32] = '\0';
	typed[0] = 'b';
	struct nearest search = nearest_to(typed, 32);
	nearest_try(&search, word);
	cr_expect_eq(search.word, word);
	search = nearest_to(typed, 33);
	nearest_try(&search, word);
	cr_expect_null(search.word);
	word[32] = 'a';
	word[33] = '\0';
	search = nearest_to(typed, 32);
	nearest_try(&search, word);
	cr_expect_null(search.word);
}

/* The textbook's recursion, with a memory. */
static unsigned slow_distance(const char *a, const char *b)
{
	unsigned rows[16][16];
	size_t n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			unsigned best = (unsigned)(i + j);
			if (i > 0 && j > 0 && rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]) < best)
				best = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (i > 0 && rows[i - 1][j] + 1 < best)
				best = rows[i - 1][j] + 1;
			if (j > 0 && rows[i][j - 1] + 1 < best)
				best = rows[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				rows[i - 2][j - 2] + 1 < best)
				best = rows[i - 2][j - 2] + 1;
			rows[i][j] = best;
		}
	}
	return rows[n][m];
}

Test(nearest, the_distance_is_that_of_optimal_string_alignment)
{
	struct dice dice = {4};

	for (unsigned i = 0; i < 50000; i++) {
		char typed[13] = "", word[13] = "";
		unsigned typed_length = 1 + dice_below(&dice, 12);
		unsigned length = 1 + dice_below(&dice, 12);
		for (unsigned j = 0; j < typed_length; j++)
			typed[j] = (char)('a' + dice_below(&dice, 3));
		for (unsigned j = 0; j < length; j++)
			word[j] = (char)('a' + dice_below(&dice, 3));
		struct nearest search = nearest_to(typed, typed_length);
		unsigned distance = slow_distance(typed, word);
		nearest_try(&search, word);
		/* one typing error in three letters, and one more */
		bool is_taken = distance <= typed_length / 3 + 1 && distance < length;
		cr_assert_eq(search.word != NULL, is_taken, "\"%s\" and \"%s\"", typed, word);
		cr_assert(
			!is_taken || search.distance == distance, "\"%s\" and \"%s\"", typed, word);
	}
}
