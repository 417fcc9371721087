/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manual describes every socket option and every variable of the tables; limits are stated. */
#include "harness.h"
#include "policy/sockopt.h"
#include "policy/variable.h"

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
static const char *const limits[] = {"shutdown 2\n", "closed for good", "Type=forking",
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

Test(manual, what_rules_for_connect_do_not_see_is_said_where_connect_is_described)
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
	{"root is no exception", "users",
		"who_is_refused_another_users_port_is_told_the_user_and_the_program"},
	{"closed on every address", "hostile", "another_user_can_join_a_tcp_port_on_no_address"},
	{"closed on every address", "hostile", "another_user_can_join_a_udp_port_on_no_address"},
	{"whoever listens first has the\nport", "hostile",
		"who_binds_between_bind_and_listen_makes_the_listen_fail"},
	{"can be joined by\n.Em every\nuser", "hostile",
		"a_udp_port_whose_program_sets_so_reuseaddr_is_open_to_all_unless_it_is_exclusive"},
	{"A second copy fails", "users",
		"two_copies_that_both_set_so_reuseport_share_a_port_unless_it_is_exclusive"},
	{"refuses the call", "users", "deny_fails_with_eacces_or_the_errno_that_it_names"},
	{"takes the notify hook whenever a rule protects", "choose",
		"under_strict_deny_holds_against_every_way_to_bind"},
	{"where that is not available\ndoes not start the program", "choose",
		"strict_refuses_what_no_hook_holds"},
	{"refused if its owner or\nits mode", "log",
		"a_policy_file_that_others_can_write_is_a_broken_policy"},
	{"slips\nin no rule and no variable", "hostile",
		"a_file_that_another_user_wrote_or_linked_to_slips_in_no_rule_and_no_variable"},
	{"the environment is ignored", "log",
		"a_setuid_program_ignores_the_rules_of_the_environment"},
	{"no socket is handed over", "log",
		"a_setuid_program_hands_no_socket_to_a_keeper_that_the_environment_names"},
	{"no descriptor is adopted", "log", "a_setuid_program_adopts_nothing"},
	{"no link is followed", "hostile",
		"a_pid_file_does_not_follow_a_link_that_another_user_has_planted"},
	{"A lock of another user is in nobody's way", "pid_file",
		"a_lock_of_another_user_keeps_nobody_from_replacing_what_was_left_over"},
	{"the descendants of the copy", "descent",
		"what_a_copy_has_started_is_heard_whatever_its_user"},
	{"is not heard", "descent",
		"another_user_who_joins_the_process_group_of_a_copy_is_not_heard"},
	{"nothing that he has open counts", "descent",
		"a_socket_of_another_user_who_joins_the_process_group_makes_no_copy_ready"},
	{"hears root, its own user", "hostile",
		"a_user_may_ask_his_own_supervisor_and_another_may_not"},
	{"add no socket", "hostile", "what_another_user_says_to_the_keeper_is_not_heard"},
	{"number for unknown users", "hostile",
		"a_user_that_a_namespace_has_no_number_for_is_nobody_of_ours"},
	{"However much they send", "hostile", "a_flood_of_another_users_messages_holds_nobody_up"},
	{"rolls go on", "hostile", "another_user_who_asks_for_rolls_without_end_holds_none_up"},
	{"take no descriptor", "hostile", "another_user_gets_no_descriptor_and_sends_no_signal"},
	{"not for a child", "hostile", "a_kept_socket_is_not_for_a_child_of_another_user"},
	{"hands him no socket", "hostile", "who_has_taken_a_keepers_name_is_sent_no_socket"},
	{"says that it will not be found", "hostile",
		"a_name_that_another_user_has_taken_is_not_believed_and_a_signal_rolls"},
	{"refuses who is not the user", "hostile",
		"who_listens_there_for_another_user_is_not_believed"},
	{"sends nonsense", "flood", "messages_that_make_no_sense_are_dropped"},
	{"a flood,", "flood", "a_flood_that_does_not_end_holds_no_roll_up"},
	{"anything but a listening\nsocket", "flood",
		"descriptors_of_what_is_no_listening_socket_are_closed"},
	{"ends the next roll", "flood",
		"a_listening_socket_of_somebody_else_ends_a_roll_in_good_order"},
};

Test(manual, every_promise_of_security_has_a_test)
{
	for (size_t i = 0; i < COUNT(promises); i++) {
		expect_in_section("SECURITY", "OTHER OPERATING SYSTEMS", promises[i].words);
		const char *source = read_file(
			format("%s/tests/system/test_%s.c", source_path(), promises[i].file));
		cr_expect(
			strstr(source, format("Test(%s, %s)", promises[i].file, promises[i].test)),
			"%s is no test of %s", promises[i].test, promises[i].file);
	}
}

Test(manual, the_protocol_is_stated)
{
	for (size_t i = 0; i < COUNT(protocol); i++)
		expect_in_section("PROTOCOL", "THE NOTIFY HOOK", protocol[i]);
}

Test(manual, nothing_is_described_that_the_policy_does_not_know)
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
		cr_expect(at > last, "%s stands before %s", sockopt_table[i].name,
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
