/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares strings inline: no symbol to look up, no locale. */
#ifndef GROUND_COMPARE_H
#define GROUND_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

static inline size_t string_length(const char *string)
{
	size_t length = 0;

	while (string[length])
		length++;
	return length;
}

/* The first byte C among LENGTH bytes, or NULL. */
static inline const char *string_find(const char *bytes, char c, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == c)
			return bytes + i;
	}
	return NULL;
}

/* Whether STRING starts with PREFIX. */
static inline bool string_starts(const char *string, const char *prefix)
{
	while (*prefix && *string == *prefix) {
		string++;
		prefix++;
	}
	return *prefix == '\0';
}

static inline bool string_equals(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Whether the LENGTH bytes at BYTES are NAME. */
static inline bool string_is(const char *bytes, size_t length, const char *name)
{
	for (size_t i = 0; i < length; i++, name++) {
		if (*name == '\0' || bytes[i] != *name)
			return false;
	}
	return *name == '\0';
}

/* Whether LENGTH bytes at A are those at B. */
static inline bool string_same(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

/* The length of STRING up to STOP, or up to its end. */
static inline size_t string_until(const char *string, char stop)
{
	size_t length = 0;

	while (string[length] && string[length] != stop)
		length++;
	return length;
}

#endif
