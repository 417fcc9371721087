/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse.h"

#include "../compare.h"
#include "../errnos.h"
#include "nearest.h"

#include <errno.h>
#include <string.h>

struct span {
	const char *at;
	size_t length;
};

enum value {
	VALUE_NONE,
	VALUE_OPTIONAL,
	VALUE_NEEDED,
};

enum word {
	WORD_TCP,
	WORD_UDP,
	WORD_SCTP,
	WORD_IP4,
	WORD_IP6,
	WORD_CONNECT,
	WORD_PORT,
	WORD_ADDR,
	WORD_EXE,
	FIRST_ACTION,
	WORD_SHARE = FIRST_ACTION,
	WORD_EXCLUSIVE,
	WORD_TO,
	WORD_ONCE,
	WORD_FROM,
	WORD_DENY,
	WORD_PASS,
	WORD_BACKLOG,
	WORD_EARLY,
	WORD_COUNT,
};

static const struct {
	char name[10];
	uint8_t value; /* enum value */
	char example[24];
} words[WORD_COUNT] = {
	[WORD_TCP] = {"tcp", VALUE_NONE, ""},
	[WORD_UDP] = {"udp", VALUE_NONE, ""},
	[WORD_SCTP] = {"sctp", VALUE_NONE, ""},
	[WORD_IP4] = {"ip4", VALUE_NONE, ""},
	[WORD_IP6] = {"ip6", VALUE_NONE, ""},
	[WORD_CONNECT] = {"connect", VALUE_NONE, ""},
	[WORD_PORT] = {"port", VALUE_NEEDED, "port=80,8000-8999"},
	[WORD_ADDR] = {"addr", VALUE_NEEDED, "addr=10.0.0.0/8,::1"},
	[WORD_EXE] = {"exe", VALUE_NEEDED, "exe=nginx"},
	[WORD_SHARE] = {"share", VALUE_NONE, ""},
	[WORD_EXCLUSIVE] = {"exclusive", VALUE_NONE, ""},
	[WORD_TO] = {"to", VALUE_NEEDED, "to=127.0.0.1:8080"},
	[WORD_ONCE] = {"once", VALUE_NONE, ""},
	[WORD_FROM] = {"from", VALUE_NEEDED, "from=192.0.2.1"},
	[WORD_DENY] = {"deny", VALUE_OPTIONAL, "deny=EADDRINUSE"},
	[WORD_PASS] = {"pass", VALUE_NONE, ""},
	[WORD_BACKLOG] = {"backlog", VALUE_NEEDED, "backlog=4096"},
	[WORD_EARLY] = {"early", VALUE_NONE, ""},
};

#define OPTIONS_MOST 48 /* at least the rows of sockopt_table; checked by a test */

struct parser {
	const struct parse_source *source;
	struct arena *arena;
	struct parse_error *error;
	const char *at, *end;
	const char *line_start;
	unsigned line;
	/* the rule that is being read */
	struct rule rule;
	const char *arrow;
	const char *seen[WORD_COUNT]; /* where a word stands, for messages */
	const char *seen_option[OPTIONS_MOST];
	const char *first_action;
	struct setting settings[OPTIONS_MOST];
};

/* ---- errors ---- */

static const char *line_end(const struct parser *parser)
{
	const char *source_end = parser->source->text + parser->source->length;
	size_t left = (size_t)(source_end - parser->line_start);
	const char *newline = string_find(parser->line_start, '\n', left);

	return newline ? newline : source_end;
}

static bool starts_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80; /* not a later byte of a UTF-8 sequence */
}

static void mark_place(struct parser *parser, const char *place)
{
	struct parse_error *error = parser->error;

	error->source = parser->source->name;
	error->line = parser->line;
	error->column = 1;
	for (const char *at = parser->line_start; at < place; at++)
		error->column += starts_character(*at);
	error->line_text = parser->line_start;
	error->line_length = (size_t)(line_end(parser) - parser->line_start);
}

