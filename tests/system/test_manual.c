/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manual describes every socket option and every variable of the tables; limits are stated. */
#include "harness.h"
#include "policy/sockopt.h"
#include "policy/variable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM "\n.It Cm "

/* The words of the grammar that are no socket option; they are described in the same way. */
static const char *const matches[] = {
	"tcp", "udp", "sctp", "ip4", "ip6", "port", "addr", "exe", "connect"};
static const char *const actions[] = {"share", "reuseport", "reuseaddr", "exclusive", "to", "from",
	"deny", "pass", "backlog", "early", "keep", "adopt", "steer", "once"};

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

/* What a user has to know of keep before it is relied on. */
static const char *const limits[] = {"shutdown 2\n", "for good", "Type=forking",
	"ExecStartPre=", "NotifyAccess=all", "Ql Restart= ,", "NFileDescriptorStore", "multicast",
	"fewer", "noatsecure", "AmbientCapabilities="};

/* What the library and its keeper say to each other. */
static const char *const protocol[] = {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID",
	"LISTEN_FDNAMES", "FDSTORE\n", "REUSE_KEEP", "REUSE_WORKER", "REUSE_GENERATION",
	"REUSE_SUCCESSOR", "REUSE_SHARED", "FDSTORE=1", "FDPOLL=0", "REUSE_ASKED=1",
	"REUSE_BIND_FAILED=", "REUSE_ERRNO=", "REUSE_BIND_DONE=1", "FDNAME=", "FDSTOREREMOVE=1",
	"REUSE_KEPT", "F_SETLK", "libreuse\\-order", ".Ss Versions\n"};

static const char *page_of(const char *name)
{
	return read_file(format("%s/man/%s", source_path(), name));
}

static const char *manual(void)
{
	return page_of("libreuse.conf.5");
}

static bool is_end_of_word(char c)
{
	return strchr(" \t\n=,[", c) != NULL; /* or the end of the text */
}

/* The item with that name, or NULL. */
static const char *find_item(const char *page, const char *name)
{
	for (const char *at = page; (at = strstr(at, ITEM)); at++) {
		const char *word = at + strlen(ITEM);
		if (strncmp(word, name, strlen(name)) == 0 && is_end_of_word(word[strlen(name)]))
			return at;
	}
	return NULL;
}

static bool is_in(const char *const *words, size_t count, const char *word, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(words[i]) == length && memcmp(words[i], word, length) == 0)
			return true;
	}
	return false;
}

Test(manual, every_socket_option_of_the_table_is_described)
{
	const char *page = manual();

	for (unsigned i = 0; i < sockopt_count; i++)
		cr_expect(find_item(page, sockopt_table[i].name), "%s is not described",
			sockopt_table[i].name);
}

Test(manual, every_match_and_action_is_described)
{
	const char *page = manual();

	for (size_t i = 0; i < COUNT(matches); i++)
		cr_expect(find_item(page, matches[i]), "%s is not described", matches[i]);
	for (size_t i = 0; i < COUNT(actions); i++)
		cr_expect(find_item(page, actions[i]), "%s is not described", actions[i]);
}

Test(manual, the_description_of_connect_says_what_such_rules_do_not_see)
{
	const char *item = find_item(manual(), "connect");

	cr_assert(item);
	const char *end = strstr(item, "\n.El"),
		   *words[] = {"sendto 2", "sendmsg 2", "MSG_FASTOPEN"};
	for (size_t i = 0; i < COUNT(words); i++) {
		const char *at = strstr(item, words[i]);
		cr_expect(at && at < end, "%s is not there", words[i]);
	}
}

/* Expects WORDS in the section of libreuse(7), which ends where the section NEXT starts. */
static void expect_in_section(const char *name, const char *next, const char *words)
{
	const char *section = strstr(page_of("libreuse.7"), format("\n.Sh %s\n", name));

	cr_assert(section);
	const char *at = strstr(section, words);
	cr_expect(at && at < strstr(section, format("\n.Sh %s\n", next)), "\"%s\" is not there",
		words);
}

Test(manual, the_limits_of_keep_are_stated)
{
	for (size_t i = 0; i < COUNT(limits); i++)
		expect_in_section("KEEPING A SOCKET", "ADOPTING A SOCKET", limits[i]);
}

