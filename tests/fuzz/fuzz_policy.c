/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzzes the parser of rules. The first byte of an input chooses file or variable. An error is at a
 * place inside the text; a rule that is printed and read again is the same; and the index decides
 * as checking each rule does.
 */
#include "fuzz.h"
#include "ground/compare.h"
#include "policy/parse.h"
#include "policy/policy.h"

#include <errno.h>
#include <string.h>

#define TEXT_MOST  4096
#define RULES_MOST 64
#define PRINT_SIZE 16384 /* an option's text can become four times as long */

struct parsed {
	char *text;
	struct arena arena;
	struct rules rules;
	struct parse_error error;
	int result;
};

/* As much as source.c would take. */
static size_t arena_size(size_t bytes, size_t rules)
{
	return 16UL * 1024 + bytes * 64 + rules * sizeof(struct rule);
}

static void parse(struct parsed *parsed, const char *text, size_t length, enum parse_style style)
{
	*parsed = (struct parsed){.text = fuzz_copy(text, length)};
	struct parse_source source = {"FUZZ", parsed->text, length, style};

	parsed->rules.room = parse_rules_most(&source);
	parsed->arena = fuzz_arena(arena_size(length, parsed->rules.room));
	parsed->rules.list = arena_take(&parsed->arena, parsed->rules.room, sizeof(struct rule));
	CLAIM(parsed->rules.list);
	parsed->result = parse_rules(&parsed->rules, &parsed->arena, &source, &parsed->error);
}

static void drop(struct parsed *parsed)
{
	fuzz_free(&parsed->arena);
	free(parsed->text);
}

static void check_complaint(const struct parsed *parsed, size_t length)
{
	const struct parse_error *error = &parsed->error;
	char bytes[2048];
	struct text text;

	CLAIM(error->line >= 1 && error->column >= 1);
	CLAIM(error->line_text >= parsed->text &&
		error->line_text + error->line_length <= parsed->text + length);
	CLAIM(memchr(error->message, '\0', sizeof error->message) && error->message[0]);
	text_start(&text, bytes, sizeof bytes);
	parse_error_print(&text, error, "");
	CLAIM(text.length == strlen(bytes));
}

/* Whether all of the rule can be printed: control characters cannot. */
static bool is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (((unsigned char)text[i] < ' ' && text[i] != '\t' && text[i] != '\n') ||
			text[i] == 0x7f)
			return false;
	}
	return true;
}

static void check_printing(const struct rule *rule)
{
	static char bytes[PRINT_SIZE], again_bytes[PRINT_SIZE];
	struct text text, again;
	struct parsed parsed;

	text_start(&text, bytes, sizeof bytes);
	rule_print(&text, rule);
	CLAIM(!text.truncated);
	parse(&parsed, text.bytes, text.length, PARSE_FILE);
	CLAIM(parsed.result == 0 && parsed.rules.count == 1);
	text_start(&again, again_bytes, sizeof again_bytes);
	rule_print(&again, parsed.rules.list);
	CLAIM(strcmp(bytes, again_bytes) == 0);
	drop(&parsed);
}

static const struct rule *decide_simply(
	const struct policy *policy, enum view view, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < policy->count; i++) {
		if (view_matches(view, &policy->rules[i], endpoint))
			return &policy->rules[i];
	}
	return NULL;
}

/* Endpoints at the edges of what the rules name. */
static void check_decisions(const struct rules *rules)
{
	struct arena arena = fuzz_arena(rules->count > 8 ? 1UL << 20 : 1);
	struct policy policy = {.rules = NULL};

	policy_make(&policy, &arena, rules->list, rules->count);
	for (size_t i = 0; i < rules->count; i++) {
		const struct match *match = &rules->list[i].match;
		struct endpoint endpoint = {
			.address = match->n_prefixes ? match->prefixes[0].address
						     : rules->list[i].actions.to.address,
			.port = match->n_ports ? match->ports[0].last
					       : rules->list[i].actions.to.port,
			.family = i % 2 ? FAMILY_IP4 : FAMILY_IP6,
			.protocol = (uint8_t)(1U << i % 4),
		};
		for (enum view view = 0; view < VIEW_COUNT; view++)
			CLAIM(policy_decide(&policy, view, &endpoint) ==
				decide_simply(&policy, view, &endpoint));
		endpoint.port++;
		CLAIM(policy_decide(&policy, VIEW_BIND, &endpoint) ==
			decide_simply(&policy, VIEW_BIND, &endpoint));
	}
	fuzz_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes + 1;
	struct parsed parsed;

	if (size == 0 || size > TEXT_MOST)
		return 0;
	parse(&parsed, text, size - 1, bytes[0] % 2 ? PARSE_FILE : PARSE_VARIABLE);
	CLAIM(parsed.result == 0 || parsed.result == -EINVAL);
	if (parsed.result == -EINVAL)
		check_complaint(&parsed, size - 1);
	if (parsed.result == 0 && parsed.rules.count <= RULES_MOST) {
		for (size_t i = 0; i < parsed.rules.count && is_printable(text, size - 1); i++)
			check_printing(&parsed.rules.list[i]);
		check_decisions(&parsed.rules);
	}
	drop(&parsed);
	return 0;
}
