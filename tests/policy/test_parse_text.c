/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/parse.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- blanks, comments, quotes ---- */

Test(parse_text, blanks_of_every_kind_separate_words)
{
	static const char *const texts[] = {"tcp port=80 -> share", "  tcp  port=80  ->  share  ",
		"\ttcp\tport=80\t->\tshare\t", "tcp port=80 -> share\r",
		"\v\ftcp port=80 -> share"};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		cr_expect(rules_equal(parse_one(texts[i]), parse_one(texts[0])), "%s", texts[i]);
}

Test(parse_text, a_file_with_crlf_reads_like_one_with_lf)
{
	struct parsed parsed = parse_file("# head\r\ntcp port=80 -> share\r\n\r\nudp -> "
					  "device=eth0\r\n");

	cr_assert_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_assert_eq(parsed.rules.count, 2);
	cr_expect_eq(parsed.rules.list[1].line, 4);
	cr_expect_eq(parsed.rules.list[1].actions.settings[0].length, 4);
	cr_expect_eq(parse_file("exe=nginx share\r\n").rules.list[0].match.patterns[0].length, 5);
}

Test(parse_text, a_comment_goes_to_the_end_of_its_line)
{
	struct parsed parsed =
		parse_variable("share # no; tcp -> prot=1 \"\nudp pass#x is a word; tcp");

	cr_expect_eq(parsed.error, -EINVAL);
	parsed = parse_variable("share # no; tcp -> prot=1 \"\n# all of it\nudp pass #; deny");
	cr_assert_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_expect_eq(parsed.rules.count, 2);
	cr_expect(parsed.rules.list[1].actions.pass);
}

Test(parse_text, a_hash_inside_a_word_does_not_start_a_comment)
{
	const struct pattern *pattern = parse_one("exe=a#b share")->match.patterns;

	cr_expect_eq(pattern->length, 3);
	cr_expect_eq(memcmp(pattern->text, "a#b", 3), 0);
}

static void expect_patterns(const char *text, const char *const *patterns, size_t count)
{
	const struct match *match = &parse_one(text)->match;

	cr_assert_eq(match->n_patterns, count, "%s: %u", text, match->n_patterns);
	for (size_t i = 0; i < count; i++) {
		const struct pattern *pattern = &match->patterns[i];
		cr_expect_eq(pattern->length, strlen(patterns[i]), "%s", text);
		cr_expect_eq(memcmp(pattern->text, patterns[i], pattern->length), 0, "%s: %.*s",
			text, (int)pattern->length, pattern->text);
	}
}

#define EXPECT_PATTERNS(TEXT, ...)                                                                 \
	do {                                                                                       \
		static const char *const patterns[] = {__VA_ARGS__};                               \
		expect_patterns(TEXT, patterns, COUNT_OF(patterns));                               \
	} while (0)

Test(parse_text, a_value_with_blanks_is_in_quotes)
{
	EXPECT_PATTERNS("exe=\"/opt/My App/*\" share", "/opt/My App/*");
	EXPECT_PATTERNS("exe=/opt/\"My App\"/* share", "/opt/My App/*");
	EXPECT_PATTERNS("\"exe=/opt/My App/*\" share", "/opt/My App/*");
	EXPECT_PATTERNS("exe=\"a\"\"b\" share", "ab");
	EXPECT_PATTERNS("exe=\"a;b\" share", "a;b");
	EXPECT_PATTERNS("exe=\"a#b\",\"# c\" share", "a#b", "# c");
	EXPECT_PATTERNS("exe=\"a\tb\" share", "a\tb");
}

Test(parse_text, a_comma_inside_quotes_does_not_separate_items)
{
	EXPECT_PATTERNS("exe=a,b share", "a", "b");
	EXPECT_PATTERNS("exe=\"a,b\",c share", "a,b", "c");
	EXPECT_PATTERNS("exe=a\",\"b,\"c\" share", "a,b", "c");
}

Test(parse_text, quotes_around_other_words_change_nothing)
{
	cr_expect(rules_equal(parse_one("\"tcp\" \"port\"=\"80\",81 to=\"[::1]\" \"share\""),
		parse_one("tcp port=80,81 to=[::1] share")));
}

