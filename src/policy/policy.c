/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy.h"

#include "index_build.h"

#define LINEAR_MOST 8 /* rules; checking so few is faster than hashing */

/* For rules, a socket that was never bound listens on port 0 of the wildcard address. */
static bool may_match_port_0(const struct match *match)
{
	for (uint32_t i = 0; i < match->n_ports; i++) {
		if (match->ports[i].first == 0)
			return true;
	}
	return match->n_ports == 0;
}

static bool matters_to_listen(const struct rule *rule)
{
	const struct actions *actions = &rule->actions;

	bool does_more_than_share = actions->deny || actions->adopt || actions->to.has_address ||
				    actions->to.has_port || actions->n_settings > 0;

	return actions->exclusive || actions->has_backlog || actions->keep || actions->has_steer ||
	       (does_more_than_share && may_match_port_0(&rule->match));
}

void policy_make(struct policy *policy, struct arena *arena, const struct rule *rules, size_t count)
{
	policy->rules = rules;
	policy->count = count;
	for (size_t i = 0; i < count; i++) {
		bool is_connect = rules[i].match.is_connect;
		policy->has_connect |= is_connect;
		policy->has_listen |= !is_connect && matters_to_listen(&rules[i]);
		policy->has_early |= rules[i].actions.early;
		policy->has_keep |= rules[i].actions.keep;
		policy->has_once |= rules[i].actions.once;
		policy->has_guard |= rule_protects(&rules[i]);
		policy->has_scope |= rule_has_scope(&rules[i]);
	}
	policy->is_special |=
		policy->broken || policy->notice || policy->is_explained || policy->has_keep;
	policy->has_listen |= policy->is_special;
	policy->has_connect |= policy->is_special;
	policy->has_early |= policy->is_explained;
	for (enum view view = 0; count > LINEAR_MOST && view < VIEW_COUNT; view++) {
		if ((view == VIEW_BOUND && !policy->has_listen) ||
			(view == VIEW_CONNECT && !policy->has_connect))
			continue;
		policy->views[view] = index_build(arena, view, rules, count);
	}
}

const struct rule *policy_decide_scoped(const struct policy *policy, enum view view,
	const struct endpoint *endpoint, const struct rule *found)
{
	const struct rule *end = found ? found : policy->rules + policy->count;

	for (const struct rule *rule = policy->rules; rule < end; rule++) {
		if (rule_has_scope(rule) && view_matches(view, rule, endpoint))
			return rule;
	}
	return found;
}

const struct rule *policy_decide_early(const struct policy *policy, const struct endpoint *socket)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct match *match = &rule->match;
		/* It is not known yet whether a rule with an address or a port will decide. */
		if (match->is_connect || match->n_ports || match->n_prefixes)
			continue;
		if (match_holds_kind(match, socket))
			return rule->actions.early ? rule : NULL;
	}
	return NULL;
}

bool policy_shares(const struct policy *policy)
{
	for (size_t i = 0; i < policy->count; i++) {
		if (!policy->rules[i].match.is_connect && rule_shares(&policy->rules[i]))
			return true;
	}
	return false;
}

/* A bound socket stays where it is; there the rule can only keep others from joining it. */
static bool protects_in(enum view view, const struct rule *rule)
{
	return view == VIEW_BOUND ? rule->actions.exclusive : rule_protects(rule);
}

bool policy_may_protect(
	const struct policy *policy, enum view view, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];
		if (!view_matches(view, rule, endpoint))
			continue;
		if (protects_in(view, rule))
			return true;
		if (rule->match.protocols == 0)
			return false;
	}
	return false;
}

bool policy_guards_apart(
	const struct policy *policy, enum view view, const struct endpoint *endpoint)
{
	struct endpoint other = *endpoint;

	other.protocol = PROTOCOL_OTHER;
	const struct rule *one = policy_decide(policy, view, endpoint);
	const struct rule *two = policy_decide(policy, view, &other);
	return one != two && ((one && rule_protects(one)) || (two && rule_protects(two)));
}

bool policy_protects_listen(const struct policy *policy)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];
		/* Every other rule that protects was applied at bind(), except for port 0. */
		if (!rule->match.is_connect && rule_protects(rule) &&
			(rule->actions.exclusive || may_match_port_0(&rule->match)))
			return true;
	}
	return false;
}
