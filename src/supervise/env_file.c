/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "env_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Takes the quotes off that stand around a value; returns NULL where one has no partner. */
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

static bool set_from(char *line)
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
	return value && is_name(line) && setenv(line, value, true) == 0;
}

bool env_file_load(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool is_good = true;

	if (!file) {
		fprintf(stderr, "reuse-run: --env-file=%s: %s\n", path, strerror(errno));
		return false;
	}
	for (unsigned number = 1; is_good && getline(&line, &size, file) >= 0; number++) {
		is_good = set_from(line);
		if (!is_good)
			fprintf(stderr, "reuse-run: %s:%u: this line is no NAME=VALUE\n", path,
				number);
	}
	if (is_good && ferror(file)) {
		fprintf(stderr, "reuse-run: --env-file=%s: %s\n", path, strerror(errno));
		is_good = false;
	}
	free(line);
	fclose(file);
	return is_good;
}
