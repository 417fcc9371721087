/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compile.h"

#include "policy/index_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Address space for an index: so much for each prefix and each port range in a rule. */
#define BYTES_PER_ENTRY 1024
#define BYTES_AT_LEAST	(1UL << 20)

#define PRIORITY "priority"

/* Appends COUNT rows of zeros. Returns the number of the first one, or 0 if there is no memory. */
static uint32_t add_rows(struct compiled *compiled, size_t count)
{
	size_t first = compiled->count, needed = first + count;

	if (needed > compiled->room) {
		size_t room = needed * 2;
		union row *rows = realloc(compiled->rows, room * sizeof *rows);
		if (!rows || room > UINT32_MAX)
			return 0;
		compiled->rows = rows;
		compiled->room = room;
	}
	memset(compiled->rows + first, 0, count * sizeof *compiled->rows);
	compiled->count = needed;
	return (uint32_t)first;
}

enum row_kind compile_kind(const struct endpoint *endpoint)
{
	enum row_kind kind = endpoint->protocol == PROTOCOL_TCP	  ? ROW_TCP
			     : endpoint->protocol == PROTOCOL_UDP ? ROW_UDP
								  : ROW_OTHER;

	return endpoint->family == FAMILY_IP6 ? kind + ROW_IP6 : kind;
}

/* ---- views ---- */

static const struct endpoint kinds[ROW_KINDS] = {
	[ROW_TCP] = {.family = FAMILY_IP4, .protocol = PROTOCOL_TCP},
	[ROW_UDP] = {.family = FAMILY_IP4, .protocol = PROTOCOL_UDP},
	[ROW_OTHER] = {.family = FAMILY_IP4, .protocol = PROTOCOL_OTHER},
	[ROW_IP6 + ROW_TCP] = {.family = FAMILY_IP6, .protocol = PROTOCOL_TCP},
	[ROW_IP6 + ROW_UDP] = {.family = FAMILY_IP6, .protocol = PROTOCOL_UDP},
	[ROW_IP6 + ROW_OTHER] = {.family = FAMILY_IP6, .protocol = PROTOCOL_OTHER},
};

static void fill_stretch(struct row_stretch *row, const struct index *index, uint32_t interval)
{
	row->first_port = index->ports[interval];
	for (size_t i = 0; i < ROW_KINDS; i++) {
		uint32_t class = index->classes[kinds[i].family][kinds[i].protocol];
		if (class)
			row->rules[i] = index->first_rules[interval * index->n_classes + class - 1];
	}
}

static uint32_t count_prefixes(const struct index *index)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < index->n_starts; i++) {
		if (index->nodes_at[i] > last)
			last = index->nodes_at[i];
	}
	return last + 1;
}

static int add_prefixes(struct compiled *compiled, const struct index *index, uint32_t first,
	const uint32_t *useful, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct node *node = &index->nodes[i];
		uint32_t stretches = add_rows(compiled, node->n_intervals);
		if (!stretches)
			return -ENOMEM;
		compiled->rows[first + i].prefix = (struct row_prefix){
			.parent = useful[node->parent],
			.least = node->least,
			.stretches = stretches,
			.n_stretches = node->n_intervals,
		};
		for (uint32_t j = 0; j < node->n_intervals; j++)
			fill_stretch(
				&compiled->rows[stretches + j].stretch, index, node->intervals + j);
	}
	return 0;
}

/* Whether some rule has exactly this prefix, and not only one that contains it. */
static bool has_rules(const struct index *index, const struct node *node)
{
	const uint32_t *rules = index->first_rules + node->intervals * index->n_classes;

	for (uint32_t i = 0; i < node->n_intervals * index->n_classes; i++) {
		if (rules[i])
			return true;
	}
	return false;
}

/*
 * Prefixes without rules of their own are left out of the rows. For each prefix, finds itself or
 * the smallest prefix around it that has rules of its own.
 */
static uint32_t *find_useful(const struct index *index, uint32_t n_prefixes)
{
	uint32_t *useful = calloc(n_prefixes, sizeof *useful);

	/* a parent comes before its children; the first prefix is always there */
	for (uint32_t i = 1; useful && i < n_prefixes; i++)
		useful[i] = has_rules(index, &index->nodes[i]) ? i : useful[index->nodes[i].parent];
	return useful;
}