/* What SECURITY promises, and the test of tests/system that would fail if it did not hold. */
static const struct {
	const char *words, *file, *test;
} promises[] = {
	{"no exception for root", "users",
		"the_refusal_of_another_users_port_names_the_user_and_the_program"},
	{"closed to other users on every address", "hostile",
		"another_user_can_join_a_tcp_port_on_no_address"},
	{"closed to other users on every address", "hostile",
		"another_user_can_join_a_udp_port_on_no_address"},
	{"The one who listens first has the port", "hostile",
		"another_bind_between_bind_and_listen_makes_the_listen_fail"},
	{"can be joined by\n.Em every\nuser", "hostile",
		"a_udp_port_whose_program_sets_so_reuseaddr_is_open_to_all_unless_it_is_exclusive"},
	{"A second copy fails", "users",
		"two_copies_that_both_set_so_reuseport_share_a_port_unless_it_is_exclusive"},
	{"refuses the call", "users", "deny_fails_with_eacces_or_the_errno_that_it_names"},
	{"uses the kernel hook or the notify hook whenever a rule protects", "choose",
		"under_strict_deny_holds_against_every_way_to_bind"},
	{"the program is not started", "choose", "strict_refuses_a_program_that_no_hook_covers"},
	{"refused if its owner or its mode", "log",
		"a_policy_file_that_others_can_write_is_a_broken_policy"},
	{"cannot add a rule or a variable", "hostile",
		"a_file_that_another_user_wrote_or_linked_to_adds_no_rule_and_no_variable"},
	{"the environment is ignored", "log",
		"a_setuid_program_ignores_the_rules_of_the_environment"},
	{"no socket is handed over", "log",
		"a_setuid_program_hands_no_socket_to_a_keeper_that_the_environment_names"},
	{"no descriptor is adopted", "log", "a_setuid_program_adopts_nothing"},
	{"follows no link", "hostile",
		"a_pid_file_does_not_follow_a_link_that_another_user_has_planted"},
	{"A lock that another user holds on it has no effect", "pid_file",
		"a_lock_of_another_user_does_not_keep_a_left_over_file"},
	{"from descendants\nof the copy", "descent",
		"messages_of_a_process_that_a_copy_has_started_count_whatever_its_user"},
	{"is ignored", "descent",
		"messages_of_another_user_who_joins_the_process_group_of_a_copy_are_ignored"},
	{"what it has open does not count", "descent",
		"a_socket_of_another_user_who_joins_the_process_group_makes_no_copy_ready"},
	{"only from root, from its own user", "hostile",
		"a_user_may_ask_his_own_supervisor_and_another_may_not"},
	{"add or remove a socket", "hostile", "messages_of_another_user_to_the_keeper_are_ignored"},
	{"without a number in this user namespace", "hostile",
		"a_user_without_an_id_in_the_namespace_is_not_our_own_user"},
	{"However many messages they send", "hostile",
		"a_flood_of_another_users_messages_holds_nothing_up"},
	{"rolls continue", "hostile",
		"endless_requests_of_another_user_for_rolls_do_not_hold_up_a_roll"},
	{"does not allow another user to take a descriptor", "hostile",
		"another_user_gets_no_descriptor_and_sends_no_signal"},
	{"does not get a kept socket", "hostile",
		"a_kept_socket_is_not_for_a_child_of_another_user"},
	{"sends this user no socket", "hostile",
		"another_user_who_has_taken_a_keepers_name_gets_no_socket"},
	{"will not find it", "hostile",
		"a_name_that_another_user_has_taken_is_not_trusted_and_a_signal_still_rolls"},
	{"does not trust a socket of a user other than", "hostile",
		"a_process_of_another_user_that_listens_there_is_not_trusted"},
	{"sends invalid messages", "flood", "invalid_messages_are_dropped"},
	{"a flood of messages", "flood", "an_endless_flood_does_not_hold_up_a_roll"},
	{"not\nlistening sockets", "flood",
		"descriptors_that_are_not_listening_sockets_are_closed"},
	{"makes the next roll fail", "flood",
		"a_listening_socket_of_another_process_lets_a_roll_end"},
};

Test(manual, every_promise_of_security_has_a_test)
{
	for (size_t i = 0; i < COUNT(promises); i++) {
		expect_in_section("SECURITY", "OTHER OPERATING SYSTEMS", promises[i].words);
		const char *source = read_file(
			format("%s/tests/system/test_%s.c", source_path(), promises[i].file));
		cr_expect(
			strstr(source, format("Test(%s, %s)", promises[i].file, promises[i].test)),
			"%s is not a test of %s", promises[i].test, promises[i].file);
	}
}

