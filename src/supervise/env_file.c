/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "env_file.h"

#include "policy/policy_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPLAINT_SIZE 256

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static bool is_name(const char *text)
{
	if (isdigit((unsigned char)*text) || !*text)
		return false;
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && *text != '_')
			return false;
	}
	return true;
}

/* Removes the quotes around a value; returns NULL if the closing quote is missing. */
static char *unquote(char *value)
{
	size_t length = strlen(value);
	char quote = *value;

	if (quote != '"' && quote != '\'')
		return value;
	if (length < 2 || value[length - 1] != quote)
		return NULL;
	value[length - 1] = '\0';
	return value + 1;
}

static bool take_line(char *line, bool is_set)
{
	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return true;
	if (strncmp(line, "export ", 7) == 0)
		line = trim(line + 7);
	char *equals = strchr(line, '=');
	if (!equals)
		return false;
	*equals = '\0';
	char *value = unquote(equals + 1);
	return value && is_name(line) && (!is_set || setenv(line, value, true) == 0);
}

static bool refuse(const char *path, const char *why)
{
	fprintf(stderr, "reuse-run: --env-file=%s: %s\n", path, why);
	return false;
}

/* The number of the first line with a NUL, which would end the text; or 0. */
static unsigned line_with_nul(const struct policy_file *file)
{
	const char *nul = memchr(file->bytes, '\0', file->length);
	unsigned number = 1;

	for (const char *at = file->bytes; nul && at < nul; at++)
		number += *at == '\n';
	return nul ? number : 0;
}

static bool take_lines(const char *path, char *text, bool is_set)
{
	char *line;

	for (unsigned number = 1; (line = strsep(&text, "\n")); number++) {
		if (take_line(line, is_set))
			continue;
		fprintf(stderr, "reuse-run: %s:%u: this line does not have the form NAME=VALUE\n",
			path, number);
		return false;
	}
	return true;
}

static bool take_file(const char *path, bool is_set)
{
	struct policy_file file;
	char bytes[COMPLAINT_SIZE];
	struct text complaint;

	text_start(&complaint, bytes, sizeof bytes);
	int error = policy_file_read(&file, path, false, &complaint);
	if (error)
		return refuse(path, error == -ENOENT ? "no such file" : bytes);
	unsigned number = line_with_nul(&file);
	if (number)
		fprintf(stderr,
			"reuse-run: %s:%u: there is a NUL byte in this line; save the file as "
			"plain text (UTF-8)\n",
			path, number);
	bool is_good = !number && take_lines(path, file.bytes,
					  is_set); /* there is a NUL after its last byte */
	policy_file_drop(&file);
	return is_good;
}

bool env_file_check(const char *path)
{
	return take_file(path, false);
}

bool env_file_load(const char *path)
{
	return take_file(path, true);
}
