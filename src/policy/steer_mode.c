/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steer_mode.h"

#include "ground/compare.h"
#include "ground/number.h"

#include <errno.h>

#define IP4_BITS      32
#define IP6_BITS      128
#define PREFIX_DIGITS 3 /* at most */

static const char names[STEER_MODES][8] = {
	[STEER_HASH] = "hash",
	[STEER_RANDOM] = "random",
	[STEER_CPU] = "cpu",
	[STEER_SOURCE] = "source",
	[STEER_LEAST] = "least",
	[STEER_FLOW] = "flow",
};

int steer_mode_parse(struct steer *steer, const char *text, size_t length)
{
	const char *slash = string_find(text, '/', length);
	size_t name_length = slash ? (size_t)(slash - text) : length;
	uint8_t mode = STEER_HASH;

	while (mode < STEER_MODES && !string_is(text, name_length, names[mode]))
		mode++;
	*steer = (struct steer){.mode = mode, .ip4_prefix = IP4_BITS, .ip6_prefix = IP6_BITS};
	if (mode == STEER_MODES || (slash && mode != STEER_SOURCE))
		return -EINVAL;
	if (!slash)
		return 0;
	size_t digits = length - name_length - 1;
	int prefix = digits <= PREFIX_DIGITS ? number_of(slash + 1, digits, IP6_BITS) : -1;
	if (prefix <= 0)
		return -EINVAL;
	*(prefix > IP4_BITS ? &steer->ip6_prefix : &steer->ip4_prefix) = (uint8_t)prefix;
	return 0;
}

void steer_mode_print(struct text *text, const struct steer *steer)
{
	bool is_ip6 = steer->ip4_prefix == IP4_BITS;
	unsigned prefix = is_ip6 ? steer->ip6_prefix : steer->ip4_prefix;

	text_format(text, "%s", names[steer->mode]);
	if (steer->mode == STEER_SOURCE && prefix < IP6_BITS)
		text_format(text, "/%u", prefix);
}
