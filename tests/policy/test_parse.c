/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/parse.h"

#include "helpers.h"
#include "policy/parser.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- match words ---- */

Test(parse, a_protocol_is_named_by_its_word)
{
	cr_expect_eq(parse_one("tcp -> share")->match.protocols, PROTOCOL_TCP);
	cr_expect_eq(parse_one("udp -> share")->match.protocols, PROTOCOL_UDP);
	cr_expect_eq(parse_one("sctp -> share")->match.protocols, PROTOCOL_SCTP);
}

Test(parse, several_protocols_may_be_given)
{
	cr_expect_eq(parse_one("tcp udp -> share")->match.protocols, PROTOCOL_TCP | PROTOCOL_UDP);
	cr_expect_eq(parse_one("sctp udp tcp -> share")->match.protocols,
		PROTOCOL_TCP | PROTOCOL_UDP | PROTOCOL_SCTP);
}

Test(parse, a_family_is_named_by_its_word)
{
	cr_expect_eq(parse_one("ip4 -> share")->match.families, FAMILY_IP4);
	cr_expect_eq(parse_one("ip6 -> share")->match.families, FAMILY_IP6);
	cr_expect_eq(parse_one("share")->match.families, FAMILY_ANY);
}

Test(parse, a_rule_without_a_match_is_for_every_bind)
{
	const struct match *match = &parse_one("share")->match;

	cr_expect_eq(match->protocols, 0);
	cr_expect_eq(match->families, FAMILY_ANY);
	cr_expect_not(match->is_connect);
	cr_expect_eq(match->n_ports, 0);
	cr_expect_eq(match->n_prefixes, 0);
	cr_expect_eq(match->n_patterns, 0);
}

Test(parse, connect_makes_a_rule_for_connect)
{
	cr_expect(parse_one("connect -> pass")->match.is_connect);
	cr_expect_not(parse_one("tcp -> pass")->match.is_connect);
}

/* ---- action words ---- */

/* Everything that an action word sets, as letters. */
static const char *flags_of(const struct actions *actions)
{
	static char letters[16];

	snprintf(letters, sizeof letters, "%s%s%s%s%s%s%s%s%s", actions->share ? "s" : "",
		actions->exclusive ? "x" : "", actions->deny ? "d" : "", actions->pass ? "p" : "",
		actions->early ? "e" : "", actions->once ? "o" : "", actions->is_wish ? "w" : "",
		actions->has_backlog ? "b" : "", actions->n_settings ? "n" : "");
	return letters;
}

