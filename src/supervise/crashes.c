/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crashes.h"

bool crashes_note(struct crashes *crashes, unsigned most, int64_t now)
{
	crashes->times_ms[crashes->count++ % CRASHES_MOST] = now;
	if (most == 0 || crashes->count < most)
		return false;
	return now - crashes->times_ms[(crashes->count - most) % CRASHES_MOST] < CRASHES_MS;
}