static int __attribute__((format(printf, 3, 4)))
fail(struct parser *parser, const char *place, const char *format, ...)
{
	struct text message;
	va_list args;

	mark_place(parser, place);
	text_start(&message, parser->error->message, sizeof parser->error->message);
	va_start(args, format);
	text_vformat(&message, format, args);
	va_end(args);
	return -EINVAL;
}

static int fail_item(struct parser *parser, struct span item, const char *complaint)
{
	int length = item.length > 64 ? 64 : (int)item.length;

	return fail(parser, item.at, "\"%.*s\" %s", length, item.at, complaint);
}

/* ---- words and values ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool ends_rule(const struct parser *parser, char c)
{
	return c == '\n' || (c == ';' && parser->source->style == PARSE_VARIABLE);
}

static void skip_blanks(struct parser *parser)
{
	while (parser->at < parser->end && is_blank(*parser->at))
		parser->at++;
	if (parser->at < parser->end && *parser->at == '#') {
		while (parser->at < parser->end && *parser->at != '\n')
			parser->at++;
	}
}

/* Takes one word, quotes included, from where there is one. */
static int next_word(struct parser *parser, struct span *word)
{
	const char *quote = NULL;

	word->at = parser->at;
	for (; parser->at < parser->end; parser->at++) {
		char c = *parser->at;
		if (c == '"')
			quote = quote ? NULL : parser->at;
		if (c == '\n' || (!quote && (is_blank(c) || ends_rule(parser, c))))
			break;
	}
	if (quote)
		return fail(parser, quote, "the quotation mark is never closed");
	word->length = (size_t)(parser->at - word->at);
	return 0;
}

/* Cuts the next item off a list at a comma outside quotes; false after the last one. */
static bool next_item(struct span *list, struct span *item)
{
	bool is_quoted = false;
	size_t length = 0;

	if (!list->at)
		return false;
	for (; length < list->length && (is_quoted || list->at[length] != ','); length++)
		is_quoted ^= list->at[length] == '"';
	*item = (struct span){list->at, length};
	if (length == list->length)
		*list = (struct span){NULL, 0};
	else
		*list = (struct span){list->at + length + 1, list->length - length - 1};
	return true;
}

static size_t count_items(struct span list)
{
	struct span item;
	size_t count = 0;

	while (next_item(&list, &item))
		count++;
	return count;
}

/* Copies ITEM without its quotation marks; returns the length. */
static size_t unquote(struct span item, char *out)
{
	size_t length = 0;

	for (size_t i = 0; i < item.length; i++) {
		if (item.at[i] != '"')
			out[length++] = item.at[i];
	}
	return length;
}

#define SHORT_MAX 64 /* bytes; no number, address or name of an errno is longer */

struct short_value {
	char text[SHORT_MAX];
	size_t length;
};

/* A value that is no free text; an empty one when it is too long to mean anything. */
static struct short_value short_value(struct span item)
{
	struct short_value value = {.length = 0};

	if (item.length < sizeof value.text)
		value.length = unquote(item, value.text);
	return value;
}

static int take_string(
	struct parser *parser, struct span item, const char **string, uint32_t *length)
{
	char *copy = arena_take(parser->arena, item.length, 1);

	if (!copy)
		return -ENOMEM;
	*length = (uint32_t)unquote(item, copy);
	*string = copy;
	return 0;
}

static int digit_of(char c, unsigned base)
{
	int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' ? (c | 0x20) - 'a' + 10 : 99;

	return digit < (int)base ? digit : -1;
}

/* Decimal, or hexadecimal after 0x; at most MAXIMUM. */
static bool parse_number(const char *text, size_t length, uint64_t maximum, uint64_t *number)
{
	bool is_hex = length > 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
	unsigned base = is_hex ? 16 : 10;

	*number = 0;
	if (length == 0)
		return false;
	for (size_t i = is_hex ? 2 : 0; i < length; i++) {
		int digit = digit_of(text[i], base);
		if (digit < 0 || *number > (maximum - (unsigned)digit) / base)
			return false;
		*number = *number * base + (unsigned)digit;
	}
	return true;
}

