/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes an HTTP request, and reads the status of its answer. */
#ifndef SUPERVISE_PROBE_HTTP_H
#define SUPERVISE_PROBE_HTTP_H

#include "policy/endpoint.h"

#include <stddef.h>

/*
 * A GET request for PATH at TO, but for its last line, HTTP_END: before that, no server answers.
 * Pure.
 */
void http_request(struct text *text, const char *path, const struct endpoint *to);

#define HTTP_END "\r\n"

/*
 * The status of an answer of which so many bytes have come; what comes before the final one (1xx)
 * is passed over. 0: more has to come; -1: this is no HTTP. Pure.
 */
int http_status(const char *bytes, size_t length);

#endif
