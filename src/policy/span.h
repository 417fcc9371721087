/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splits a part of a text, and a list in it. All functions are pure. */
#ifndef POLICY_SPAN_H
#define POLICY_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *at;
	size_t length;
};

#define SHORT_MAX 64 /* bytes; every number, address or errno name is shorter */

struct short_value {
	char text[SHORT_MAX];
	size_t length;
};

/* Whether this byte is the first one of a character in UTF-8. */
bool span_starts_character(char byte);

/* How many bytes of the text to show in a message: MOST, or less, so that no character is cut. */
int span_shown(struct span span, size_t most);

/*
 * Takes the next item from a list, up to a comma outside quotes; returns false after the last one.
 */
bool span_next_item(struct span *list, struct span *item);

size_t span_count_items(struct span list);

/* Copies ITEM without its quotation marks; returns the length. */
size_t span_unquote(struct span item, char *out);

/* A value that is not free text; empty if it is too long to be valid. */
struct short_value span_short(struct span item);

#endif
