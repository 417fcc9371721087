/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command/made_rules.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static char **line_of(const char *const *words)
{
	static char *line[16];
	int count = 0;

	for (; words[count]; count++)
		line[count] = (char *)(uintptr_t)words[count];
	line[count] = NULL;
	return line;
}

Test(made_rules, options_become_rules)
{
	static const struct {
		const char *words[8], *rules;
	} cases[] = {
		{{"-r", "deny", "server"}, "deny"},
		{{"-r", "deny", "--rule=share", "server"}, "deny\nshare"},
		{{"-r", "", "server"}, ""},
		{{"-a", "127.0.0.1", "server"},
			"tcp udp port=1-65535 -> share to=127.0.0.1\ntcp udp sctp -> to=127.0.0.1"},
		{{"-a::1", "server"},
			"tcp udp port=1-65535 -> share to=[::1]\ntcp udp sctp -> to=[::1]"},
		{{"-a[::1]", "server"},
			"tcp udp port=1-65535 -> share to=[::1]\ntcp udp sctp -> to=[::1]"},
		{{"-p8080", "server"}, "tcp udp port=1-65535 -> share to=:8080 once"},
		{{"-p80:8080", "-p", "81:8081", "server"},
			"tcp udp port=80 -> share to=:8080\ntcp udp port=81 -> share to=:8081\n"
			"tcp udp port=1-65535 -> share"},
		{{"-p80:8080", "-a10.0.0.1", "-p90", "server"},
			"tcp udp port=80 -> share to=10.0.0.1:8080\n"
			"tcp udp port=1-65535 -> share to=10.0.0.1:90 once\n"
			"tcp udp sctp -> to=10.0.0.1"},
		{{"--steer=cpu", "-p80:81", "server"}, "tcp udp port=80 -> share steer=cpu to=:81\n"
						       "tcp udp port=1-65535 -> share steer=cpu"},
		{{"-a::1", "-r", "udp -> pass", "server"},
			"udp -> pass\ntcp udp port=1-65535 -> share to=[::1]\n"
			"tcp udp sctp -> to=[::1]"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct command command;
		cr_assert_eq(command_read(&command, line_of(cases[i].words)), 0);
		cr_expect(made_rules_exist(&command));
		char *rules = made_rules_text(&command);
		cr_expect_str_eq(rules, cases[i].rules, "%zu: %s", i, rules);
		free(rules);
		command_free(&command);
	}
}

Test(made_rules, without_options_no_rule_is_made)
{
	struct command command;

	cr_assert_eq(command_read(&command, line_of((const char *[]){"-q", "server", NULL})), 0);
	cr_expect_not(made_rules_exist(&command));
}
