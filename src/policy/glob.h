/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matches shell globs, without the locale that fnmatch(3) would consult. */
#ifndef POLICY_GLOB_H
#define POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the whole of TEXT matches PATTERN (LENGTH bytes): "*", "?", "[a-z]", "[!a-z]", and a
 * backslash before a character that is meant literally. The first four do not match a slash, as in
 * file names (glob(7)). It compares bytes. A bracket that is never closed is meant literally. Pure
 * and async-signal-safe; the time is at most proportional to the product of both lengths.
 */
bool glob_matches(const char *pattern, size_t length, const char *text);

#endif
