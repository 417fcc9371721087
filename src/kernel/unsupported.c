/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unsupported.h"

#include "ground/compare.h"

/* bpf_setsockopt() fails with EINVAL for these. A test checks that it accepts all others. */
static const char *const options[] = {"broadcast", "busy-poll", "dontroute", "incoming-cpu",
	"freebind", "transparent", "ttl", "v6only", "defer-accept", "fastopen"};

static bool is_unsupported(const struct sockopt *option)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (string_equals(options[i], option->name))
			return true;
	}
	return false;
}

/*
 * A number of 64 bits is passed to the kernel as one of 32 bits. The largest number of 64 bits
 * means "no limit", and so does the largest one of 32 bits; so other numbers must be smaller than
 * that.
 */
static bool is_too_large(const struct setting *setting)
{
	return setting->option->type == SOCKOPT_NUMBER64 && setting->number >= UINT32_MAX &&
	       setting->number != UINT64_MAX;
}

static bool has_interface(const struct rule *rule)
{
	return rule_has_scope(rule) || rule->actions.from.scope_id;
}

static bool is_for_sctp(const struct rule *rule)
{
	return rule->match.protocols & PROTOCOL_SCTP;
}

void unsupported_print(struct text *why, const struct rule *rule)
{
	const struct actions *actions = &rule->actions;
	const struct {
		const char *what;
		bool is_there;
	} words[] = {
		{"sctp: it does not see such sockets", is_for_sctp(rule)},
		{"exe=: it does not know the path of a program; attach it to the control group of "
		 "that program instead",
			rule->match.n_patterns > 0},
		{"an address of one network interface: it does not know the interface",
			has_interface(rule)},
		{"keep: it has no keeper; use reuse-run --keep", actions->keep},
		{"adopt=: it cannot replace one socket by another", actions->adopt != NULL},
		{"backlog=: it does not see listen()", actions->has_backlog},
		{"steer=: it does not see groups; use reuse-run --steer", actions->has_steer},
		{"early: it does not see socket(); without this word, the rule applies at each "
		 "bind()",
			actions->early},
		{"once: it does not know which programs belong together; write port=OLD -> to=:NEW",
			actions->once || actions->is_wish},
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (words[i].is_there) {
			text_format(why, "%s", words[i].what);
			return;
		}
	}
	for (uint32_t i = 0; i < actions->n_settings; i++) {
		const struct setting *setting = &actions->settings[i];
		if (is_unsupported(setting->option))
			text_format(why, "%s: the kernel does not let BPF programs set this option",
				setting->option->name);
		else if (is_too_large(setting))
			text_format(why, "%s=%ju: it can set at most 4294967294, or no limit",
				setting->option->name, (uintmax_t)setting->number);
		if (why->length > 0)
			return;
	}
}
