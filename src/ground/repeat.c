/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "repeat.h"

/* FNV-1a; never 0, which marks a place without a line. */
static uint64_t hash_of(const char *line)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *line; line++)
		hash = (hash ^ (unsigned char)*line) * 0x100000001b3;
	return hash ? hash : 1;
}

bool repeat_is_due(struct repeats *repeats, const char *line, int64_t now_ms, unsigned *left_out)
{
	uint64_t hash = hash_of(line);
	struct repeat *repeat = &repeats->lines[hash % REPEAT_LINES_MOST];
	bool is_known = repeat->hash == hash;

	*left_out = 0;
	if (is_known && now_ms - repeat->written_ms < REPEAT_MS) {
		repeat->left_out++;
		return false;
	}
	unsigned count = atomic_exchange(&repeat->left_out, 0);
	*left_out = is_known ? count : 0;
	repeat->written_ms = now_ms;
	repeat->hash = hash;
	return true;
}
