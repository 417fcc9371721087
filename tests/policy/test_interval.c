/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/interval.h"

#include "helpers.h"

#include <criterion/criterion.h>

static uint32_t naive_find(const uint32_t *starts, uint32_t count, uint32_t number)
{
	uint32_t at = 0;

	while (at + 1 < count && starts[at + 1] <= number)
		at++;
	return at;
}

/* For every start, and the numbers beside it, the result is that of checking each start. */
static void expect_found(const uint32_t *starts, uint32_t count, unsigned bits)
{
	uint32_t most = bits == 32 ? UINT32_MAX : (1U << bits) - 1;
	struct arena arena;
	struct interval line;

	cr_assert_eq(arena_open(&arena, 1), 0);
	cr_assert(interval_make(&line, &arena, starts, count, bits));
	cr_expect_eq(interval_find(&line, most), count - 1);
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t number = starts[i] - (starts[i] > 0);
			number <= starts[i] + (starts[i] < most) && number <= most; number++) {
			cr_assert_eq(interval_find(&line, number),
				naive_find(starts, count, number), "%u of %u bits among %u", number,
				bits, count);
			if (number == most)
				break;
		}
	}
	arena_close(&arena);
}

Test(line, a_number_is_found_wherever_the_intervals_are)
{
	static uint32_t even[1000], crowded[1000], late[1000];

	for (uint32_t i = 0; i < 1000; i++) {
		even[i] = i * 65;
		crowded[i] = i;
		late[i] = i ? 64535 + i : 0;
	}
	for (uint32_t count = 1; count <= 1000; count += count < 40 ? 1 : 137) {
		for (unsigned bits = 16; bits <= 32; bits += 16) {
			expect_found(even, count, bits);
			expect_found(crowded, count, bits);
			expect_found(late, count, bits);
		}
	}
}

Test(line, the_ends_of_a_line_are_part_of_it)
{
	expect_found((const uint32_t[]){0, UINT32_MAX}, 2, 32);
	expect_found((const uint32_t[]){0, 1, UINT32_MAX - 1, UINT32_MAX}, 4, 32);
	expect_found((const uint32_t[]){0, 1, 65534, 65535}, 4, 16);
	expect_found((const uint32_t[]){0}, 1, 1);
	expect_found((const uint32_t[]){0, 1}, 2, 1);
}

Test(line, without_memory_no_line_is_made)
{
	static const uint32_t starts[200] = {0};
	struct arena arena = {NULL, 0, 0};
	struct interval line;

	cr_expect_not(interval_make(&line, &arena, starts, 200, 32));
}
