/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse.h"

#include "ground/compare.h"
#include "nearest.h"
#include "parser.h"

#include <errno.h>
#include <string.h>

static int read_value(struct parser *parser, enum word word, struct span value)
{
	struct match *match = &parser->rule.match;
	struct actions *actions = &parser->rule.actions;

	if (word_forms[word].flag) {
		*((bool *)&parser->rule + word_forms[word].flag) = true;
		return 0;
	}
	switch (word) {
	case WORD_TCP:
	case WORD_UDP:
	case WORD_SCTP:
		match->protocols |= (uint8_t)(PROTOCOL_TCP << (word - WORD_TCP));
		return 0;
	case WORD_IP4:
		match->families = FAMILY_IP4;
		return 0;
	case WORD_IP6:
		match->families = FAMILY_IP6;
		return 0;
	case WORD_PORT:
		return parser_read_ports(parser, value);
	case WORD_ADDR:
		return parser_read_prefixes(parser, value);
	case WORD_EXE:
		return parser_read_patterns(parser, value);
	case WORD_TO:
		return parser_read_target(parser, value, &actions->to);
	case WORD_FROM:
		return parser_read_target(parser, value, &actions->from);
	case WORD_DENY:
		return parser_read_deny(parser, value);
	case WORD_BACKLOG:
		return parser_read_backlog(parser, value);
	case WORD_ADOPT:
		return parser_read_adopt(parser, value);
	case WORD_STEER:
		return parser_read_steer(parser, value);
	default:
		return -EINVAL;
	}
}

static int read_keyword(struct parser *parser, enum word word, struct span name, struct span value)
{
	if (parser->seen[word])
		return parser_fail(parser, name.at, "\"%s\" is given twice in one rule%s",
			word_forms[word].name,
			word == WORD_PORT || word == WORD_ADDR || word == WORD_EXE
				? "; separate several values with commas"
				: "");
	parser->seen[word] = name.at;
	if (word_forms[word].value == WORD_VALUE_NONE && value.at)
		return parser_fail(
			parser, value.at, "\"%s\" takes no value", word_forms[word].name);
	if (word_forms[word].value == WORD_VALUE_NEEDED && !value.at)
		return parser_fail(parser, name.at, "\"%s\" needs a value: %s",
			word_forms[word].name, word_forms[word].example);
	if (word < FIRST_ACTION && parser->first_action)
		return parser_fail(parser, name.at,
			"\"%s\" is a match but comes after an action; put matches first",
			word_forms[word].name);
	if (word < FIRST_ACTION && parser->arrow)
		return parser_fail(parser, name.at,
			"\"%s\" is a match but comes after the arrow; put matches before it",
			word_forms[word].name);
	return read_value(parser, word, value);
}

static int read_option(
	struct parser *parser, const struct sockopt *option, struct span name, struct span value)
{
	struct actions *actions = &parser->rule.actions;
	const char **seen = &parser->seen_option[option - sockopt_table];
	struct setting *setting = &parser->settings[actions->n_settings++];

	if (*seen)
		return parser_fail(
			parser, name.at, "\"%s\" is given twice in one rule", option->name);
	*seen = name.at;
	if (!value.at && option->type != SOCKOPT_FLAG && option->type != SOCKOPT_FLAG_AND_NUMBER)
		return parser_fail(parser, name.at, "\"%s\" needs a value: %s=...", option->name,
			option->name);
	*setting = (struct setting){.option = option};
	return parser_read_setting(parser, value, setting);
}

static int fail_unknown(struct parser *parser, struct span name)
{
	struct nearest nearest = nearest_to(name.at, name.length);

	for (unsigned i = 0; i < WORD_COUNT; i++)
		nearest_try(&nearest, word_forms[i].name);
	for (unsigned i = 0; i < sockopt_count; i++)
		nearest_try(&nearest, sockopt_table[i].name);
	int length = span_shown(name, 40);
	if (nearest.word)
		return parser_fail(parser, name.at,
			"\"%.*s\" is an unknown word; did you mean \"%s\"?", length, name.at,
			nearest.word);
	if (string_find(name.at, ';', name.length))
		return parser_fail(parser, name.at,
			"\"%.*s\" is an unknown word; in a file, write each rule on its own line",
			length, name.at);
	return parser_fail(parser, name.at,
		"\"%.*s\" is an unknown word; libreuse.conf(5) lists them", length, name.at);
}