Test(parse_text, a_quotation_mark_that_is_never_closed_is_refused)
{
	static const char complaint[] = "there is no closing quotation mark";

	expect_refused("exe=\"nginx share", 1, 5, complaint);
	expect_refused("exe=\"a\"\" share", 1, 8, complaint);
	expect_refused("share\nexe=a,\"b\nshare", 2, 7, complaint);
	expect_refused("share \"", 1, 7, complaint);
	expect_refused_as(PARSE_VARIABLE, "exe=\"a; share", 13, 1, 5, complaint);
}

/* ---- places ---- */

Test(parse_text, lines_are_counted_from_one)
{
	expect_refused("bogus-word", 1, 1,
		"\"bogus-word\" is an unknown word; libreuse.conf(5) lists them");
	expect_refused("share\n\n# x\n  bogus-word", 4, 3,
		"\"bogus-word\" is an unknown word; libreuse.conf(5) lists them");
	expect_refused("share\r\n  bogus-word\r\n", 2, 3,
		"\"bogus-word\" is an unknown word; libreuse.conf(5) lists them");
}

Test(parse_text, in_a_variable_the_column_counts_from_the_start_of_the_line)
{
	static const char text[] = "share; pass; bogus-word";

	expect_refused_as(PARSE_VARIABLE, text, sizeof text - 1, 1, 14,
		"\"bogus-word\" is an unknown word; libreuse.conf(5) lists them");
}

Test(parse_text, the_column_counts_characters_and_not_bytes)
{
	expect_refused("exe=gr\xc3\xbc\xc3\x9f,\xe2\x82\xac,\xf0\x9f\x98\x80 shaer", 1, 14,
		"\"shaer\" is an unknown word; did you mean \"share\"?");
}

Test(parse_text, a_tab_counts_as_one_column)
{
	expect_refused("\t\tshaer", 1, 3, "\"shaer\" is an unknown word; did you mean \"share\"?");
}

Test(parse_text, the_column_of_a_bad_item_is_that_of_the_item)
{
	expect_refused("port=80,,81 share", 1, 9,
		"\"\" is not a port; a port is a number from 0 to 65535");
	expect_refused("port=80,99999,81 share", 1, 9,
		"\"99999\" is not a port; a port is a number from 0 to 65535");
	expect_refused("addr=::1,10.0.0.0/99 share", 1, 10,
		"\"10.0.0.0/99\" has an invalid prefix length; it is at most 32 for IPv4 and 128 "
		"for "
		"IPv6");
}

/* ---- bytes that no text has ---- */

Test(parse_text, a_nul_byte_is_refused_like_any_unknown_word)
{
	static const char text[] = "share\nzz\0zz -> pass\n";
	struct parsed parsed = parse_bytes(text, sizeof text - 1, PARSE_FILE);

	cr_expect_eq(parsed.error, -EINVAL);
	cr_expect_eq(parsed.complaint.line, 2);
	cr_expect_eq(parsed.complaint.column, 1);
	cr_expect_not_null(strstr(parsed.complaint.message, "is an unknown word"),
		"the message is cut off at the NUL: %s", parsed.complaint.message);
}

Test(parse_text, a_nul_byte_does_not_end_a_word)
{
	static const char *const texts[] = {"share\0", "tcp\0 share", "port=80\0 share",
		"addr=::1\0 share", "deny=EPERM\0", "share nodelay=on\0", "share backlog=5\0",
		"to=127.0.0.1\0"};
	static const size_t lengths[] = {6, 10, 14, 15, 11, 17, 16, 13};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		cr_expect_eq(parse_bytes(texts[i], lengths[i], PARSE_FILE).error, -EINVAL, "%s",
			texts[i]);
}

