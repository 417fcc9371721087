/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loaded_policy.h"

#include "bpf_call.h"
#include "pin.h"
#include "row.h"

#include <string.h>
#include <unistd.h>

/* Reads the strings of a policy. One follows another, and a string may span several rows. */
struct reader {
	int map;
	uint32_t next; /* row */
	size_t at;     /* in this row */
	union row row;
};

/* The next character. If a row cannot be read, this is a NUL, which ends the string. */
static char read_next(struct reader *reader)
{
	if (reader->at == sizeof reader->row.text) {
		reader->at = 0;
		if (bpf_look_up(reader->map, reader->next++, &reader->row) < 0)
			memset(&reader->row, 0, sizeof reader->row);
	}
	return reader->row.text[reader->at++];
}

static bool reads(struct reader *reader, const char *string)
{
	char next;
	bool is_same = true;

	while ((next = read_next(reader))) {
		is_same &= next == *string;
		string += *string != '\0';
	}
	return is_same && !*string;
}

static bool has_rules(int map, const struct policy *policy)
{
	struct reader reader = {.map = map, .at = sizeof reader.row.text};
	union row head;

	if (bpf_look_up(map, ROW_HEAD, &head) < 0 || head.head.error ||
		head.head.n_rules != policy->count || head.head.is_strict != policy->is_strict)
		return false;
	reader.next = head.head.texts;
	for (size_t i = 0; i < policy->count; i++) {
		char bytes[RULE_TEXT_SIZE];
		struct text text;
		text_start(&text, bytes, sizeof bytes);
		rule_print(&text, &policy->rules[i]);
		reads(&reader, ""); /* the place where the rule was written */
		if (!reads(&reader, bytes))
			return false;
	}
	return true;
}

static int open_map(void)
{
	union bpf_attr attributes;
	uint32_t number;
	int policies = bpf_open(PIN_POLICIES);

	if (policies < 0)
		return policies;
	int error = bpf_look_up(policies, 0, &number);
	close(policies);
	if (error)
		return error;
	memset(&attributes, 0, sizeof attributes);
	attributes.map_id = number;
	return bpf_call(BPF_MAP_GET_FD_BY_ID, &attributes);
}

bool loaded_policy_is(const struct policy *policy)
{
	int map = open_map();

	if (map < 0)
		return false;
	bool is_same = has_rules(map, policy);
	close(map);
	return is_same;
}
