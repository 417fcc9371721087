/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/pin.h"

#include <criterion/criterion.h>
#include <sched.h>

static cpu_set_t allowed(void)
{
	cpu_set_t set;

	cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
	return set;
}

/* The number of the CPU at that place. */
static int cpu_of(cpu_set_t set, int place)
{
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &set) && place-- == 0)
			return (int)cpu;
	}
	return -1;
}

/* From all that were allowed to one, and back. */
Test(pin, each_place_has_its_cpu_and_after_the_last_comes_the_first)
{
	cpu_set_t before = allowed();
	int count = CPU_COUNT(&before);

	for (int place = 0; place < 2 * count; place++) {
		int cpu = pin_to_place((unsigned)place);
		cpu_set_t now = allowed();
		cr_expect_eq(cpu, cpu_of(before, place % count), "place %d", place);
		cr_expect_eq(CPU_COUNT(&now), 1);
		cr_expect(CPU_ISSET((unsigned)cpu, &now));
		cr_expect_eq(sched_getcpu(), cpu);
		cr_assert_eq(sched_setaffinity(0, sizeof before, &before), 0);
	}
}

Test(pin, a_cpu_that_is_not_allowed_is_never_used)
{
	cpu_set_t before = allowed(), last;
	int cpu = cpu_of(before, CPU_COUNT(&before) - 1);

	CPU_ZERO(&last);
	CPU_SET((unsigned)cpu, &last);
	cr_assert_eq(sched_setaffinity(0, sizeof last, &last), 0);
	for (unsigned place = 0; place < 4; place++)
		cr_expect_eq(pin_to_place(place), cpu);
}
