/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rule.h"

#include "glob.h"
#include "ground/compare.h"
#include "ground/errnos.h"

#include <errno.h>

bool rule_matches_bound(const struct rule *rule, const struct endpoint *endpoint)
{
	const struct target *to = &rule->actions.to;
	const struct address *address = &endpoint->address;

	if (!match_holds_kind(&rule->match, endpoint))
		return false;
	if (to->has_port ? endpoint->port != to->port
			 : !match_holds_port(&rule->match, endpoint->port))
		return false;
	return to->has_address
		       ? address->high == to->address.high && address->low == to->address.low &&
				 scope_holds(to->scope_id, endpoint->scope_id)
		       : match_holds_address(&rule->match, endpoint);
}

bool rule_names_port(const struct rule *rule, uint16_t port)
{
	const struct target *to = &rule->actions.to;

	if (to->has_port)
		return to->port == port;
	for (uint32_t i = 0; i < rule->match.n_ports; i++) {
		const struct ports *ports = &rule->match.ports[i];
		bool holds_all = ports->first <= ENDPOINT_PRIVILEGED && ports->last == UINT16_MAX;
		if (!holds_all && port >= ports->first && port <= ports->last)
			return true;
	}
	return false;
}

static const char *base_name(const char *path)
{
	const char *base = path;

	for (; *path; path++) {
		if (*path == '/')
			base = path + 1;
	}
	return base;
}

static bool pattern_names(const struct pattern *pattern, const char *path)
{
	if (!path)
		return false;
	bool is_path = string_find(pattern->text, '/', pattern->length) != NULL;
	return glob_matches(pattern->text, pattern->length, is_path ? path : base_name(path));
}

bool rule_is_for(const struct rule *rule, const struct program *program)
{
	for (uint32_t i = 0; i < rule->match.n_patterns; i++) {
		const struct pattern *pattern = &rule->match.patterns[i];
		if (pattern_names(pattern, program->executable) ||
			pattern_names(pattern, program->invoked))
			return true;
	}
	return rule->match.n_patterns == 0;
}

static bool is_set(const struct target *target)
{
	return target->has_address || target->has_port;
}

bool rule_protects(const struct rule *rule)
{
	const struct actions *actions = &rule->actions;

	return actions->deny || actions->exclusive || is_set(&actions->to) ||
	       is_set(&actions->from);
}

bool rule_shares(const struct rule *rule)
{
	if (rule->actions.share)
		return true;
	for (uint32_t i = 0; i < rule->actions.n_settings; i++) {
		const struct setting *setting = &rule->actions.settings[i];
		if (string_equals(setting->option->name, "reuseport") && setting->is_on)
			return true;
	}
	return false;
}

/* Appends WORD, after a blank unless it is the first word. */
static void add_word(struct text *text, size_t start, const char *word)
{
	text_format(text, "%s%s", text->length > start ? " " : "", word);
}

static void print_ports(struct text *text, const struct match *match)
{
	for (uint32_t i = 0; i < match->n_ports; i++) {
		const struct ports *ports = &match->ports[i];
		text_format(text, "%s%u", i ? "," : "", ports->first);
		if (ports->last != ports->first)
			text_format(text, "-%u", ports->last);
	}
}

/* addr=any is stored as both wildcards, one after the other. */
static bool is_any_pair(const struct match *match, uint32_t i)
{
	const struct prefix *prefix = match->prefixes + i;

	return i + 1 < match->n_prefixes && prefix[0].length == 128 && prefix[1].length == 128 &&
	       address_is_any(&prefix[0].address) && address_is_any(&prefix[1].address) &&
	       prefix[0].is_ip4 && !prefix[1].is_ip4;
}

static void print_prefixes(struct text *text, const struct match *match)
{
	for (uint32_t i = 0; i < match->n_prefixes; i++) {
		text_add(text, ",", i > 0);
		if (is_any_pair(match, i)) {
			text_format(text, "any");
			i++;
			continue;
		}
		prefix_print(text, &match->prefixes[i]);
	}
}

/* Writes a string as part of a word: in quotes if it has blanks or other bytes that end a word. */
static void print_string(struct text *text, const char *string, uint32_t length)
{
	bool has_quotes = false;

	for (uint32_t i = 0; i < length; i++)
		has_quotes |= string_find(" \t;#,", string[i], 5) != NULL;
	text_format(text, "%s", has_quotes ? "\"" : "");
	for (uint32_t i = 0; i < length; i++) {
		if (string[i] == '\t')
			text_add(text, "\t", 1);
		else
			text_add_printable(text, &string[i], 1);
	}
	text_format(text, "%s", has_quotes ? "\"" : "");
}

