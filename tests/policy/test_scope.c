/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/scope.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

Test(scope, an_address_of_one_link_has_a_scope_and_no_other_has)
{
	static const struct {
		const char *address;
		bool is_needed;
	} cases[] = {
		{"fe80::1", true},
		{"fe80::", true},
		{"febf:ffff::1", true},
		{"ff02::fb", true},
		{"ff12::1", true},
		{"ff01::1", true},
		{"fe7f:ffff::1", false},
		{"fec0::1", false},
		{"ff05::1", false},
		{"ff00::1", false},
		{"ff03::1", false},
		{"::", false},
		{"::1", false},
		{"2001:db8::1", false},
		{"fd00::1", false},
		{"169.254.1.1", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct endpoint endpoint = endpoint_of(PROTOCOL_TCP, cases[i].address, 80);
		cr_expect_eq(scope_is_needed(&endpoint.address), cases[i].is_needed, "%s",
			cases[i].address);
	}
}

static int find(const char *text, uint32_t *interface)
{
	*interface = 77;
	return scope_find(interface, text, strlen(text));
}

Test(scope, an_interface_is_found_by_its_name_or_its_number)
{
	uint32_t interface;

	errno = 5;
	cr_expect_eq(find("lo", &interface), 0);
	cr_expect_eq(interface, if_nametoindex("lo"));
	cr_expect_eq(find("7", &interface), 0);
	cr_expect_eq(interface, 7, "%u", interface);
	cr_expect_eq(errno, 5);
}

Test(scope, an_unknown_interface_is_not_found)
{
	static const char *const wrong[] = {"", "0", "-1", "nosuch", "lo ", "7x", "4294967297",
		"99999999999", "a-name-that-no-interface-can-have"};
	uint32_t interface;

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_expect_eq(find(wrong[i], &interface), -ENODEV, "\"%s\"", wrong[i]);
}

Test(scope, a_rule_without_an_interface_applies_on_each)
{
	cr_expect(scope_holds(0, 0) && scope_holds(0, 2) && scope_holds(0, SCOPE_UNKNOWN));
	cr_expect(scope_holds(2, 2) && scope_holds(2, SCOPE_UNKNOWN));
	cr_expect_not(scope_holds(2, 0) || scope_holds(2, 3));
}