/* Adds the starts, without those that have the same prefix as the start before. */
static int add_starts(struct compiled *compiled, struct row_view *view, const struct index *index,
	const uint32_t *useful)
{
	uint32_t starts = add_rows(compiled, index->n_starts), count = 0;
	const union row *rows = compiled->rows;

	if (!starts)
		return -ENOMEM;
	for (uint32_t i = 0; i < index->n_starts; i++) {
		uint32_t prefix = useful[index->nodes_at[i]];
		if (count > 0 && rows[starts + count - 1].start.prefix == prefix)
			continue;
		compiled->rows[starts + count++].start = (struct row_start){
			.high = index->starts[i].high,
			.low = index->starts[i].low,
			.prefix = prefix,
		};
	}
	view->starts = starts;
	view->n_starts = count;
	return 0;
}

static int add_index(struct compiled *compiled, enum row_place place, const struct index *index)
{
	uint32_t n_prefixes = count_prefixes(index);
	uint32_t *useful = find_useful(index, n_prefixes);
	struct row_view view = {.prefixes = add_rows(compiled, n_prefixes)};
	int error = useful && view.prefixes ? add_starts(compiled, &view, index, useful) : -ENOMEM;

	if (!error)
		error = add_prefixes(compiled, index, view.prefixes, useful, n_prefixes);
	free(useful);
	if (!error)
		compiled->rows[place].view = view;
	return error;
}

static size_t count_entries(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->count; i++) {
		const struct match *match = &policy->rules[i].match;
		count += (match->n_ports + 1UL) * (match->n_prefixes + 1UL);
	}
	return count;
}

static int add_view(struct compiled *compiled, enum row_place place, const struct policy *policy)
{
	enum view view = place == ROW_BIND ? VIEW_BIND : VIEW_CONNECT;
	struct arena arena;
	int error = arena_open(&arena, BYTES_AT_LEAST + count_entries(policy) * BYTES_PER_ENTRY);

	if (error)
		return error;
	const struct index *index = index_build(&arena, view, policy->rules, policy->count);
	error = index ? add_index(compiled, place, index) : -ENOMEM;
	arena_close(&arena);
	return error;
}

/* ---- rules ---- */

static uint8_t kinds_of(const struct sockopt *option, unsigned families)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < ROW_KINDS; i++) {
		if (option->protocols & kinds[i].protocol &&
			option->families & families & kinds[i].family)
			bits |= 1U << i;
	}
	return (uint8_t)bits;
}

static int add_option(struct compiled *compiled, struct sockopt_place place, uint8_t of_kinds,
	const void *value, size_t length)
{
	uint32_t row = add_rows(compiled, 1);

	if (!row)
		return -ENOMEM;
	struct row_setting *setting = &compiled->rows[row].setting;
	*setting = (struct row_setting){
		.level = place.level,
		.option = place.option,
		.length = (uint8_t)length,
		.kinds = of_kinds,
	};
	memcpy(setting->value, value, length);
	return 0;
}

/*
 * Adds the setting of an option at one level, for sockets of FAMILIES. Each number is stored as an
 * int, because bpf_setsockopt() takes all numbers as an int.
 */
static int add_setting_at(struct compiled *compiled, const struct setting *setting,
	struct sockopt_place place, unsigned families)
{
	const struct sockopt *option = setting->option;
	bool is_flag = option->type == SOCKOPT_FLAG || option->type == SOCKOPT_FLAG_AND_NUMBER;
	uint8_t of_kinds = kinds_of(option, families);
	struct sockopt_place flag = option->type == SOCKOPT_FLAG ? place : option->flag;
	int is_on = setting->is_on, number = (int)(uint32_t)setting->number;

	if (!of_kinds)
		return 0;
	if (option->type == SOCKOPT_STRING)
		return add_option(compiled, place, of_kinds, setting->string, setting->length);
	int error = is_flag ? add_option(compiled, flag, of_kinds, &is_on, sizeof is_on) : 0;
	if (error || (is_flag && !setting->has_number))
		return error;
	return add_option(compiled, place, of_kinds, &number, sizeof number);
}

static int add_setting(struct compiled *compiled, const struct setting *setting)
{
	const struct sockopt *option = setting->option;

	if (option->ip4.level == option->ip6.level && option->ip4.option == option->ip6.option)
		return add_setting_at(compiled, setting, option->ip4, FAMILY_ANY);
	int error = add_setting_at(compiled, setting, option->ip4, FAMILY_IP4);
	return error ? error : add_setting_at(compiled, setting, option->ip6, FAMILY_IP6);
}

static bool is_priority(const struct setting *setting)
{
	return strcmp(setting->option->name, PRIORITY) == 0;
}

