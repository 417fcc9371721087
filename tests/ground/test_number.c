/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ground/number.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

Test(number, a_number_has_only_digits_and_is_up_to_the_limit)
{
	static const struct {
		const char *text;
		int most, number;
	} cases[] = {
		{"0", 0, 0},
		{"7", 7, 7},
		{"8", 7, -1},
		{"00042", 99, 42},
		{"100", 99, -1},
		{"2147483647", INT_MAX, INT_MAX},
		{"2147483648", INT_MAX, -1},
		{"18446744073709551616", INT_MAX, -1},
		{"", INT_MAX, -1},
		{"-1", INT_MAX, -1},
		{"+1", INT_MAX, -1},
		{" 1", INT_MAX, -1},
		{"1 ", INT_MAX, -1},
		{"1\n", INT_MAX, -1},
		{"0x1", INT_MAX, -1},
		{"a", INT_MAX, -1},
		{"1/", INT_MAX, -1},
		{"1:", INT_MAX, -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = cases[i].text;
		cr_expect_eq(
			number_of(text, strlen(text), cases[i].most), cases[i].number, "%s", text);
	}
}

Test(number, a_number_ends_at_the_given_length)
{
	cr_expect_eq(number_of("80:90", 2, INT_MAX), 80);
	cr_expect_eq(number_of("80:90", 3, INT_MAX), -1);
	cr_expect_eq(number_of("80", 0, INT_MAX), -1);
}

Test(number, every_byte_is_a_digit_of_its_base_or_none)
{
	static const char digits[] = "0123456789abcdef";

	for (int c = 1; c < 256; c++) {
		const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c);
		int digit = at ? (int)(at - digits) : -1;
		cr_expect_eq(number_digit((char)c, 16), digit, "%d", c);
		cr_expect_eq(number_digit((char)c, 10), digit < 10 ? digit : -1, "%d", c);
		cr_expect_eq(number_digit((char)c, 8), digit < 8 ? digit : -1, "%d", c);
	}
	cr_expect_eq(number_digit('\0', 16), -1);
}

Test(number, all_64_bits_count)
{
	static const struct {
		const char *text;
		unsigned base;
		uint64_t most, number;
		bool is_one;
	} cases[] = {
		{"18446744073709551615", 10, UINT64_MAX, UINT64_MAX, true},
		{"18446744073709551616", 10, UINT64_MAX, 0, false},
		{"99999999999999999999", 10, UINT64_MAX, 0, false},
		{"ffffffffffffffff", 16, UINT64_MAX, UINT64_MAX, true},
		{"10000000000000000", 16, UINT64_MAX, 0, false},
		{"FfFf", 16, 0xffff, 0xffff, true},
		{"10000", 16, 0xffff, 0, false},
		{"fg", 16, UINT64_MAX, 0, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = cases[i].text;
		uint64_t number;
		bool is_one =
			number_parse(&number, cases[i].base, text, strlen(text), cases[i].most);
		cr_expect_eq(is_one, cases[i].is_one, "%s", text);
		cr_expect(!is_one || number == cases[i].number, "%s", text);
	}
}
