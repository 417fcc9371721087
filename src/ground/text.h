/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds text in a fixed buffer: no allocation, no stdio, no locale. */
#ifndef GROUND_TEXT_H
#define GROUND_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* always NUL-terminated */
	size_t size; /* of the buffer, in bytes, with the NUL */
	size_t length;
	bool truncated; /* something did not fit */
};

/* Starts an empty text in BUFFER, which must hold at least one byte. Async-signal-safe, as all
 * below. */
void text_start(struct text *text, char *buffer, size_t size);

/* Appends LENGTH bytes as they are; what does not fit is dropped, and TRUNCATED is set. */
void text_add(struct text *text, const char *bytes, size_t length);

/*
 * Appends as printf(3) would, but only for these conversions: %s, %c, %d, %u, %ju, %x, %%; and
 * %.*s, which is for bytes from elsewhere: it appends them as text_add_printable() does. A NULL
 * string appends nothing.
 */
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vformat(struct text *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Writes a whole text at once, as text_format() would append it; what does not fit is dropped. */
void text_vprint(char *buffer, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
void text_print(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Appends LENGTH bytes from elsewhere: what a terminal or a log could take for a control character
 * is replaced by "?". Bytes over 0x7f pass, for UTF-8.
 */
void text_add_printable(struct text *text, const char *bytes, size_t length);

#endif
