/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse.h"
#include "parser.h"

#include "ground/arena.h"
#include "ground/compare.h"
#include "ground/errnos.h"
#include "ground/number.h"

#include <errno.h>
#include <string.h>

static int take_string(
	struct parser *parser, struct span item, const char **string, uint32_t *length)
{
	char *copy = arena_take(parser->arena, item.length, 1);

	if (!copy)
		return -ENOMEM;
	*length = (uint32_t)span_unquote(item, copy);
	*string = copy;
	return 0;
}

/* Decimal, or hexadecimal after 0x; at most MAXIMUM. */
static bool parse_number(const char *text, size_t length, uint64_t maximum, uint64_t *number)
{
	bool is_hex = length > 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
	size_t prefix = is_hex ? 2 : 0;

	return number_parse(number, is_hex ? 16 : 10, text + prefix, length - prefix, maximum);
}

static bool parse_port(const char *text, size_t length, uint16_t *port)
{
	uint64_t number;

	if (!parse_number(text, length, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

static int read_ports(struct parser *parser, struct span item, struct ports *ports)
{
	struct short_value value = span_short(item);
	const char *dash = string_find(value.text, '-', value.length);
	size_t first_length = dash ? (size_t)(dash - value.text) : value.length;
	const char *last = dash ? dash + 1 : value.text;
	size_t last_length = dash ? value.length - first_length - 1 : value.length;

	if (!parse_port(value.text, first_length, &ports->first) ||
		!parse_port(last, last_length, &ports->last))
		return parser_fail_item(
			parser, item, "is not a port; a port is a number from 0 to 65535");
	if (ports->first > ports->last)
		return parser_fail_item(
			parser, item, "is an empty range; the smaller port comes first");
	return 0;
}

int parser_read_ports(struct parser *parser, struct span list)
{
	struct ports *ports = arena_take(parser->arena, span_count_items(list), sizeof *ports);
	struct match *match = &parser->rule.match;
	struct span item;
	int error = 0;

	if (!ports)
		return -ENOMEM;
	match->ports = ports;
	while (!error && span_next_item(&list, &item))
		error = read_ports(parser, item, &ports[match->n_ports++]);
	return error;
}

/* What is wrong with an address; OTHERWISE is the message for a wrong format. */
static const char *address_complaint(int error, const char *otherwise)
{
	if (error == -ENODEV)
		return "names a network interface that cannot be found here; \"ip link\" lists "
		       "the interfaces";
	if (error == -EADDRNOTAVAIL)
		return "names a network interface; only a link-local address has one, as in "
		       "fe80::1%eth0";
	return otherwise;
}

static int read_prefix(struct parser *parser, struct span item, struct prefix *prefixes)
{
	struct short_value value = span_short(item);
	struct match *match = &parser->rule.match;

	if (string_is(value.text, value.length, "any")) {
		prefix_parse(&prefixes[match->n_prefixes++], "0.0.0.0", 7);
		prefix_parse(&prefixes[match->n_prefixes++], "::", 2);
		return 0;
	}
	struct prefix *prefix = &prefixes[match->n_prefixes++];
	int error = prefix_parse(prefix, value.text, value.length);
	match->has_scope |= prefix->scope_id != 0;
	if (error == -ERANGE)
		return parser_fail_item(parser, item,
			"has an invalid prefix length; it is at most 32 for IPv4 and 128 for IPv6");
	if (error)
		return parser_fail_item(parser, item,
			address_complaint(error,
				"is not an address; write 192.0.2.1, 10.0.0.0/8, ::1, fd00::/8 or "
				"any"));
	return 0;
}

int parser_read_prefixes(struct parser *parser, struct span list)
{
	/* "any" becomes two prefixes */
	struct prefix *prefixes =
		arena_take(parser->arena, 2 * span_count_items(list), sizeof *prefixes);
	struct span item;
	int error = 0;

	if (!prefixes)
		return -ENOMEM;
	parser->rule.match.prefixes = prefixes;
	while (!error && span_next_item(&list, &item))
		error = read_prefix(parser, item, prefixes);
	return error;
}

int parser_read_patterns(struct parser *parser, struct span list)
{
	struct pattern *patterns =
		arena_take(parser->arena, span_count_items(list), sizeof *patterns);
	struct match *match = &parser->rule.match;
	struct span item;
	int error = 0;

	if (!patterns)
		return -ENOMEM;
	match->patterns = patterns;
	while (!error && span_next_item(&list, &item)) {
		struct pattern *pattern = &patterns[match->n_patterns++];
		error = take_string(parser, item, &pattern->text, &pattern->length);
		if (!error && pattern->length == 0)
			error = parser_fail(parser, item.at, "exe= has an empty name in its list");
	}
	return error;
}

const char *parse_target(struct target *target, const char *text, size_t length)
{
	const char *end = text + length;
	const char *address = text, *address_end;
	bool has_brackets = length > 0 && text[0] == '[';

	*target = (struct target){0};
	if (has_brackets) {
		address++;
		address_end = string_find(text, ']', length);
		if (!address_end)
			return "has no closing bracket";
		text = address_end + 1;
	} else {
		address_end = string_find(text, ':', length);
		if (address_end &&
			string_find(address_end + 1, ':', (size_t)(end - address_end - 1)))
			return "has an IPv6 address without brackets; write [::1] or [::1]:80";
		text = address_end = address_end ? address_end : end;
	}
	if (text < end) {
		if (*text != ':' ||
			!parse_port(text + 1, (size_t)(end - text - 1), &target->port) ||
			target->port == 0)
			return "has no port from 1 to 65535 after its colon";
		target->has_port = true;
	}
	if (address_end > address || has_brackets) {
		target->has_address = true;
		int error = address_parse_scoped(&target->address, &target->scope_id, address,
			(size_t)(address_end - address));
		if (error)
			return address_complaint(error, "is not an address; write 192.0.2.1, "
							"192.0.2.1:80, [::1] or [::1]:80");
	}
	return target->has_address || target->has_port ? NULL
						       : "names neither an address nor a port";
}

int parser_read_target(struct parser *parser, struct span item, struct target *target)
{
	struct short_value value = span_short(item);
	const char *complaint = parse_target(target, value.text, value.length);

	return complaint ? parser_fail_item(parser, item, complaint) : 0;
}

int parser_read_deny(struct parser *parser, struct span item)
{
	struct actions *actions = &parser->rule.actions;
	struct short_value value = span_short(item);

	actions->deny = true;
	actions->deny_errno = EACCES;
	if (!item.at)
		return 0;
	actions->deny_errno = errno_from_name(value.text, value.length);
	if (actions->deny_errno == 0)
		return parser_fail_item(parser, item,
			"is not an errno that libreuse knows; write EACCES, "
			"EADDRINUSE, EPERM, ECONNREFUSED, ...");
	return 0;
}

/* LISTEN_FDNAMES separates its names by colons, so only "fd:N" may have one. */
int parser_read_adopt(struct parser *parser, struct span item)
{
	char *name = arena_take(parser->arena, item.length + 1, 1);
	uint64_t number;

	if (!name)
		return -ENOMEM;
	size_t length = span_unquote(item, name);
	name[length] = '\0';
	parser->rule.actions.adopt = name;
	bool is_number = string_starts(name, "fd:");
	if (is_number && !parse_number(name + 3, length - 3, INT32_MAX / 16, &number))
		return parser_fail_item(parser, item, "does not name a descriptor; write fd:3");
	if (length == 0 || (!is_number && string_find(name, ':', length)))
		return parser_fail_item(
			parser, item, "is not the name of a descriptor; write web or fd:3");
	return 0;
}

int parser_read_steer(struct parser *parser, struct span item)
{
	struct actions *actions = &parser->rule.actions;
	struct short_value value = span_short(item);

	actions->has_steer = true;
	if (steer_mode_parse(&actions->steer, value.text, value.length) < 0)
		return parser_fail_item(parser, item,
			"is an unknown mode; write hash, random, cpu, least, flow, source, or "
			"source/N with a prefix length from 1 to 128");
	return 0;
}

int parser_read_backlog(struct parser *parser, struct span item)
{
	struct short_value value = span_short(item);
	uint64_t number;

	if (!parse_number(value.text, value.length, INT32_MAX, &number))
		return parser_fail_item(
			parser, item, "is not a backlog; it is a number from 0 to 2147483647");
	parser->rule.actions.has_backlog = true;
	parser->rule.actions.backlog = (int)number;
	return 0;
}

static bool read_flag(const struct short_value *value, bool *is_on)
{
	*is_on = string_is(value->text, value->length, "on");
	return *is_on || string_is(value->text, value->length, "off");
}

static int read_number_setting(struct parser *parser, struct span item, struct setting *setting)
{
	const struct sockopt *option = setting->option;
	struct short_value value = span_short(item);

	setting->is_on = setting->has_number = true;
	if (!parse_number(value.text, value.length, option->maximum, &setting->number) ||
		setting->number < option->minimum)
		return parser_fail(parser, item.at, "%s takes %sa number from %ju to %ju",
			option->name, option->type == SOCKOPT_FLAG_AND_NUMBER ? "on, off or " : "",
			(uintmax_t)option->minimum, (uintmax_t)option->maximum);
	return 0;
}

int parser_read_setting(struct parser *parser, struct span item, struct setting *setting)
{
	const struct sockopt *option = setting->option;
	struct short_value value = span_short(item);
	bool is_flag = option->type == SOCKOPT_FLAG || option->type == SOCKOPT_FLAG_AND_NUMBER;

	if (is_flag && !item.at) {
		setting->is_on = true;
		return 0;
	}
	if (is_flag && read_flag(&value, &setting->is_on))
		return 0;
	if (option->type == SOCKOPT_FLAG)
		return parser_fail_item(parser, item, "is neither on nor off");
	if (option->type != SOCKOPT_STRING)
		return read_number_setting(parser, item, setting);
	int error = take_string(parser, item, &setting->string, &setting->length);
	if (!error && (setting->length < option->minimum || setting->length > option->maximum))
		error = parser_fail(parser, item.at, "%s takes a name of %ju to %ju bytes",
			option->name, (uintmax_t)option->minimum, (uintmax_t)option->maximum);
	return error;
}
