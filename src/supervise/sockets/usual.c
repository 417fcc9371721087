/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usual.h"

#include "pinned_group.h"
#include "slots.h"

/*
 * A datagram belongs to no connection. The kernel's own choice changes with each member that joins
 * or leaves, so we assign each flow to a copy, with which it stays.
 */
static const struct steer by_flow = {STEER_SOURCE_PORT, 32, 128}, by_chance = {STEER_RANDOM, 0, 0};

const struct steer *usual_without_rule(const struct steered *steered)
{
	return steered_is_udp(steered) ? &by_flow : &by_chance;
}

const struct steer *usual_choice(const struct policy *policy, const struct steered *steered)
{
	const struct rule *rule = policy_decide(policy, VIEW_BOUND, &steered->group.place.local);
	const struct steer *steer = rule && rule->actions.has_steer ? &rule->actions.steer : NULL;
	bool is_udp = steered_is_udp(steered);

	if (!steer)
		return is_udp && slots_are_several(&steered->group) ? &by_flow : NULL;
	if (pinned_group_is_for(steered, steer))
		return steer;
	if (steer->mode == STEER_LEAST || (steer->mode == STEER_FLOW && is_udp))
		return usual_without_rule(steered);
	return steer->mode == STEER_HASH || steer->mode == STEER_FLOW ? NULL : steer;
}
