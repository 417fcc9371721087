/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http.h"

#include "ground/number.h"

#include <string.h>

#define VERSION	    "HTTP/1."
#define VERSION_END 8 /* length of "HTTP/1." and the digit after it */
#define STATUS_END  12
#define HEADER_END  "\r\n\r\n"

void http_request(struct text *text, const char *path, const struct endpoint *to)
{
	text_format(text, "GET %s HTTP/1.1\r\nHost: ", path);
	endpoint_print_place(text, to);
	text_format(text, "\r\nUser-Agent: reuse-run\r\nAccept: */*\r\nConnection: close\r\n");
}

/* The status of the response that starts here. */
static int status_at(const char *bytes, size_t length)
{
	size_t compared = length < sizeof VERSION - 1 ? length : sizeof VERSION - 1;

	if (memcmp(bytes, VERSION, compared) != 0)
		return -1;
	if (length < STATUS_END)
		return 0;
	int status = bytes[VERSION_END] == ' '
			     ? number_of(bytes + VERSION_END + 1, STATUS_END - VERSION_END - 1, 999)
			     : -1;
	return status >= 100 ? status : -1;
}

int http_status(const char *bytes, size_t length)
{
	for (;;) {
		int status = status_at(bytes, length);
		if (status < 100 || status >= 200)
			return status;
		const char *end = memmem(bytes, length, HEADER_END, sizeof HEADER_END - 1);
		if (!end)
			return 0;
		end += sizeof HEADER_END - 1;
		length -= (size_t)(end - bytes);
		bytes = end;
	}
}
