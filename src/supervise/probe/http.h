/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes an HTTP request, and reads the status of the response. */
#ifndef SUPERVISE_PROBE_HTTP_H
#define SUPERVISE_PROBE_HTTP_H

#include "policy/endpoint.h"

#include <stddef.h>

/*
 * A GET request for PATH at TO, without its last line, HTTP_END: no server answers before that.
 * Pure.
 */
void http_request(struct text *text, const char *path, const struct endpoint *to);

#define HTTP_END "\r\n"

/*
 * The status of a response of which LENGTH bytes have come; interim responses (1xx) are skipped. 0:
 * more has to come; -1: this is not HTTP. Pure.
 */
int http_status(const char *bytes, size_t length);

#endif