/* ---- match values ---- */

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
	struct short_value value = short_value(item);
	const char *dash = string_find(value.text, '-', value.length);
	size_t first_length = dash ? (size_t)(dash - value.text) : value.length;
	const char *last = dash ? dash + 1 : value.text;
	size_t last_length = dash ? value.length - first_length - 1 : value.length;

	if (!parse_port(value.text, first_length, &ports->first) ||
		!parse_port(last, last_length, &ports->last))
		return fail_item(parser, item, "is no port; a port is a number from 0 to 65535");
	if (ports->first > ports->last)
		return fail_item(parser, item, "is an empty range; the smaller port comes first");
	return 0;
}

static int read_port_list(struct parser *parser, struct span list)
{
	struct ports *ports = arena_take(parser->arena, count_items(list), sizeof *ports);
	struct match *match = &parser->rule.match;
	struct span item;
	int error = 0;

	if (!ports)
		return -ENOMEM;
	match->ports = ports;
	while (!error && next_item(&list, &item))
		error = read_ports(parser, item, &ports[match->n_ports++]);
	return error;
}

static int read_prefix(struct parser *parser, struct span item, struct prefix *prefixes)
{
	struct short_value value = short_value(item);
	struct match *match = &parser->rule.match;

	if (string_is(value.text, value.length, "any")) {
		prefix_parse(&prefixes[match->n_prefixes++], "0.0.0.0", 7);
		prefix_parse(&prefixes[match->n_prefixes++], "::", 2);
		return 0;
	}
	switch (prefix_parse(&prefixes[match->n_prefixes++], value.text, value.length)) {
	case 0:
		return 0;
	case -ERANGE:
		return fail_item(parser, item,
			"has a bad prefix length; it goes to 32 for IPv4, to 128 for IPv6");
	default:
		return fail_item(parser, item,
			"is no address; write 192.0.2.1, 10.0.0.0/8, ::1, fd00::/8 or any");
	}
}

static int read_prefix_list(struct parser *parser, struct span list)
{
	/* "any" stands for two */
	struct prefix *prefixes =
		arena_take(parser->arena, 2 * count_items(list), sizeof *prefixes);
	struct span item;
	int error = 0;

	if (!prefixes)
		return -ENOMEM;
	parser->rule.match.prefixes = prefixes;
	while (!error && next_item(&list, &item))
		error = read_prefix(parser, item, prefixes);
	return error;
}

static int read_pattern_list(struct parser *parser, struct span list)
{
	struct pattern *patterns = arena_take(parser->arena, count_items(list), sizeof *patterns);
	struct match *match = &parser->rule.match;
	struct span item;
	int error = 0;

	if (!patterns)
		return -ENOMEM;
	match->patterns = patterns;
	while (!error && next_item(&list, &item)) {
		struct pattern *pattern = &patterns[match->n_patterns++];
		error = take_string(parser, item, &pattern->text, &pattern->length);
		if (!error && pattern->length == 0)
			error = fail(parser, item.at, "exe= has an empty name in its list");
	}
	return error;
}

/* ---- action values ---- */

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
			return "lacks the closing bracket";
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
			return "has no port from 1 to 65535 behind its colon";
		target->has_port = true;
	}
	if (address_end > address || has_brackets) {
		target->has_address = true;
		if (address_parse(&target->address, address, (size_t)(address_end - address)) < 0)
			return "is no address; write 192.0.2.1, 192.0.2.1:80, [::1] or [::1]:80";
	}
	return target->has_address || target->has_port ? NULL
						       : "names neither an address nor a port";
}

