/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manual describes every socket option and every variable of the tables; limits are stated. */
#include "../../src/policy/sockopt.h"
#include "../../src/policy/variable.h"
#include "harness.h"

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

Test(manual, the_limits_of_keep_are_stated)
{
	const char *section = strstr(page_of("libreuse.7"), "\n.Sh KEEPING A SOCKET\n");

	cr_assert(section);
	for (size_t i = 0; i < COUNT(limits); i++) {
		const char *at = strstr(section, limits[i]);
		cr_expect(at && at < strstr(section, "\n.Sh ADOPTING A SOCKET\n"),
			"%s is not there", limits[i]);
	}
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
