/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nearest.h"

#include "ground/compare.h"

#define WORD_MAX 32 /* bytes; a longer word is not a typing error */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many edits turn A into B; a swap of two neighbours is one (optimal string alignment). */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][WORD_MAX + 1];

	for (unsigned j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_length; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
			 *before = rows[(i + 1) % 3];
		row[0] = i;
		for (unsigned j = 1; j <= b_length; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
				above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

struct nearest nearest_to(const char *typed, size_t length)
{
	return (struct nearest){
		.typed = typed,
		.length = length,
		.distance = length > WORD_MAX ? 0 : (unsigned)length / 3 + 2,
	};
}

void nearest_try(struct nearest *nearest, const char *word)
{
	size_t length = string_length(word);

	if (nearest->length > WORD_MAX || length > WORD_MAX)
		return;
	unsigned edits = distance(nearest->typed, nearest->length, word, length);
	if (edits < nearest->distance && edits < length) {
		nearest->distance = edits;
		nearest->word = word;
	}
}
