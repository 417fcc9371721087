/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inherit.h"

#include "ground/compare.h"
#include "policy/variable.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PRELOAD "LD_PRELOAD="
#define LIBRARY "libreuse.so"

/* The separators of the entries of LD_PRELOAD, ld.so(8). */
static bool splits(char c)
{
	return c == ' ' || c == ':';
}

static bool names_us(const char *path, size_t length)
{
	size_t name = sizeof LIBRARY - 1;

	return length >= name && memcmp(path + length - name, LIBRARY, name) == 0 &&
	       (length == name || path[length - name - 1] == '/');
}

/* Cuts our entry out of the list, in place; returns whether anything is left. */
static bool cut_us_out(char *list)
{
	char *kept = list;

	for (const char *at = list; *at;) {
		size_t length = 0;
		while (at[length] && !splits(at[length]))
			length++;
		bool is_kept = !names_us(at, length);
		while (splits(at[length]))
			length++;
		for (; length > 0; length--, at++) {
			*kept = *at;
			kept += is_kept;
		}
	}
	*kept = '\0';
	return kept > list;
}

void inherit_stop(char **environment)
{
	char **kept = environment;

	if (!environment)
		return;
	for (; *environment; environment++) {
		bool is_preload = string_starts(*environment, PRELOAD);
		if (is_preload ? cut_us_out(*environment + sizeof PRELOAD - 1)
			       : !variable_is_ours(*environment))
			*kept++ = *environment;
	}
	*kept = NULL;
}