Test(manual, the_protocol_is_stated)
{
	for (size_t i = 0; i < COUNT(protocol); i++)
		expect_in_section("PROTOCOL", "THE NOTIFY HOOK", protocol[i]);
}

Test(manual, every_described_word_is_known_to_the_policy)
{
	for (const char *at = manual(); (at = strstr(at, ITEM)); at++) {
		const char *word = at + strlen(ITEM);
		size_t length = strcspn(word, " \t\n=,[");
		cr_expect(sockopt_find(word, length) ||
				  is_in(matches, COUNT(matches), word, length) ||
				  is_in(actions, COUNT(actions), word, length),
			"%.*s is described", (int)length, word);
	}
}

/* The page says the order; the table says that it is the page's. */
Test(manual, the_options_are_described_in_the_order_of_the_table)
{
	const char *page = manual(), *last = page;

	for (unsigned i = 2; i < sockopt_count; i++) { /* reuseport and reuseaddr are actions too */
		const char *at = find_item(page, sockopt_table[i].name);
		if (!at)
			continue;
		cr_expect(at > last, "%s comes before %s", sockopt_table[i].name,
			sockopt_table[i - 1].name);
		last = at;
	}
}

Test(manual, every_variable_of_the_table_is_described)
{
	const char *page = read_file(format("%s/man/libreuse.7", source_path()));

	for (enum variable at = 0; at < VARIABLE_COUNT; at++)
		cr_expect(strstr(page, format("\n.It Ev %s\n", variable_name(at))),
			"%s is not described", variable_name(at));
}

/* Whether WORDS stand in the item that starts at ITEM. */
static bool is_in_item(const char *item, const char *words)
{
	const char *found = strstr(item, words), *next = strstr(item + 1, "\n.It ");

	return found && (!next || found < next);
}

Test(manual, every_option_of_a_supervisor_has_its_default_and_an_example_beside_it)
{
	const char *start = strstr(page_of("reuse-run.1"), "\nThe following options need\n");
	unsigned count = 0;

	cr_assert(start);
	const char *end = strstr(start, "\n.Sh ");
	for (const char *at = start; (at = strstr(at, "\n.It Fl ")) && at < end; at++, count++) {
		cr_expect(is_in_item(at, "\nDefault:"), "%.40s has no default", at + 1);
		cr_expect(is_in_item(at, "\nExample:\n"), "%.40s has no example", at + 1);
	}
	cr_expect(count > 20, "%u", count);
}

Test(manual, every_socket_option_has_an_example_beside_it)
{
	const char *page = manual();

	for (unsigned i = 0; i < sockopt_count; i++) {
		const char *item = find_item(page, sockopt_table[i].name);
		cr_expect(item && is_in_item(item, "\nExample:\n"), "%s has no example",
			sockopt_table[i].name);
	}
}

/* "Roll", or "STEERING" of another page, if "in" and that page come next. */
static void expect_section(const char *page_name, const char *reference)
{
	size_t length = strcspn(reference, "\n");
	const char *next = reference + length;
	char name[32] = "", number[8] = "";

	if (length > 2 && reference[length - 2] == ' ' && strchr(".,;", reference[length - 1]))
		length -= 2;
	if (sscanf(next, "\nin\n.Xr %31s %7s", name, number) == 2)
		page_name = format("%s.%.1s", name, number);
	const char *page = page_of(page_name), *title = format("%.*s\n", (int)length, reference);
	cr_expect(
		strstr(page, format("\n.Sh %s", title)) || strstr(page, format("\n.Ss %s", title)),
		"%s has no section %s", page_name, title);
}

Test(manual, every_section_that_is_referred_to_exists)
{
	static const char *const names[] = {
		"libreuse.7", "libreuse.conf.5", "reuse-run.1", "reuse-bpf.8"};
	unsigned count = 0;

	for (size_t i = 0; i < COUNT(names); i++) {
		for (const char *at = page_of(names[i]); (at = strstr(at, "Sx ")); count++) {
			at += strlen("Sx ");
			expect_section(names[i], at);
		}
	}
	cr_expect(count > 40, "%u", count);
}
