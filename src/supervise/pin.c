/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pin.h"

#include <errno.h>
#include <sched.h>

/* ALLOWED has at least one CPU. */
static unsigned cpu_at(const cpu_set_t *allowed, unsigned place)
{
	unsigned left = place % (unsigned)CPU_COUNT(allowed);
	unsigned cpu = 0;

	for (;; cpu++) {
		if (CPU_ISSET(cpu, allowed) && left-- == 0)
			return cpu;
	}
}

int pin_to_place(unsigned place)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
		return -errno;
	unsigned cpu = cpu_at(&allowed, place);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof one, &one) < 0 ? -errno : (int)cpu;
}
