/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ground/arena.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Whether the kernel could write there; unlike a write of our own, a failure raises no signal. */
static bool is_writable(void *place)
{
	int ends[2];
	char byte = 'x';

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], &byte, 1), 1);
	ssize_t got = read(ends[0], place, 1);
	close(ends[0]);
	close(ends[1]);
	cr_assert(got == 1 || errno == EFAULT);
	return got == 1;
}

Test(arena, memory_that_is_taken_is_zero_and_aligned_and_does_not_overlap)
{
	struct arena arena;
	char *taken[100];

	cr_assert_eq(arena_open(&arena, 100000), 0);
	for (size_t i = 0; i < 100; i++) {
		taken[i] = arena_take(&arena, i, 3);
		cr_assert_not_null(taken[i]);
		cr_expect_eq((uintptr_t)taken[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < 3 * i; j++)
			cr_assert_eq(taken[i][j], 0, "item %zu overlaps an earlier one", i);
		memset(taken[i], 0xff, 3 * i);
	}
	arena_close(&arena);
}

Test(arena, no_more_is_given_than_was_reserved)
{
	struct arena arena;
	size_t total = 0;

	cr_assert_eq(arena_open(&arena, 1), 0);
	while (arena_take(&arena, 1, 1024))
		total += 1024;
	cr_expect_leq(total, arena.size);
	cr_expect_geq(total, 1);
	cr_expect_null(arena_take(&arena, 1, 1024));
	arena_close(&arena);
}

Test(arena, a_product_that_overflows_is_refused)
{
	struct arena arena;

	cr_assert_eq(arena_open(&arena, 4096), 0);
	cr_expect_null(arena_take(&arena, SIZE_MAX / 2 + 1, 2));
	cr_expect_null(arena_take(&arena, 2, SIZE_MAX / 2 + 1));
	cr_expect_null(arena_take(&arena, SIZE_MAX, 1));
	cr_expect_not_null(arena_take(&arena, 1, 1));
	arena_close(&arena);
}

Test(arena, nothing_can_be_taken_before_it_is_open)
{
	struct arena arena = {.base = NULL};

	cr_expect_null(arena_take(&arena, 1, 1));
}

Test(arena, a_sealed_arena_is_read_only_and_keeps_what_it_holds)
{
	struct arena arena;

	cr_assert_eq(arena_open(&arena, 1 << 20), 0);
	char *first = arena_take(&arena, 1, 100000);
	char *second = arena_take(&arena, 1, 16);
	strcpy(second, "kept");
	cr_expect(is_writable(first));
	arena_seal(&arena);
	cr_expect_not(is_writable(first));
	cr_expect_not(is_writable(second));
	cr_expect_str_eq(second, "kept");
	arena_close(&arena);
}

Test(arena, a_closed_arena_is_unmapped)
{
	struct arena arena;

	cr_assert_eq(arena_open(&arena, 1 << 20), 0);
	char *place = arena_take(&arena, 1, 16);
	arena_seal(&arena);
	arena_close(&arena);
	cr_expect_not(is_writable(place));
	cr_expect_null(arena.base);
	arena_close(&arena); /* once more does nothing */
}

Test(arena, without_address_space_opening_fails_and_errno_stays)
{
	struct arena arena;
	struct rlimit limit, none;

	cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
	none = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = limit.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
	errno = EXDEV;
	int error = arena_open(&arena, 1 << 24);
	int errno_left = errno;
	setrlimit(RLIMIT_AS, &limit);
	cr_expect_eq(error, -ENOMEM);
	cr_expect_eq(errno_left, EXDEV);
}