Test(parse_text, random_bytes_do_not_crash_the_parser)
{
	static const char *const pieces[] = {"tcp", "port=", "80", ",", "-", "addr=", "10.0.0.0/8",
		"::1", "exe=", "\"", ";", "\n", " ", "->", "share", "to=", "[", "]", ":", "=",
		"deny", "#", "\t", "\\", "keepalive", "on", "\xc3", "\x80", "\r",
		"from=", "connect", "early", "device=", "any", "/", "once", "0x",
		"99999999999999999999"};
	struct dice dice = {5};
	unsigned n_parsed = 0;

	for (unsigned i = 0; i < 20000; i++) {
		char text[256], shown[1024];
		size_t length = 0;
		struct text out;
		for (unsigned left = dice_below(&dice, 20); left > 0; left--) {
			const char *piece = pieces[dice_below(&dice, COUNT_OF(pieces))];
			memcpy(text + length, piece, strlen(piece));
			length += strlen(piece);
			if (dice_below(&dice, 8) == 0)
				text[length++] = (char)dice_below(&dice, 256);
			if (dice_below(&dice, 2))
				text[length++] = ' ';
		}
		struct parsed parsed = parse_bytes(text, length, (enum parse_style)(i % 2));
		cr_assert(parsed.error == 0 || parsed.error == -EINVAL, "%d", parsed.error);
		n_parsed += parsed.error == 0;
		if (parsed.error) {
			const struct parse_error *complaint = &parsed.complaint;
			cr_assert(complaint->line_text >= text &&
				  complaint->line_text + complaint->line_length <= text + length);
			cr_assert(complaint->column >= 1 &&
				  complaint->column <= complaint->line_length + 1);
			text_start(&out, shown, sizeof shown);
			parse_error_print(&out, complaint, "");
			cr_assert_not(out.truncated);
		}
		arena_close(&parsed.arena);
	}
	cr_expect_gt(n_parsed, 100);
	cr_expect_lt(n_parsed, 19000);
}

/* ---- showing an error ---- */

Test(parse_text, an_error_shows_its_place_its_line_and_a_caret)
{
	cr_expect_str_eq(complaint_of("share\ntcp prot=80 -> share\nudp pass", PARSE_FILE, ""),
		"TEXT:2:5: \"prot\" is an unknown word; did you mean \"port\"?\n"
		"  tcp prot=80 -> share\n"
		"      ^\n");
}

Test(parse_text, each_line_of_an_error_starts_with_the_prefix)
{
	cr_expect_str_eq(complaint_of("pasz", PARSE_VARIABLE, "reuse-run: "),
		"reuse-run: TEXT:1:1: \"pasz\" is an unknown word; did you mean \"pass\"?\n"
		"reuse-run:   pasz\n"
		"reuse-run:   ^\n");
}

Test(parse_text, the_caret_may_be_after_the_line)
{
	cr_expect_str_eq(complaint_of("tcp port=80 ->", PARSE_VARIABLE, ""),
		"TEXT:1:15: the rule has no action; write what should happen, as in share, to=, "
		"deny or pass\n"
		"  tcp port=80 ->\n"
		"                ^\n");
}

Test(parse_text, in_a_variable_the_whole_line_is_shown)
{
	cr_expect_str_eq(complaint_of("share; pasz; deny", PARSE_VARIABLE, ""),
		"TEXT:1:8: \"pasz\" is an unknown word; did you mean \"pass\"?\n"
		"  share; pasz; deny\n"
		"         ^\n");
}

Test(parse_text, the_caret_is_under_its_place_after_letters_of_utf8)
{
	cr_expect_str_eq(complaint_of("exe=gr\xc3\xbc\xc3\x9f\xe2\x82\xac pasz", PARSE_FILE, ""),
		"TEXT:1:11: \"pasz\" is an unknown word; did you mean \"pass\"?\n"
		"  exe=gr\xc3\xbc\xc3\x9f\xe2\x82\xac pasz\n"
		"            ^\n");
}

Test(parse_text, control_characters_of_the_line_are_not_shown)
{
	cr_expect_str_eq(complaint_of("\texe=\x1b[31m\tpasz", PARSE_FILE, ""),
		"TEXT:1:12: \"pasz\" is an unknown word; did you mean \"pass\"?\n"
		"  ?exe=?[31m?pasz\n"
		"             ^\n");
	cr_expect_str_eq(complaint_of("\x1b[2J", PARSE_FILE, ""),
		"TEXT:1:1: \"?[2J\" is an unknown word; libreuse.conf(5) lists them\n"
		"  ?[2J\n"
		"  ^\n");
}