static int read_target(struct parser *parser, struct span item, struct target *target)
{
	struct short_value value = short_value(item);
	const char *complaint = parse_target(target, value.text, value.length);

	return complaint ? fail_item(parser, item, complaint) : 0;
}

static int read_deny(struct parser *parser, struct span item)
{
	struct actions *actions = &parser->rule.actions;
	struct short_value value = short_value(item);

	actions->deny = true;
	actions->deny_errno = EACCES;
	if (!item.at)
		return 0;
	actions->deny_errno = errno_from_name(value.text, value.length);
	if (actions->deny_errno == 0)
		return fail_item(parser, item,
			"is no errno that libreuse knows; write EACCES, "
			"EADDRINUSE, EPERM, ECONNREFUSED, ...");
	return 0;
}

static int read_backlog(struct parser *parser, struct span item)
{
	struct short_value value = short_value(item);
	uint64_t number;

	if (!parse_number(value.text, value.length, INT32_MAX, &number))
		return fail_item(
			parser, item, "is no backlog; it is a number from 0 to 2147483647");
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
	struct short_value value = short_value(item);

	setting->is_on = setting->has_number = true;
	if (!parse_number(value.text, value.length, option->maximum, &setting->number) ||
		setting->number < option->minimum)
		return fail(parser, item.at, "%s takes %sa number from %ju to %ju", option->name,
			option->type == SOCKOPT_FLAG_AND_NUMBER ? "on, off or " : "",
			(uintmax_t)option->minimum, (uintmax_t)option->maximum);
	return 0;
}

static int read_setting(struct parser *parser, struct span item, struct setting *setting)
{
	const struct sockopt *option = setting->option;
	struct short_value value = short_value(item);
	bool is_flag = option->type == SOCKOPT_FLAG || option->type == SOCKOPT_FLAG_AND_NUMBER;

	if (is_flag && !item.at) {
		setting->is_on = true;
		return 0;
	}
	if (is_flag && read_flag(&value, &setting->is_on))
		return 0;
	if (option->type == SOCKOPT_FLAG)
		return fail_item(parser, item, "is neither on nor off");
	if (option->type != SOCKOPT_STRING)
		return read_number_setting(parser, item, setting);
	int error = take_string(parser, item, &setting->string, &setting->length);
	if (!error && (setting->length < option->minimum || setting->length > option->maximum))
		error = fail(parser, item.at, "%s takes a name of %ju to %ju bytes", option->name,
			(uintmax_t)option->minimum, (uintmax_t)option->maximum);
	return error;
}

/* ---- words ---- */

