/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glob.h"

/* The place after the bracket expression that starts at AT, or NULL if it is never closed. */
static const char *bracket_end(const char *at, const char *end)
{
	const char *first = at + 1;

	if (first < end && *first == '!')
		first++;
	for (const char *close = first + 1; close < end; close++) {
		if (*close == ']')
			return close + 1;
	}
	return NULL;
}

/* Whether C is in the bracket expression from AT up to END, brackets included. */
static bool bracket_has(const char *at, const char *end, unsigned char c)
{
	bool is_negated = at[1] == '!';
	bool is_found = false;

	for (const char *item = at + 1 + is_negated; item < end - 1; item++) {
		unsigned char low = (unsigned char)*item, high = low;
		if (item + 2 < end - 1 && item[1] == '-') {
			high = (unsigned char)item[2];
			item += 2;
		}
		is_found |= c >= low && c <= high;
	}
	return is_found != is_negated;
}

/* Matches one character; returns where the pattern continues, or NULL. */
static const char *step(const char *at, const char *end, char c)
{
	const char *behind;

	if (at == end)
		return NULL;
	if (*at == '?')
		return c == '/' ? NULL : at + 1;
	if (*at == '[' && (behind = bracket_end(at, end)))
		return c != '/' && bracket_has(at, behind, (unsigned char)c) ? behind : NULL;
	if (*at == '\\' && at + 1 < end)
		at++;
	return *at == c ? at + 1 : NULL;
}

bool glob_matches(const char *pattern, size_t length, const char *text)
{
	const char *at = pattern, *end = pattern + length;
	const char *after_star = NULL, *tried = NULL;

	while (*text) {
		if (at < end && *at == '*') {
			after_star = ++at;
			tried = text;
			continue;
		}
		const char *next = step(at, end, *text);
		if (next) {
			at = next;
			text++;
			continue;
		}
		/* Let the last star match one character more; no earlier star can help. */
		if (!after_star || *tried == '/')
			return false;
		at = after_star;
		text = ++tried;
	}
	while (at < end && *at == '*')
		at++;
	return at == end;
}
