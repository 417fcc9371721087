/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "span.h"

bool span_starts_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80; /* not a continuation byte of UTF-8 */
}

int span_shown(struct span span, size_t most)
{
	if (span.length <= most)
		return (int)span.length;
	while (most > 0 && !span_starts_character(span.at[most]))
		most--;
	return (int)most;
}

bool span_next_item(struct span *list, struct span *item)
{
	bool is_quoted = false;
	size_t length = 0;

	if (!list->at)
		return false;
	for (; length < list->length && (is_quoted || list->at[length] != ','); length++)
		is_quoted ^= list->at[length] == '"';
	*item = (struct span){list->at, length};
	if (length == list->length)
		*list = (struct span){NULL, 0};
	else
		*list = (struct span){list->at + length + 1, list->length - length - 1};
	return true;
}

size_t span_count_items(struct span list)
{
	struct span item;
	size_t count = 0;

	while (span_next_item(&list, &item))
		count++;
	return count;
}

size_t span_unquote(struct span item, char *out)
{
	size_t length = 0;

	for (size_t i = 0; i < item.length; i++) {
		if (item.at[i] != '"')
			out[length++] = item.at[i];
	}
	return length;
}

struct short_value span_short(struct span item)
{
	struct short_value value = {.length = 0};

	if (item.length < sizeof value.text)
		value.length = span_unquote(item, value.text);
	return value;
}