static int read_arrow(struct parser *parser, struct span word)
{
	if (parser->arrow)
		return parser_fail(parser, word.at,
			"the rule has a second arrow; write each rule on its own line");
	if (parser->first_action)
		return parser_fail(parser, word.at,
			"the arrow comes after an action; put all actions after it");
	parser->arrow = word.at;
	return 0;
}

static int read_word(struct parser *parser, struct span word)
{
	const char *equals = string_find(word.at, '=', word.length);
	struct span name = {word.at, equals ? (size_t)(equals - word.at) : word.length};
	struct span value = {NULL, 0};
	struct short_value plain = span_short(name);

	if (string_is(word.at, word.length, "->"))
		return read_arrow(parser, word);
	if (equals)
		value = (struct span){equals + 1, word.length - name.length - 1};
	for (unsigned i = 0; i < WORD_COUNT; i++) {
		if (word_forms[i].name[0] != plain.text[0] ||
			!string_is(plain.text, plain.length, word_forms[i].name))
			continue;
		int error = read_keyword(parser, i, name, value);
		if (!error && i >= FIRST_ACTION && !parser->first_action)
			parser->first_action = name.at;
		return error;
	}
	const struct sockopt *option = sockopt_find(plain.text, plain.length);
	if (!option)
		return fail_unknown(parser, name);
	if (!parser->first_action)
		parser->first_action = name.at;
	return read_option(parser, option, name, value);
}

static void start_rule(struct parser *parser)
{
	/* clearing all of them for each rule would take longer than reading a short rule */
	if (parser->rule.actions.n_settings > 0)
		memset(parser->seen_option, 0, sizeof parser->seen_option);
	parser->rule = (struct rule){
		.match.families = FAMILY_ANY,
		.source = parser->source->name,
		.line = parser->line,
	};
	parser->arrow = parser->first_action = NULL;
	memset(parser->seen, 0, sizeof parser->seen);
}

static int finish_rule(struct parser *parser, struct rules *rules)
{
	struct actions *actions = &parser->rule.actions;
	int error = parser_check_rule(parser);

	if (error)
		return error;
	struct setting *settings = arena_take(parser->arena, actions->n_settings, sizeof *settings);
	if (!settings || rules->count == rules->room)
		return -ENOMEM;
	memcpy(settings, parser->settings, actions->n_settings * sizeof *settings);
	actions->settings = settings;
	rules->list[rules->count++] = parser->rule;
	return 0;
}

static int read_rule(struct parser *parser, struct rules *rules)
{
	struct span word = {NULL, 0};
	int error = 0;

	start_rule(parser);
	while (!error && parser->at < parser->end && !parser_ends_rule(parser, *parser->at)) {
		error = parser_next_word(parser, &word);
		if (!error)
			error = read_word(parser, word);
		parser_skip_blanks(parser);
	}
	return error ? error : finish_rule(parser, rules);
}

size_t parse_rules_most(const struct parse_source *source)
{
	size_t most = 1;

	for (const char *at = source->text, *end = at + source->length; at < end; at++)
		most += *at == '\n' || *at == ';';
	return most;
}

int parse_rules(struct rules *rules, struct arena *arena, const struct parse_source *source,
	struct parse_error *error)
{
	struct parser parser = {
		.source = source,
		.arena = arena,
		.error = error,
		.at = source->text,
		.end = source->text + source->length,
		.line_start = source->text,
		.line = 1,
	};

	for (;;) {
		parser_skip_blanks(&parser);
		if (parser.at == parser.end)
			return 0;
		if (!parser_ends_rule(&parser, *parser.at)) {
			int failure = read_rule(&parser, rules);
			if (failure)
				return failure;
			continue;
		}
		if (*parser.at++ == '\n') {
			parser.line++;
			parser.line_start = parser.at;
		}
	}
}
