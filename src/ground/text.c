/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text.h"

#include "compare.h"

#include <stdint.h>
#include <string.h>

void text_start(struct text *text, char *buffer, size_t size)
{
	*text = (struct text){.bytes = buffer, .size = size};
	buffer[0] = '\0';
}

void text_add(struct text *text, const char *bytes, size_t length)
{
	size_t room = text->size - 1 - text->length;

	if (length > room) {
		length = room;
		text->truncated = true;
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_add_printable(struct text *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];
		char shown = c < 0x20 || c == 0x7f ? '?' : (char)c;
		text_add(text, &shown, 1);
	}
}

static void add_number(struct text *text, uintmax_t value, unsigned base)
{
	char digits[3 * sizeof value];
	size_t at = sizeof digits;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	text_add(text, digits + at, sizeof digits - at);
}

static void add_signed(struct text *text, int value)
{
	if (value < 0)
		text_add(text, "-", 1);
	add_number(text, value < 0 ? -(uintmax_t)value : (uintmax_t)value, 10);
}

static void add_string(struct text *text, const char *string)
{
	if (string)
		text_add(text, string, string_length(string));
}

void text_vformat(struct text *text, const char *format, va_list args)
{
	for (const char *at = format; *at; at++) {
		if (*at != '%') {
			text_add(text, at, 1);
			continue;
		}
		int length;
		char c;
		switch (*++at) {
		case 's':
			add_string(text, va_arg(args, const char *));
			break;
		case '.': /* only in %.*s */
			at += 2;
			length = va_arg(args, int);
			text_add_printable(text, va_arg(args, const char *), (size_t)length);
			break;
		case 'c':
			c = (char)va_arg(args, int);
			text_add(text, &c, 1);
			break;
		case 'd':
			add_signed(text, va_arg(args, int));
			break;
		case 'u':
			add_number(text, va_arg(args, unsigned), 10);
			break;
		case 'x':
			add_number(text, va_arg(args, unsigned), 16);
			break;
		case 'j': /* only in %ju */
			at++;
			add_number(text, va_arg(args, uintmax_t), 10);
			break;
		default:
			text_add(text, at, 1);
		}
	}
}

void text_format(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_vformat(text, format, args);
	va_end(args);
}

void text_vprint(char *buffer, size_t size, const char *format, va_list args)
{
	struct text text;

	text_start(&text, buffer, size);
	text_vformat(&text, format, args);
}

void text_print(char *buffer, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_vprint(buffer, size, format, args);
	va_end(args);
}
