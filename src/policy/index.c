/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "index.h"

#define NONE UINT32_MAX

static inline uint32_t node_at(const struct index *index, const struct address *address)
{
	const struct address *at = index->starts;

	if (address_is_ip4(address))
		return index->nodes_at[index->ip4_at +
				       interval_find(&index->ip4, (uint32_t)address->low)];
	for (uint32_t count = index->n_starts; count > 1;) {
		uint32_t half = count / 2;
		at += address_is_up_to(&at[half], address) ? half : 0;
		count -= half;
	}
	return index->nodes_at[at - index->starts];
}

const struct rule *index_find(const struct index *index, const struct endpoint *endpoint)
{
	uint32_t class = index->classes[endpoint->family][endpoint->protocol];
	uint32_t best = NONE;

	if (class == 0)
		return NULL;
	for (uint32_t number = node_at(index, &endpoint->address);;) {
		const struct node *node = &index->nodes[number];
		if (node->least >= best)
			break;
		uint32_t interval = node->intervals + interval_find(&node->ports, endpoint->port);
		uint32_t rule = index->first_rules[interval * index->n_classes + class - 1];
		if (rule - 1 < best) /* none: never */
			best = rule - 1;
		if (number == 0)
			break;
		number = node->parent;
	}
	return best == NONE ? NULL : &index->rules[best];
}