Test(parse_text, a_line_that_ends_in_crlf_is_shown_without_it)
{
	cr_expect_str_eq(complaint_of("share\r\ntcp pasz\r\n", PARSE_FILE, ""),
		"TEXT:2:5: \"pasz\" is an unknown word; did you mean \"pass\"?\n"
		"  tcp pasz\n"
		"      ^\n");
}

/* The shown line and the caret's place in it, out of the three lines of a complaint. */
static size_t shown_line(const char *complaint, char line[256])
{
	const char *second = strchr(complaint, '\n') + 1, *third = strchr(second, '\n') + 1;
	size_t length = (size_t)(third - second) - 3;

	cr_assert_lt(length, 256);
	memcpy(line, second + 2, length);
	line[length] = '\0';
	return strcspn(third, "^") - 2;
}

Test(parse_text, the_part_of_a_long_line_around_the_caret_is_shown)
{
	for (unsigned before = 0; before < 400; before += 7) {
		char text[1024], line[256];
		memset(text, ' ', sizeof text);
		memcpy(text + before, "pasz", 4);
		memset(text + before + 4, ' ', 500);
		memcpy(text + before + 500, "tcp", 4);
		const char *complaint = complaint_of(text, PARSE_VARIABLE, "");
		size_t caret = shown_line(complaint, line);
		cr_assert_lt(caret, strlen(line));
		cr_expect_eq(memcmp(line + caret, "pasz", 4), 0, "%u: %s", before, complaint);
		cr_expect_leq(strlen(line), 120, "%zu bytes are shown", strlen(line));
	}
}

Test(parse_text, the_end_of_a_long_line_is_shown_if_the_mistake_is_there)
{
	char text[2000], line[256];

	memset(text, ' ', sizeof text);
	memcpy(text, "tcp", 3);
	text[sizeof text - 1] = '\0';
	memcpy(text + sizeof text - 5, "pasz", 4);
	const char *complaint = complaint_of(text, PARSE_FILE, "");
	size_t caret = shown_line(complaint, line);
	cr_expect_str_eq(line + caret, "pasz");
	cr_expect(strncmp(complaint, "TEXT:1:1996: ", 13) == 0, "%s", complaint);
}

static bool is_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		unsigned later = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
		if (*at >= 0x80 && *at < 0xc0)
			return false;
		for (at++; later > 0; later--, at++) {
			if ((*at & 0xc0) != 0x80)
				return false;
		}
	}
	return true;
}

static void add_euros(char *text, unsigned count)
{
	while (count-- > 0)
		strcat(text, "\xe2\x82\xac");
}

/* A log that gets half a character takes the whole line for binary data. */
Test(parse_text, a_long_line_is_never_cut_inside_a_character)
{
	for (unsigned shift = 0; shift < 4; shift++) {
		char text[2048] = "exe=", line[256];
		add_euros(text, 200);
		strcat(text, " pasz exe=");
		strcat(text, &"xxx"[3 - shift]);
		add_euros(text, 200);
		const char *complaint = complaint_of(text, PARSE_FILE, "");
		size_t caret = shown_line(complaint, line);
		cr_expect(is_utf8(complaint), "shifted by %u: %s", shift, complaint);
		/* the caret counts characters */
		const char *at = line;
		for (; caret > 0; at++)
			caret -= (at[1] & 0xc0) != 0x80;
		cr_expect_eq(memcmp(at, "pasz", 4), 0, "shifted by %u: %s", shift, complaint);
	}
}

Test(parse_text, a_long_word_is_never_cut_inside_a_character)
{
	static const char *const starts[] = {"", "port=", "addr=", "share nodelay=", "to="};

	for (unsigned shift = 0; shift < 4; shift++) {
		for (size_t start = 0; start < COUNT_OF(starts); start++) {
			char text[512];
			strcpy(text, starts[start]);
			strcat(text, &"xxx"[3 - shift]);
			add_euros(text, 60);
			struct parsed parsed = parse_file(text);
			cr_assert_eq(parsed.error, -EINVAL);
			cr_expect(
				is_utf8(parsed.complaint.message), "%s", parsed.complaint.message);
		}
	}
}
