/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "user.h"

#include "procfs.h"

/* Reads the next decimal number of TEXT; false when there is none. */
static bool next_number(const char **text, uint64_t *number)
{
	while (**text == ' ' || **text == '\n')
		++*text;
	if (**text < '0' || **text > '9')
		return false;
	for (*number = 0; **text >= '0' && **text <= '9'; ++*text)
		*number = *number * 10 + (uint64_t)(**text - '0');
	return true;
}

enum user_number user_number_of(uid_t user)
{
	char map[1024];
	uint64_t inside, outside, count, all = 0;
	bool is_mapped = false;

	if (user != OVERFLOW_UID)
		return USER_KNOWN;
	if (procfs_read(PROCFS_SELF, "uid_map", map, sizeof map) < 0)
		return USER_KNOWN;
	for (const char *at = map; next_number(&at, &inside) && next_number(&at, &outside) &&
				   next_number(&at, &count);) {
		is_mapped |= OVERFLOW_UID >= inside && OVERFLOW_UID - inside < count;
		all += count;
	}
	/* (uid_t)-1 is no user. */
	return all >= UINT32_MAX ? USER_KNOWN : is_mapped ? USER_UNCLEAR : USER_UNKNOWN;
}
