/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classes.h"

unsigned classes_kind_of(const struct match *match)
{
	return match->families * 8U + (match->protocols & 7U);
}

/* Which of the kinds that rules have apply to this family and protocol. */
static uint32_t kinds_for(uint32_t present, uint8_t family, uint8_t protocol)
{
	const struct endpoint endpoint = {.family = family, .protocol = protocol};
	uint32_t kinds = 0;

	for (unsigned kind = 0; kind < INDEX_FAMILIES * 8U; kind++) {
		const struct match match = {
			.families = (uint8_t)(kind / 8), .protocols = (uint8_t)(kind % 8)};
		if (present >> kind & 1 && match_holds_kind(&match, &endpoint))
			kinds |= 1U << kind;
	}
	return kinds;
}

static uint8_t class_for(struct index *index, struct classes *classes, uint32_t kinds)
{
	uint32_t class = 0;

	if (kinds == 0)
		return 0;
	while (class < index->n_classes && classes->kinds[class] != kinds)
		class ++;
	if (class == index->n_classes)
		classes->kinds[index->n_classes++] = kinds;
	return (uint8_t)(class + 1);
}

void classes_make(struct index *index, struct classes *classes)
{
	static const uint8_t protocols[] = {
		PROTOCOL_UNKNOWN, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_OTHER};

	for (uint8_t family = FAMILY_IP4; family <= FAMILY_IP6; family++) {
		for (size_t i = 0; i < sizeof protocols; i++)
			index->classes[family][protocols[i]] = class_for(index, classes,
				kinds_for(classes->kinds_present, family, protocols[i]));
	}
}
