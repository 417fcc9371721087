/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/probe/check.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <string.h>

Test(check, a_port_and_a_path_are_read)
{
	static const struct {
		const char *text;
		enum check_kind kind;
		uint16_t port;
		const char *rest; /* NULL: it is invalid */
	} cases[] = {
		{"tcp", CHECK_TCP, 0, NULL},
		{"tcp:80", CHECK_TCP, 80, NULL},
		{"http:/", CHECK_HTTP, 0, "/"},
		{"http:/health?deep=1", CHECK_HTTP, 0, "/health?deep=1"},
		{"http:65535/a/b", CHECK_HTTP, 65535, "/a/b"},
		{"curl -f http://localhost/", CHECK_COMMAND, 0, "curl -f http://localhost/"},
		{"tcpdump", CHECK_COMMAND, 0, "tcpdump"},
		{"httpie", CHECK_COMMAND, 0, "httpie"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct check check;
		cr_assert(check_parse(&check, cases[i].text), "%s", cases[i].text);
		cr_expect_eq(check.kind, cases[i].kind, "%s", cases[i].text);
		cr_expect_eq(check.port, cases[i].port, "%s", cases[i].text);
		if (cases[i].rest)
			cr_expect_str_eq(check.text, cases[i].rest);
	}
}

Test(check, a_text_that_starts_like_a_check_is_never_a_command)
{
	static const char *const texts[] = {"", "http:", "http:80", "http:0/", "http:65536/",
		"http:-1/", "http: 80/", "http:80 /", "http:localhost/", "http:localhost:80/",
		"http://localhost/", "http:/a b", "http:/a\n", "http:/\xc3\xa4", "https:/",
		"https://localhost/", "tcp:", "tcp:0", "tcp:65536", "tcp:x", "tcp:80/"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct check check;
		cr_expect_not(check_parse(&check, texts[i]), "%s", texts[i]);
	}
}

Test(check, a_path_has_an_end)
{
	static char text[CHECK_PATH_MOST + 16] = "http:/";
	struct check check;

	memset(text + 6, 'a', CHECK_PATH_MOST - 1);
	cr_expect(check_parse(&check, text));
	strcat(text, "a");
	cr_expect_not(check_parse(&check, text));
}
