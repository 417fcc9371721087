/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "expand.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *expand_text(const char *text, unsigned slot, unsigned generation)
{
	size_t size;
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, &size);

	if (!out)
		return NULL;
	for (; *text; text++) {
		bool is_special = *text == '%' && text[1] && strchr("ig%", text[1]);
		if (!is_special)
			fputc(*text, out);
		else if (*++text == '%')
			fputc('%', out);
		else
			fprintf(out, "%u", *text == 'i' ? slot : generation);
	}
	return fclose(out) == 0 ? bytes : NULL;
}

char **expand_words(char *const *command, unsigned slot, unsigned generation)
{
	size_t count = 0;

	while (command[count])
		count++;
	char **expanded = calloc(count + 1, sizeof *expanded);
	if (expanded)
		expanded[0] = command[0];
	for (size_t i = 1; expanded && i < count; i++) {
		expanded[i] = expand_text(command[i], slot, generation);
		if (!expanded[i])
			return NULL;
	}
	return expanded;
}
