/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/probe/http.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <string.h>

Test(http, a_request_names_the_address_that_it_goes_to)
{
	char bytes[512];
	struct text text;
	struct endpoint ip4 = {.address = {0, ADDRESS_MAPPED | 0x7f000001}, .port = 80};
	struct endpoint ip6 = {.address = {0, 1}, .port = 8080};

	text_start(&text, bytes, sizeof bytes);
	http_request(&text, "/health?a=%d", &ip4);
	cr_expect_str_eq(bytes,
		"GET /health?a=%d HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUser-Agent: reuse-run\r\n"
		"Accept: */*\r\nConnection: close\r\n");
	text_start(&text, bytes, sizeof bytes);
	http_request(&text, "/", &ip6);
	cr_expect(strstr(bytes, "\r\nHost: [::1]:8080\r\n"), "%s", bytes);
}

static const struct {
	const char *answer;
	int status;
} answers[] = {
	{"HTTP/1.1 200 OK\r\n", 200},
	{"HTTP/1.0 204 \r\n", 204},
	{"HTTP/1.1 301", 301},
	{"HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\nno", 503},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", 200},
	{"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 404 No", 404},
	{"HTTP/2 200\r\n", -1},
	{"HTTP/1.1 OK\r\n\r\n", -1},
	{"HTTP/1.1 2000", 200},
	{"HTTP/1.1 099 No", -1},
	{"HTTP/1.1 +20 No", -1},
	{"SSH-2.0-OpenSSH\r\n", -1},
	{"200 OK", -1},
};

Test(http, the_final_status_is_read)
{
	for (size_t i = 0; i < COUNT_OF(answers); i++)
		cr_expect_eq(http_status(answers[i].answer, strlen(answers[i].answer)),
			answers[i].status, "%s", answers[i].answer);
}

/* It is read from a buffer of its exact size, so that a sanitizer sees reads beyond it. */
Test(http, a_part_of_a_response_is_not_mistaken_for_another_status)
{
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		for (size_t length = 0; length < strlen(answers[i].answer); length++) {
			char *part = strndup(answers[i].answer, length);
			int status = http_status(part, length);
			cr_expect(
				status == 0 || status == answers[i].status, "%s: %d", part, status);
			free(part);
		}
	}
}
