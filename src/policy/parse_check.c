/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parser.h"

#include "ground/compare.h"

static const char *option_place(const struct parser *parser, const char *name)
{
	return parser->seen_option[sockopt_find(name, string_length(name)) - sockopt_table];
}

static bool option_is(const struct parser *parser, const char *name, bool is_on)
{
	const struct actions *actions = &parser->rule.actions;

	for (uint32_t i = 0; i < actions->n_settings; i++) {
		if (string_equals(parser->settings[i].option->name, name))
			return parser->settings[i].is_on == is_on;
	}
	return false;
}

static int check_alone(struct parser *parser, enum word word)
{
	if (!parser->seen[word])
		return 0;
	for (unsigned other = FIRST_ACTION; other < WORD_COUNT; other++) {
		if (other != word && other != WORD_EARLY && parser->seen[other])
			return parser_fail(parser, parser->seen[other],
				"\"%s\" cannot be combined with \"%s\"", word_forms[other].name,
				word_forms[word].name);
	}
	if (parser->rule.actions.n_settings)
		return parser_fail(parser, parser->first_action,
			"\"%s\" cannot be combined with a socket option", word_forms[word].name);
	return 0;
}

static int check_sharing(struct parser *parser)
{
	const struct actions *actions = &parser->rule.actions;

	if (actions->share && actions->exclusive)
		return parser_fail(parser, parser->seen[WORD_EXCLUSIVE],
			"\"exclusive\" contradicts \"share\"");
	if (actions->exclusive && option_is(parser, "reuseport", true))
		return parser_fail(parser, option_place(parser, "reuseport"),
			"\"reuseport\" contradicts \"exclusive\"");
	if (actions->exclusive && parser->rule.match.protocols == PROTOCOL_UDP &&
		option_is(parser, "reuseaddr", true))
		return parser_fail(parser, option_place(parser, "reuseaddr"),
			"\"reuseaddr\" contradicts \"exclusive\": with it, UDP sockets share");
	if (actions->share && option_is(parser, "reuseport", false))
		return parser_fail(parser, option_place(parser, "reuseport"),
			"\"reuseport=off\" contradicts \"share\"");
	if (actions->share && option_is(parser, "reuseaddr", false))
		return parser_fail(parser, option_place(parser, "reuseaddr"),
			"\"reuseaddr=off\" contradicts \"share\"; write reuseport instead of "
			"share");
	return 0;
}

static int check_connect(struct parser *parser)
{
	static const enum word bind_only[] = {WORD_EXCLUSIVE, WORD_TO, WORD_ONCE, WORD_BACKLOG,
		WORD_EARLY, WORD_KEEP, WORD_ADOPT, WORD_STEER};
	const struct match *match = &parser->rule.match;

	if (!match->is_connect && parser->seen[WORD_FROM])
		return parser_fail(parser, parser->seen[WORD_FROM],
			"\"from\" needs the match \"connect\": it chooses the source address of a "
			"client");
	for (size_t i = 0; match->is_connect && i < sizeof bind_only / sizeof *bind_only; i++) {
		if (parser->seen[bind_only[i]])
			return parser_fail(parser, parser->seen[bind_only[i]],
				"\"%s\" contradicts \"connect\": it is for sockets that bind",
				word_forms[bind_only[i]].name);
	}
	return 0;
}

static bool has_one_port(const struct match *match)
{
	return match->n_ports == 1 && match->ports[0].first == match->ports[0].last;
}

static int check_to(struct parser *parser)
{
	const struct match *match = &parser->rule.match;
	const struct actions *actions = &parser->rule.actions;

	if (actions->to.has_port && !has_one_port(match) && !actions->once)
		return parser_fail(parser, parser->seen[WORD_TO],
			"a target port needs exactly one port in the match, as in port=80 -> "
			"to=:8080; otherwise two services would end up on one port");
	if (actions->once && !actions->to.has_port)
		return parser_fail(parser, parser->seen[WORD_ONCE],
			"\"once\" needs a target port, as in to=:8080 once");
	return 0;
}

static int check_early(struct parser *parser)
{
	const struct match *match = &parser->rule.match;

	if (parser->rule.actions.early && (match->n_ports || match->n_prefixes))
		return parser_fail(parser, parser->seen[WORD_EARLY],
			"\"early\" contradicts %s=: at socket() the address is not known yet",
			match->n_ports ? "port" : "addr");
	return 0;
}

