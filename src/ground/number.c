/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "number.h"

int number_digit(char c, unsigned base)
{
	char lower = (char)(c | 0x20);
	int digit = c >= '0' && c <= '9'	   ? c - '0'
		    : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
						   : -1;

	return digit < (int)base ? digit : -1;
}

bool number_parse(uint64_t *number, unsigned base, const char *text, size_t length, uint64_t most)
{
	*number = 0;
	for (size_t i = 0; i < length; i++) {
		int digit = number_digit(text[i], base);
		if (digit < 0 || __builtin_mul_overflow(*number, base, number) ||
			__builtin_add_overflow(*number, (unsigned)digit, number) || *number > most)
			return false;
	}
	return length > 0;
}

int number_of(const char *text, size_t length, int most)
{
	uint64_t number;

	return number_parse(&number, 10, text, length, (uint64_t)most) ? (int)number : -1;
}