static int read_value(struct parser *parser, enum word word, struct span value)
{
	struct match *match = &parser->rule.match;
	struct actions *actions = &parser->rule.actions;

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
	case WORD_CONNECT:
		match->is_connect = true;
		return 0;
	case WORD_PORT:
		return read_port_list(parser, value);
	case WORD_ADDR:
		return read_prefix_list(parser, value);
	case WORD_EXE:
		return read_pattern_list(parser, value);
	case WORD_SHARE:
		actions->share = true;
		return 0;
	case WORD_EXCLUSIVE:
		actions->exclusive = true;
		return 0;
	case WORD_TO:
		return read_target(parser, value, &actions->to);
	case WORD_ONCE:
		actions->once = true;
		return 0;
	case WORD_FROM:
		return read_target(parser, value, &actions->from);
	case WORD_DENY:
		return read_deny(parser, value);
	case WORD_PASS:
		actions->pass = true;
		return 0;
	case WORD_BACKLOG:
		return read_backlog(parser, value);
	case WORD_EARLY:
		actions->early = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int read_keyword(struct parser *parser, enum word word, struct span name, struct span value)
{
	if (parser->seen[word])
		return fail(parser, name.at, "\"%s\" stands twice in one rule%s", words[word].name,
			word == WORD_PORT || word == WORD_ADDR || word == WORD_EXE
				? "; several values are split by commas"
				: "");
	parser->seen[word] = name.at;
	if (words[word].value == VALUE_NONE && value.at)
		return fail(parser, value.at, "\"%s\" takes no value", words[word].name);
	if (words[word].value == VALUE_NEEDED && !value.at)
		return fail(parser, name.at, "\"%s\" needs a value: %s", words[word].name,
			words[word].example);
	if (word < FIRST_ACTION && parser->first_action)
		return fail(parser, name.at,
			"\"%s\" is a match, and stands behind an action; matches come first",
			words[word].name);
	if (word < FIRST_ACTION && parser->arrow)
		return fail(parser, name.at, "\"%s\" is a match, and stands behind the arrow",
			words[word].name);
	return read_value(parser, word, value);
}

static int read_option(
	struct parser *parser, const struct sockopt *option, struct span name, struct span value)
{
	struct actions *actions = &parser->rule.actions;
	const char **seen = &parser->seen_option[option - sockopt_table];
	struct setting *setting = &parser->settings[actions->n_settings++];

	if (*seen)
		return fail(parser, name.at, "\"%s\" stands twice in one rule", option->name);
	*seen = name.at;
	if (!value.at && option->type != SOCKOPT_FLAG && option->type != SOCKOPT_FLAG_AND_NUMBER)
		return fail(parser, name.at, "\"%s\" needs a value: %s=...", option->name,
			option->name);
	*setting = (struct setting){.option = option};
	return read_setting(parser, value, setting);
}

static int fail_unknown(struct parser *parser, struct span name)
{
	struct nearest nearest = nearest_to(name.at, name.length);

	for (unsigned i = 0; i < WORD_COUNT; i++)
		nearest_try(&nearest, words[i].name);
	for (unsigned i = 0; i < sockopt_count; i++)
		nearest_try(&nearest, sockopt_table[i].name);
	int length = name.length > 40 ? 40 : (int)name.length;
	if (nearest.word)
		return fail(parser, name.at, "\"%.*s\" is no word of a rule; did you mean \"%s\"?",
			length, name.at, nearest.word);
	if (string_find(name.at, ';', name.length))
		return fail(parser, name.at,
			"\"%.*s\" is no word of a rule; in a file, each rule "
			"stands on a line of its own",
			length, name.at);
	return fail(parser, name.at, "\"%.*s\" is no word of a rule; libreuse.conf(5) lists them",
		length, name.at);
}

static int read_arrow(struct parser *parser, struct span word)
{
	if (parser->arrow)
		return fail(parser, word.at, "the arrow stands twice in one rule");
	if (parser->first_action)
		return fail(parser, word.at, "the arrow stands behind an action");
	parser->arrow = word.at;
	return 0;
}

static int read_word(struct parser *parser, struct span word)
{
	const char *equals = string_find(word.at, '=', word.length);
	struct span name = {word.at, equals ? (size_t)(equals - word.at) : word.length};
	struct span value = {NULL, 0};
	struct short_value plain = short_value(name);

	if (string_is(word.at, word.length, "->"))
		return read_arrow(parser, word);
	if (equals)
		value = (struct span){equals + 1, word.length - name.length - 1};
	for (unsigned i = 0; i < WORD_COUNT; i++) {
		if (!string_is(plain.text, plain.length, words[i].name))
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

/* ---- contradictions ---- */

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
			return fail(parser, parser->seen[other],
				"\"%s\" contradicts \"%s\", which stands alone", words[other].name,
				words[word].name);
	}
	if (parser->rule.actions.n_settings)
		return fail(parser,
			parser->first_action == parser->seen[word] ? parser->seen[word]
								   : parser->first_action,
			"\"%s\" stands alone: a call that it decides needs no option",
			words[word].name);
	return 0;
}

static int check_sharing(struct parser *parser)
{
	const struct actions *actions = &parser->rule.actions;

	if (actions->share && actions->exclusive)
		return fail(parser, parser->seen[WORD_EXCLUSIVE],
			"\"exclusive\" contradicts \"share\"");
	if (actions->exclusive && option_is(parser, "reuseport", true))
		return fail(parser, option_place(parser, "reuseport"),
			"\"reuseport\" contradicts \"exclusive\"");
	if (actions->share && option_is(parser, "reuseport", false))
		return fail(parser, option_place(parser, "reuseport"),
			"\"reuseport=off\" contradicts \"share\"");
	if (actions->share && option_is(parser, "reuseaddr", false))
		return fail(parser, option_place(parser, "reuseaddr"),
			"\"reuseaddr=off\" contradicts \"share\"; write reuseport instead of "
			"share");
	return 0;
}

static int check_connect(struct parser *parser)
{
	static const enum word bind_only[] = {
		WORD_EXCLUSIVE, WORD_TO, WORD_ONCE, WORD_BACKLOG, WORD_EARLY};
	const struct match *match = &parser->rule.match;

	if (!match->is_connect && parser->seen[WORD_FROM])
		return fail(parser, parser->seen[WORD_FROM],
			"\"from\" needs the match \"connect\": it chooses a client's own address");
	for (size_t i = 0; match->is_connect && i < sizeof bind_only / sizeof *bind_only; i++) {
		if (parser->seen[bind_only[i]])
			return fail(parser, parser->seen[bind_only[i]],
				"\"%s\" contradicts \"connect\": it is for sockets that bind",
				words[bind_only[i]].name);
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
		return fail(parser, parser->seen[WORD_TO],
			"a target port needs exactly one port in the match, as in port=80 -> "
			"to=:8080; "
			"two services must not be folded onto one port");
	if (actions->once && !actions->to.has_port)
		return fail(parser, parser->seen[WORD_ONCE],
			"\"once\" goes with a target port, as in to=:8080 once");
	return 0;
}

static int check_early(struct parser *parser)
{
	const struct match *match = &parser->rule.match;

	if (parser->rule.actions.early && (match->n_ports || match->n_prefixes))
		return fail(parser, parser->seen[WORD_EARLY],
			"\"early\" contradicts %s=: at socket() the address is not known yet",
			match->n_ports ? "port" : "addr");
	return 0;
}

static int check_backlog(struct parser *parser)
{
	if (parser->rule.actions.has_backlog && parser->rule.match.protocols == PROTOCOL_UDP)
		return fail(parser, parser->seen[WORD_BACKLOG],
			"\"backlog\" contradicts \"udp\", which never listens");
	return 0;
}

static int check_families(struct parser *parser)
{
	const struct match *match = &parser->rule.match;
	const struct target *to = &parser->rule.actions.to, *from = &parser->rule.actions.from;
	const struct target *target = to->has_address ? to : from;
	bool holds_some = match->n_prefixes == 0;

	if (parser->seen[WORD_IP4] && parser->seen[WORD_IP6])
		return fail(parser, parser->seen[WORD_IP6],
			"\"ip4\" and \"ip6\" together are what no word at all means; leave both "
			"out");
	if (match->families == FAMILY_ANY || match->families == FAMILY_IP6)
		return 0;
	for (uint32_t i = 0; i < match->n_prefixes; i++)
		holds_some |= match->prefixes[i].is_ip4;
	if (!holds_some)
		return fail(parser, parser->seen[WORD_ADDR],
			"an IPv4 socket has no IPv6 address: with \"ip4\" this rule never matches");
	if (target->has_address && !address_is_ip4(&target->address))
		return fail(parser, parser->seen[target == to ? WORD_TO : WORD_FROM],
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
			return fail(parser, place, "\"%s\" is an option of %s alone", option->name,
				protocol_name(option->protocols));
		if (!(match->families & option->families))
			return fail(parser, place, "\"%s\" is an option of IPv%c sockets alone",
				option->name, option->families == FAMILY_IP4 ? '4' : '6');
	}
	const struct target *to = &parser->rule.actions.to;
	if (option_is(parser, "v6only", true) && to->has_address && address_is_ip4(&to->address))
		return fail(parser, option_place(parser, "v6only"),
			"\"v6only\" contradicts an IPv4 target");
	return 0;
}

static int check_rule(struct parser *parser)
{
	static const enum word alone[] = {WORD_PASS, WORD_DENY};
	int error = 0;

	if (!parser->first_action)
		return fail(parser, parser->at,
			"the rule has no action; what should happen? "
			"(share, to=, deny, pass, ...)");
	for (size_t i = 0; !error && i < sizeof alone / sizeof *alone; i++)
		error = check_alone(parser, alone[i]);
	if (!error)
		error = check_sharing(parser);
	if (!error)
		error = check_connect(parser);
	if (!error)
		error = check_to(parser);
	if (!error)
		error = check_early(parser);
	if (!error)
		error = check_backlog(parser);
	if (!error)
		error = check_families(parser);
	return error ? error : check_options(parser);
}

/* ---- rules ---- */

static void start_rule(struct parser *parser)
{
	parser->rule = (struct rule){
		.match.families = FAMILY_ANY,
		.source = parser->source->name,
		.line = parser->line,
	};
	parser->arrow = parser->first_action = NULL;
	memset(parser->seen, 0, sizeof parser->seen);
	memset(parser->seen_option, 0, sizeof parser->seen_option);
}

static int finish_rule(struct parser *parser, struct rules *rules)
{
	struct actions *actions = &parser->rule.actions;
	int error = check_rule(parser);

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
	while (!error && parser->at < parser->end && !ends_rule(parser, *parser->at)) {
		error = next_word(parser, &word);
		if (!error)
			error = read_word(parser, word);
		skip_blanks(parser);
	}
	return error ? error : finish_rule(parser, rules);
}

size_t parse_rules_most(const struct parse_source *source)
{
	size_t most = 1;

	for (size_t i = 0; i < source->length; i++)
		most += source->text[i] == '\n' || source->text[i] == ';';
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
		skip_blanks(&parser);
		if (parser.at == parser.end)
			return 0;
		if (!ends_rule(&parser, *parser.at)) {
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

/* ---- showing an error ---- */

#define SHOWN_MAX    100 /* bytes of a long line that are shown */
#define SHOWN_BEFORE 60	 /* of them before the caret, at most */

/* The part of the line that is shown, as offsets; in *COLUMN the caret's place in it. */
static struct span shown_part(const struct parse_error *error, size_t *column)
{
	const char *line = error->line_text;
	size_t place = 0, left = error->column - 1;

	while (place < error->line_length && (left > 0 || !starts_character(line[place])))
		left -= starts_character(line[place++]) && left > 0 ? 1 : 0;
	size_t start =
		error->line_length > SHOWN_MAX && place > SHOWN_BEFORE ? place - SHOWN_BEFORE : 0;
	while (start < place && !starts_character(line[start]))
		start++;
	size_t length = error->line_length - start;
	*column = 0;
	for (size_t i = start; i < place; i++)
		*column += starts_character(line[i]);
	return (struct span){line + start, length > SHOWN_MAX ? SHOWN_MAX : length};
}

void parse_error_print(struct text *text, const struct parse_error *error, const char *prefix)
{
	size_t column;
	struct span shown = shown_part(error, &column);

	text_format(text, "%s%s:%u:%u: ", prefix, error->source, error->line, error->column);
	text_add_printable(text, error->message, string_length(error->message));
	text_format(text, "\n%s  ", prefix);
	text_add_printable(text, shown.at, shown.length);
	text_format(text, "\n%s  ", prefix);
	for (size_t i = 0; i < column; i++)
		text_add(text, " ", 1);
	text_add(text, "^\n", 2);
}
