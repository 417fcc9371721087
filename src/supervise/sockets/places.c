/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "places.h"

#include <string.h>

/* Adds a member to its slot. Members of a slot are sorted by inode, because numbers change. */
static void add_member(const struct places_of *of, int *numbers, unsigned *count, unsigned number)
{
	unsigned at = (*count)++;

	while (at > 0 && of->order->members[numbers[at - 1]] > of->order->members[number]) {
		numbers[at] = numbers[at - 1];
		at--;
	}
	numbers[at] = (int)number;
}

/* Whether the member with this number is open, has a slot, and is known to have the number. */
static bool has_place(const struct places_of *of, unsigned number)
{
	return number < of->order->n_known && !of->is_closed[number] &&
	       of->slots[number] < of->n_slots;
}

/* How many members with a place each slot has, and the largest of these counts. */
static unsigned count_members(const struct places_of *of, unsigned *counts)
{
	unsigned most = 0;

	memset(counts, 0, of->n_slots * sizeof *counts);
	for (unsigned i = 0; i < of->order->count; i++) {
		unsigned slot = of->slots[i];
		if (!has_place(of, i))
			continue;
		counts[slot]++;
		most = counts[slot] > most ? counts[slot] : most;
	}
	return most;
}

void places_find(const struct places_of *of, struct steer_places *places, int *numbers)
{
	unsigned counts[STEER_PLACES_MOST];

	*places = (struct steer_places){.numbers = numbers};
	if (!of->n_slots || of->n_slots > STEER_PLACES_MOST)
		return;
	unsigned width = count_members(of, counts);
	if (width == 0 || of->n_slots * width > STEER_PLACES_MOST)
		return;
	places->slots = of->n_slots;
	places->width = width;
	memset(counts, 0, sizeof counts);
	for (unsigned i = 0; i < of->n_slots * width; i++)
		numbers[i] = -1;
	for (unsigned i = 0; i < of->order->count; i++) {
		unsigned slot = of->slots[i];
		if (has_place(of, i))
			add_member(of, numbers + slot * width, &counts[slot], i);
	}
}