static int check_backlog(struct parser *parser)
{
	if (parser->rule.actions.has_backlog && parser->rule.match.protocols == PROTOCOL_UDP)
		return parser_fail(parser, parser->seen[WORD_BACKLOG],
			"\"backlog\" contradicts \"udp\", which never listens");
	return 0;
}

/* Steering needs a group, so other sockets must be able to join. */
static int check_steer(struct parser *parser)
{
	const struct match *match = &parser->rule.match;
	const struct actions *actions = &parser->rule.actions;
	const char *place = parser->seen[WORD_STEER];

	if (!actions->has_steer)
		return 0;
	if (actions->exclusive || option_is(parser, "reuseport", false))
		return parser_fail(parser, place,
			"\"steer\" contradicts \"%s\": there is only one socket to choose",
			actions->exclusive ? "exclusive" : "reuseport=off");
	if (match->protocols == PROTOCOL_SCTP)
		return parser_fail(
			parser, place, "\"steer\" contradicts \"sctp\": it is for TCP and UDP");
	if (match->families == FAMILY_IP4 && actions->steer.ip6_prefix < 128)
		return parser_fail(parser, place,
			"a prefix length is at most 32 for IPv4, and \"ip4\" matches no IPv6 "
			"client");
	return 0;
}

static int check_families(struct parser *parser)
{
	const struct match *match = &parser->rule.match;
	const struct target *to = &parser->rule.actions.to, *from = &parser->rule.actions.from;
	const struct target *target = to->has_address ? to : from;
	bool holds_some = match->n_prefixes == 0;

	if (parser->seen[WORD_IP4] && parser->seen[WORD_IP6])
		return parser_fail(parser, parser->seen[WORD_IP6],
			"\"ip4\" and \"ip6\" together match both families, as a rule with neither "
			"does; leave both out");
	if (match->families == FAMILY_ANY || match->families == FAMILY_IP6)
		return 0;
	for (uint32_t i = 0; i < match->n_prefixes; i++)
		holds_some |= match->prefixes[i].is_ip4;
	if (!holds_some)
		return parser_fail(parser, parser->seen[WORD_ADDR],
			"an IPv4 socket has no IPv6 address: with \"ip4\" this rule never matches");
	if (target->has_address && !address_is_ip4(&target->address))
		return parser_fail(parser, parser->seen[target == to ? WORD_TO : WORD_FROM],
			"an IPv4 socket cannot have an IPv6 address; write \"ip6\" instead of "
			"\"ip4\"");
	return 0;
}

static int check_options(struct parser *parser)
{
	const struct match *match = &parser->rule.match;

	for (uint32_t i = 0; i < parser->rule.actions.n_settings; i++) {
		const struct sockopt *option = parser->settings[i].option;
		const char *place = parser->seen_option[option - sockopt_table];
		if (match->protocols && !(match->protocols & option->protocols))
			return parser_fail(parser, place, "\"%s\" applies to %s only", option->name,
				protocol_name(option->protocols));
		if (!(match->families & option->families))
			return parser_fail(parser, place, "\"%s\" applies to IPv%c sockets only",
				option->name, option->families == FAMILY_IP4 ? '4' : '6');
	}
	const struct target *to = &parser->rule.actions.to;
	if (option_is(parser, "v6only", true) && to->has_address && address_is_ip4(&to->address))
		return parser_fail(parser, option_place(parser, "v6only"),
			"\"v6only\" contradicts an IPv4 target");
	return 0;
}

int parser_check_rule(struct parser *parser)
{
	if (!parser->first_action)
		return parser_fail(parser, parser->at,
			"the rule has no action; write what should happen, as in share, to=, deny "
			"or pass");
	/* "?:" of GNU C returns the first error */
	return check_alone(parser, WORD_PASS)
		?: check_alone(parser, WORD_DENY)
		?: check_sharing(parser)
		?: check_connect(parser)
		?: check_to(parser)
		?: check_early(parser)
		?: check_backlog(parser)
		?: check_steer(parser)
		?: check_families(parser)
		?: check_options(parser);
}
