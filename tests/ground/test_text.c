/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ground/text.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static char buffer[64];
static struct text text;

static void start(void)
{
	memset(buffer, 'x', sizeof buffer);
	text_start(&text, buffer, sizeof buffer);
}

TestSuite(text, .init = start);

Test(text, a_new_text_is_empty)
{
	cr_expect_str_eq(text.bytes, "");
	cr_expect_eq(text.length, 0);
	cr_expect_not(text.truncated);
}

Test(text, added_text_comes_after_the_text_before)
{
	text_add(&text, "ab", 2);
	text_add(&text, "", 0);
	text_add(&text, "cdef", 1);
	cr_expect_str_eq(text.bytes, "abc");
	cr_expect_eq(text.length, 3);
	cr_expect_not(text.truncated);
}

Test(text, exactly_what_fits_is_not_truncated)
{
	text_start(&text, buffer, 4);
	text_add(&text, "abc", 3);
	cr_expect_str_eq(text.bytes, "abc");
	cr_expect_not(text.truncated);
}

Test(text, what_does_not_fit_is_dropped_and_marked)
{
	text_start(&text, buffer, 4);
	text_add(&text, "abcd", 4);
	cr_expect_str_eq(text.bytes, "abc");
	cr_expect_eq(text.length, 3);
	cr_expect(text.truncated);
	cr_expect_eq(buffer[4], 'x', "a byte after the buffer was written");
	text_add(&text, "e", 1);
	cr_expect_str_eq(text.bytes, "abc");
}

Test(text, a_buffer_of_one_byte_holds_the_empty_text)
{
	text_start(&text, buffer, 1);
	text_format(&text, "%d", 7);
	cr_expect_str_eq(text.bytes, "");
	cr_expect(text.truncated);
	cr_expect_eq(buffer[1], 'x');
}

#define EXPECT_AS_PRINTF(...)                                                                      \
	do {                                                                                       \
		char expected[sizeof buffer];                                                      \
		snprintf(expected, sizeof expected, __VA_ARGS__);                                  \
		text_start(&text, buffer, sizeof buffer);                                          \
		text_format(&text, __VA_ARGS__);                                                   \
		cr_expect_str_eq(text.bytes, expected, "%s", expected);                            \
	} while (0)

Test(text, every_conversion_prints_as_printf_does)
{
	EXPECT_AS_PRINTF("plain");
	EXPECT_AS_PRINTF("<%s><%s>", "a string", "");
	EXPECT_AS_PRINTF("<%.*s><%.*s>", 3, "abcdef", 0, "abc");
	EXPECT_AS_PRINTF("%c%c", 'x', 'y');
	EXPECT_AS_PRINTF("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
	EXPECT_AS_PRINTF("%u %u", 0U, UINT_MAX);
	EXPECT_AS_PRINTF("%ju %ju", (uintmax_t)0, UINTMAX_MAX);
	EXPECT_AS_PRINTF("%x %x %x", 0U, 0xabcdef09U, UINT_MAX);
	EXPECT_AS_PRINTF("100%%, %s", "and on");
}

Test(text, a_null_string_appends_nothing)
{
	const char *volatile none = NULL; /* or the compiler takes it for printf(3), and objects */

	text_format(&text, "<%s>", none);
	cr_expect_str_eq(text.bytes, "<>");
}

Test(text, a_string_with_its_length_needs_no_nul)
{
	const char letters[3] = {'a', 'b', 'c'};

	text_format(&text, "%.*s.", 3, letters);
	cr_expect_str_eq(text.bytes, "abc.");
}

Test(text, control_characters_are_replaced)
{
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool is_control = c < 0x20 || c == 0x7f;
		text_start(&text, buffer, sizeof buffer);
		text_add_printable(&text, &byte, 1);
		cr_expect_eq(text.length, 1);
		cr_expect_eq(text.bytes[0], is_control ? '?' : byte, "byte 0x%02x", (unsigned)c);
	}
}

Test(text, letters_of_utf8_pass)
{
	text_add_printable(&text, "gr\xc3\xbc\xc3\x9f\x1b[31m", 11);
	cr_expect_str_eq(text.bytes, "gr\xc3\xbc\xc3\x9f?[31m");
}

Test(text, a_whole_text_is_printed_at_once)
{
	text_print(buffer, sizeof buffer, "copy %u: %s", 7U, "is ready");
	cr_expect_str_eq(buffer, "copy 7: is ready");
	text_print(buffer, 5, "%d", 123456);
	cr_expect_str_eq(buffer, "1234");
	cr_expect_eq(buffer[5], '7', "it has written beyond its end");
}