Test(parse, an_action_word_sets_only_what_it_names)
{
	static const char *const cases[][2] = {
		{"share", "s"},
		{"exclusive", "x"},
		{"deny", "d"},
		{"deny=EPERM", "d"},
		{"pass", "p"},
		{"share early", "se"},
		{"port=80 to=:81", ""},
		{"to=127.0.0.1", ""},
		{"to=:81 once", "o"},
		{"connect from=127.0.0.1", ""},
		{"backlog=5", "b"},
		{"nodelay", "n"},
		{"share backlog=5 nodelay", "sbn"},
		{"early nodelay", "en"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct actions *actions = &parse_one(cases[i][0])->actions;
		cr_expect_str_eq(flags_of(actions), cases[i][1], "\"%s\" sets \"%s\"", cases[i][0],
			flags_of(actions));
		bool has_to = strstr(cases[i][0], "to=") != NULL;
		bool has_from = strstr(cases[i][0], "from=") != NULL;
		cr_expect_eq(actions->to.has_address || actions->to.has_port, has_to);
		cr_expect_eq(actions->from.has_address || actions->from.has_port, has_from);
	}
}

Test(parse, several_actions_may_be_in_one_rule)
{
	const struct rule *rule = parse_one("tcp port=80 -> share to=127.0.0.1:8080 backlog=4096 "
					    "nodelay keepalive=60 congestion=bbr");

	cr_expect(rule->actions.share);
	cr_expect(rule->actions.to.has_address);
	cr_expect_eq(rule->actions.to.port, 8080);
	cr_expect_eq(rule->actions.backlog, 4096);
	cr_assert_eq(rule->actions.n_settings, 3);
	cr_expect_str_eq(rule->actions.settings[0].option->name, "nodelay");
	cr_expect_str_eq(rule->actions.settings[1].option->name, "keepalive");
	cr_expect_str_eq(rule->actions.settings[2].option->name, "congestion");
}

Test(parse, actions_may_be_in_any_order)
{
	const struct rule *one = parse_one("tcp port=80 -> to=:81 share backlog=5");
	const struct rule *other = parse_one("port=80 tcp -> backlog=5 to=:81 share");

	cr_expect(rules_equal(one, other));
}

/* ---- the arrow ---- */

Test(parse, the_arrow_may_be_left_out)
{
	static const char *const cases[][2] = {
		{"tcp port=80 -> share", "tcp port=80 share"},
		{"-> share", "share"},
		{"connect -> from=127.0.0.1", "connect from=127.0.0.1"},
		{"exe=a -> deny=EPERM", "exe=a deny=EPERM"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rule *with = parse_one(cases[i][0]), *without = parse_one(cases[i][1]);
		cr_expect(rules_equal(with, without), "%s", cases[i][0]);
	}
}

Test(parse, an_arrow_in_the_wrong_place_is_refused)
{
	expect_refused("tcp -> -> share", 1, 8,
		"the rule has a second arrow; write each rule on its own line");
	expect_refused("tcp -> share -> pass", 1, 14,
		"the rule has a second arrow; write each rule on its own line");
	expect_refused("tcp share -> nodelay", 1, 11,
		"the arrow comes after an action; put all actions after it");
	expect_refused(
		"tcp share ->", 1, 11, "the arrow comes after an action; put all actions after it");
}

Test(parse, a_match_after_the_arrow_or_an_action_is_refused)
{
	expect_refused("tcp -> port=80 share", 1, 8,
		"\"port\" is a match but comes after the arrow; put matches before it");
	expect_refused("share tcp", 1, 7,
		"\"tcp\" is a match but comes after an action; put matches first");
	expect_refused("tcp -> share port=80", 1, 14,
		"\"port\" is a match but comes after an action; put matches first");
	expect_refused("nodelay connect", 1, 9,
		"\"connect\" is a match but comes after an action; put matches first");
}

Test(parse, a_rule_without_an_action_is_refused)
{
	static const char complaint[] =
		"the rule has no action; write what should happen, as in share, to=, deny or pass";

	expect_refused("tcp port=80", 1, 12, complaint);
	expect_refused("tcp port=80 ->", 1, 15, complaint);
	expect_refused("->", 1, 3, complaint);
	expect_refused("share\ntcp\nshare", 2, 4, complaint);
	expect_refused_as(PARSE_VARIABLE, "tcp; share", 10, 1, 4, complaint);
}

/* ---- words that are wrong ---- */

Test(parse, an_unknown_word_is_refused_with_the_nearest_known_one)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *message;
	} cases[] = {
		{"tcp prot=80 -> share", 5, "\"prot\" is an unknown word; did you mean \"port\"?"},
		{"tcp port=80 -> shaer", 16,
			"\"shaer\" is an unknown word; did you mean \"share\"?"},
		{"tcp port=80 -> nodelay no-delay", 24,
			"\"no-delay\" is an unknown word; did you mean \"nodelay\"?"},
		{"tpc -> share", 1, "\"tpc\" is an unknown word; did you mean \"tcp\"?"},
		{"TCP -> share", 1, "\"TCP\" is an unknown word; libreuse.conf(5) lists them"},
		{"Share", 1, "\"Share\" is an unknown word; did you mean \"share\"?"},
		{"share keepalive-intervall=5", 7,
			"\"keepalive-intervall\" is an unknown word; did you mean "
			"\"keepalive-interval\"?"},
		{"share recvbuf=5", 7, "\"recvbuf\" is an unknown word; did you mean \"rcvbuf\"?"},
		{"-> balance", 4, "\"balance\" is an unknown word; libreuse.conf(5) lists them"},
		{"=80 share", 1, "\"\" is an unknown word; libreuse.conf(5) lists them"},
		{"share ,", 7, "\",\" is an unknown word; libreuse.conf(5) lists them"},
		{"tcp port = 80 share", 5, "\"port\" needs a value: port=80,8000-8999"},
		{"80 -> share", 1, "\"80\" is an unknown word; libreuse.conf(5) lists them"},
		{"\xc3\xbc\xc3\xbc -> shaer", 1,
			"\"\xc3\xbc\xc3\xbc\" is an unknown word; libreuse.conf(5) lists them"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_refused(cases[i].text, 1, cases[i].column, cases[i].message);
}

/* They come with later versions; until then a policy that relies on them must not load. */
Test(parse, roll_is_not_a_word_of_a_rule)
{
	static const char *const texts[] = {"tcp -> share roll"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct parsed parsed = parse_variable(texts[i]);
		cr_expect_eq(parsed.error, -EINVAL, "\"%s\" is taken", texts[i]);
		cr_expect_not_null(strstr(parsed.complaint.message, "is an unknown word"), "%s",
			parsed.complaint.message);
	}
}

Test(parse, a_word_that_is_given_twice_is_refused)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *message;
	} cases[] = {
		{"tcp tcp share", 5, "\"tcp\" is given twice in one rule"},
		{"ip4 ip4 share", 5, "\"ip4\" is given twice in one rule"},
		{"connect connect pass", 9, "\"connect\" is given twice in one rule"},
		{"port=80 port=81 share", 9,
			"\"port\" is given twice in one rule; separate several values with commas"},
		{"addr=::1 addr=::2 share", 10,
			"\"addr\" is given twice in one rule; separate several values with commas"},
		{"exe=a exe=b share", 7,
			"\"exe\" is given twice in one rule; separate several values with commas"},
		{"share share", 7, "\"share\" is given twice in one rule"},
		{"port=1 to=:2 to=:3", 14, "\"to\" is given twice in one rule"},
		{"deny deny=EPERM", 6, "\"deny\" is given twice in one rule"},
		{"backlog=1 backlog=1", 11, "\"backlog\" is given twice in one rule"},
		{"nodelay nodelay=off", 9, "\"nodelay\" is given twice in one rule"},
		{"keepalive keepalive=5", 11, "\"keepalive\" is given twice in one rule"},
		{"device=a device=b", 10, "\"device\" is given twice in one rule"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_refused(cases[i].text, 1, cases[i].column, cases[i].message);
}

Test(parse, a_word_may_be_given_again_in_the_next_rule)
{
	struct parsed parsed = parse_variable("tcp port=1 share nodelay; tcp port=2 share nodelay");

	cr_expect_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_expect_eq(parsed.rules.count, 2);
}

Test(parse, what_one_rule_says_does_not_leak_into_the_next)
{
	struct parsed parsed =
		parse_variable("ip4 tcp port=1 addr=::ffff:1.1.1.1 exe=a to=:5 early=x");

	cr_expect_eq(parsed.error, -EINVAL);
	parsed =
		parse_variable("ip4 tcp port=1 addr=1.1.1.1 exe=a -> to=:5 backlog=3 nodelay share;"
			       "connect -> deny=EPERM; pass");
	cr_assert_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_assert_eq(parsed.rules.count, 3);
	cr_expect(rules_equal(&parsed.rules.list[1], parse_one("connect -> deny=EPERM")));
	cr_expect(rules_equal(&parsed.rules.list[2], parse_one("pass")));
}

Test(parse, a_word_that_takes_no_value_is_refused_with_one)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *message;
	} cases[] = {
		{"tcp=1 share", 5, "\"tcp\" takes no value"},
		{"udp= share", 5, "\"udp\" takes no value"},
		{"sctp=on share", 6, "\"sctp\" takes no value"},
		{"ip4=1 share", 5, "\"ip4\" takes no value"},
		{"ip6=1 share", 5, "\"ip6\" takes no value"},
		{"connect=::1 pass", 9, "\"connect\" takes no value"},
		{"share=on", 7, "\"share\" takes no value"},
		{"exclusive=on", 11, "\"exclusive\" takes no value"},
		{"port=1 to=:2 once=1", 19, "\"once\" takes no value"},
		{"pass=1", 6, "\"pass\" takes no value"},
		{"share early=1", 13, "\"early\" takes no value"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_refused(cases[i].text, 1, cases[i].column, cases[i].message);
}

Test(parse, a_word_that_needs_a_value_is_refused_without_one)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *message;
	} cases[] = {
		{"tcp port share", 5, "\"port\" needs a value: port=80,8000-8999"},
		{"addr share", 1, "\"addr\" needs a value: addr=10.0.0.0/8,::1"},
		{"exe share", 1, "\"exe\" needs a value: exe=nginx"},
		{"share to", 7, "\"to\" needs a value: to=127.0.0.1:8080"},
		{"connect from", 9, "\"from\" needs a value: from=192.0.2.1"},
		{"share backlog", 7, "\"backlog\" needs a value: backlog=4096"},
		{"share device", 7, "\"device\" needs a value: device=..."},
		{"share mark", 7, "\"mark\" needs a value: mark=..."},
		{"share pacing-rate", 7, "\"pacing-rate\" needs a value: pacing-rate=..."},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_refused(cases[i].text, 1, cases[i].column, cases[i].message);
}

/* ---- rules and their places ---- */

Test(parse, an_empty_text_has_no_rules)
{
	static const char *const texts[] = {
		"", " ", "\n", "\n\n \t\n", "# a comment", "  # a comment\n\n#\n", "\r\n\r\n", "#"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct parsed variable = parse_variable(texts[i]), file = parse_file(texts[i]);
		cr_expect(variable.error == 0 && variable.rules.count == 0, "\"%s\"", texts[i]);
		cr_expect(file.error == 0 && file.rules.count == 0, "\"%s\"", texts[i]);
	}
	cr_expect_eq(parse_variable(" ;; ; ").error, 0);
	cr_expect_eq(parse_variable(" ;; ; ").rules.count, 0);
}

Test(parse, a_rule_knows_its_source_and_line)
{
	struct parsed parsed = parse_file("# head\n\nshare\n\n\tudp -> pass # tail\nsctp share");

	cr_assert_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_assert_eq(parsed.rules.count, 3);
	cr_expect_eq(parsed.rules.list[0].line, 3);
	cr_expect_eq(parsed.rules.list[1].line, 5);
	cr_expect_eq(parsed.rules.list[2].line, 6);
	cr_expect_str_eq(parsed.rules.list[2].source, "TEXT");
}

Test(parse, rules_in_a_variable_are_separated_by_semicolons_and_newlines)
{
	struct parsed parsed = parse_variable("tcp share;udp pass\nsctp deny ; ; share\n;pass;");

	cr_assert_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_assert_eq(parsed.rules.count, 5);
	cr_expect_eq(parsed.rules.list[0].line, 1);
	cr_expect_eq(parsed.rules.list[1].line, 1);
	cr_expect_eq(parsed.rules.list[2].line, 2);
	cr_expect_eq(parsed.rules.list[3].line, 2);
	cr_expect_eq(parsed.rules.list[4].line, 3);
	cr_expect(parsed.rules.list[1].actions.pass);
	cr_expect_eq(parsed.rules.list[1].match.protocols, PROTOCOL_UDP);
}

Test(parse, rules_keep_their_order_and_follow_those_that_were_there)
{
	struct parsed parsed = parse_variable("tcp share");
	struct parse_source more = {"MORE", "udp share\nsctp share", 20, PARSE_FILE};
	struct rule list[3] = {parsed.rules.list[0]};
	struct rules rules = {.list = list, .count = 1, .room = 3};
	struct parse_error complaint;

	cr_assert_eq(parse_rules(&rules, &parsed.arena, &more, &complaint), 0);
	cr_assert_eq(rules.count, 3);
	cr_expect_eq(list[0].match.protocols, PROTOCOL_TCP);
	cr_expect_eq(list[1].match.protocols, PROTOCOL_UDP);
	cr_expect_eq(list[2].match.protocols, PROTOCOL_SCTP);
	cr_expect_str_eq(list[0].source, "TEXT");
	cr_expect_str_eq(list[1].source, "MORE");
	cr_expect_eq(list[2].line, 2);
}

Test(parse, a_semicolon_in_a_file_does_not_separate_rules)
{
	static const char text[] = "tcp port=80 -> share; udp -> pass";
	struct parsed parsed = parse_file(text);

	cr_expect_eq(parsed.error, -EINVAL);
	cr_expect_eq(parsed.complaint.column, 16);
	cr_expect_eq(parse_one("exe=\"a;b\" share")->match.patterns[0].length, 3);
	cr_expect_eq(parse_file("exe=a;b share").rules.list[0].match.patterns[0].length, 3);
	expect_refused_as(PARSE_FILE, "share ; pass", 12, 1, 7,
		"\";\" is an unknown word; in a file, write each rule on its own line");
}

Test(parse, the_room_for_rules_is_never_too_small)
{
	static const char *const texts[] = {
		"", "share", "share;share", "share\nshare\n", ";;;\n\n", "# ; ; ;\nshare"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct parse_source source = {"", texts[i], strlen(texts[i]), PARSE_VARIABLE};
		struct parsed parsed = parse_variable(texts[i]);
		cr_expect_eq(parsed.error, 0);
		cr_expect_leq(parsed.rules.count, parse_rules_most(&source), "\"%s\"", texts[i]);
	}
}

Test(parse, the_rules_do_not_refer_to_the_text)
{
	static const char text[] = "exe=nginx,\"/opt/My App/*\" port=80 addr=10.0.0.0/8 -> "
				   "share device=eth0 congestion=bbr";
	char copy[sizeof text];

	memcpy(copy, text, sizeof text);
	const struct rule *rule = parse_one(copy);
	memset(copy, 'x', sizeof copy);
	cr_expect(rules_equal(rule, parse_one(text)));
}

Test(parse, a_used_up_arena_is_reported)
{
	static const char text[] = "exe=a,b,c port=1,2,3 addr=::1,::2 -> share nodelay device=eth0";
	struct parse_source source = {"TEXT", text, sizeof text - 1, PARSE_VARIABLE};
	struct parse_error complaint;
	struct rule list[1];
	bool is_parsed = false;

	/* with every amount of memory, down to none, it either works or fails cleanly */
	for (size_t left = 0; left < 1024; left += 8) {
		struct rules rules = {.list = list, .room = 1};
		struct arena arena;
		cr_assert_eq(arena_open(&arena, 1), 0);
		cr_assert_not_null(arena_take(&arena, 1, arena.size - left));
		int error = parse_rules(&rules, &arena, &source, &complaint);
		cr_expect(error == 0 || error == -ENOMEM, "%d", error);
		cr_expect(!is_parsed || error == 0, "fails with more memory than before");
		cr_expect_eq(rules.count, error ? 0 : 1);
		is_parsed |= error == 0;
		if (left == 0)
			cr_expect_eq(error, -ENOMEM);
		arena_close(&arena);
	}
	cr_expect(is_parsed);
}

Test(parse, more_rules_than_there_is_room_for_are_refused)
{
	struct parse_source source = {"TEXT", "share;share", 11, PARSE_VARIABLE};
	struct parsed parsed = parse_variable("");
	struct rule list[2] = {{.line = 0}, {.line = 77}};
	struct rules rules = {.list = list, .room = 1};
	struct parse_error complaint;

	cr_expect_eq(parse_rules(&rules, &parsed.arena, &source, &complaint), -ENOMEM);
	cr_expect_eq(rules.count, 1);
	cr_expect_eq(list[1].line, 77);
}

Test(parse, ten_thousand_rules_parse)
{
	size_t size = 10000 * 64, length = 0;
	char *text = malloc(size);

	for (unsigned i = 0; i < 10000; i++)
		length += (size_t)snprintf(text + length, size - length,
			"tcp port=%u addr=10.%u.%u.0/24 -> share nodelay\n", i + 1, i / 256,
			i % 256);
	struct parsed parsed = parse_file(text);
	cr_assert_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_assert_eq(parsed.rules.count, 10000);
	const struct rule *last = &parsed.rules.list[9999];
	cr_expect_eq(last->line, 10000);
	cr_expect_str_eq(print_rule(last), "tcp port=10000 addr=10.39.15.0/24 -> share nodelay");
	memcpy(strstr(text, "port=9000 "), "prot", 4);
	parsed = parse_file(text);
	cr_expect_eq(parsed.error, -EINVAL);
	cr_expect_eq(parsed.complaint.line, 9000);
	free(text);
}

Test(parse, a_rule_can_name_every_option_at_once)
{
	char text[2048] = "ip6 ->";
	unsigned wanted = 0;

	cr_assert_leq(sockopt_count, OPTIONS_MOST);
	for (unsigned i = 0; i < sockopt_count; i++) {
		const struct sockopt *option = &sockopt_table[i];
		if (!(option->families & FAMILY_IP6))
			continue;
		size_t length = strlen(text);
		snprintf(text + length, sizeof text - length, " %s%s", option->name,
			option->type == SOCKOPT_FLAG ? "" : "=88");
		wanted++;
	}
	cr_expect_eq(parse_one(text)->actions.n_settings, wanted);
}
