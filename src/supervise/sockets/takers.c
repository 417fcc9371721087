/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "takers.h"

#include <stdlib.h>

bool takers_own(const struct taker *list, const struct copy *copy)
{
	while (list && (list->copy != copy || list->is_claim))
		list = list->next;
	return list != NULL;
}

bool takers_have(const struct taker *list, const struct copy *copy)
{
	while (list && list->copy != copy)
		list = list->next;
	return list != NULL;
}

bool takers_any_owns(const struct taker *list)
{
	while (list && list->is_claim)
		list = list->next;
	return list != NULL;
}

static bool serves(const struct taker *taker)
{
	return !taker->is_claim && taker->copy->state == COPY_READY && !taker->copy->is_over;
}

bool takers_any_stays(const struct taker *list)
{
	while (list && (list->copy->state > COPY_READY || list->copy->is_over))
		list = list->next;
	return list != NULL;
}

static bool accepts(const struct copy *copy)
{
	return copy->state < COPY_STOPPING && !copy->is_over && !copy->has_failed;
}

bool takers_any_accepts(const struct taker *list)
{
	while (list && !accepts(list->copy))
		list = list->next;
	return list != NULL;
}

bool takers_any_drains(const struct taker *list)
{
	while (list &&
		(list->is_claim || list->copy->state != COPY_DRAINING || !accepts(list->copy)))
		list = list->next;
	return list != NULL;
}

bool takers_any_leaves(const struct taker *list)
{
	while (list && (list->copy->state == COPY_STOPPING || !list->copy->is_over))
		list = list->next;
	return list != NULL;
}

bool takers_other_lives(const struct taker *list, const struct copy *copy)
{
	while (list && (list->is_claim || list->copy == copy || list->copy->is_over))
		list = list->next;
	return list != NULL;
}

bool takers_any_serves(const struct taker *list)
{
	while (list && !serves(list))
		list = list->next;
	return list != NULL;
}

bool takers_any_is_well(const struct taker *list)
{
	while (list && (!serves(list) || list->copy->is_failing))
		list = list->next;
	return list != NULL;
}

bool takers_add(struct taker **list, struct copy *copy, bool is_claim)
{
	struct taker *new;

	if (takers_have(*list, copy))
		return true;
	new = malloc(sizeof *new);
	if (!new)
		return false;
	*new = (struct taker){*list, copy, is_claim};
	*list = new;
	return true;
}

static void strike(struct taker **at)
{
	struct taker *taker = *at;

	*at = taker->next;
	free(taker);
}

void takers_promote(struct taker **list, const struct copy *copy)
{
	bool is_claimed = takers_have(*list, copy) && !takers_own(*list, copy);

	if (!is_claimed)
		return;
	for (struct taker **at = list; *at;) {
		struct taker *taker = *at;
		if (taker->copy == copy)
			taker->is_claim = false;
		if (copy->is_successor && !taker->is_claim && !taker->copy->is_new)
			strike(at);
		else
			at = &taker->next;
	}
}

bool takers_strike(struct taker **list, const struct copy *copy, bool is_claim)
{
	for (struct taker **at = list; *at; at = &(*at)->next) {
		if ((*at)->copy != copy || (*at)->is_claim != is_claim)
			continue;
		strike(at);
		return true;
	}
	return false;
}

void takers_free(struct taker **list)
{
	while (*list)
		strike(list);
}
