/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "holders.h"

#include <stdlib.h>

bool holders_own(const struct holder *list, const struct copy *copy)
{
	while (list && (list->copy != copy || list->is_claim))
		list = list->next;
	return list != NULL;
}

bool holders_have(const struct holder *list, const struct copy *copy)
{
	while (list && list->copy != copy)
		list = list->next;
	return list != NULL;
}

bool holders_any_owns(const struct holder *list)
{
	while (list && list->is_claim)
		list = list->next;
	return list != NULL;
}

bool holders_any_serves(const struct holder *list)
{
	while (list && (list->is_claim || list->copy->state != COPY_READY || list->copy->is_over))
		list = list->next;
	return list != NULL;
}

bool holders_add(struct holder **list, struct copy *copy, bool is_claim)
{
	struct holder *new;

	if (holders_have(*list, copy))
		return true;
	new = malloc(sizeof *new);
	if (!new)
		return false;
	*new = (struct holder){*list, copy, is_claim};
	*list = new;
	return true;
}

static void strike(struct holder **at)
{
	struct holder *holder = *at;

	*at = holder->next;
	free(holder);
}

void holders_promote(struct holder **list, const struct copy *copy)
{
	bool is_claimed = holders_have(*list, copy) && !holders_own(*list, copy);

	if (!is_claimed)
		return;
	for (struct holder **at = list; *at;) {
		struct holder *holder = *at;
		if (holder->copy == copy)
			holder->is_claim = false;
		if (copy->is_successor && !holder->is_claim && !holder->copy->is_new)
			strike(at);
		else
			at = &holder->next;
	}
}

bool holders_strike(struct holder **list, const struct copy *copy, bool is_claim)
{
	for (struct holder **at = list; *at; at = &(*at)->next) {
		if ((*at)->copy != copy || (*at)->is_claim != is_claim)
			continue;
		strike(at);
		return true;
	}
	return false;
}

void holders_free(struct holder **list)
{
	while (*list)
		strike(list);
}