/* Adds all settings of a rule. The priority comes last, because tos changes it too. */
static int add_settings(struct compiled *compiled, const struct actions *actions)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < actions->n_settings; i++) {
		if (!is_priority(&actions->settings[i]))
			error = add_setting(compiled, &actions->settings[i]);
	}
	for (uint32_t i = 0; !error && i < actions->n_settings; i++) {
		if (is_priority(&actions->settings[i]))
			error = add_setting(compiled, &actions->settings[i]);
	}
	return error;
}

static uint16_t flags_of(const struct actions *actions, const struct target *target)
{
	const struct {
		uint16_t flag;
		bool is_set;
	} flags[] = {
		{ROW_DENY, actions->deny},
		{ROW_SHARE, actions->share},
		{ROW_EXCLUSIVE, actions->exclusive},
		{ROW_HAS_ADDRESS, target->has_address},
		{ROW_HAS_PORT, target->has_port},
	};
	unsigned bits = 0;

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		bits |= flags[i].is_set ? flags[i].flag : 0;
	return (uint16_t)bits;
}

static int add_rule(struct compiled *compiled, uint32_t at, const struct rule *rule)
{
	const struct actions *actions = &rule->actions;
	const struct target *target = rule->match.is_connect ? &actions->from : &actions->to;
	size_t settings = compiled->count;
	int error = add_settings(compiled, actions);

	if (error)
		return error;
	compiled->rows[at].actions = (struct row_actions){
		.flags = flags_of(actions, target),
		.error = (uint16_t)actions->deny_errno,
		.port = target->has_port ? target->port : 0,
		.n_settings = (uint16_t)(compiled->count - settings),
		.settings = (uint32_t)settings,
		.high = target->has_address ? target->address.high : 0,
		.low = target->has_address ? target->address.low : 0,
	};
	return 0;
}

/*
 * Adds a string. The strings are in the last rows, one after another, each with its NUL. LENGTH is
 * the length of all strings that have been added.
 */
static int add_string(struct compiled *compiled, size_t *length, const char *string)
{
	size_t texts = compiled->rows->head.texts, size = strlen(string) + 1;
	size_t room = (compiled->count - texts) * sizeof(union row);

	if (*length + size > room &&
		!add_rows(compiled, (*length + size - room) / sizeof(union row) + 1))
		return -ENOMEM;
	memcpy((char *)(compiled->rows + texts) + *length, string, size);
	*length += size;
	return 0;
}

static int add_texts(struct compiled *compiled, const struct policy *policy)
{
	size_t length = 0;
	struct text text;

	compiled->rows->head.texts = (uint32_t)compiled->count;
	if (policy->broken)
		return add_string(compiled, &length, policy->broken);
	for (size_t i = 0; i < policy->count; i++) {
		char bytes[RULE_TEXT_SIZE];
		text_start(&text, bytes, sizeof bytes);
		rule_print_place(&text, &policy->rules[i]);
		int error = add_string(compiled, &length, bytes);
		text_start(&text, bytes, sizeof bytes);
		rule_print(&text, &policy->rules[i]);
		if (!error)
			error = add_string(compiled, &length, bytes);
		if (error)
			return error;
	}
	return 0;
}

static int add_rules(struct compiled *compiled, const struct policy *policy)
{
	uint32_t first = add_rows(compiled, policy->count * ROWS_PER_RULE);
	int error = first ? 0 : -ENOMEM;

	for (uint32_t i = 0; !error && i < policy->count; i++) {
		error = add_rule(compiled, first + i * ROWS_PER_RULE, &policy->rules[i]);
		const struct actions *actions = &policy->rules[i].actions;
		compiled->rows->head.has_exclusive |= actions->exclusive;
		compiled->rows->head.has_source |=
			actions->from.has_address || actions->from.has_port;
	}
	compiled->rows->head.rules = first;
	compiled->rows->head.n_rules = (uint32_t)policy->count;
	return error;
}

/* ---- the whole policy ---- */

int compile(struct compiled *compiled, const struct policy *policy)
{
	*compiled = (struct compiled){.rows = NULL};
	add_rows(compiled, ROW_FIRST_FREE);
	if (!compiled->rows)
		return -ENOMEM;
	compiled->rows->head = (struct row_head){
		.version = LIBREUSE_VERSION,
		.error = policy->broken ? EINVAL : 0,
		.is_strict = policy->is_strict,
	};
	int error = 0;
	if (!policy->broken)
		error = add_view(compiled, ROW_BIND, policy);
	if (!policy->broken && !error)
		error = add_view(compiled, ROW_CONNECT, policy);
	if (!policy->broken && !error)
		error = add_rules(compiled, policy);
	return error ? error : add_texts(compiled, policy);
}

void compiled_free(struct compiled *compiled)
{
	free(compiled->rows);
}