static void print_patterns(struct text *text, const struct match *match)
{
	for (uint32_t i = 0; i < match->n_patterns; i++) {
		text_add(text, ",", i > 0);
		print_string(text, match->patterns[i].text, match->patterns[i].length);
	}
}

void rule_print_match(struct text *text, const struct match *match)
{
	size_t start = text->length;

	for (enum protocol protocol = PROTOCOL_TCP; protocol < PROTOCOL_OTHER; protocol <<= 1) {
		if (match->protocols & protocol)
			add_word(text, start, protocol_name(protocol));
	}
	if (match->families != FAMILY_ANY)
		add_word(text, start, match->families == FAMILY_IP4 ? "ip4" : "ip6");
	if (match->is_connect)
		add_word(text, start, "connect");
	if (match->n_ports) {
		add_word(text, start, "port=");
		print_ports(text, match);
	}
	if (match->n_prefixes) {
		add_word(text, start, "addr=");
		print_prefixes(text, match);
	}
	if (match->n_patterns) {
		add_word(text, start, "exe=");
		print_patterns(text, match);
	}
}

static void print_target(struct text *text, const struct target *target)
{
	bool has_brackets = target->has_address && !address_is_ip4(&target->address);

	text_format(text, "%s", has_brackets ? "[" : "");
	if (target->has_address)
		address_print(text, &target->address);
	scope_print(text, target->scope_id);
	text_format(text, "%s", has_brackets ? "]" : "");
	if (target->has_port)
		text_format(text, ":%u", target->port);
}

static void print_setting(struct text *text, const struct setting *setting)
{
	const struct sockopt *option = setting->option;
	bool is_flag = option->type == SOCKOPT_FLAG || option->type == SOCKOPT_FLAG_AND_NUMBER;

	if (option->type == SOCKOPT_STRING) {
		text_format(text, "%s=", option->name);
		print_string(text, setting->string, setting->length);
	} else if (is_flag && !setting->has_number) {
		text_format(text, "%s%s", option->name, setting->is_on ? "" : "=off");
	} else {
		text_format(text, "%s=%ju", option->name, (uintmax_t)setting->number);
	}
}

static void print_flags(struct text *text, size_t start, const struct actions *actions)
{
	const struct {
		char word[12];
		bool is_set;
	} flags[] = {
		{"share", actions->share},
		{"exclusive", actions->exclusive},
		{"pass", actions->pass},
		{"keep", actions->keep},
		{"early", actions->early},
	};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (flags[i].is_set)
			add_word(text, start, flags[i].word);
	}
}

void rule_print_actions(struct text *text, const struct actions *actions)
{
	size_t start = text->length;

	print_flags(text, start, actions);
	if (actions->deny) {
		add_word(text, start, "deny");
		if (actions->deny_errno != EACCES)
			text_format(text, "=%s", errno_name(actions->deny_errno));
	}
	if (is_set(&actions->to)) {
		add_word(text, start, "to=");
		print_target(text, &actions->to);
	}
	if (actions->once)
		add_word(text, start, "once");
	if (actions->adopt) {
		add_word(text, start, "adopt=");
		print_string(text, actions->adopt, (uint32_t)string_length(actions->adopt));
	}
	if (is_set(&actions->from)) {
		add_word(text, start, "from=");
		print_target(text, &actions->from);
	}
	if (actions->has_backlog) {
		add_word(text, start, "backlog=");
		text_format(text, "%d", actions->backlog);
	}
	if (actions->has_steer) {
		add_word(text, start, "steer=");
		steer_mode_print(text, &actions->steer);
	}
	for (uint32_t i = 0; i < actions->n_settings; i++) {
		add_word(text, start, "");
		print_setting(text, &actions->settings[i]);
	}
}

void rule_print(struct text *text, const struct rule *rule)
{
	size_t start = text->length;

	rule_print_match(text, &rule->match);
	add_word(text, start, "-> ");
	rule_print_actions(text, &rule->actions);
}

void rule_print_place(struct text *text, const struct rule *rule)
{
	text_format(text, "%s", rule->source);
	if (rule->line)
		text_format(text, ":%u", rule->line);
}
