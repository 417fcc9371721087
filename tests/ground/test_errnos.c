/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ground/errnos.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(errnos, a_name_gives_its_number)
{
	static const struct {
		const char *name;
		int number;
	} cases[] = {
		{"EACCES", EACCES},
		{"EADDRINUSE", EADDRINUSE},
		{"EADDRNOTAVAIL", EADDRNOTAVAIL},
		{"EAFNOSUPPORT", EAFNOSUPPORT},
		{"EAGAIN", EAGAIN},
		{"ECONNREFUSED", ECONNREFUSED},
		{"EHOSTUNREACH", EHOSTUNREACH},
		{"EINVAL", EINVAL},
		{"ENETUNREACH", ENETUNREACH},
		{"ENOMEM", ENOMEM},
		{"EPERM", EPERM},
		{"ETIMEDOUT", ETIMEDOUT},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *name = cases[i].name;
		cr_expect_eq(errno_from_name(name, strlen(name)), cases[i].number, "%s", name);
		cr_expect_str_eq(errno_name(cases[i].number), name);
	}
}

Test(errnos, every_name_in_the_table_leads_back_to_its_number)
{
	unsigned known = 0;

	for (int number = 1; number < 200; number++) {
		const char *name = errno_name(number);
		if (name[0] != 'E')
			continue;
		known++;
		cr_expect_eq(errno_from_name(name, strlen(name)), number, "%s", name);
		cr_expect_str_eq(strerrorname_np(number), name);
	}
	cr_expect_geq(known, 30, "the table has only %u names", known);
}

Test(errnos, an_unknown_name_has_no_number)
{
	static const char *const wrong[] = {
		"", "E", "EACCE", "EACCESS", "eacces", "13", " EACCES", "EACCES "};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_eq(errno_from_name(wrong[i], strlen(wrong[i])), 0, "%s", wrong[i]);
	cr_expect_eq(errno_from_name("EACCES", 3), 0);
}

Test(errnos, an_unknown_number_is_called_unknown)
{
	cr_expect_str_eq(errno_name(0), "an unknown error");
	cr_expect_str_eq(errno_name(-EACCES), "an unknown error");
	cr_expect_str_eq(errno_name(99999), "an unknown error");
}
