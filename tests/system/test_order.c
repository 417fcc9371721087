/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A specific address and the wildcard address share a port, whichever comes first. */
#include "harness.h"

#include <string.h>

static struct process *start_named(const char *address, int port, bool is_bare)
{
	const char *directory = new_directory();

	write_file(directory, "name", address);
	return process_start(WORDS(need_program("python3"), "-m", "http.server", "--bind", address,
				     "--directory", directory, format("%d", port)),
		.is_bare = is_bare);
}

/* That who connects to ADDRESS reaches the server that was bound to EXPECTED. */
static void expect_reached(const char *address, int port, const char *expected)
{
	char answer[1024];

	client_ask(address, port, "GET /name HTTP/1.0\r\n\r\n", NULL, answer, sizeof answer);
	const char *body = strstr(answer, "\r\n\r\n");
	cr_expect(body && strcmp(body + 4, expected) == 0,
		"who connects to %s should reach the server at %s, and gets \"%s\"", address,
		expected, answer);
}

static int start_both(const char *first, const char *second)
{
	int port = port_new();

	process_wait_port(start_named(first, port, false), "tcp", port);
	process_wait_port(start_named(second, port, false), "tcp", port);
	return port;
}

static void expect_refused(const char *first, const char *second)
{
	int port = port_new();

	process_wait_port(start_named(first, port, true), "tcp", port);
	struct process *other = start_named(second, port, true);
	cr_expect_neq(process_wait(other), 0);
	process_wait_text(other, "Address already in use");
}

Test(order, the_wildcard_address_can_be_bound_after_a_specific_one)
{
	int port = start_both("127.0.0.1", "0.0.0.0");

	expect_reached("127.0.0.1", port, "127.0.0.1");
	expect_reached("127.0.0.2", port, "0.0.0.0");
}

Test(order, a_specific_address_can_be_bound_after_the_wildcard)
{
	int port = start_both("0.0.0.0", "127.0.0.1");

	expect_reached("127.0.0.1", port, "127.0.0.1");
	expect_reached("127.0.0.2", port, "0.0.0.0");
}

Test(order, the_wildcard_address_of_ip6_can_be_bound_after_a_specific_one)
{
	int port = start_both("::1", "::");

	expect_reached("::1", port, "::1");
	expect_reached("127.0.0.1", port, "::");
}

Test(order, a_specific_address_of_ip6_can_be_bound_after_the_wildcard)
{
	int port = start_both("::", "::1");

	expect_reached("::1", port, "::1");
	expect_reached("127.0.0.1", port, "::");
}

Test(order, the_wildcard_addresses_of_both_families_can_be_bound_in_either_order)
{
	int port = start_both("0.0.0.0", "::");

	expect_reached("127.0.0.1", port, "0.0.0.0");
	expect_reached("::1", port, "::");
	port = start_both("::", "0.0.0.0");
	expect_reached("127.0.0.1", port, "0.0.0.0");
	expect_reached("::1", port, "::");
}

Test(order, without_libreuse_the_second_is_refused_in_either_order)
{
	expect_refused("127.0.0.1", "0.0.0.0");
	expect_refused("0.0.0.0", "127.0.0.1");
	expect_refused("::1", "::");
	expect_refused("::", "::1");
}
